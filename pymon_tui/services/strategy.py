"""Three tiers: this process's memory, Redis, and the loader, asked in this order.

The first is rid of a value as soon as its key changes in Redis, whoever changes it (`tracking`). What it holds is
decoded, so a hit costs about a microsecond.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from types import TracebackType
from typing import Any, Self, TypeVar, cast

from redis.asyncio import Redis

from pymon_tui.services.cache import DEFAULT_LIFE, Cache
from pymon_tui.services.keys import namespace_of
from pymon_tui.services.loading import LEASE_LIFE, Loader, Stored
from pymon_tui.services.local import ABSENT
from pymon_tui.services.stats import Stats
from pymon_tui.services.tracking import Tracking, announce, told_as

T = TypeVar("T")

LOCAL_LIFE = 30.0
"""Seconds that the first tier holds a value at most: what could go unheard is old for no longer."""


class Tiers(Cache):
    """A `Cache` with a first tier in this process, for the keys that its `Tracking` covers.

    To be used as ``async with Tiers(…) as tiers:``, which follows the changes meanwhile. As long as changes aren't
    heard of, it is a plain `Cache`.

    A value of the first tier is the same object for everybody who reads it: it must not be changed.

    Args:
        redis: As `Cache`'s, and so are ``stats``, ``lease_life``, ``clock`` and ``dice``.
        tracking: What keeps the first tier true; it is run by this one alone.
        local_life: Seconds that the first tier holds a value at most.

    Attributes:
        local_hits: Reads that the first tier answered; `counts` are of those that came to Redis.
    """

    def __init__(
        self,
        redis: Redis,
        tracking: Tracking,
        *,
        local_life: float = LOCAL_LIFE,
        stats: Stats | None = None,
        lease_life: float = LEASE_LIFE,
        clock: Callable[[], float] = time.monotonic,
        dice: Callable[[], float] = random.random,
    ) -> None:
        super().__init__(redis, stats=stats, lease_life=lease_life, clock=clock, dice=dice)
        self.local_hits = 0
        self._tracking = tracking
        self._local = tracking.local
        self._local_life = local_life
        self._following: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._following = asyncio.create_task(self._tracking.run())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def get(self, key: str, default: Any = None) -> Any:
        """The value, or ``default`` if there is none: nothing but memory, or GET and PTTL in one round trip."""
        value = self._held(key)
        if value is not ABSENT:
            return value
        stored = await self.read(key)
        return default if stored is None else stored.value

    async def get_many(self, keys: Collection[str]) -> dict[str, Any]:
        """The values there are, by key: one MGET for those that the first tier doesn't hold; it isn't filled."""
        held = {key: value for key in keys if (value := self._held(key)) is not ABSENT}
        return held | await super().get_many([key for key in keys if key not in held])

    async def get_or_load(self, key: str, loader: Loader[T], *, life: float | None = DEFAULT_LIFE) -> T:
        """The value of the first tier that has it; as `Cache.get_or_load`."""
        value = self._held(key)
        if value is not ABSENT:
            return cast(T, value)
        return await super().get_or_load(key, loader, life=life)

    async def read(self, key: str) -> Stored | None:
        """What Redis holds, as `Cache.read`; the first tier holds it from then on."""
        raw = key.encode()
        if not self._tracking.covers(raw):
            return await super().read(key)
        ticket, stored = self._local.begin(raw), None
        try:
            stored = await super().read(key)
        finally:
            if stored is None:
                self._local.end(raw, ticket)
        if stored is not None:
            self._local.fill(raw, ticket, stored.value, self._life_of(stored))
        return stored

    async def set(self, key: str, value: Any, *, life: float | None = DEFAULT_LIFE) -> bool:
        """Write a value, as `Cache.set`; the first tiers drop the one before."""
        try:
            return await super().set(key, value, life=life)
        finally:
            await self._changed([key])

    async def set_many(self, values: Mapping[str, Any], *, life: float | None = DEFAULT_LIFE) -> bool:
        """Write values, as `Cache.set_many`; the first tiers drop those before."""
        try:
            return await super().set_many(values, life=life)
        finally:
            await self._changed(values)

    async def delete(self, *keys: str) -> bool:
        """Remove values, as `Cache.delete`, from all tiers."""
        try:
            return await super().delete(*keys)
        finally:
            await self._changed(keys)

    async def aclose(self) -> None:
        """Drop the first tier, hear of no more changes, and end what loads in the background."""
        following, self._following = self._following, None
        if following is not None:
            following.cancel()
            await asyncio.wait([following])  # what it raises says nothing of whether we are cancelled, too
            if not following.cancelled():
                await following
        await super().aclose()

    def _held(self, key: str) -> Any:
        value = self._local.get(key.encode())
        if value is not ABSENT:
            self.local_hits += 1
            if self._stats is not None:
                self._stats.hit(namespace_of(key))
        return value

    def _life_of(self, stored: Stored) -> float:
        """Never to the end of a value's life: who asks for it before is who loads it anew early."""
        return self._local_life if stored.remaining is None else min(self._local_life, stored.remaining / 2)

    async def _changed(self, keys: Iterable[str]) -> None:
        raw = [key.encode() for key in keys]
        self._local.discard(raw)
        covered = [key for key in raw if self._tracking.covers(key)]
        if covered and self._tracking.way == "channel":
            patterns = [told_as(key) for key in covered]
            await self._outage.ask(lambda: announce(self._redis, patterns))
