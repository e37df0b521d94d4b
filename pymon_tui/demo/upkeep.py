"""The scheduler: fills an empty server, queues jobs, writes reports, and invalidates some of the cache now and then."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from itertools import count, islice
from random import Random
from typing import Any

from redis.asyncio import Redis

from pymon_tui.demo.bulk import Bulk, send
from pymon_tui.demo.checks import JOBS_PER_SECOND, QUEUE
from pymon_tui.demo.database import CONFIGURED, PROJECTS, SHARED_SETTINGS, Database, listed
from pymon_tui.demo.earlier import restore_notifications, restore_statistics
from pymon_tui.demo.pace import Occasion, times
from pymon_tui.demo.people import PEOPLE, somebody
from pymon_tui.demo.readers import look_round
from pymon_tui.demo.visits import Visits
from pymon_tui.services.cache import Cache
from pymon_tui.services.invalidating import Invalidator
from pymon_tui.services.keys import (
    CACHE_VERSION,
    GLOBAL_CONFIG,
    MONITORING_RESULT,
    PROJECT_CONFIG,
    SYSTEM_STATS,
    USER_PREFERENCES,
)
from pymon_tui.services.sessions import Sessions

# For each command that the whole workload is to send: reports that are written.
REPORTS_SHARE = 0.003

_AT_ONCE = 50
_ROOM = 12_000_000  # bytes that the other values take
_VERSION = CACHE_VERSION.key(name="checks")


class Scheduler:
    """Keeps the application going.

    Args:
        database: What is cached.
        bulk: What fills the memory.
        random: Decides what is done when.
        rate: Commands per second of the whole workload.
        visits: Who is logged in.
        now: Seconds since the start.

    Attributes:
        began: Whether what happened before the start has been written.
    """

    def __init__(
        self,
        database: Database,
        bulk: Bulk,
        random: Random,
        *,
        rate: float,
        visits: Sequence[Visits],
        now: Callable[[], float],
    ) -> None:
        self.began = asyncio.Event()
        self._database = database
        self._bulk = bulk
        self._random = random
        self._rate = rate
        self._visits = visits
        self._now = now
        self._release = 0
        self._is_filled = False

    async def work(self, client: Redis) -> None:
        """Go on until cancelled, or until the server is lost."""
        cache, invalidator = Cache(client, dice=self._random.random), Invalidator(client, None)
        user, project, release = (Occasion(self._random, *bounds) for bounds in ((8, 16), (15, 30), (35, 55)))
        for number in count():
            if number % JOBS_PER_SECOND == 0:
                if not self._is_filled or await client.dbsize() < PROJECTS:
                    await self._fill(client, cache)
                await self._write_figures(cache)
            await self._queue(client)
            if user.is_due(self._now()):
                await invalidator.invalidate_user(somebody(self._random))
            if project.is_due(self._now()):
                await invalidator.invalidate_project(self._random.randrange(1, PROJECTS + 1))
            if release.is_due(self._now()):
                await self._release_checks(cache, invalidator)
            await asyncio.sleep(self._random.uniform(0.8, 1.2) / JOBS_PER_SECOND)

    async def _fill(self, client: Redis, cache: Cache) -> None:
        """Write what an application that has run for a month has; what a person sees first comes first."""
        self._is_filled = False
        sessions = Sessions(client)
        await restore_statistics(client, self._random, rate=self._rate)
        for visits in self._visits:
            if await visits.are_lost(sessions):
                await sessions.restore(visits.begin_earlier(datetime.now(UTC)))
        await restore_notifications(client, self._random)
        await self._write_settings(cache)
        self.began.set()
        # What was used last is the last to be evicted: reports are written before the rest, and looked at by nobody.
        await self._bulk.fill_memory(client, leaving=_ROOM)
        for kind in listed(self._database):
            numbers = iter(range(1, kind.population + 1))
            while batch := list(islice(numbers, _AT_ONCE)):
                # Written at different times, so that they don't expire together.
                life = None if kind.life is None else kind.life * self._random.uniform(0.02, 1)
                await cache.set_many({kind.key(number): kind.load(number) for number in batch}, life=life)
        await self._bulk.fill_collections(client)
        await look_round(client, pause=0)
        await self._bulk.fill_memory(client, leaving=0)
        self._is_filled = await cache.exists(_VERSION)  # or the server was emptied meanwhile

    async def _write_figures(self, cache: Cache) -> None:
        online = sum(map(len, self._visits))
        figures = {"sessions": online, "users": len(PEOPLE), "projects": PROJECTS}
        values = {SYSTEM_STATS.key(name=name): figure for name, figure in figures.items()}
        await cache.set_many(values, life=SYSTEM_STATS.life)

    async def _write_settings(self, cache: Cache) -> None:
        """Write what is cached for ever and changes seldom."""
        values: dict[str, Any] = {
            GLOBAL_CONFIG.key(name=name): self._database.settings(name) for name in SHARED_SETTINGS
        }
        values |= {USER_PREFERENCES.key(user_id=user_id): self._database.preferences(user_id) for user_id in PEOPLE}
        for project in range(1, CONFIGURED + 1):
            values[PROJECT_CONFIG.key(project_id=project)] = self._database.config(project)
        await cache.set_many(values, life=None)
        await self._write_version(cache)

    async def _write_version(self, cache: Cache) -> None:
        await cache.set(_VERSION, self._release, life=CACHE_VERSION.life)

    async def _queue(self, client: Redis) -> None:
        """Queue a job, and write the reports of as much time."""
        count = times(self._random, self._rate * REPORTS_SHARE / JOBS_PER_SECOND)
        await send(client, [*self._bulk.reports(count), ("LPUSH", QUEUE, f"check {self._now():.0f}")])

    async def _release_checks(self, cache: Cache, invalidator: Invalidator) -> None:
        """Put other checks into use: what the former ones found is worth nothing any more."""
        self._release += 1
        await invalidator.invalidate([MONITORING_RESULT.pattern()])
        await self._write_version(cache)
