"""Whether an undo evicts more keys than was agreed to: looked at before it begins and on its way, and asked."""

from __future__ import annotations

import math
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from functools import partial

from pymon_tui.invalidation.outlook import NEVER, Memory, Outlook, outlook_of
from pymon_tui.invalidation.pacing import Pacer, Stopped
from pymon_tui.invalidation.pipe import Line
from pymon_tui.invalidation.portions import Portion
from pymon_tui.invalidation.restore_load import raw_of
from pymon_tui.model import units
from pymon_tui.model.text import safe

_ABOUT = 1.25  # times the keys that were agreed to: both numbers are estimates, by the same reckoning
_COUNTED = 2  # times them that were counted: what is evicted may be smaller than the keys are on average
_USUAL = 1.0  # seconds at least over which it is known what is evicted without the undo
_LIKELY = 64 * 2**20  # bytes that may come back between two looks where there is no limit
_SOME = 4 * 2**20  # and where keys are evicted that were agreed to
_OF_SLACK = 1 / 4  # what comes back between two looks, of the room that is left beside all that is to come
_PORTIONS = 64  # between two looks at most

Look = Callable[[Line], Awaitable[Sequence[Memory]]]
"""Asks the servers that keys come back to; it is given the connection on which they are sent."""


class Room:
    """What is left below ``maxmemory`` for an undo, for all of its parts.

    Attributes:
        agreed: Keys that may be evicted, about.
        question: What a person was asked last.
        asks: Whether there is a person who can be asked; else the undo stops.
    """

    def __init__(self, outlook: Outlook, look: Look, *, asks: bool) -> None:
        """``outlook`` is what was known when it was agreed to."""
        self.agreed = outlook.evicted if outlook.evicts else 0
        self.question = ""
        self.asks = asks
        self._outlook = outlook
        self._look = look
        self._shares: list[Share] = []
        self._scale = outlook.load.bytes / outlook.load.raw if outlook.load.raw else 1.0  # bytes there for each here
        self._bytes = 0.0  # that may come back until the next look
        self._portions = 0  # and portions
        self._spent = 0.0  # keys that were evicted for what was sent, about
        self._seen: tuple[float, float] | None = None  # raw bytes sent at the last look, and the room then
        self._before: tuple[int, float, float] | None = None  # evicted at the first look, when, and a second without us

    def share(self) -> Share:
        """What one part of the undo sends."""
        self._shares.append(Share(self._outlook.load.at, self))
        return self._shares[-1]

    async def gate(self, line: Line, pacer: Pacer, raw: int) -> None:
        """Wait until a portion of so many raw bytes may be sent, as far as there is room.

        Raises:
            Cancelled: If a person wants no more of it.
            Stopped: If more keys would be evicted than was agreed to, and nobody is there to be asked.
            LinkError: If the link is lost.
        """
        self._portions -= 1
        self._bytes -= raw * self._scale
        if self._portions >= 0 and self._bytes >= 0:
            return
        memories = await self._look(line)
        while keys := self._too_many(memories):
            self.question = self._asked(keys)
            if not self.asks:
                raise Stopped(f"{self.question}; raise maxmemory, or undo again and agree to that")
            await pacer.ask(f"{self.question}: go on?", partial(self._lacks, keys))
            self.agreed = max(self.agreed, keys)
            memories = await self._look(line)

    def _lacks(self, keys: int) -> bool:
        return self.agreed < keys

    def _too_many(self, memories: Sequence[Memory]) -> int:
        """How many keys would be evicted in all, if those are more than was agreed to; else 0."""
        load, sent = self._outlook.load, sum(share.sent for share in self._shares)
        rest = max(0.0, load.raw - sent) * self._scale
        evicting = [each if each.policy != NEVER else replace(each, room=None) for each in memories]
        ahead = outlook_of(replace(load, bytes=round(rest), keys=max(1, load.keys)), evicting)
        self._spend(evicting, sent)
        slack = (ahead.room or 0) - rest
        self._portions = _PORTIONS
        self._bytes = _LIKELY if ahead.room is None else _SOME if self.agreed else min(_LIKELY, slack * _OF_SLACK)
        total = math.ceil(self._spent) + ahead.evicted
        if ahead.room is not None and total > _ABOUT * self.agreed:
            return total
        counted = self._counted(memories, any_sent=sent > 0)
        return counted if counted > _COUNTED * self.agreed else 0

    def _spend(self, memories: Sequence[Memory], sent: float) -> None:
        rooms = [memory.room for memory in memories if memory.room is not None]
        sizes = [memory.key_bytes for memory in memories if memory.key_bytes]
        if self._seen is not None and sizes:
            before, room = self._seen
            self._spent += max(0.0, (sent - before) * self._scale - room) * len(sizes) / sum(sizes)
        self._seen = (sent, sum(rooms)) if rooms else None

    def _counted(self, memories: Sequence[Memory], *, any_sent: bool) -> int:
        """Keys that the servers have evicted since the first look, beyond what they evicted before it."""
        counts = [memory.evicted for memory in memories if memory.evicted is not None]
        if len(counts) < len(memories):
            return 0
        now, count = time.monotonic(), sum(counts)
        if self._before is None:
            then, usual = self._outlook.evicted_at, 0.0
            if then is not None and now - then[1] >= _USUAL:
                usual = max(0, count - then[0]) / (now - then[1])
            self._before = count, now, usual
        first, since, usual = self._before
        return math.ceil(max(0.0, count - first - usual * (now - since))) if any_sent else 0

    def _asked(self, keys: int) -> str:
        agreed = "none were" if not self.agreed else f"{units.keys(self.agreed, about=True)} were"
        about, be = units.keys(keys, about=True), "would be evicted for what comes back"
        return safe(f"{about} {be}, and {agreed} when this was agreed to")


class Share:
    """What one part of an undo has sent.

    Attributes:
        sent: Raw bytes, also of what is on its way.
    """

    def __init__(self, at: float = 0.0, room: Room | None = None) -> None:
        """``room`` is what it is a share of; None where nobody looks."""
        self.sent = 0
        self._settled = 0
        self._at = at
        self._room = room

    async def gate(self, line: Line, pacer: Pacer, portion: Portion) -> None:
        """Wait until a portion may be sent; raises as ``Room.gate``."""
        await pacer.gate()
        if self._room is not None:
            await self._room.gate(line, pacer, self._raw(portion))

    def send(self, portion: Portion) -> None:
        """Count a portion that is sent."""
        self.sent += self._raw(portion)

    def settle(self, portion: Portion) -> None:
        """Count a portion that was answered."""
        self._settled += self._raw(portion)

    def lose(self) -> None:
        """Take back what was on its way: it is sent again."""
        self.sent = self._settled

    def _raw(self, portion: Portion) -> int:
        return sum(raw_of(copy.key, copy.payload) for copy in portion.copies if copy.given <= self._at)
