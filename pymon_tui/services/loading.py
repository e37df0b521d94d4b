"""Values being loaded: once for all tasks of the process, and once for all processes."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

from redis.asyncio import Redis

from pymon_tui.model.text import safe
from pymon_tui.services.keys import CACHE_REFRESH, namespace_of
from pymon_tui.services.lease import Leases, is_lease
from pymon_tui.services.outage import Outage
from pymon_tui.services.values import dumps, loads

T = TypeVar("T")
Loader = Callable[[], Awaitable[T]]
"""Finds a value where it is kept for good; None if there is none."""

NEGATIVE_LIFE = 30.0
"""Seconds that a loader's None is remembered, at most."""
LEASE_LIFE = 5.0
"""Seconds that others wait for a process that died while it loaded."""
EARLY = 0.1
"""The last share of a life in which a value is loaded anew before it expires; lives differ by as much."""


_FIRST_WAIT, _LONGEST_WAIT = 0.005, 0.1  # seconds until a value that another process loads is looked for again
_LOG = logging.getLogger("pymon_tui.services")


@dataclass(frozen=True, slots=True)
class Stored:
    """A value as the cache holds it.

    Attributes:
        value: The value; None where a loader found nothing.
        remaining: Seconds until it expires, or None if it doesn't.
        written: Its JSON.
    """

    value: Any
    remaining: float | None
    written: bytes


@dataclass(slots=True, eq=False)
class _Flight:
    """A value being loaded. It stands under its key before its task begins, since an eager task begins at once."""

    task: asyncio.Task[Any] | None = None


class Loading:
    """What this process loads at the moment.

    Args:
        redis: Any client.
        outage: Whether the server answers.
        lease_life: Seconds that others wait for a process that died while it loaded.
        dice: Numbers from 0 to 1, for the jitter.
    """

    def __init__(self, redis: Redis, outage: Outage, *, lease_life: float, dice: Callable[[], float]) -> None:
        self._redis = redis
        self._outage = outage
        self._leases = Leases(redis, life=lease_life)
        self._dice = dice
        self._flights: dict[str, _Flight] = {}
        self._refreshes: dict[str, _Flight] = {}
        self._tasks: set[asyncio.Task[Any]] = set()  # those of forgotten keys too

    def under_way(self, key: str) -> asyncio.Task[Any] | None:
        """What loads the value of a key in this process, if anything does."""
        flight = self._flights.get(key)
        return flight.task if flight is not None else None

    def begin(self, key: str, loader: Loader[Any], life: float | None) -> asyncio.Task[Any]:
        """Load and store a value that is missing, unless this process does so already."""
        return self.under_way(key) or self._start(self._flights, key, self._fly(key, loader, life))

    def refresh_early(self, key: str, stored: Stored, loader: Loader[Any], life: float | None) -> None:
        """Perhaps load a value anew in the background, the more likely the less of its life remains."""
        if life is None or stored.remaining is None or stored.remaining > life * EARLY * self._dice():
            return
        if key not in self._refreshes:
            task = self._start(self._refreshes, key, self._refresh(key, stored.written, loader, life))
            task.add_done_callback(lambda done: _log_failure(key, done))

    def forget(self, keys: Iterable[str]) -> None:
        """Let those who ask from now on not have what is being loaded for these keys."""
        for key in keys:
            self._flights.pop(key, None)

    async def remove(self, key: str, written: bytes) -> None:
        """Remove what a key holds, if it still is what was read."""
        await self._outage.ask(lambda: self._leases.replace(key, written, None, life=None))

    async def aclose(self) -> None:
        """End all that loads."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _start(self, under: dict[str, _Flight], key: str, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        flight = under[key] = _Flight()
        task = flight.task = asyncio.create_task(work)
        self._tasks.add(task)

        def ended(done: asyncio.Task[Any]) -> None:
            self._tasks.remove(done)
            if under.get(key) is flight:
                del under[key]
            if not done.cancelled():
                done.exception()  # those who waited have it; where nobody did, it is no accident

        task.add_done_callback(ended)
        return task

    async def _fly(self, key: str, loader: Loader[Any], life: float | None) -> Any:
        wait = _FIRST_WAIT
        while claimed := await self._outage.ask(lambda: self._leases.claim(key)):
            (claim,) = claimed
            if claim.lease is not None:
                return await self._load(key, claim.lease, loader, life)
            if claim.held is not None and not is_lease(claim.held):
                try:
                    return loads(claim.held)
                except ValueError:
                    await self.remove(key, claim.held)
            # Its holder renews a lease, and that of a dead one ends: there is no other deadline.
            await asyncio.sleep(wait * (0.5 + self._dice()))
            wait = min(2 * wait, _LONGEST_WAIT)
        return await loader()

    async def _load(self, key: str, seen: bytes, loader: Loader[Any], life: float | None) -> Any:
        try:
            async with self._leases.kept(key, seen):
                value = await loader()
            await self._store(key, seen, value, life)
        except BaseException:
            await self.remove(key, seen)
            raise
        return value

    async def _store(self, key: str, seen: bytes, value: Any, life: float | None) -> None:
        if value is None:
            life = NEGATIVE_LIFE if life is None else min(life, NEGATIVE_LIFE)
        lives = None if life is None else life * (1 - EARLY * self._dice())
        written = dumps(value)
        await self._outage.ask(lambda: self._leases.replace(key, seen, written, life=lives))

    async def _refresh(self, key: str, seen: bytes, loader: Loader[Any], life: float) -> None:
        lock = CACHE_REFRESH.key(key=key)
        # Nobody gives this lock back: after a load that failed it is the pause until the next.
        if (await self._outage.ask(lambda: self._redis.set(lock, 1, nx=True, ex=CACHE_REFRESH.life))) == (True,):
            await self._store(key, seen, await loader(), life)


def _log_failure(key: str, done: asyncio.Task[Any]) -> None:
    error = None if done.cancelled() else done.exception()
    if error is not None:
        shown = safe(str(error) or type(error).__name__)
        _LOG.warning("a value of %s could not be loaded anew before it expires: %s", safe(namespace_of(key)), shown)
