"""The application's services next to the plain redis-py calls they stand on: one after the other, on one connection."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from redis.asyncio import Redis

from pymon_tui.demo.embedded import EmbeddedServer
from pymon_tui.services.cache import Cache
from pymon_tui.services.connection import connect
from pymon_tui.services.keys import MONITORING_RESULT, NOTIFICATIONS_CHANNEL, NOTIFICATIONS_RECENT, SESSION
from pymon_tui.services.local import ABSENT, LocalCache
from pymon_tui.services.notification import Level
from pymon_tui.services.notifications import Notifications
from pymon_tui.services.sessions import Sessions
from pymon_tui.services.strategy import Tiers
from pymon_tui.services.tracking import Tracking
from pymon_tui.services.values import dumps
from tests.benchmarks.figures import Figure, spread
from tests.demo.waiting import eventually

ROUNDS = 40
CALLS = 50
"""Calls of each way in one round; the rounds are short, so that both ways have the same weather."""
LIMIT = 1.25
FIRST_TIER = 50
MISSES = 1_000
KEY = MONITORING_RESULT.key(project_id=42)
CHECK = {"endpoint": "/api/v1/orders", "status": 200, "latency_ms": 41.7, "region": "ap-northeast-2"}
RESULT = {"project_id": 42, "status": "ok", "checks": [CHECK] * 4}
MESSAGE = ("응답 지연", "p95 of /api/v1/orders is 420 ms")

Call = Callable[[], Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Pair:
    """A service's operation, and the calls it stands on.

    Attributes:
        what: The operation.
        beside: What it is compared with.
        ours: Does it once.
        plain: Does the same with redis-py alone.
    """

    what: str
    beside: str
    ours: Call
    plain: Call


def figures() -> list[Figure]:
    """Each operation, the first tier, and a thousand misses at once."""
    with EmbeddedServer() as server:
        return asyncio.run(_of(server.socket))


async def _of(socket: str) -> list[Figure]:
    async with connect(socket, name="py-monitor") as redis:
        beside = [await _figure(redis, pair) for pair in await _pairs(redis)]
        return [*beside, await _first_tier(redis), await _single_flight(redis)]


async def _pairs(redis: Redis) -> list[Pair]:
    cache, notifications, sessions = Cache(redis), Notifications(redis), Sessions(redis)
    written = dumps(RESULT)
    await cache.set(KEY, RESULT)
    session = await sessions.create("42", {"locale": "ko"})
    session_key, recent = SESSION.key(id=session.id), NOTIFICATIONS_RECENT.key(user_id="42")
    message = await notifications.publish("42", Level.WARNING, *MESSAGE)
    payload, channel = message.payload(), NOTIFICATIONS_CHANNEL.key(user_id="42")

    async def get_and_pttl() -> Any:
        pipeline = redis.pipeline(transaction=False)
        pipeline.get(KEY)
        pipeline.pttl(KEY)
        return await pipeline.execute()

    async def read_and_prolong() -> Any:
        pipeline = redis.pipeline(transaction=False)
        pipeline.hgetall(session_key)
        pipeline.pexpire(session_key, 3_600_000)
        return await pipeline.execute()

    async def remember_and_publish() -> Any:
        pipeline = redis.pipeline(transaction=True)
        pipeline.lpush(recent, payload)
        pipeline.ltrim(recent, 0, 99)
        pipeline.expire(recent, 86_400)
        pipeline.publish(channel, payload)
        return await pipeline.execute()

    async def load() -> Any:
        raise AssertionError("the value is there")

    async def publish() -> Any:
        return await notifications.publish("42", Level.WARNING, *MESSAGE)

    size = f"{len(written)} bytes of JSON"
    return [
        Pair(f"cache get, {size}", "GET", lambda: cache.get(KEY), lambda: redis.get(KEY)),
        Pair(
            f"cache set, {size}",
            "SET with PX",
            lambda: cache.set(KEY, RESULT),
            lambda: redis.set(KEY, written, px=3_600_000),
        ),
        Pair(f"cache get_or_load, a hit, {size}", "GET and PTTL", lambda: cache.get_or_load(KEY, load), get_and_pttl),
        Pair("session get", "HGETALL and PEXPIRE", lambda: sessions.get(session.id), read_and_prolong),
        Pair("notification publish", "MULTI of LPUSH, LTRIM, EXPIRE, PUBLISH", publish, remember_and_publish),
    ]


async def _figure(redis: Redis, pair: Pair) -> Figure:
    ours, plain = [], []
    for _ in range(ROUNDS + 1):
        ours.append(await _seconds(pair.ours))
        plain.append(await _seconds(pair.plain))
    del ours[0], plain[0]  # who is first pays for scripts, connections and caches
    times = statistics.median(one / other for one, other in zip(ours, plain, strict=True))
    trips = await _round_trips(redis, pair.ours)
    return Figure(
        f"{pair.what}, against redis-py's {pair.beside}",
        f"≤ {LIMIT} times its time, 1 round trip",
        f"{times:.2f} times, {trips:.0f} round trip{'' if trips == 1 else 's'}",
        times <= LIMIT and trips == 1,
        f"{_per_second(ours)} and {_per_second(plain)} calls per second, one after the other",
    )


async def _seconds(call: Call) -> float:
    """Seconds of one call, of many."""
    began = time.perf_counter()
    for _ in range(CALLS):
        await call()
    return (time.perf_counter() - began) / CALLS


async def _round_trips(redis: Redis, call: Call) -> float:
    """How often the server has read from a socket for one call: small requests arrive in one piece."""
    before = await _reads(redis)
    for _ in range(CALLS):
        await call()
    return (await _reads(redis) - before - 1) / CALLS  # without INFO's own


async def _reads(redis: Redis) -> int:
    return int((await redis.info("stats"))["total_reads_processed"])


async def _first_tier(redis: Redis) -> Figure:
    cache, local = Cache(redis), LocalCache(100)
    await cache.set(KEY, RESULT)

    async def load() -> Any:
        raise AssertionError("the value is there")

    async with Tiers(redis, Tracking(redis, local, [MONITORING_RESULT.prefix.encode()]), local_life=600) as tiers:

        async def held() -> bool:
            await tiers.get_or_load(KEY, load)
            return local.get(KEY.encode()) is not ABSENT

        await eventually(held)
        first, second = [], []
        for _ in range(ROUNDS):
            first.append(await _seconds(lambda: tiers.get_or_load(KEY, load)))
            second.append(await _seconds(lambda: cache.get_or_load(KEY, load)))
    times = statistics.median(slow / fast for fast, slow in zip(first, second, strict=True))
    return Figure(
        "a hit of the first tier, against one of Redis",
        f"≥ {FIRST_TIER:.0f} times as fast",
        f"{times:.0f} times",
        times >= FIRST_TIER,
        f"{_per_second(first)} and {_per_second(second)} calls per second, one after the other",
    )


async def _single_flight(redis: Redis) -> Figure:
    await redis.unlink(KEY)
    cache, calls = Cache(redis), 0
    allowed = asyncio.Event()

    async def load() -> Any:
        nonlocal calls
        calls += 1
        await allowed.wait()
        return RESULT

    began = time.perf_counter()
    waiting = [asyncio.create_task(cache.get_or_load(KEY, load)) for _ in range(MISSES)]

    async def all_have_missed() -> bool:
        return cache.counts.misses == MISSES

    await eventually(all_have_missed)
    allowed.set()
    await asyncio.gather(*waiting)
    seconds = time.perf_counter() - began
    return Figure(
        f"{MISSES} misses of one key at once", "1 load", f"{calls} load", calls == 1, f"{seconds * 1e3:.0f} ms for all"
    )


def _per_second(seconds: list[float]) -> str:
    return spread([1 / each for each in seconds])
