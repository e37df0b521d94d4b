"""The program's source on a server with everything looked at, and what it said of its link, in order."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import aclosing, asynccontextmanager
from typing import Any

import pytest

from pymon_tui.application import QUERIES as OF_THE_APPLICATION
from pymon_tui.model.feed import Feed, Mark
from pymon_tui.model.link import Live, Lost, Trouble
from pymon_tui.model.query import Query, Ready, Unavailable
from pymon_tui.model.snapshot import Snapshot
from pymon_tui.readings.queries import QUERIES
from pymon_tui.server.endpoint import Endpoint
from pymon_tui.state.fleet import Fleet
from pymon_tui.state.monitor import Monitor
from tests.server.fake import unrecorded

INTERVAL = 0.05
ALL = (*QUERIES, *OF_THE_APPLICATION)
CHANNEL = b"news"
DEADLINE_SECONDS = 30


def follow(endpoint: Endpoint, queries: Sequence[Query[Any]], feed: Feed) -> Monitor:
    """A node's monitor, at the tests' pace."""
    return Monitor(endpoint, queries, interval=INTERVAL, feed=feed, read_only=False, record=unrecorded)


def source_of(endpoint: Endpoint) -> Fleet:
    """The source that the program makes of an endpoint."""
    fleet = Fleet(endpoint, ALL, follow, patterns=[CHANNEL], read_only=False)
    fleet.want([query.name for query in ALL])
    return fleet


class Watch:
    """A source that is followed.

    Attributes:
        source: The source.
        said: Each trouble that a snapshot told, once for each time that it came.
    """

    def __init__(self, source: Fleet) -> None:
        self.source = source
        self.said: list[tuple[Trouble, str]] = []
        self._newest: Snapshot | None = None
        self._came = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @property
    def newest(self) -> Snapshot:
        """The newest snapshot."""
        assert self._newest is not None
        return self._newest

    @property
    def lost(self) -> Lost:
        """The link, which is lost."""
        assert isinstance(self.newest.link, Lost)
        return self.newest.link

    async def until(self, holds: Callable[[Snapshot], bool]) -> Snapshot:
        """The newest snapshot, once it is as it is wanted; no key is pressed meanwhile."""
        async with asyncio.timeout(DEADLINE_SECONDS):
            while self._newest is None or not holds(self._newest):
                assert self._task is not None
                self._came.clear()
                came = asyncio.create_task(self._came.wait())
                await asyncio.wait([came, self._task], return_when=asyncio.FIRST_COMPLETED)
                came.cancel()
                if self._task.done():
                    self._task.result()  # it never ends by itself
        return self._newest

    async def ticks(self, count: int) -> Snapshot:
        """The newest snapshot after so many more samples."""
        end = self.newest.history.end + count
        return await self.until(lambda snapshot: snapshot.history.end >= end)

    async def _follow(self) -> None:
        async with aclosing(self.source.snapshots()) as snapshots:
            async for snapshot in snapshots:
                self._newest, link = snapshot, snapshot.link
                if isinstance(link, Lost) and (not self.said or link.tries == 1 or self.said[-1][1] != link.what):
                    self.said.append((link.trouble, str(link.what)))
                self._came.set()


@asynccontextmanager
async def watching(endpoint: Endpoint) -> AsyncIterator[Watch]:
    """Follow what is at this endpoint; nothing of it is left at the end."""
    watch = Watch(source_of(endpoint))
    watch._task = asyncio.create_task(watch._follow())
    try:
        yield watch
    finally:
        watch._task.cancel()
        await asyncio.gather(watch._task, return_exceptions=True)


def live(snapshot: Snapshot) -> bool:
    """Whether it answers, and has been read."""
    return isinstance(snapshot.link, Live) and len(snapshot.history) > 0


def heard(snapshot: Snapshot) -> bool:
    """Whether it answers and its feed is live too."""
    return live(snapshot) and isinstance(snapshot.feed.status, Live)


def away(snapshot: Snapshot) -> bool:
    """Whether it is lost."""
    return isinstance(snapshot.link, Lost)


def away_by(trouble: Trouble) -> Callable[[Snapshot], bool]:
    """Whether it is lost in this way."""
    return lambda snapshot: isinstance(snapshot.link, Lost) and snapshot.link.trouble is trouble


def gaps(snapshot: Snapshot) -> dict[str, Unavailable]:
    """The readings that there are not, and why."""
    return {name: reading for name, reading in snapshot.readings.items() if isinstance(reading, Unavailable)}


def known(snapshot: Snapshot) -> set[str]:
    """The readings that there are."""
    return {name for name, reading in snapshot.readings.items() if isinstance(reading, Ready)}


def marks(snapshot: Snapshot) -> list[str]:
    """What the feed says of itself, oldest first."""
    return [entry.text for entry in reversed(snapshot.feed.newest()) if isinstance(entry, Mark)]


def rates(snapshot: Snapshot, metric: str) -> list[float]:
    """All that is known of a metric's history."""
    values = snapshot.history.samples(metric, 0, snapshot.history.end)
    return [value for value in values if value is not None]


def open_files() -> int:
    """The descriptors that this process has open."""
    return len(os.listdir("/dev/fd"))


async def until(holds: Callable[[], bool]) -> None:
    """Let others work until this holds."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not holds():
        assert time.monotonic() < deadline, "the condition never held"
        await asyncio.sleep(0.002)


def hurried(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """Let no wait between two tries be longer than this."""
    for place in ("state.monitor", "server.listener"):
        monkeypatch.setattr(f"pymon_tui.{place}.backoff", lambda *_: seconds)
