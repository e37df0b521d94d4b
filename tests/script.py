"""A scripted source of snapshots, for tests of screens and panes: no server, no clock, no waiting."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Collection, Mapping
from typing import Any

from pydantic import SecretStr

from pymon_tui.model.action import Action, Done, Outcome
from pymon_tui.model.feed import Feed
from pymon_tui.model.history import History
from pymon_tui.model.link import Link, Live
from pymon_tui.model.query import Query, Reading, Ready
from pymon_tui.model.snapshot import Snapshot
from pymon_tui.model.text import SafeText, safe
from pymon_tui.readings.metrics import METRICS

WALL = 1_790_000_000.0
"""The scripted moment, in Unix seconds."""


def ready(value: Any) -> Ready[Any]:
    """A reading that has this value."""
    return Ready(value, 100.0)


def snapshot(
    readings: Mapping[Query[Any], Reading[Any]],
    *,
    at: float = 100.0,
    link: Link | None = None,
    history: History | None = None,
    feed: Feed | None = None,
    cadence: Mapping[str, float] | None = None,
    own_ids: Collection[int] = (),
) -> Snapshot:
    """A snapshot with these readings and nothing else known."""
    return Snapshot(
        node=safe("prod-cache"),
        environment=None,
        at=at,
        wall=WALL + at,
        interval=1.0,
        link=link or Live(0.0, 0.0004),
        readings={query.name: reading for query, reading in readings.items()},
        cadence=cadence or {},
        history=(History(METRICS) if history is None else history).view(),
        feed=Feed() if feed is None else feed,
        own_ids=frozenset(own_ids),
    )


class Script:
    """A ``Source`` that yields the snapshots it is given with ``play`` and notes what it is asked to do."""

    def __init__(self, *snapshots: Snapshot, read_only: bool = False) -> None:
        self.feed = snapshots[-1].feed if snapshots else Feed()
        self.patterns: tuple[bytes, ...] = (b"notifications:*",)
        self.read_only = read_only
        self.wanted: frozenset[str] = frozenset()
        self.acts: list[Action] = []
        self.outcome: Outcome = Done(safe("OK"))
        self.pokes = 0
        self.passwords: list[str] = []
        self.chosen: list[int | None] = []
        self.notes: list[tuple[SafeText, str]] = []
        self.interval = 1.0
        self.now = 100.0
        self.peaks_reset = 0
        self._queue: asyncio.Queue[Snapshot] = asyncio.Queue()
        for one in snapshots:
            self._queue.put_nowait(one)

    def play(self, one: Snapshot) -> None:
        """Let the screen have this snapshot next."""
        self._queue.put_nowait(one)

    async def snapshots(self) -> AsyncGenerator[Snapshot]:
        """The snapshots played, each once; then it waits."""
        while True:
            yield await self._queue.get()

    def want(self, names: Collection[str]) -> None:
        """Note what is looked at."""
        self.wanted = frozenset(names)

    def set_interval(self, seconds: float) -> None:
        """Note the interval."""
        self.interval = seconds

    def choose(self, node: int | None) -> None:
        self.chosen.append(node)

    def poke(self) -> None:
        """Note that somebody can't wait."""
        self.pokes += 1

    def log_in(self, password: SecretStr) -> None:
        """Note the password."""
        self.passwords.append(password.get_secret_value())

    def note(self, text: SafeText, run: str) -> None:
        """Remember what a run has done."""
        self.notes.append((text, run))

    def reset_peaks(self) -> None:
        """Note that the peaks are to count anew."""
        self.peaks_reset += 1

    async def act(self, action: Action) -> Outcome:
        """Note the action and answer as the test said."""
        self.acts.append(action)
        return self.outcome

    async def watch(self, patterns: Collection[bytes]) -> None:
        """Note the patterns."""
        self.patterns = self.feed.patterns = tuple(patterns)
