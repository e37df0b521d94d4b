"""A source that goes on while nobody looks at it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Collection
from contextlib import aclosing

from pymon_tui.model.link import Live, Lost
from pymon_tui.model.snapshot import Snapshot
from pymon_tui.state.deferred import Deferred
from pymon_tui.state.source import Source


class Kept(Deferred):
    """A source that is followed by ``run``; whoever iterates it has the newest snapshot at once, and those after it.

    Attributes:
        newest: The newest snapshot; None before the first.
    """

    def __init__(self, make: Callable[[], Source], *, read_only: bool, shown: bool, turned: Callable[[], None]) -> None:
        """Wait to be run.

        Args:
            make: Makes the source.
            read_only: Whether ``act`` refuses everything.
            shown: Whether it is looked at; while it isn't, only what always runs is asked for.
            turned: Called whenever it comes to answer, or ceases to.
        """
        super().__init__(make, read_only=read_only)
        self.newest: Snapshot | None = None
        self._shown = shown
        self._turned = turned
        self._looked_at: frozenset[str] = frozenset()
        self._news = asyncio.Event()

    async def run(self) -> None:
        """Follow the source; never returns."""
        async with aclosing(super().snapshots()) as snapshots:
            async for snapshot in snapshots:
                turned = self.newest is None or _state(self.newest) is not _state(snapshot)
                self.newest = snapshot
                self._news.set()
                self._news = asyncio.Event()
                if turned:
                    self._turned()

    async def snapshots(self) -> AsyncGenerator[Snapshot]:
        """The newest snapshot, and each one that comes while nobody is still busy with the one before; for ever."""
        seen: Snapshot | None = None
        while True:
            news = self._news
            if self.newest is not None and self.newest is not seen:
                seen = self.newest
                yield seen
            else:
                await news.wait()

    def want(self, names: Collection[str]) -> None:
        """Say which readings are looked at, while any are."""
        self._looked_at = frozenset(names)
        if self._shown:
            super().want(names)

    def show(self, *, shown: bool) -> None:
        """Say whether it is looked at."""
        self._shown = shown
        super().want(self._looked_at if shown else ())


def _state(snapshot: Snapshot) -> type:
    return next((kind for kind in (Live, Lost) if isinstance(snapshot.link, kind)), Snapshot)
