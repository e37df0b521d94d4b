"""What the checkers do: take jobs from the queue, check projects, cache what they found, and tell users of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from random import Random

from redis.asyncio import Redis

from pymon_tui.demo.database import PROJECTS, Database, listed
from pymon_tui.demo.messages import message
from pymon_tui.demo.pace import notifications_per_second, times
from pymon_tui.demo.people import somebody
from pymon_tui.services.cache import Cache
from pymon_tui.services.monitoring import Monitoring
from pymon_tui.services.notification import Level
from pymon_tui.services.notifications import Notifications

QUEUE = "celery"
JOBS_PER_SECOND = 4
"""Jobs that are queued, each a number of checks."""

# For each command that the whole workload is to send: what one of all jobs consists of.
CACHED_SHARE = 0.17
UPDATED_SHARE = 0.0015
FIGURES_SHARE = 0.04

_POPPED = 2  # seconds that a worker waits for a job before it asks again


class Checker:
    """A worker of the queue.

    Args:
        database: Where it writes what it finds.
        random: Decides which projects it checks.
        rate: Commands per second of the whole workload.
    """

    def __init__(self, database: Database, random: Random, *, rate: float) -> None:
        self._database = database
        self._random = random
        self._each = rate / JOBS_PER_SECOND
        self._results, _, self._figures = listed(database)

    async def work(self, client: Redis) -> None:
        """Do jobs until cancelled, or until the server is lost."""
        cache = Cache(client, dice=self._random.random)
        monitoring = Monitoring(cache)
        while True:
            if await client.brpop([QUEUE], _POPPED) is not None:
                await self._job(cache, monitoring)

    async def _job(self, cache: Cache, monitoring: Monitoring) -> None:
        """Check projects: one that somebody waits for is removed from the cache, others are cached at once."""
        for _ in range(times(self._random, self._each * UPDATED_SHARE)):
            await self._check(monitoring, self._project())
        for kind, share in ((self._results, CACHED_SHARE), (self._figures, FIGURES_SHARE)):
            projects = [
                1 + int(kind.population * self._random.random() ** 2)
                for _ in range(times(self._random, self._each * share))
            ]
            for project in projects:
                self._database.check(project)
            await cache.set_many({kind.key(project): kind.load(project) for project in projects}, life=kind.life)

    async def _check(self, monitoring: Monitoring, project: int) -> None:
        async def write() -> None:
            self._database.check(project)

        await monitoring.update_result(project, write)

    def _project(self) -> int:
        return 1 + int(PROJECTS * self._random.random() ** 2)


class Notifier:
    """Tells users what the checks found, and others did.

    Args:
        database: Where alerts are raised.
        random: Decides who is told what.
        now: Seconds since the start.
    """

    def __init__(self, database: Database, random: Random, *, now: Callable[[], float]) -> None:
        self._database = database
        self._random = random
        self._now = now

    async def work(self, client: Redis) -> None:
        """Publish until cancelled, or until the server is lost."""
        notifications, monitoring = Notifications(client), Monitoring(Cache(client))
        while True:
            said = message(self._random)
            if said.level in (Level.CRITICAL, Level.WARNING):
                await self._raise_alert(monitoring)
            user_id = somebody(self._random)
            await notifications.publish(user_id, said.level, said.title, said.message, project=said.project)
            await asyncio.sleep(self._random.expovariate(notifications_per_second(self._now())))

    async def _raise_alert(self, monitoring: Monitoring) -> None:
        project = 1 + int(PROJECTS * self._random.random() ** 3)

        async def write() -> None:
            self._database.alert(project)

        await monitoring.update_alerts(project, write)
