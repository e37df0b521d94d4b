"""Statistics: nothing is lost or doubled, days are those of the zone, and a flush is one round trip."""

from __future__ import annotations

import logging
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError

from pymon_tui.services.days import Day, HitRate
from pymon_tui.services.keys import STATS_HITS, STATS_MISSES
from pymon_tui.services.stats import MOST_NAMESPACES, OTHER, Stats
from tests.conftest import StartServer
from tests.demo.waiting import eventually
from tests.services.application import Clock, client_of

DAY = date(2026, 11, 22)
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC).timestamp()


async def test_what_is_counted_is_summed_over_processes(client: Redis, redis: Redis) -> None:
    one, other = Stats(client, clock=Clock(NOON)), Stats(client, clock=Clock(NOON))
    one.hit("monitoring:result")
    one.hit("monitoring:result", 2)
    other.hit("monitoring:result", 4)
    other.miss("report")
    assert await one.flush()
    assert await other.flush()
    assert await one.flush()
    day = await one.day(DAY)
    assert day == Day(DAY, (("monitoring:result", HitRate(7, 0)), ("report", HitRate(0, 1))))
    assert day.total == HitRate(7, 1)
    assert day.total.share == 7 / 8
    assert await redis.hgetall("cache:stats:hits:2026-11-22") == {"monitoring:result": "7"}
    for family in (STATS_HITS, STATS_MISSES):
        assert 89 * 86_400 < await redis.ttl(family.key(day=DAY)) <= 90 * 86_400


async def test_a_range_has_every_day(client: Redis) -> None:
    clock = Clock(NOON)
    stats = Stats(client, clock=clock)
    stats.hit("a")
    clock.now += 2 * 86_400
    stats.miss("a")
    stats.hit("b", 2)
    await stats.flush()
    days = await stats.range(DAY, DAY + timedelta(days=2))
    assert [day.total for day in days.days] == [HitRate(1, 0), HitRate(0, 0), HitRate(2, 1)]
    assert days.total == HitRate(3, 1)
    assert days.namespaces == (("a", HitRate(1, 1)), ("b", HitRate(2, 0)))
    assert days.days[1].total.share is None
    with pytest.raises(ValueError, match="can't end on 2026-11-22, before it begins on 2026-11-23"):
        await stats.range(DAY + timedelta(days=1), DAY)


@pytest.mark.parametrize(
    ("zone", "at", "day"),
    [
        ("Asia/Seoul", datetime(2026, 11, 22, 14, 59, 59, tzinfo=UTC), DAY),
        ("Asia/Seoul", datetime(2026, 11, 22, 15, tzinfo=UTC), date(2026, 11, 23)),
        ("Europe/Berlin", datetime(2026, 10, 25, 22, 59, 59, tzinfo=UTC), date(2026, 10, 25)),  # a day of 25 hours
        ("America/Sao_Paulo", datetime(2018, 11, 4, 3, tzinfo=UTC), date(2018, 11, 4)),  # midnight is skipped
        ("America/Sao_Paulo", datetime(2018, 11, 4, 2, 59, 59, tzinfo=UTC), date(2018, 11, 3)),
    ],
)
async def test_a_day_begins_at_the_zone_s_midnight(client: Redis, zone: str, at: datetime, day: date) -> None:
    clock = Clock(at.timestamp() - 3600)
    stats = Stats(client, zone=ZoneInfo(zone), clock=clock)
    assert stats.today <= day
    clock.now = at.timestamp()
    assert stats.today == day


async def test_a_clock_that_is_set_back(client: Redis) -> None:
    clock = Clock(NOON)
    stats = Stats(client, clock=clock)
    assert stats.today == DAY
    clock.now -= 86_400
    assert stats.today == DAY - timedelta(days=1)


async def test_a_flush_is_one_round_trip(client: Redis, redis: Redis) -> None:
    stats = Stats(client, clock=Clock(NOON))
    await client.ping()
    for number in range(50):
        stats.hit(f"namespace-{number}")
        stats.miss(f"namespace-{number}")
    before = await redis.info("stats")
    await stats.flush()
    after = await redis.info("stats")
    # The other one is that of INFO itself.
    assert after["total_reads_processed"] - before["total_reads_processed"] == 2


async def test_it_flushes_by_itself_and_at_the_end(client: Redis) -> None:
    async with Stats(client, clock=Clock(NOON), flush_every=0.01) as stats:
        stats.hit("a")

        async def written() -> bool:
            return (await stats.day(DAY)).total == HitRate(1, 0)

        await eventually(written)
    async with Stats(client, clock=Clock(NOON), flush_every=3600) as stats:
        stats.hit("a")
    assert (await stats.day(DAY)).total == HitRate(2, 0)


async def test_what_can_t_be_written_is_kept(own_server: StartServer, caplog: pytest.LogCaptureFixture) -> None:
    server = own_server()
    async with client_of(server) as client:
        stats = Stats(client, clock=Clock(NOON))
        server.stop()
        stats.hit("a")
        assert not await stats.flush()
        stats.hit("a")
        assert not await stats.flush()
        assert stats.errors == 2
        assert len([record for record in caplog.records if record.levelno == logging.WARNING]) == 1
        with pytest.raises(RedisConnectionError):
            await stats.day(DAY)
    async with client_of(own_server()) as client:
        stats._redis = client
        assert await stats.flush()
        assert (await stats.day(DAY)).total == HitRate(2, 0)


async def test_a_key_of_another_type_costs_only_its_own_counts(client: Redis, redis: Redis) -> None:
    await redis.set(STATS_HITS.key(day=DAY), "5")
    stats = Stats(client, clock=Clock(NOON))
    stats.hit("a")
    stats.miss("a", 3)
    assert await stats.flush()
    assert stats.errors
    assert await redis.hgetall(STATS_MISSES.key(day=DAY)) == {"a": "3"}


async def test_what_others_wrote_there_is_no_count(client: Redis, redis: Redis) -> None:
    await redis.hset(STATS_HITS.key(day=DAY), mapping={"a": "many", "b": "-3", "c": "4", b"\xff": "1"})
    day = await Stats(client).day(DAY)
    assert day.total == HitRate(5, 0)
    assert day.namespaces[-1] == ("\ufffd", HitRate(1, 0))


async def test_namespaces_are_bounded(client: Redis) -> None:
    stats = Stats(client, clock=Clock(NOON))
    for number in range(MOST_NAMESPACES + 5):
        stats.hit(f"namespace-{number}")
        stats.hit("namespace-0")
    await stats.flush()
    day = await stats.day(DAY)
    assert len(day.namespaces) == MOST_NAMESPACES + 1
    assert dict(day.namespaces)[OTHER] == HitRate(5, 0)
    assert day.total.hits == 2 * (MOST_NAMESPACES + 5)


async def test_a_client_that_decodes_is_as_good(redis: Redis) -> None:
    stats = Stats(redis, clock=Clock(NOON))
    stats.hit("알림")
    await stats.flush()
    assert (await stats.day(DAY)).namespaces == (("알림", HitRate(1, 0)),)
