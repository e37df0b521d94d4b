"""The steps that extend and end sessions, taken on the run's server without a client of the application's."""

from __future__ import annotations

from datetime import timedelta
from typing import TypeVar

import pytest
from redis.asyncio import Redis

from pymon_tui.demo.embedded import EmbeddedServer
from pymon_tui.model.steps import Exchange, Steps
from pymon_tui.server.connection import open_session
from pymon_tui.server.endpoint import Endpoint
from pymon_tui.services.session import LIFE, TOUCH_EVERY, changes, new_id
from pymon_tui.services.session_steps import AT_ONCE, NotTheirs, deleting, deleting_all, extending
from pymon_tui.services.sessions import Sessions

T = TypeVar("T")


async def taken(steps: Steps[T], server: EmbeddedServer) -> T:
    session, _ = await open_session(Endpoint(socket=server.socket))
    try:
        exchange = next(steps)
        while True:
            if not exchange.atomic:
                exchange = steps.send(await session.ask(exchange.commands))
            else:
                *_, done = await session.ask((("MULTI",), *exchange.commands, ("EXEC",)))
                assert isinstance(done, list)
                exchange = steps.send(done)
    except StopIteration as end:
        value: T = end.value
        return value
    finally:
        await session.close()


def exchanges(steps: Steps[T], *replies: object) -> list[Exchange]:
    """What is sent if these are the answers."""
    found = [next(steps)]
    for reply in replies:
        found.append(steps.send(reply))  # type: ignore[arg-type]
    return found


async def test_a_session_is_extended_by_the_servers_clock(redis: Redis, server: EmbeddedServer) -> None:
    session = await Sessions(redis).create("42", {"cart": 1})
    assert await taken(extending(session.id, 3 * LIFE, now=None, slack=TOUCH_EVERY), server)
    seconds, _ = await redis.time()
    assert await redis.zscore("user:sessions:42", session.id) == pytest.approx(
        1000 * (int(seconds) + 3 * 3600 + 60), abs=5_000
    )
    assert await redis.pttl(f"session:{session.id}") > 2.9 * 3_600_000
    assert await Sessions(redis).get(session.id) == session
    assert await taken(extending(session.id, LIFE, now=None, slack=TOUCH_EVERY), server)
    assert await redis.pttl(f"session:{session.id}") > 2.9 * 3_600_000, "it is made shorter"
    assert not await taken(extending(new_id(), LIFE, now=None, slack=TOUCH_EVERY), server)


async def test_a_session_of_nobody_has_no_index(redis: Redis, server: EmbeddedServer) -> None:
    session = await Sessions(redis).create(None, {})
    assert await taken(extending(session.id, 2 * LIFE, now=None, slack=TOUCH_EVERY), server)
    assert await redis.keys("*") == [f"session:{session.id}"]
    assert await taken(deleting(session.id), server)
    assert await redis.keys("*") == []


async def test_what_is_no_id_is_not_asked_for(redis: Redis, server: EmbeddedServer) -> None:
    await redis.config_resetstat()
    assert not await taken(deleting("x:*"), server)
    assert not await taken(extending("x", timedelta(hours=1), now=None, slack=TOUCH_EVERY), server)
    assert "cmdstat_hmget" not in await redis.info("commandstats")


async def test_a_session_that_the_index_lacks_is_ended_too_if_it_is_known(redis: Redis, server: EmbeddedServer) -> None:
    sessions = Sessions(redis)
    known, unknown = [await sessions.create("42", {}) for _ in range(2)]
    other = await sessions.create("43", {})
    await redis.zrem("user:sessions:42", known.id)
    assert await taken(deleting_all("42", [known.id, new_id()]), server) == 2
    assert await sessions.get(unknown.id) is None
    assert sorted(await redis.keys("*")) == sorted([f"session:{other.id}", "user:sessions:43"])


async def test_who_gets_another_id_between_two_steps_is_logged_out_too(redis: Redis, server: EmbeddedServer) -> None:
    sessions = Sessions(redis)
    session = await sessions.create("42", {})
    steps = deleting_all("42")
    next(steps)
    steps.send([b"zset"])
    listed = [session.id.encode()]
    rotated = await sessions.rotate(session, "42", changes({}, {}))
    assert rotated is not None
    steps.send([listed])
    again = steps.send([0, 0])
    assert again.commands == (("ZRANGE", "user:sessions:42", 0, AT_ONCE - 1),)
    assert await taken(deleting_all("42"), server) == 1
    assert await sessions.get(rotated.id) is None


def test_only_so_many_are_ended_in_one_round_trip() -> None:
    ids = [new_id() for _ in range(AT_ONCE + 1)]
    whose: list[object] = [[b"v", b"42"]]
    _, one, first, two, second, asked = exchanges(
        deleting_all("42", ids), [b"zset"], AT_ONCE * whose, [AT_ONCE, AT_ONCE], whose, [1, 1]
    )
    assert [len(exchange.commands) for exchange in (one, two)] == [AT_ONCE, 1]
    assert [len(exchange.commands[1]) - 1 for exchange in (first, second)] == [AT_ONCE, 1]
    assert (first.atomic, first.writes, one.writes, asked.writes) == (True, True, False, False)


async def test_a_session_of_another_user_is_left_alone(redis: Redis, server: EmbeddedServer) -> None:
    sessions = Sessions(redis)
    session = await sessions.create("admin", {})
    await redis.config_resetstat()
    for of in (("eve",), (None,)):
        with pytest.raises(NotTheirs, match="another user's"):
            await taken(deleting(session.id, of=of), server)
        with pytest.raises(NotTheirs, match="another user's"):
            await taken(extending(session.id, 9 * LIFE, now=None, slack=TOUCH_EVERY, of=of), server)
    assert await taken(deleting_all("eve", [session.id]), server) == 0
    assert await redis.pttl(f"session:{session.id}") <= LIFE.total_seconds() * 1000
    assert await redis.zcard("user:sessions:admin") == 1
    assert not await redis.info("errorstats")
    assert await taken(deleting(session.id, of=("admin",)), server)
    assert await redis.keys("*") == []


async def test_what_is_no_index_of_sessions_stays_as_it_is(redis: Redis, server: EmbeddedServer) -> None:
    sessions = Sessions(redis)
    first, second = [await sessions.create("bob", {}) for _ in range(2)]
    await redis.delete("user:sessions:bob")
    await redis.sadd("user:sessions:bob", "a", "b")
    await redis.config_resetstat()
    with pytest.raises(NotTheirs, match="is a set and no index of them"):
        await taken(extending(first.id, 2 * LIFE, now=None, slack=TOUCH_EVERY, of=("bob",)), server)
    assert await taken(deleting(first.id, of=("bob",)), server)
    assert await taken(deleting_all("bob", [second.id]), server) == 1
    assert await redis.keys("*") == ["user:sessions:bob"]
    assert await redis.smembers("user:sessions:bob") == {"a", "b"}
    assert not await redis.info("errorstats")


def test_looking_comes_before_writing() -> None:
    session_id = new_id()
    for steps in (deleting(session_id), extending(session_id, LIFE, now=1, slack=TOUCH_EVERY)):
        look, write = exchanges(steps, [[b"v", b"42"]])
        assert (look.writes, write.writes) == (False, True)
        assert session_id not in repr((look, write))
