"""Notifications: published and kept at once, and followed without a gap or a double, whatever breaks."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator, Iterable
from contextlib import aclosing
from datetime import UTC, datetime, timedelta

import pytest
from fakeredis import FakeAsyncRedis
from hypothesis import given
from hypothesis import strategies as st
from redis.asyncio import BlockingConnectionPool, Redis, UnixDomainSocketConnection
from redis.asyncio.retry import Retry
from redis.backoff import ConstantBackoff, NoBackoff
from redis.exceptions import NoPermissionError, RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError

from pymon_tui.demo.embedded import EmbeddedServer
from pymon_tui.services.following import Seen
from pymon_tui.services.notification import KEPT, LIFE, Level, Notification, parse_notification, readable
from pymon_tui.services.notifications import Notifications
from tests.conftest import StartServer, client_of
from tests.demo.waiting import eventually

AT = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
DAY = timedelta(days=1)
SOON = ConstantBackoff(0.01)


def a_notification(number: int, user_id: str = "7") -> Notification:
    return Notification(str(number), user_id, Level.INFO, "배포", f"build {number}", None, AT)


async def told(notifications: AsyncIterator[Notification], count: int) -> list[str]:
    """The messages of the next so many."""
    async with asyncio.timeout(10):
        return [(await anext(notifications)).message for _ in range(count)]


async def published(notifications: Notifications, messages: Iterable[str], user_id: str = "7") -> None:
    for message in messages:
        await notifications.publish(user_id, Level.OK, "title", message)


@pytest.fixture(params=["bytes", "text"])
async def client(request: pytest.FixtureRequest, server: EmbeddedServer, redis: Redis) -> AsyncIterator[Redis]:
    if request.param == "text":
        yield redis
        return
    async with Redis(unix_socket_path=server.socket, decode_responses=False) as client:
        yield client


@pytest.fixture
def notifications(client: Redis) -> Notifications:
    return Notifications(client, backoff=SOON)


texts = st.text(st.characters(exclude_categories=["Cs"]))


@given(
    st.builds(
        Notification,
        id=texts,
        user_id=texts,
        level=st.sampled_from(Level),
        title=texts,
        message=texts,
        project=st.none() | texts,
        at=st.datetimes(timezones=st.just(UTC)),
    )
)
def test_a_payload_is_read_as_it_was_written(notification: Notification) -> None:
    assert parse_notification(notification.payload(), notification.user_id) == notification


@given(st.binary() | st.recursive(st.none() | st.text() | st.integers(), st.lists).map(json.dumps))
def test_what_strangers_publish_is_left_out(payload: bytes | str) -> None:
    assert readable([payload, a_notification(1).payload()], "7") == (a_notification(1),)


@pytest.mark.parametrize(
    "change",
    [
        {"id": True},
        {"id": None},
        {"level": "fatal"},
        {"level": 3},
        {"title": 1},
        {"project": 1},
        {"timestamp": "soon"},
        {"timestamp": "2026-03-01T09:30:00"},
    ],
)
def test_what_is_no_notification_says_why(change: dict[str, object]) -> None:
    payload = json.dumps(json.loads(a_notification(1).payload()) | change)
    with pytest.raises(ValueError, match="a notification"):
        parse_notification(payload, "7")


async def test_it_is_kept_and_published_in_one_transaction(client: Redis, redis: Redis) -> None:
    notifications = Notifications(client, clock=lambda: AT)
    async with redis.pubsub() as listener:
        await listener.subscribe("notifications:a%3Ab")
        assert (await listener.get_message(timeout=5))["type"] == "subscribe"
        sent = await notifications.publish("a:b", Level.CRITICAL, "서버", "응답 없음", project="결제 서비스")
        message = await listener.get_message(timeout=5)
    assert json.loads(message["data"]) == {
        "id": sent.id,
        "user_id": "a:b",
        "level": "critical",
        "title": "서버",
        "message": "응답 없음",
        "project": "결제 서비스",
        "timestamp": "2026-03-01T09:30:00+00:00",
    }
    assert await notifications.recent("a:b") == (sent,)
    assert LIFE - 60 < await redis.ttl("notifications:recent:a%3Ab") <= LIFE == DAY.total_seconds()


async def test_the_newest_hundred_are_kept(notifications: Notifications, redis: Redis) -> None:
    await published(notifications, map(str, range(KEPT + 3)))
    assert [each.message for each in await notifications.recent("7", limit=2)] == ["102", "101"]
    kept = await notifications.recent("7")
    assert [each.message for each in kept] == [str(number) for number in reversed(range(3, KEPT + 3))]
    assert await redis.llen("notifications:recent:7") == KEPT == 100
    with pytest.raises(ValueError, match="limit"):
        await notifications.recent("7", limit=0)


async def test_what_was_published_elsewhere_is_kept_and_not_published(client: Redis, redis: Redis) -> None:
    notifications = Notifications(client, clock=lambda: AT + timedelta(hours=2))
    theirs, others = a_notification(1), [a_notification(number, "8") for number in range(KEPT + 3)]
    async with redis.pubsub() as listener:
        await listener.psubscribe("notifications:*")
        assert (await listener.get_message(timeout=5))["type"] == "psubscribe"
        await notifications.restore([theirs, *others])
        sent = await notifications.publish("7", Level.OK, "title", "now")
        assert json.loads((await listener.get_message(timeout=5))["data"])["id"] == sent.id
    assert await notifications.recent("7") == (sent, theirs)
    assert await notifications.recent("8") == tuple(reversed(others[3:]))
    assert LIFE - 2 * 3600 - 60 < await redis.ttl("notifications:recent:8") <= LIFE - 2 * 3600


async def test_nobody_has_none(notifications: Notifications) -> None:
    assert await notifications.recent("8") == ()


async def test_what_was_sent_twice_is_one(notifications: Notifications, redis: Redis) -> None:
    sent = await notifications.publish("7", Level.OK, "title", "once")
    await redis.lpush("notifications:recent:7", sent.payload())
    assert await notifications.recent("7") == (sent,)


async def test_followers_get_what_is_kept_and_then_what_comes(notifications: Notifications) -> None:
    await published(notifications, "abc")
    async with aclosing(notifications.follow("7")) as following:
        assert await told(following, 3) == ["a", "b", "c"]
        await published(notifications, "x", user_id="8")
        await published(notifications, "de")
        assert await told(following, 2) == ["d", "e"]


async def test_followers_go_on_after_what_they_know(notifications: Notifications) -> None:
    await published(notifications, "ab")
    known = await notifications.publish("7", Level.OK, "title", "known")
    await published(notifications, "cd")
    async with aclosing(notifications.follow("7", after=known.id)) as following:
        assert await told(following, 2) == ["c", "d"]
    async with aclosing(notifications.follow("7", after="pushed out long ago")) as following:
        assert await told(following, 5) == ["a", "b", "known", "c", "d"]


async def test_all_users_are_followed(notifications: Notifications) -> None:
    for user in range(250):
        await published(notifications, [f"{user}a", f"{user}b"], user_id=f"user:{user}")
    async with aclosing(notifications.follow_all()) as following:
        before = await told(following, 500)
        assert sorted(before) == sorted(f"{user}{letter}" for user in range(250) for letter in "ab")
        assert all(before.index(f"{user}a") < before.index(f"{user}b") for user in range(250))
        await published(notifications, "x", user_id="user:3")
        await published(notifications, "y", user_id="new")
        assert await told(following, 2) == ["x", "y"]


async def test_a_payload_of_a_stranger_is_passed_over(notifications: Notifications, redis: Redis) -> None:
    async with aclosing(notifications.follow("7")) as following:
        await published(notifications, "a")
        assert await told(following, 1) == ["a"]
        await redis.publish("notifications:7", b"\xff\x00 not JSON")
        await published(notifications, "b")
        assert await told(following, 1) == ["b"]


async def kill_followers(redis: Redis) -> None:
    assert await redis.client_kill_filter(_type="pubsub") == 1


@pytest.mark.parametrize("whose", ["one", "all"])
async def test_what_was_missed_comes_once(notifications: Notifications, redis: Redis, whose: str) -> None:
    async with aclosing(notifications.follow("7") if whose == "one" else notifications.follow_all()) as following:
        for round_ in range(3):
            await published(notifications, [f"{round_}a", f"{round_}b"])
            assert await told(following, 1) == [f"{round_}a"]
            await kill_followers(redis)
            await published(notifications, [f"{round_}c"])
            assert await told(following, 2) == [f"{round_}b", f"{round_}c"]


async def test_nothing_is_lost_or_doubled_while_lines_break(notifications: Notifications, redis: Redis) -> None:
    expected = [str(number) for number in range(400)]

    async def publish_and_break() -> None:
        for number in expected:
            await published(notifications, [number])
            if int(number) % 40 == 39:
                await redis.client_kill_filter(_type="pubsub")

    async with aclosing(notifications.follow("7")) as following, asyncio.TaskGroup() as tasks:
        tasks.create_task(publish_and_break())
        assert await told(following, len(expected)) == expected


async def test_a_server_that_is_away_is_waited_for(own_server: StartServer) -> None:
    server = own_server()
    async with client_of(server) as client:
        notifications = Notifications(client, backoff=SOON)
        async with aclosing(notifications.follow("7")) as following:
            await published(notifications, "a")
            assert await told(following, 1) == ["a"]
            server.stop()
            next_one = asyncio.ensure_future(told(following, 1))
            await asyncio.to_thread(server.start)
            await published(notifications, "b")
            assert await next_one == ["b"]


async def test_a_server_that_gives_no_sign_of_life_is_left(own_server: StartServer) -> None:
    server = own_server()
    async with Redis(unix_socket_path=server.socket, socket_timeout=0.2, retry=Retry(NoBackoff(), 0)) as client:
        notifications = Notifications(client, backoff=SOON, silence=0.05)
        async with aclosing(notifications.follow("7")) as following:
            await published(notifications, "a")
            assert await told(following, 1) == ["a"]
            first = {each["id"] for each in await client.client_list(_type="pubsub")}
            os.kill(server.pid, signal.SIGSTOP)
            next_one = asyncio.ensure_future(told(following, 1))
            with pytest.raises(RedisTimeoutError):
                await client.ping()
            os.kill(server.pid, signal.SIGCONT)
            await published(notifications, "b")
            assert await next_one == ["b"]
            assert not first & {each["id"] for each in await client.client_list(_type="pubsub")}


async def test_silence_alone_breaks_nothing(own_server: StartServer) -> None:
    server = own_server()
    async with client_of(server) as client:
        notifications = Notifications(client, silence=0.2)
        async with aclosing(notifications.follow("7")) as following:
            next_one = asyncio.ensure_future(told(following, 1))

            async def asked_for_signs_of_life() -> bool:
                return bool((await client.info("commandstats")).get("cmdstat_ping", {"calls": 0})["calls"] >= 2)

            await eventually(asked_for_signs_of_life)
            await published(notifications, "a")
            assert await next_one == ["a"]
        assert (await client.info("commandstats"))["cmdstat_subscribe"]["calls"] == 1


async def test_who_may_not_listen_is_told(redis: Redis, server: EmbeddedServer) -> None:
    await redis.acl_setuser("deaf", enabled=True, nopass=True, keys=["*"], commands=["+@all"], reset_channels=True)
    async with Redis(unix_socket_path=server.socket, username="deaf", password="x") as client:
        async with aclosing(Notifications(client).follow("7")) as following:
            with pytest.raises(NoPermissionError):
                await told(following, 1)
        async with Redis(unix_socket_path=server.socket, username="nobody", password="x") as stranger:
            with pytest.raises(RedisError, match="invalid username-password"):
                await told(Notifications(stranger).follow("7"), 1)


async def test_followers_take_no_connection_of_the_pool(server: EmbeddedServer, redis: Redis) -> None:
    pool = BlockingConnectionPool(
        connection_class=UnixDomainSocketConnection, path=server.socket, max_connections=1, timeout=5
    )
    async with Redis.from_pool(pool) as client:
        notifications = Notifications(client)
        async with aclosing(notifications.follow("7")) as one, aclosing(notifications.follow_all()) as all_:
            await published(notifications, "a")
            assert await told(one, 1) == await told(all_, 1) == ["a"]
            assert len(await redis.client_list(_type="pubsub")) == 2

        async def are_gone() -> bool:
            return not await redis.client_list(_type="pubsub")

        await eventually(are_gone)


async def test_a_fake_server_knows_all_of_it() -> None:
    async with FakeAsyncRedis() as client:
        notifications = Notifications(client)
        await published(notifications, "ab")
        assert [each.message for each in await notifications.recent("7")] == ["b", "a"]


def test_what_somebody_publishes_without_keeping_it_doubles_nothing() -> None:
    seen = Seen(DAY, lambda: AT)
    kept = [a_notification(number) for number in (3, 2, 1)]
    assert seen.missed("7", kept) == tuple(reversed(kept))
    assert [seen.is_new(a_notification(number)) for number in (50, 51, 50)] == [True, True, False]
    assert seen.missed("7", [a_notification(4), *kept]) == (a_notification(4),)
    assert seen.missed("8", [a_notification(4, "8")]) == (a_notification(4, "8"),)


def test_users_of_whom_nothing_came_for_a_day_are_forgotten() -> None:
    now = AT
    seen = Seen(DAY, lambda: now)
    for user in ("1", "2"):
        assert seen.is_new(a_notification(1, user))
    now += DAY
    assert not seen.missed("2", [a_notification(1, "2")])
    assert seen.is_new(a_notification(2, "2"))
    now += timedelta(seconds=1)
    assert seen.is_new(a_notification(3, "3"))
    assert seen.missed("1", [a_notification(1, "1")])
    assert not seen.missed("2", [a_notification(2, "2")])
