"""Whether an undo evicts more keys than was agreed to: looked at before it begins and on its way, and asked."""

from __future__ import annotations

import math
import time
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial

from pymon_tui.invalidation.outlook import Memory, Outlook, evicted_bytes, too_many
from pymon_tui.invalidation.pacing import Pacer, Stopped
from pymon_tui.invalidation.pipe import Line
from pymon_tui.invalidation.portions import Portion
from pymon_tui.invalidation.restore_load import Coming, Load, owner_of, raw_of
from pymon_tui.model import units
from pymon_tui.model.text import safe

_ABOUT = 1.25  # times the keys that were agreed to: both numbers are estimates, by the same reckoning
_COUNTED = 2  # times them that were counted: what is evicted may be smaller than the keys are on average
_FEW = 20  # keys that may be evicted for others' sake
_USUAL = 1.0  # seconds at least over which it is known what is evicted without the undo
_LIKELY = 64 * 2**20  # bytes that may come back between two looks where there is no limit
_SOME = 4 * 2**20  # and where keys are evicted that were agreed to
_FIRST = 2**16  # and until it was seen how many keys are evicted for that
_OF_ROOM = 3 / 4  # what comes back between two looks, of the room that is left, where keys are to be evicted
_FLYING = 2**18  # what the server holds of a portion while it carries it out
_OF_AGREED = 1 / 2  # what comes back between two looks, of what may still be evicted as those keys are seen to be
_OF_SLACK = 1 / 4  # what comes back between two looks, of the room that is left beside all that is to come
_PORTIONS = 64  # between two looks at most
_NOTHING = Coming()

Look = Callable[[Line], Awaitable[Sequence[Memory]]]
"""Asks the servers that keys come back to; it is given the connection on which they are sent."""


class Node:
    """What is known of one server that keys come back to.

    Attributes:
        left: Bytes that may come there until the next look.
        over: Bytes that came there and had no room.
        seen: Raw bytes sent there at the last look, and its room then; None where it evicts none.
        before: Keys that it had evicted at the first look, when that was, and how many a second it evicts without us.
        evicted: Keys that it has evicted since then, beyond those; None where it doesn't tell.
    """

    def __init__(self) -> None:
        self.left = self.over = 0.0
        self.seen: tuple[int, int] | None = None
        self.before: tuple[int, float, float] | None = None
        self.evicted: float | None = None

    def key_bytes(self, average: float, now: float | None = None) -> float:
        """What a key that is evicted takes, about: the average, unless the keys are seen to be much smaller.

        ``now`` is what the keys that are there by now take on average.
        """
        came = self.over + _FLYING
        if not self.evicted or self.evicted <= max(_FEW, _COUNTED * came / max(average, now or 0.0)):
            return average
        return came / self.evicted

    def step(self, average: float, keys: float) -> float:
        """Bytes that may come at once where so many keys may be evicted for them: few until some are seen to be."""
        if self.evicted is None or self.evicted <= _FEW or not self.over:
            return _FIRST
        return keys * min(average, self.over / self.evicted)


class Room:
    """What is left below ``maxmemory`` for an undo, for all of its parts: each server has its own.

    Attributes:
        agreed: Keys that may be evicted, about.
        question: What a person was asked last.
        asks: Whether there is a person who can be asked; else the undo stops.
    """

    def __init__(self, outlook: Outlook, look: Look, *, asks: bool) -> None:
        """``outlook`` is what was known when it was agreed to."""
        self.agreed = outlook.evicted
        self.question = ""
        self.asks = asks
        self._outlook = outlook
        self._look = look
        self._shares: list[Share] = []
        self._portions = 0  # that may be sent until the next look
        self._counted = 0  # keys that were evicted meanwhile
        self._nodes: defaultdict[str, Node] = defaultdict(Node)

    def share(self) -> Share:
        """What one part of the undo sends."""
        self._shares.append(Share(self._outlook.load, self))
        return self._shares[-1]

    async def gate(self, line: Line, pacer: Pacer, raw: Mapping[str, int]) -> None:
        """Wait until a portion may be sent, of so many raw bytes for each server, as far as there is room.

        Raises:
            Cancelled: If a person wants no more of it.
            Stopped: If more keys would be evicted than was agreed to, and nobody is there to be asked.
            LinkError: If the link is lost.
        """
        self._portions -= 1
        for node, size in raw.items():
            self._nodes[node].left -= size * self._coming(node).scale
        if self._portions >= 0 and all(self._nodes[node].left >= 0 for node in raw):
            return
        memories = await self._look(line)
        while keys := self._too_many(memories):
            self._portions = 0  # the other parts look as well, whichever server theirs go to
            self.question = self._asked(keys)
            if not self.asks:
                raise Stopped(f"{self.question}; raise maxmemory, or undo again and agree to that")
            await pacer.ask(f"{self.question}: go on?", partial(self._lacks, keys))
            if self._lacks(keys):  # else another part was answered, and this one has asked the same
                self.agreed = keys
            memories = await self._look(line)

    def _lacks(self, keys: int) -> bool:
        return keys > _ABOUT * self.agreed

    def _coming(self, node: str) -> Coming:
        return self._outlook.load.to.get(node, _NOTHING)

    def _too_many(self, memories: Sequence[Memory]) -> int:
        """How many keys would be evicted in all, if those are more than was agreed to; else 0."""
        sent: Counter[str] = Counter()
        for share in self._shares:
            sent.update(share.sent)
        self._portions, any_sent = _PORTIONS, sent.total() > 0
        for node in self._nodes.values():
            node.left = _LIKELY
        for memory in memories:
            self._note_evicted(memory)
        known = [self._nodes[memory.node].evicted for memory in memories]
        counted = self._counted = math.ceil(sum(each or 0.0 for each in known)) if None not in known and any_sent else 0
        totals = [self._in_all(memory, sent[memory.node], counted) for memory in memories]
        if any(memory.evicts for memory in memories) and (total := math.ceil(sum(totals))) > _ABOUT * self.agreed:
            return total
        return counted if counted > _COUNTED * self.agreed else 0

    def _in_all(self, memory: Memory, sent: int, counted: int) -> float:
        """How many keys of a server are evicted for all that comes there, of which so many raw bytes were sent.

        It is also told what may come until the next look; ``counted`` were evicted on all servers until now.
        """
        node, coming = self._nodes[memory.node], self._coming(memory.node)
        if node.seen is not None:
            before, room = node.seen
            node.over += max(0.0, (sent - before) * coming.scale - room)
        # As it was when it was agreed to: what came back since changes the average, and not what is taken.
        average = self._outlook.key_bytes.get(memory.node) or evicted_bytes(memory, coming) or 0.0
        if memory.room is None or not memory.evicts:
            node.seen, node.left = None, _LIKELY
            return node.over / average if average else 0.0
        node.seen = sent, memory.room
        rest = max(0.0, coming.raw - sent) * coming.scale
        each = node.key_bytes(average, memory.key_bytes) if average else 0.0
        if not self.agreed:
            node.left = min(_LIKELY, (memory.room - rest) * _OF_SLACK)
        else:
            may_go = max(0.0, _ABOUT * self.agreed - counted) * _OF_AGREED
            # Up to the limit in ever smaller steps, as what a key takes there is an estimate.
            node.left = min(_SOME, max(memory.room * _OF_ROOM, node.step(each, may_go)))
        gone = node.over / each if each else 0.0
        return gone + too_many(rest, memory, coming, each).evicted

    def _note_evicted(self, memory: Memory) -> None:
        """Count the keys that a server has evicted since the first look, beyond what it evicted before it."""
        node, now = self._nodes[memory.node], time.monotonic()
        if memory.evicted is None:
            node.evicted = None
            return
        if node.before is None:
            node.before = memory.evicted, now, self._usual(memory.node, memory.evicted, now)
        first, since, usual = node.before
        node.evicted = max(0.0, memory.evicted - first - usual * (now - since))

    def _usual(self, node: str, count: int, now: float) -> float:
        """Keys that a server evicts in a second without us, by what it had evicted when it was agreed to."""
        if self._outlook.evicted_at is None:
            return 0.0
        then, at = self._outlook.evicted_at
        return max(0, count - then[node]) / (now - at) if node in then and now - at >= _USUAL else 0.0

    def _asked(self, keys: int) -> str:
        agreed = "none were" if not self.agreed else f"{units.keys(self.agreed, about=True)} were"
        already = f", {units.whole(self._counted)} of them are already" if self._counted else ""
        about, be = units.keys(keys, about=True), "would be evicted for what comes back"
        return safe(f"{about} {be}{already}, and {agreed} when this was agreed to")


class Share:
    """What one part of an undo has sent.

    Attributes:
        sent: Raw bytes for each server, also of what is on its way.
    """

    def __init__(self, load: Load | None = None, room: Room | None = None) -> None:
        """``room`` is what it is a share of, for what is to come back; None where nobody looks."""
        self.sent: Counter[str] = Counter()
        self._settled: Counter[str] = Counter()
        self._load = load
        self._room = room

    async def gate(self, line: Line, pacer: Pacer, portion: Portion) -> None:
        """Wait until a portion may be sent; raises as ``Room.gate``."""
        await pacer.gate()
        if self._room is not None:
            await self._room.gate(line, pacer, self._raw(portion))

    def send(self, portion: Portion) -> None:
        """Count a portion that is sent."""
        self.sent.update(self._raw(portion))

    def settle(self, portion: Portion) -> None:
        """Count a portion that was answered."""
        self._settled.update(self._raw(portion))

    def lose(self) -> None:
        """Take back what was on its way: it is sent again."""
        self.sent = self._settled.copy()

    def _raw(self, portion: Portion) -> Counter[str]:
        raw: Counter[str] = Counter()
        if self._load is not None:
            for copy in portion.copies:
                if copy.given <= self._load.at:
                    raw[owner_of(copy.key, self._load.owners)] += raw_of(copy.key, copy.payload)
        return raw
