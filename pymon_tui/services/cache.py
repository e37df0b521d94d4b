"""The application's cache: JSON values with a life, loaded once when they are missing.

A Redis that is away breaks no caller: reads find nothing or ask the loader, writes say that they were not done, and
the error is logged and counted.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from redis.asyncio import Redis

from pymon_tui.model.text import safe
from pymon_tui.services.connection import guard, replies_of, reply_of
from pymon_tui.services.keys import namespace_of
from pymon_tui.services.lease import EXISTS, is_lease, milliseconds
from pymon_tui.services.loading import LEASE_LIFE, Loader, Loading, Stored
from pymon_tui.services.outage import Outage
from pymon_tui.services.stats import Stats
from pymon_tui.services.values import dumps, loads

T = TypeVar("T")

DEFAULT_LIFE = 3600.0
"""Seconds that a value lives if nothing else is said."""

_NOTHING = object()
_STAYS = -1  # PTTL of a key without expiry
_LOG = logging.getLogger("pymon_tui.services")


@dataclass(frozen=True, slots=True)
class Counts:
    """What became of the reads of one `Cache` so far.

    Attributes:
        hits: Values found.
        misses: Values not found, those that can't be read among them.
        errors: Requests that Redis didn't answer, or with an error.
        unreadable: Values that were no JSON of ours, and were deleted.
    """

    hits: int
    misses: int
    errors: int
    unreadable: int


class Cache:
    """Values by key (of `keys`), for as many tasks as there are.

    A value is what `values.dumps` takes; a life is in seconds above 0, or None for ever. Nothing here raises for a
    Redis that is away or answers with an error.

    Args:
        redis: Any client; with one of `connect` a command waits 5 s for an answer, and is sent again.
        stats: Where hits and misses are counted by the key's namespace, if they are to be.
        lease_life: Seconds that others wait for a process that died while it loaded.
        clock: Seconds, monotonic.
        dice: Numbers from 0 to 1, for the jitter.
    """

    def __init__(
        self,
        redis: Redis,
        *,
        stats: Stats | None = None,
        lease_life: float = LEASE_LIFE,
        clock: Callable[[], float] = time.monotonic,
        dice: Callable[[], float] = random.random,
    ) -> None:
        self._redis = guard(redis)
        self._stats = stats
        self._outage = Outage("what isn't cached is loaded", clock=clock)
        self._loading = Loading(redis, self._outage, lease_life=lease_life, dice=dice)
        self._hits = self._misses = self._unreadable = 0

    @property
    def counts(self) -> Counts:
        """What became of the reads so far."""
        return Counts(self._hits, self._misses, self._outage.errors, self._unreadable)

    async def get(self, key: str, default: Any = None) -> Any:
        """The value, or ``default`` if there is none; a loader's None that is remembered is None: one GET."""
        found = await self._outage.ask(lambda: reply_of(self._redis, "GET", key))
        return (await self._read(key, found[0], default)) if found else default

    async def read(self, key: str) -> Stored | None:
        """The value and how long it will live, or None if there is none: GET and PTTL in one round trip."""

        async def look() -> tuple[bytes | None, int]:
            pipeline = self._redis.pipeline(transaction=False)
            pipeline.execute_command("GET", key, NEVER_DECODE=True)
            pipeline.pttl(key)
            written, remaining = await replies_of(pipeline)
            return written, remaining

        found = await self._outage.ask(look)
        if found is None:
            return None
        written, remaining = found[0]
        value = await self._read(key, written, _NOTHING)
        if value is _NOTHING or written is None:
            return None
        return Stored(value, None if remaining == _STAYS else max(0, remaining) / 1000, written)

    async def get_many(self, keys: Collection[str]) -> dict[str, Any]:
        """The values there are, by key: one MGET."""
        if not keys:
            return {}
        found = await self._outage.ask(lambda: reply_of(self._redis, "MGET", *keys))
        if found is None:
            return {}
        values = [(key, await self._read(key, written, _NOTHING)) for key, written in zip(keys, found[0], strict=True)]
        return {key: value for key, value in values if value is not _NOTHING}

    async def exists(self, key: str) -> bool:
        """Whether there is a value, be it a loader's None: one GETRANGE."""
        found = await self._outage.ask(lambda: reply_of(self._redis, "GETRANGE", key, *EXISTS))
        return found is not None and found[0] != b"" and not is_lease(found[0])

    async def set(self, key: str, value: Any, *, life: float | None = DEFAULT_LIFE) -> bool:
        """Write a value: one SET with PX.

        Returns:
            Whether it was written.

        Raises:
            ValueError: If the value can't be written as JSON, or the life isn't above 0.
        """
        command = _set(key, value, life)
        return await self._outage.ask(lambda: reply_of(self._redis, *command)) is not None

    async def set_many(self, values: Mapping[str, Any], *, life: float | None = DEFAULT_LIFE) -> bool:
        """Write values of one life: a SET with PX for each, in one round trip.

        Returns:
            Whether all were written.

        Raises:
            ValueError: If a value can't be written as JSON, or the life isn't above 0; nothing is written then.
        """
        pipeline = self._redis.pipeline(transaction=False)
        for key, value in values.items():
            pipeline.execute_command(*_set(key, value, life))
        return await self._outage.ask(lambda: replies_of(pipeline)) is not None

    async def delete(self, *keys: str) -> bool:
        """Remove values, and whatever is being loaded for them in any process: one UNLINK.

        It is tried even while Redis seems to be away.

        Returns:
            Whether Redis did so. If not, the values may be read until their life ends.
        """
        self._loading.forget(keys)
        return not keys or await self._outage.ask(lambda: self._redis.unlink(*keys), insistently=True) is not None

    async def get_or_load(self, key: str, loader: Loader[T], *, life: float | None = DEFAULT_LIFE) -> T:
        """The value, or what the loader finds, which is then stored.

        The loader runs once for all tasks that ask meanwhile (they have the same object, not a copy each), and once for
        all processes as long as Redis answers. Who is cancelled doesn't cancel it. In the last tenth of its life a
        value is loaded anew in the background, more likely the later, by one process; lives are up to a tenth shorter
        than ``life``, so that values don't expire together. None is remembered for 30 s. What was loaded before a
        `delete`, or any other removal of the key, isn't stored after it.

        Args:
            key: The key.
            loader: Finds the value; what it raises is raised here, in all tasks that wait for it.
            life: Seconds.

        Raises:
            ValueError: If the value found can't be written as JSON, or the life isn't above 0.
        """
        flight = self._loading.under_way(key)
        if flight is None:
            stored = await self.read(key)
            if stored is not None:
                self._loading.refresh_early(key, stored, loader, life)
                return cast(T, stored.value)
            flight = self._loading.begin(key, loader, life)
        else:
            self._missed(key)
        await asyncio.wait((flight,))
        return cast(T, flight.result())

    async def aclose(self) -> None:
        """End what loads in the background; the client stays open."""
        await self._loading.aclose()

    async def _read(self, key: str, written: bytes | None, default: Any) -> Any:
        """The value of what a key holds; what is unreadable is deleted, unless it has changed meanwhile."""
        if written is not None and not is_lease(written):
            try:
                value = loads(written)
            except ValueError as error:
                self._unreadable += 1
                _LOG.warning("a cached value of %s is deleted: %s", safe(namespace_of(key)), safe(str(error)))
                await self._loading.remove(key, written)
            else:
                self._hits += 1
                if self._stats is not None:
                    self._stats.hit(namespace_of(key))
                return value
        self._missed(key)
        return default

    def _missed(self, key: str) -> None:
        self._misses += 1
        if self._stats is not None:
            self._stats.miss(namespace_of(key))


def _set(key: str, value: Any, life: float | None) -> tuple[str | bytes | int, ...]:
    expiry = ("PX", milliseconds(life)) if life is not None else ()
    return ("SET", key, dumps(value), *expiry)
