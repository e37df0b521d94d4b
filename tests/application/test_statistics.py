"""The application's hit rate: which days are asked about, which of them is today, and what is read of them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from pydantic import SecretStr
from redis.asyncio import Redis

from pymon_tui.application.statistics import (
    APPLICATION_DAYS,
    APPLICATION_TODAY,
    DAYS,
    decode_days,
    newest,
    somewhere,
    until_today,
)
from pymon_tui.demo.embedded import EmbeddedServer
from pymon_tui.model.query import Batch, Ready, Reason, Unavailable
from pymon_tui.readings.info import Info
from pymon_tui.server.connection import open_session
from pymon_tui.server.endpoint import Endpoint
from pymon_tui.server.greeting import Handshake
from pymon_tui.server.poller import Poller
from pymon_tui.services.days import Day, Days, HitRate
from pymon_tui.services.keys import STATS_HITS, STATS_MISSES
from pymon_tui.services.stats import Stats

TODAY = date(2026, 11, 22)


def on(day: int, hits: int = 0, misses: int = 0) -> Day:
    return Day(date(2026, 11, day), (("report", HitRate(hits, misses)),) if hits or misses else ())


def info_at(now: datetime) -> Info:
    return Info({"server_time_usec": str(int(now.timestamp()) * 1_000_000)})


def asked_days(batch: Any) -> list[int]:
    """The days of the month of the hits that are asked for."""
    assert isinstance(batch, Batch)
    found = [STATS_HITS.values(str(command[1])) for command in batch.commands]
    return [date.fromisoformat(values["day"]).day for values in found if values is not None]


@pytest.mark.parametrize(
    ("hour", "days"), [(0, [21, 22]), (9, [21, 22]), (10, [21, 22, 23]), (11, [21, 22, 23]), (12, [22, 23])]
)
def test_somewhere_on_earth_it_is_another_day(hour: int, days: list[int]) -> None:
    assert [day.day for day in somewhere(datetime(2026, 11, 22, hour, 59, tzinfo=UTC))] == days


@pytest.mark.parametrize(("hour", "days"), [(0, [22, 21]), (11, [22, 21, 23]), (23, [22, 23])])
def test_the_server_s_clock_says_which_days_are_asked_for(hour: int, days: list[int]) -> None:
    info = info_at(datetime(2026, 11, 22, hour, 59, tzinfo=UTC))
    assert asked_days(APPLICATION_TODAY.command.arguments(None, info)) == days
    past = asked_days(APPLICATION_DAYS.command.arguments(None, info))
    assert set(days) < set(past)
    assert len(past) == DAYS - 1 + len(days)


@pytest.mark.parametrize("fields", [{}, {"server_time_usec": "soon"}, {"server_time_usec": "9" * 20}])
def test_without_a_clock_nothing_is_asked(fields: dict[str, str]) -> None:
    for query in (APPLICATION_TODAY, APPLICATION_DAYS):
        assert query.command.arguments(None, Info(fields)) == ()
        assert query.command.arguments(None, None) == ()


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        ((on(22, 5), on(21, 9)), 22),
        ((on(22), on(21, 9)), 21),  # west of Greenwich it is still yesterday
        ((on(22, 5), on(23, 0, 1)), 23),  # in the east it is tomorrow already
        ((on(22), on(21), on(23)), 22),
    ],
)
def test_today_is_the_newest_day_with_look_ups(days: tuple[Day, ...], expected: int) -> None:
    assert newest(days).day.day == expected


def test_the_last_days_end_with_today_and_have_no_gap() -> None:
    old = Day(TODAY - timedelta(days=3), (("a", HitRate(1, 1)),))
    days = until_today(Days((old, on(22, 1), on(23))), on(22, 8, 2)).days
    assert [day.day for day in days] == [TODAY - timedelta(days=ago) for ago in reversed(range(DAYS))]
    assert days[-1] == on(22, 8, 2)
    assert days[-4] is old
    assert {day.namespaces for day in days[:-4]} == {()}


async def polled(
    server: EmbeddedServer, endpoint: Endpoint | None = None, *, handshake: Handshake = Handshake.RESP3
) -> Poller:
    """A poller that has asked for both; the time comes from the INFO of the first tick."""
    poller = Poller((APPLICATION_TODAY, APPLICATION_DAYS))
    session, _ = await open_session(endpoint or Endpoint(socket=server.socket), handshake)
    try:
        for now in range(2):
            await poller.tick(session, now, 1, {APPLICATION_TODAY.name, APPLICATION_DAYS.name})
    finally:
        await session.close()
    return poller


HITS, MISSES = ("HGETALL", STATS_HITS.key(day=TODAY)), ("HGETALL", STATS_MISSES.key(day=TODAY))


@pytest.mark.parametrize("form", [dict, lambda pairs: [part for pair in pairs for part in pair]])
def test_both_forms_of_a_hash_are_read(form: Any) -> None:
    replies = [(HITS, form([(b"report", b"8")])), (MISSES, form([(b"report", b"2")]))]
    assert decode_days(replies) == (on(22, 8, 2),)
    assert decode_days([(HITS, form([])), (MISSES, form([]))]) == (on(22),)


@pytest.mark.parametrize("replies", [[], [(HITS, {})], [(MISSES, {b"report": b"2"})]])
def test_half_a_day_is_none(replies: Any) -> None:
    with pytest.raises(ValueError, match="don't both hold hashes"):
        decode_days(replies)


@pytest.mark.parametrize("reply", [None, b"OK", 3, [b"a"], [b"a", 1], {b"a": None}])
def test_another_reply_is_unreadable(reply: Any) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        decode_days([(HITS, reply), (MISSES, {})])


@pytest.mark.parametrize("handshake", [Handshake.RESP3, Handshake.BARE], ids=lambda one: one.name)
async def test_what_the_application_counts_is_read(server: EmbeddedServer, redis: Redis, handshake: Handshake) -> None:
    now = datetime.now(UTC).timestamp()
    for ago, hits in ((0, 9), (2, 5)):
        stats = Stats(redis, clock=lambda ago=ago: now - ago * 86_400)  # type: ignore[misc]
        stats.hit("monitoring:result", hits)
        stats.miss("report", 1)
        assert await stats.flush()
    poller = await polled(server, handshake=handshake)
    today, past = poller.readings[APPLICATION_TODAY.name], poller.readings[APPLICATION_DAYS.name]
    assert isinstance(today, Ready)
    assert isinstance(past, Ready)
    assert dict(today.value.namespaces) == {"monitoring:result": HitRate(9, 0), "report": HitRate(0, 1)}
    days = until_today(past.value, today.value).days
    assert [day.total for day in days if day.namespaces] == [HitRate(5, 1), HitRate(9, 1)]
    assert len(days) == DAYS


async def test_a_server_without_statistics_has_none(server: EmbeddedServer, redis: Redis) -> None:
    poller = await polled(server)
    today, past = poller.readings[APPLICATION_TODAY.name], poller.readings[APPLICATION_DAYS.name]
    assert isinstance(today, Ready)
    assert isinstance(past, Ready)
    assert today.value.namespaces == ()
    assert past.value.total == HitRate(0, 0)


async def test_a_user_that_may_not_read_them_is_told_so(server: EmbeddedServer, redis: Redis) -> None:
    await redis.acl_setuser("me", enabled=True, passwords=["+secret"], keys=["*"], commands=["+@all", "-hgetall"])
    poller = await polled(server, Endpoint(socket=server.socket, username="me", password=SecretStr("secret")))
    for query in (APPLICATION_TODAY, APPLICATION_DAYS):
        reading = poller.readings[query.name]
        assert isinstance(reading, Unavailable)
        assert reading.reason is Reason.DENIED
        assert "+hgetall" in reading.remedy
