"""One web worker: sessions of its users, lists of projects in one look-up, and pages of single projects."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from random import Random
from typing import Any

from redis.asyncio import Redis

from pymon_tui.demo.database import ALERTS_SHOWN, CONFIGURED, SHARED_SETTINGS, Database, Listed, listed
from pymon_tui.demo.pace import hit_share, times
from pymon_tui.demo.people import somebody
from pymon_tui.demo.visits import Visits
from pymon_tui.services.cache import Cache
from pymon_tui.services.keys import GLOBAL_CONFIG, PROJECT_CONFIG, USER_PREFERENCES
from pymon_tui.services.local import LocalCache
from pymon_tui.services.monitoring import Monitoring
from pymon_tui.services.sessions import Sessions
from pymon_tui.services.stats import Stats
from pymon_tui.services.strategy import Tiers
from pymon_tui.services.tracking import Tracking

PERIOD = 0.5
LIST_LENGTH = 18

# For each command that the whole workload is to send: what one of all workers' steps consists of.
CLICKS_SHARE = 0.044
LISTS_SHARE = 0.007
PAGES_SHARE = 0.002
TURNS_SHARE = 0.001

# What changes seldom is held by the process itself, which is told of each change.
_HELD = tuple(f"{family.prefix}:".encode() for family in (PROJECT_CONFIG, USER_PREFERENCES, GLOBAL_CONFIG))
_MOST_HELD = 2_000


def lookups(random: Random, listed: Sequence[Listed], *, count: int, t: float) -> tuple[Listed, list[int]]:
    """What a list shows: mostly common numbers, the lower the more often; some that hardly anybody asks for."""
    (kind,) = random.choices(listed, [each.weight for each in listed])
    share = hit_share(t)
    return kind, [
        1 + int(kind.population * random.random() ** 3) if random.random() < share else random.randrange(10**5, 10**8)
        for _ in range(count)
    ]


class ApiWeb:
    """A web worker.

    Args:
        database: What it loads from.
        random: Decides who asks for what.
        rate: Commands per second of the whole workload.
        workers: How many there are of them.
        now: Seconds since the start.

    Attributes:
        visits: Who uses it.
    """

    def __init__(
        self, database: Database, random: Random, *, rate: float, workers: int, now: Callable[[], float]
    ) -> None:
        self.visits = Visits(random)
        self._database = database
        self._random = random
        self._listed = listed(database)
        self._each = rate * PERIOD / workers
        self._now = now

    async def work(self, client: Redis) -> None:
        """Serve until cancelled, or until the server is lost."""
        sessions = Sessions(client)
        await sessions.load_scripts()
        tracking = Tracking(client, LocalCache(_MOST_HELD), _HELD)
        async with Stats(client) as stats, Tiers(client, tracking, stats=stats, dice=self._random.random) as tiers:
            monitoring = Monitoring(tiers)
            while True:
                for _ in range(times(self._random, self._each * CLICKS_SHARE)):
                    await self.visits.click(sessions)
                for _ in range(times(self._random, self._each * LISTS_SHARE)):
                    await self._list(tiers)
                for _ in range(times(self._random, self._each * PAGES_SHARE)):
                    await self._page(monitoring, tiers)
                for _ in range(times(self._random, self._each * TURNS_SHARE)):
                    await self.visits.come_and_go(sessions)
                await asyncio.sleep(self._random.uniform(0.8, 1.2) * PERIOD)

    async def _list(self, cache: Cache) -> None:
        """Show many projects: one look-up for all, and one write for those that weren't cached."""
        kind, numbers = lookups(self._random, self._listed, count=LIST_LENGTH, t=self._now())
        keys = {kind.key(number): number for number in numbers}
        found = await cache.get_many(keys)
        missed = {key: kind.load(number) for key, number in keys.items() if key not in found}
        if missed:
            await cache.set_many(missed, life=kind.life)

    async def _page(self, monitoring: Monitoring, cache: Cache) -> None:
        """Show one project: its result and alerts, how it is checked, and all that as its reader likes it."""
        project, user_id = 1 + int(CONFIGURED * self._random.random() ** 2), somebody(self._random)
        name = self._random.choice(SHARED_SETTINGS)
        for key, value in (
            (GLOBAL_CONFIG.key(name=name), self._database.settings(name)),
            (USER_PREFERENCES.key(user_id=user_id), self._database.preferences(user_id)),
            (PROJECT_CONFIG.key(project_id=project), self._database.config(project)),
        ):
            await cache.get_or_load(key, _found(value), life=None)
        await monitoring.result(project, _found(self._database.result(project)))

        async def alerts(limit: int) -> list[dict[str, Any]]:
            return self._database.alerts(project, limit)

        await monitoring.alerts(project, self._random.choice((10, ALERTS_SHOWN)), alerts)


def _found(value: Any) -> Callable[[], Awaitable[Any]]:
    async def load() -> Any:
        return value

    return load
