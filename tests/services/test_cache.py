"""The cache on a real server: reads, writes, and what is no value."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

import pytest
from fakeredis import FakeAsyncRedis
from redis.asyncio import Redis

from pymon_tui.services.cache import DEFAULT_LIFE, Cache, Counts
from pymon_tui.services.days import HitRate
from pymon_tui.services.keys import MONITORING_RESULT, cache_key
from pymon_tui.services.stats import Stats

KEY = MONITORING_RESULT.key(project_id=42)
RESULT = {
    "at": datetime(2026, 11, 22, tzinfo=UTC),
    "sum": Decimal("1.50"),
    "id": UUID(int=7),
    "이름": ["감시", None, 1.5],
}


async def test_a_value_comes_back(cache: Cache, redis: Redis) -> None:
    assert await cache.get(KEY) is None
    assert await cache.set(KEY, RESULT)
    assert await cache.get(KEY) == RESULT
    assert await cache.exists(KEY)
    assert 1000 * (DEFAULT_LIFE - 60) < await redis.pttl(KEY) <= 1000 * DEFAULT_LIFE
    assert await cache.delete(KEY)
    assert await cache.get(KEY, "none") == "none"
    assert not await cache.exists(KEY)
    assert cache.counts == Counts(hits=1, misses=2, errors=0, unreadable=0)


async def test_lives(cache: Cache, redis: Redis) -> None:
    await cache.set("short", 1, life=0.5)
    assert 0 < await redis.pttl("short") <= 500
    await cache.set("stays", 1, life=None)
    assert await redis.pttl("stays") == -1
    assert (await cache.read("stays")).remaining is None  # type: ignore[union-attr]
    short = await cache.read("short")
    assert short is None or (short.remaining is not None and 0 <= short.remaining <= 0.5)
    for life in (0, -1, float("nan"), float("inf")):
        with pytest.raises(ValueError, match="a life should be"):
            await cache.set("never", 1, life=life)


async def test_many_at_once(cache: Cache, redis: Redis, client: Redis) -> None:
    await client.ping()
    values = {cache_key("report", number): {"number": number} for number in range(50)}
    before = (await redis.info("stats"))["total_reads_processed"]
    assert await cache.set_many(values, life=60)
    assert await cache.get_many([*values, "missing"]) == values
    assert await cache.delete(*values)
    # Three requests, and INFO itself.
    assert (await redis.info("stats"))["total_reads_processed"] - before == 4
    assert await redis.dbsize() == 0
    assert cache.counts == Counts(hits=50, misses=1, errors=0, unreadable=0)


async def test_each_operation_is_one_round_trip(cache: Cache, redis: Redis, client: Redis) -> None:
    await client.ping()

    async def load() -> None:
        raise AssertionError("the value is there")

    operations: tuple[Callable[[], Awaitable[object]], ...] = (
        lambda: cache.set(KEY, RESULT),
        lambda: cache.get(KEY),
        lambda: cache.read(KEY),
        lambda: cache.get_or_load(KEY, load),
        lambda: cache.exists(KEY),
        lambda: cache.delete(KEY),
    )
    for operation in operations:
        before = (await redis.info("stats"))["total_reads_processed"]
        await operation()
        assert (await redis.info("stats"))["total_reads_processed"] - before == 2  # and INFO itself


async def test_nothing_at_once(cache: Cache, redis: Redis) -> None:
    assert await cache.get_many([]) == {}
    assert await cache.set_many({})
    assert await cache.delete()


async def test_none_is_a_value(cache: Cache) -> None:
    await cache.set(KEY, None)
    assert await cache.get(KEY, "none") is None
    assert await cache.exists(KEY)
    stored = await cache.read(KEY)
    assert stored is not None
    assert stored.value is None


@pytest.mark.parametrize("garbage", [b"", b"\xff\xfe", b"{'a': 1}", b'{"$new": 1}', b"\x80\x04K\x01."])
async def test_what_is_no_value_is_a_miss_and_deleted(
    cache: Cache, redis: Redis, garbage: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    await redis.set(KEY, garbage)
    assert await cache.get(KEY) is None
    assert await redis.exists(KEY) == 0
    await redis.mset({KEY: garbage, "good": b"1"})
    assert await cache.get_many([KEY, "good"]) == {"good": 1}
    assert await redis.exists(KEY) == 0
    assert cache.counts == Counts(hits=1, misses=2, errors=0, unreadable=2)
    assert all("a cached value of monitoring:result is deleted" in record.message for record in caplog.records)


async def test_what_is_no_json_is_refused(cache: Cache, redis: Redis) -> None:
    with pytest.raises(ValueError, match="type set"):
        await cache.set(KEY, {1, 2})
    with pytest.raises(ValueError, match="type set"):
        await cache.set_many({"good": 1, KEY: {1, 2}})
    assert await redis.dbsize() == 0


async def test_a_key_of_another_type_is_left_alone(
    cache: Cache, redis: Redis, caplog: pytest.LogCaptureFixture
) -> None:
    await redis.hset(KEY, "secret", "hunter2")
    assert await cache.get(KEY) is None
    assert await cache.read(KEY) is None
    assert await cache.get_many([KEY]) == {}
    assert await redis.hlen(KEY) == 1
    assert cache.counts.errors == 2
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    await redis.set("here", 1)
    assert await cache.get("here") == 1  # an error reply is no outage


async def test_an_error_quotes_no_value(cache: Cache, redis: Redis, caplog: pytest.LogCaptureFixture) -> None:
    await redis.config_set("maxmemory-policy", "noeviction")
    await redis.config_set("maxmemory", "1")
    assert not await cache.set_many({"a": "hunter2", "b": "hunter2"})
    assert not await cache.set("a", "hunter2")
    assert "OOM" in caplog.text or "maxmemory" in caplog.text
    assert "hunter2" not in caplog.text


async def test_hits_and_misses_are_counted_by_namespace(client: Redis) -> None:
    stats = Stats(client)
    cache = Cache(client, stats=stats)
    await cache.set(KEY, 1)
    await cache.get(KEY)
    await cache.read(KEY)
    await cache.get("report:1")
    await stats.flush()
    day = await stats.day(stats.today)
    assert day.namespaces == (("monitoring:result", HitRate(2, 0)), ("report", HitRate(0, 1)))


async def test_a_client_that_decodes_is_as_good(redis: Redis) -> None:
    cache = Cache(redis)
    await cache.set(KEY, RESULT)
    assert await cache.get(KEY) == RESULT
    assert await cache.get_many([KEY]) == {KEY: RESULT}
    assert await cache.exists(KEY)
    await redis.set(KEY, b"\xff")
    assert await cache.get_or_load(KEY, lambda: _value("새")) == "새"
    assert await redis.get(KEY) == '"새"'


async def test_a_fake_server_will_do_for_an_application_s_tests() -> None:
    async with FakeAsyncRedis() as fake:
        cache = Cache(fake)
        await cache.set_many({KEY: RESULT, "short": 1}, life=60)
        assert await cache.get_many([KEY, "short", "missing"]) == {KEY: RESULT, "short": 1}
        stored = await cache.read(KEY)
        assert stored is not None
        assert stored.remaining is not None
        assert await cache.exists(KEY)
        await cache.delete(KEY)
        assert await cache.get(KEY) is None
        assert cache.counts == Counts(hits=3, misses=2, errors=0, unreadable=0)


async def _value(value: str) -> str:
    return value
