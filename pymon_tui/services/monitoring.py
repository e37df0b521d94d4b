"""What the checks of a project found: read from the cache first, and removed from it whenever it is updated."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from pymon_tui.services.cache import Cache
from pymon_tui.services.keys import ALERTS_RECENT, MONITORING_RESULT, Part
from pymon_tui.services.loading import Loader

T = TypeVar("T")

LIMITS = (10, 20, 50, 100)
"""Numbers of alerts that are cached. They are few and known, so that an update removes them without a scan."""


class Monitoring:
    """Results and alerts of projects. Nothing here raises for a Redis that is away.

    What is removed from the cache while Redis is away stays there when it is back, until its life ends: five minutes
    for a result, one for alerts.

    Args:
        cache: A `Cache`, or `Tiers`.
    """

    def __init__(self, cache: Cache) -> None:
        self._cache = cache

    async def result(self, project_id: Part, load: Loader[T]) -> T:
        """The last result of a project's checks (``MONITORING_RESULT``), as `Cache.get_or_load` finds it."""
        key = MONITORING_RESULT.key(project_id=project_id)
        return await self._cache.get_or_load(key, load, life=MONITORING_RESULT.life)

    async def alerts(self, project_id: Part, limit: int, load: Callable[[int], Awaitable[Sequence[T]]]) -> Sequence[T]:
        """The newest alerts of a project, newest first (``ALERTS_RECENT``).

        Args:
            project_id: The project.
            limit: How many at most, from 1 to 100.
            load: Finds so many as it is asked for, newest first: ``limit``, or the next of `LIMITS`.

        Raises:
            ValueError: If the limit is out of range.
        """
        if not 1 <= limit <= LIMITS[-1]:
            raise ValueError(f"limit: should be a number from 1 to {LIMITS[-1]}, and not {limit}")
        asked = next(number for number in LIMITS if number >= limit)
        key = ALERTS_RECENT.key(project_id=project_id, limit=asked)
        return (await self._cache.get_or_load(key, lambda: load(asked), life=ALERTS_RECENT.life))[:limit]

    async def update_result(self, project_id: Part, write: Callable[[], Awaitable[T]]) -> T:
        """Write a new result where results are kept for good, then remove the cached one; returns what ``write`` does.

        It is removed as well if ``write`` raises: a write whose answer was lost may have been done.
        """
        try:
            return await write()
        finally:
            await self._cache.delete(MONITORING_RESULT.key(project_id=project_id))

    async def update_alerts(self, project_id: Part, write: Callable[[], Awaitable[T]]) -> T:
        """Write a new alert, or a change of one, then remove the cached ones; as `update_result`."""
        try:
            return await write()
        finally:
            await self._cache.delete(*(ALERTS_RECENT.key(project_id=project_id, limit=limit) for limit in LIMITS))
