"""What a run did to the server's memory: what it freed, and what was evicted meanwhile."""

from __future__ import annotations

from contextlib import suppress

from pymon_tui.invalidation.copies import Weighed
from pymon_tui.invalidation.freed import Freed
from pymon_tui.invalidation.memory import memory_and_evicted
from pymon_tui.invalidation.order import Order
from pymon_tui.invalidation.pipe import Pipe
from pymon_tui.server import clock
from pymon_tui.server.reasons import LinkError

_SOON = 2.0  # seconds after its plan in which a run begins that nobody was asked about
_FEW = 10  # parts of all bytes: who holds one of them may be among the keys that stay


class Spent:
    """Asked at the start of a run and at its end.

    Attributes:
        evicted: Keys that the server evicted from the beginning of the plan on, but not while somebody thought about
            it; None where that isn't known.
    """

    def __init__(self, order: Order) -> None:
        self.evicted: int | None = None
        self._order = order
        self._before: int | None = None
        self._held: int | None = None

    async def begin(self, pipe: Pipe) -> None:
        """Ask before the run.

        Raises:
            LinkError: If the link is lost.
        """
        memory, self._before = await memory_and_evicted(pipe)
        self._held = memory.held
        if self._order.evicted_at is not None and self._before is not None:
            planned, told_at = self._order.evicted_at
            if planned <= self._before and clock.now() - told_at < _SOON:
                self._before = planned  # what went for the connections in between is ours

    async def end(self, pipe: Pipe) -> None:
        """Ask at its end, if the line lives."""
        if self._before is None:
            return  # it doesn't tell, or not us
        with suppress(LinkError):
            _, after = await memory_and_evicted(pipe)
            if after is not None and after >= self._before:  # else they were reset
                self.evicted = after - self._before + self._order.evicted

    def freed(self, removed: int, weighed: Weighed | None = None) -> Freed:
        """What so many removed keys took: as they were when they went, else by the plan's sum.

        Args:
            removed: How many.
            weighed: Those of them that were asked about before they went; None where none was.
        """
        if weighed is not None and weighed.bytes:
            return Freed(self._within(weighed.bytes), "run", at_least=weighed.keys != removed)
        if not removed:
            return Freed(0, "run")
        each, largest = self._order.key_bytes, self._order.plan.get("bytes_largest")
        if each is None:
            return Freed()
        planned = self._order.planned
        if removed < planned and largest is not None and largest * _FEW > each * planned:
            return Freed()  # a few keys hold most, and nobody knows if they are among those that went
        at_least = self._order.plan.get("bytes_exact") is not True
        return Freed(self._within(round(each * removed)), "plan", at_least)

    def _within(self, size: int) -> int:
        return size if self._held is None else min(size, self._held)
