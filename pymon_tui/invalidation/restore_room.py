"""Whether an undo evicts more keys than was agreed to: looked at before it begins and on its way, and asked."""

from __future__ import annotations

import math
import time
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial

from pymon_tui.invalidation.outlook import Memory, Outlook, too_many
from pymon_tui.invalidation.pacing import Pacer, Stopped
from pymon_tui.invalidation.pipe import Line
from pymon_tui.invalidation.portions import Portion
from pymon_tui.invalidation.restore_load import Coming, Load, owner_of, raw_of
from pymon_tui.model import units
from pymon_tui.model.text import safe

_ABOUT = 1.25  # times the keys that were agreed to: both numbers are estimates, by the same reckoning
_COUNTED = 2  # times them that were counted: what is evicted may be smaller than the keys are on average
_USUAL = 1.0  # seconds at least over which it is known what is evicted without the undo
_LIKELY = 64 * 2**20  # bytes that may come back between two looks where there is no limit
_SOME = 4 * 2**20  # and where keys are evicted that were agreed to
_OF_SLACK = 1 / 4  # what comes back between two looks, of the room that is left beside all that is to come
_PORTIONS = 64  # between two looks at most
_NOTHING = Coming()

Look = Callable[[Line], Awaitable[Sequence[Memory]]]
"""Asks the servers that keys come back to; it is given the connection on which they are sent."""


class _Node:
    """What is known of one server that keys come back to.

    Attributes:
        left: Bytes that may come there until the next look.
        spent: Keys that were evicted for what was sent, about.
        seen: Raw bytes sent there at the last look, and its room then; None where it evicts none.
        before: Keys that it had evicted at the first look, when that was, and how many a second it evicts without us.
    """

    def __init__(self) -> None:
        self.left = self.spent = 0.0
        self.seen: tuple[int, int] | None = None
        self.before: tuple[int, float, float] | None = None


class Room:
    """What is left below ``maxmemory`` for an undo, for all of its parts: each server has its own.

    Attributes:
        agreed: Keys that may be evicted, about.
        question: What a person was asked last.
        asks: Whether there is a person who can be asked; else the undo stops.
    """

    def __init__(self, outlook: Outlook, look: Look, *, asks: bool) -> None:
        """``outlook`` is what was known when it was agreed to."""
        self.agreed = outlook.agreed
        self.question = ""
        self.asks = asks
        self._outlook = outlook
        self._look = look
        self._shares: list[Share] = []
        self._portions = 0  # that may be sent until the next look
        self._nodes: defaultdict[str, _Node] = defaultdict(_Node)

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
        self._portions = _PORTIONS
        for node in self._nodes.values():
            node.left = _LIKELY
        ahead = sum(self._ahead(memory, sent[memory.node]) for memory in memories)
        total = math.ceil(sum(node.spent for node in self._nodes.values())) + ahead
        if any(memory.evicts for memory in memories) and total > _ABOUT * self.agreed:
            return total
        counted = self._counted(memories, any_sent=sent.total() > 0)
        return counted if counted > _COUNTED * self.agreed else 0

    def _ahead(self, memory: Memory, sent: int) -> int:
        """How many keys of a server are evicted for what is still to come there, of which so many raw bytes were sent.

        It is also noted how many were for what came since the last look, and what may come until the next one.
        """
        node, coming = self._nodes[memory.node], self._coming(memory.node)
        if node.seen is not None and memory.key_bytes:
            before, room = node.seen
            node.spent += max(0.0, (sent - before) * coming.scale - room) / memory.key_bytes
        if memory.room is None or not memory.evicts:
            node.seen, node.left = None, _LIKELY
            return 0
        rest = max(0.0, coming.raw - sent) * coming.scale
        node.seen = sent, memory.room
        node.left = _SOME if self.agreed else min(_LIKELY, (memory.room - rest) * _OF_SLACK)
        return too_many(rest, memory, coming)

    def _counted(self, memories: Sequence[Memory], *, any_sent: bool) -> int:
        """Keys that the servers have evicted since the first look, beyond what they evicted before it."""
        now, beyond = time.monotonic(), 0.0
        for memory in memories:
            if memory.evicted is None:
                return 0
            node = self._nodes[memory.node]
            if node.before is None:
                node.before = memory.evicted, now, self._usual(memory.node, memory.evicted, now)
            first, since, usual = node.before
            beyond += memory.evicted - first - usual * (now - since)
        return math.ceil(max(0.0, beyond)) if any_sent else 0

    def _usual(self, node: str, count: int, now: float) -> float:
        """Keys that a server evicts in a second without us, by what it had evicted when it was agreed to."""
        if self._outlook.evicted_at is None:
            return 0.0
        then, at = self._outlook.evicted_at
        return max(0, count - then[node]) / (now - at) if node in then and now - at >= _USUAL else 0.0

    def _asked(self, keys: int) -> str:
        agreed = "none were" if not self.agreed else f"{units.keys(self.agreed, about=True)} were"
        about, be = units.keys(keys, about=True), "would be evicted for what comes back"
        return safe(f"{about} {be}, and {agreed} when this was agreed to")


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
