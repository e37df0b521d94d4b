"""Hits and misses per day and namespace: summed in the process, written once a second.

Each day has two hashes (``STATS_HITS`` and ``STATS_MISSES`` of the keys) of counts by namespace.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta, tzinfo
from types import TracebackType
from typing import Self

from redis.asyncio import Redis
from redis.exceptions import RedisError, ResponseError

from pymon_tui.services.connection import guard
from pymon_tui.services.days import FAMILIES, Day, Days, counted
from pymon_tui.services.outage import Outage

FLUSH_EVERY = 1.0
"""Seconds between two flushes."""
MOST_NAMESPACES = 200
"""Namespaces of one day that a process tells apart; further ones are counted as `OTHER`."""
OTHER = "(other)"


_HITS, _MISSES = 0, 1
_Tally = tuple[dict[str, int], dict[str, int]]
"""Hits and misses by namespace."""


class Stats:
    """The statistics of one process, which writes them, and of all, which it reads.

    As ``async with Stats(…) as stats:`` it flushes once a second, and a last time at the end; what can't be written is
    kept and written with the next flush. A flush whose answer was lost is sent again, and may then count twice.

    Args:
        redis: A client of `connect`.
        zone: Whose midnight a day begins at.
        clock: Seconds since 1970.
        flush_every: Seconds between two flushes.
    """

    def __init__(
        self,
        redis: Redis,
        *,
        zone: tzinfo = UTC,
        clock: Callable[[], float] = time.time,
        flush_every: float = FLUSH_EVERY,
    ) -> None:
        self._redis = guard(redis)
        self._zone = zone
        self._clock = clock
        self._flush_every = flush_every
        self._outage = Outage("statistics are kept in the process until it is back", clock=time.monotonic)
        self._pending: dict[date, _Tally] = {}
        self._today: date = date.min
        self._began = self._ends = 0.0
        self._closing = asyncio.Event()
        self._flushing: asyncio.Task[None] | None = None

    def hit(self, namespace: str, count: int = 1) -> None:
        """Count look-ups that found a value; costs no round trip."""
        self._count(_HITS, namespace, count)

    def miss(self, namespace: str, count: int = 1) -> None:
        """Count look-ups that found none; costs no round trip."""
        self._count(_MISSES, namespace, count)

    @property
    def today(self) -> date:
        """The day it is, in the time zone of the statistics."""
        now = self._clock()
        if not self._began <= now < self._ends:
            self._today = datetime.fromtimestamp(now, self._zone).date()
            self._began, self._ends = map(self._midnight, (self._today, self._today + timedelta(days=1)))
        return self._today

    @property
    def errors(self) -> int:
        """Flushes that failed so far."""
        return self._outage.errors

    async def flush(self) -> bool:
        """Write what was counted since the last flush, in one MULTI of HINCRBY and EXPIRE.

        Returns:
            Whether nothing is left to be written. It never raises for a server that is away.
        """
        taken, self._pending = self._pending, {}
        if not taken:
            return True
        pipeline = self._redis.pipeline(transaction=True)
        for day, tally in taken.items():
            for family, counts in zip(FAMILIES, tally, strict=True):
                for namespace, count in counts.items():
                    pipeline.hincrby(family.key(day=day), namespace, count)
                if counts and family.life is not None:
                    pipeline.expire(family.key(day=day), family.life)
        try:
            replies = await pipeline.execute(raise_on_error=False)
        except (RedisError, OSError) as error:
            self._keep(taken)
            self._outage.failed(error)
            return False
        # A key of another type refuses its counts for good: they are lost, and it is logged.
        for reply in replies:
            if isinstance(reply, ResponseError):
                self._outage.failed(reply)
        return True

    async def day(self, day: date) -> Day:
        """What all processes counted on one day, in one round trip of two HGETALL; up to a second behind.

        Raises:
            redis.RedisError: If the server can't be asked.
        """
        return (await self.range(day, day)).days[0]

    async def range(self, first: date, last: date) -> Days:
        """What all processes counted from ``first`` to ``last``, both included, in one round trip.

        Raises:
            ValueError: If ``last`` is before ``first``.
            redis.RedisError: If the server can't be asked.
        """
        if last < first:
            raise ValueError(f"a range of days can't end on {last}, before it begins on {first}")
        days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
        pipeline = self._redis.pipeline(transaction=False)
        for day in days:
            for family in FAMILIES:
                pipeline.execute_command("HGETALL", family.key(day=day), NEVER_DECODE=True)
        replies = await pipeline.execute()
        both = zip(days, replies[::2], replies[1::2], strict=True)
        return Days(tuple(counted(day, hits, misses) for day, hits, misses in both))

    async def __aenter__(self) -> Self:
        self._flushing = asyncio.create_task(self._flush_now_and_then())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.set()
        if self._flushing is not None:
            await self._flushing
        await self.flush()

    async def _flush_now_and_then(self) -> None:
        while not self._closing.is_set():
            await self.flush()
            with suppress(TimeoutError):
                async with asyncio.timeout(self._flush_every):
                    await self._closing.wait()

    def _count(self, kind: int, namespace: str, count: int) -> None:
        today = self.today
        if (tally := self._pending.get(today)) is None:
            tally = self._pending[today] = ({}, {})
        counts = tally[kind]
        if namespace not in counts and len(counts) >= MOST_NAMESPACES:
            namespace = OTHER
        counts[namespace] = counts.get(namespace, 0) + count

    def _keep(self, taken: dict[date, _Tally]) -> None:
        for day, tally in taken.items():
            for kept, counts in zip(self._pending.setdefault(day, ({}, {})), tally, strict=True):
                for namespace, count in counts.items():
                    kept[namespace] = kept.get(namespace, 0) + count

    def _midnight(self, day: date) -> float:
        return datetime(day.year, day.month, day.day, tzinfo=self._zone).timestamp()
