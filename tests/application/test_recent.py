"""The notifications that are kept: what is read of them, how often, and how much of it is remembered."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis.asyncio import Redis

from pymon_tui.application.recent import (
    EACH,
    MOST,
    MOST_BYTES,
    PER_TICK,
    RECENT,
    Recent,
    channel_of,
    decode_page,
    joined,
    next_page,
    recent_of,
)
from pymon_tui.demo.embedded import EmbeddedServer
from pymon_tui.model.feed import PAYLOAD_LIMIT
from pymon_tui.model.query import Answers, Part, Ready
from pymon_tui.model.text import safe
from pymon_tui.server.connection import open_session
from pymon_tui.server.endpoint import Endpoint
from pymon_tui.server.poller import Poller
from pymon_tui.services.notification import Level, Notification
from pymon_tui.services.notifications import Notifications

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def payload(number: int, user: str = "7") -> bytes:
    """A notification of that many minutes ago."""
    return Notification(str(number), user, Level.INFO, "t", "m", None, NOW - timedelta(minutes=number)).payload()


def key(user: str) -> bytes:
    return f"notifications:recent:{user}".encode()


def read(lists: dict[str, Any], failed: tuple[str, ...] = ()) -> Recent:
    answered = [(("LRANGE", key(user), 0, EACH - 1), reply) for user, reply in lists.items()]
    return recent_of(decode_page(Answers(answered, tuple(("LRANGE", key(user), 0, 19) for user in failed), 1.0)))


def ids(recent: Recent) -> list[str | bytes]:
    return [kept.id for kept in recent.notifications]


def test_those_of_all_users_stand_in_the_order_of_their_times() -> None:
    recent = read({"7": [payload(1), payload(5)], "8": [payload(3)]})
    assert ids(recent) == ["1", "3", "5"]
    assert [kept.channel for kept in recent.notifications] == [
        b"notifications:7",
        b"notifications:8",
        b"notifications:7",
    ]
    assert recent.notifications[0].at == (NOW - timedelta(minutes=1)).timestamp()


@pytest.mark.parametrize(
    "other", [b"\xff", b"", b"{}", b"[]", b'{"id":"1","timestamp":"yesterday"}', b'{"id":1,"timestamp":"2026-11-22"}']
)
def test_what_isn_t_py_monitors_is_kept_as_it_is_without_a_time(other: bytes) -> None:
    recent = read({"7": [other, payload(2)]})
    assert [(kept.payload, kept.at is None) for kept in recent.notifications] == [(payload(2), False), (other, True)]
    assert recent.notifications[1].id == other


def test_a_list_of_another_type_has_nothing() -> None:
    assert read({"7": [payload(1)]}, failed=("8",)).lists == {key("7"), key("8")}


@pytest.mark.parametrize("reply", [None, b"x", 3, [b"x", 3], {b"a": b"b"}])
def test_another_reply_is_unreadable(reply: Any) -> None:
    with pytest.raises(ValueError, match="LRANGE answered"):
        read({"7": reply})


def test_a_list_that_is_read_again_takes_the_place_of_what_was_read() -> None:
    before = read({"7": [payload(1)], "8": [payload(2)]})
    assert ids(joined(before, read({"7": [payload(0), payload(1)], "9": [payload(3)]}))) == ["0", "1", "2", "3"]
    assert ids(joined(before, read({"7": []}))) == ["2"]


def test_so_many_are_remembered_and_so_many_bytes_of_them() -> None:
    many = read({str(user): [payload(minute) for minute in range(EACH)] for user in range(60)})
    assert len(many.notifications) == MOST
    assert ids(many)[:60] == ["0"] * 60
    large = b"x" * (PAYLOAD_LIMIT + 1)
    recent = read({str(user): [large] * EACH for user in range(50)})
    assert len(recent.notifications) == MOST_BYTES // PAYLOAD_LIMIT
    assert {(len(kept.payload), kept.size) for kept in recent.notifications} == {(PAYLOAD_LIMIT, PAYLOAD_LIMIT + 1)}


def test_of_several_nodes_the_newest_are_told() -> None:
    merge = RECENT.merge
    assert merge is not None
    parts = [
        Part(safe("a"), read({"7": [payload(1)]}), frozenset()),
        Part(safe("b"), read({"8": [payload(0)]}), frozenset()),
    ]
    assert ids(merge(parts)) == ["0", "1"]


@given(st.binary(min_size=1, max_size=20).filter(lambda user: b":" not in user))
def test_the_channel_is_that_of_the_same_user(user: bytes) -> None:
    assert channel_of(b"notifications:recent:" + user) == b"notifications:" + user


async def test_each_list_is_read_once_and_again_when_a_person_asks(server: EmbeddedServer, redis: Redis) -> None:
    notifications = Notifications(redis)
    users = [f"user.{number}" for number in range(PER_TICK + 10)]
    for user in users:
        await notifications.publish(user, Level.OK, "t", "m")
    await redis.set(key("string"), "x")
    poller = Poller([RECENT])
    session, _ = await open_session(Endpoint(socket=server.socket))
    asked: list[int] = []

    async def tick(now: int) -> int:
        before = (await redis.info("commandstats")).get("cmdstat_lrange", {"calls": 0})["calls"]
        await poller.tick(session, now, 1, {RECENT.name})
        return int((await redis.info("commandstats")).get("cmdstat_lrange", {"calls": 0})["calls"]) - int(before)

    try:
        asked = [await tick(now) for now in range(5)]
        # The string is met with the others, and not read; a list that isn't there is tried first.
        assert asked in ([0, 1 + PER_TICK - 1, 11, 0, 0], [0, 1 + PER_TICK, 10, 0, 0])
        reading = poller.readings[RECENT.name]
        assert isinstance(reading, Ready)
        assert {kept.channel for kept in reading.value.notifications} == {
            f"notifications:{user}".encode() for user in users
        }
        await notifications.publish("user.0", Level.OK, "newer", "m")
        assert await tick(5) == 0
        poller.refresh()
        assert [await tick(now) for now in range(6, 9)] == asked[1:4]
        reading = poller.readings[RECENT.name]
        assert isinstance(reading, Ready)
        assert len(reading.value.notifications) == len(users) + 1
    finally:
        await session.close()


def test_what_was_read_is_remembered_while_it_is_told_page_by_page() -> None:
    first = decode_page(Answers([(("LRANGE", key("7"), 0, 19), [])], (), 1.0))
    second = decode_page(Answers([(("LRANGE", key("8"), 0, 19), [payload(1)])], (), 2.0))
    page = next_page(next_page(None, first), second)
    assert set(page.read) == {key("7"), key("8")}
    assert set(page.lists) == {key("8")}
