"""Sessions: they live as long as they are used, end when they are ended, and lose no update."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import ResponseError

from pymon_tui.demo.embedded import EmbeddedServer
from pymon_tui.services.session import Session, changes, is_id, new_id, parse_session
from pymon_tui.services.sessions import LIFE, TOUCH_EVERY, Sessions
from tests.conftest import StartServer, client_of
from tests.services.clock import Clock

HOUR = 3_600_000
MINUTE = 60_000
DATA = {"cart": ["책", 2], "total": Decimal("19.90"), "trace": UUID(int=7)}


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["bytes", "text"])
async def client(request: pytest.FixtureRequest, server: EmbeddedServer, redis: Redis) -> AsyncIterator[Redis]:
    if request.param == "text":
        yield redis
        return
    async with Redis(unix_socket_path=server.socket, decode_responses=False, driver_info=None) as client:
        yield client


@pytest.fixture
def sessions(client: Redis, clock: Clock) -> Sessions:
    return Sessions(client, clock=clock)


async def calls(redis: Redis) -> dict[str, int]:
    """Calls of each command that a client sent by itself, since the test began."""
    stats = await redis.info("commandstats")
    return {name.removeprefix("cmdstat_"): each["calls"] for name, each in stats.items()}


def key(session: Session) -> str:
    return f"session:{session.id}"


async def index(redis: Redis, user_id: str) -> list[Any]:
    members: list[Any] = await redis.zrange(f"user:sessions:{user_id}", 0, -1)
    return members


async def test_a_session_is_what_was_created(sessions: Sessions, redis: Redis, clock: Clock) -> None:
    created = await sessions.create("42", DATA)
    assert (created.user_id, created.data, created.created_at) == ("42", DATA, clock.now)
    assert await sessions.get(created.id) == created
    assert HOUR - MINUTE < await redis.pttl(key(created)) <= HOUR
    assert await index(redis, "42") == [created.id]
    assert HOUR < await redis.pttl("user:sessions:42") <= HOUR + MINUTE
    fields = await redis.hgetall(key(created))
    assert (fields["user_id"], fields["data:cart"]) == ("42", '["책",2]')
    assert datetime.fromisoformat(str(fields["created_at"])) == clock.now


async def test_ids_are_secret(sessions: Sessions) -> None:
    ids = {(await sessions.create("42", {})).id for _ in range(50)}
    assert len(ids) == 50
    assert all(map(is_id, ids))
    session = await sessions.create("42", {"card": "4111"})
    assert session.id not in repr(session)
    assert "4111" not in repr(session)


@pytest.mark.parametrize("wrong", ["", "x", "*" * 43, "a" * 44, "a" * 42 + "\n", "세" * 43])
async def test_what_is_no_id_is_not_asked_for(sessions: Sessions, redis: Redis, wrong: str) -> None:
    assert await sessions.get(wrong) is None
    assert not await sessions.delete(wrong)
    assert not await sessions.extend(wrong, LIFE)
    assert not {"evalsha", "hmget"} & (await calls(redis)).keys()


async def test_nobodys_session_is_in_no_index(sessions: Sessions, redis: Redis) -> None:
    session = await sessions.create(None, {"language": "ko"})
    found = await sessions.get(session.id)
    assert found is not None
    assert found.user_id is None
    assert await redis.keys("*") == [key(session)]
    assert await sessions.extend(session.id, 2 * LIFE)
    assert await sessions.delete(session.id)
    assert await redis.keys("*") == []


async def test_what_was_kept_elsewhere_comes_back_as_it_was(sessions: Sessions, redis: Redis, clock: Clock) -> None:
    used = [await sessions.create("42", DATA), await sessions.create(None, {"language": "ko"})]
    for session in used:
        await sessions.delete(session.id)
    ended = Session(new_id(), "42", clock.now - 2 * LIFE, clock.now - LIFE, {}, {}, new_id())
    clock.goes_on(minutes=20)
    await redis.config_resetstat()
    await sessions.restore([*used, ended])
    assert (await calls(redis))["evalsha"] == 2
    assert await index(redis, "42") == [used[0].id]
    assert await sessions.of_user("42") == (used[0],)
    assert HOUR - 21 * MINUTE < await redis.pttl(key(used[0])) <= HOUR - 20 * MINUTE
    assert await sessions.get(ended.id) is None
    anybody = await sessions.get(used[1].id)
    assert anybody is not None
    assert (anybody.user_id, anybody.data, anybody.created_at) == (None, {"language": "ko"}, used[1].created_at)


async def test_scripts_that_were_loaded_are_not_refused(sessions: Sessions, redis: Redis) -> None:
    await redis.script_flush()
    await redis.config_resetstat()
    await sessions.load_scripts()
    session = await sessions.create("42", {})
    assert await sessions.write(session, changes({}, {"page": 1}))
    rotated = await sessions.rotate(session, "43", changes({}, {}))
    assert rotated
    assert await sessions.get(rotated.id)
    assert await sessions.extend(rotated.id, 2 * LIFE)
    assert not await redis.info("errorstats")


async def test_who_has_no_name_cannot_log_in(sessions: Sessions) -> None:
    with pytest.raises(ValueError, match="user_id"):
        await sessions.create("", {})
    with pytest.raises(ValueError, match="type object"):
        await sessions.create("42", {"what": object()})


async def test_reading_begins_the_life_anew_in_one_round_trip(sessions: Sessions, redis: Redis) -> None:
    session = await sessions.create("42", {})
    await sessions.get(session.id)  # the script is known from here on
    await redis.pexpire(key(session), MINUTE)
    await redis.config_resetstat()
    assert await sessions.get(session.id) == session
    assert (await calls(redis))["evalsha"] == 1
    assert not {"hset", "zadd", "script|load"} & (await calls(redis)).keys()
    assert HOUR - MINUTE < await redis.pttl(key(session)) <= HOUR


async def test_the_last_use_is_written_at_most_once_a_minute(sessions: Sessions, redis: Redis, clock: Clock) -> None:
    session = await sessions.create("42", {})
    began = clock.now
    await redis.config_resetstat()
    for _ in range(5):
        clock.goes_on(seconds=11.9)
        await sessions.get(session.id)
    assert "hset" not in await calls(redis)
    clock.goes_on(seconds=0.5)
    same_moment = await asyncio.gather(*(sessions.get(session.id) for _ in range(10)))
    assert {found.last_activity for found in same_moment if found} == {clock.now}
    assert {found.created_at for found in same_moment if found} == {began}
    assert any(found.touched for found in same_moment if found)
    assert (await calls(redis))["hset"] == 1


async def test_the_index_lives_as_long_as_the_sessions(sessions: Sessions, redis: Redis, clock: Clock) -> None:
    old, used = [await sessions.create("42", {}) for _ in range(2)]
    clock.goes_on(minutes=50)
    assert await sessions.get(used.id)
    assert HOUR < await redis.pttl("user:sessions:42") <= HOUR + MINUTE
    clock.goes_on(minutes=20)
    await redis.delete(key(old))  # as it is by then
    assert await sessions.count("42") == 1
    assert [each.id for each in await sessions.of_user("42")] == [used.id]
    await sessions.create("42", {})
    assert old.id not in await index(redis, "42")
    assert await sessions.count("42") == 2


async def test_a_session_that_went_early_is_not_listed(sessions: Sessions, redis: Redis) -> None:
    evicted, left = [await sessions.create("42", {}) for _ in range(2)]
    await redis.delete(key(evicted))
    assert await sessions.count("42") == 1
    assert [each.id for each in await sessions.of_user("42")] == [left.id]
    assert await index(redis, "42") == [left.id]
    assert await sessions.count("43") == 0
    assert await sessions.of_user("43") == ()


async def test_listing_is_no_use(sessions: Sessions, redis: Redis) -> None:
    session = await sessions.create("42", DATA)
    await redis.pexpire(key(session), MINUTE)
    assert await sessions.of_user("42") == (session,)
    assert await sessions.count("42") == 1
    assert await redis.pttl(key(session)) <= MINUTE


async def test_an_index_that_was_lost_heals_at_the_next_touch(sessions: Sessions, redis: Redis, clock: Clock) -> None:
    session = await sessions.create("42", {})
    await redis.delete("user:sessions:42")
    clock.goes_on(minutes=1)
    await sessions.get(session.id)
    assert await sessions.delete_all("42") == 1


async def test_a_session_is_extended_and_stays_so(sessions: Sessions, redis: Redis, clock: Clock) -> None:
    session = await sessions.create("42", {})
    assert await sessions.extend(session.id, timedelta(days=30))
    assert await sessions.get(session.id) == session
    clock.goes_on(minutes=2)
    assert await sessions.get(session.id)
    assert await sessions.extend(session.id, LIFE)
    await sessions.create("42", {})
    for name in (key(session), "user:sessions:42"):
        assert await redis.pttl(name) > 29 * 24 * HOUR
    clock.goes_on(days=3)
    assert session.id in {each.id for each in await sessions.of_user("42")}
    assert not await sessions.extend(new_id(), LIFE)


async def test_what_is_deleted_is_gone(sessions: Sessions, redis: Redis) -> None:
    session, other = [await sessions.create("42", DATA) for _ in range(2)]
    assert await sessions.delete(session.id)
    assert not await sessions.delete(session.id)
    assert await sessions.get(session.id) is None
    assert await index(redis, "42") == [other.id]


async def test_nothing_brings_a_deleted_session_back(sessions: Sessions, redis: Redis, clock: Clock) -> None:
    session = await sessions.create("42", DATA)
    await sessions.delete(session.id)
    clock.goes_on(minutes=2)
    by = changes(session.stored, {"cart": []})
    assert await sessions.get(session.id) is None
    assert await sessions.write(session, by) is None
    assert await sessions.update(session.id, lambda data: data.clear()) is None
    assert await sessions.rotate(session, "42", by) is None
    assert not await sessions.extend(session.id, LIFE)
    assert await redis.keys("*") == []


async def test_readers_and_writers_do_not_bring_it_back_while_it_is_deleted(
    sessions: Sessions, redis: Redis, clock: Clock
) -> None:
    for _ in range(20):
        session = await sessions.create("42", DATA)
        clock.goes_on(minutes=2)  # so that each reader touches too
        by = changes(session.stored, {"cart": []})
        await asyncio.gather(
            *(sessions.get(session.id) for _ in range(5)),
            sessions.write(session, by),
            sessions.delete(session.id),
            *(sessions.get(session.id) for _ in range(5)),
            sessions.write(session, by),
        )
        assert await sessions.get(session.id) is None
        assert await redis.keys("*") == []


async def test_all_sessions_of_a_user_are_ended(sessions: Sessions, redis: Redis) -> None:
    mine = [await sessions.create("42", {}) for _ in range(3)]
    other = await sessions.create("4", {})
    assert await sessions.delete_all("42") == 3
    assert [await sessions.get(each.id) for each in mine] == [None] * 3
    assert await sessions.get(other.id) == other
    assert await sessions.delete_all("42") == 0
    assert sorted(await redis.keys("*")) == sorted([key(other), "user:sessions:4"])


async def test_ever_so_many_sessions_are_ended(sessions: Sessions, redis: Redis) -> None:
    for _ in range(1_100):
        await sessions.create("42", {})
    await redis.execute_command("ZADD", "user:sessions:42", 0, "", 0, "no id", 0, b"\xff")  # type: ignore[no-untyped-call]
    assert await sessions.count("42") == 1_100
    assert await sessions.delete_all("42") == 1_100
    assert await redis.keys("*") == []


async def test_who_gets_another_id_meanwhile_is_logged_out_too(sessions: Sessions, redis: Redis) -> None:
    for _ in range(20):
        mine = [await sessions.create("42", {}) for _ in range(4)]
        nothing = changes({}, {})
        await asyncio.gather(
            *(sessions.rotate(each, "42", nothing) for each in mine[:2]),
            sessions.delete_all("42"),
            *(sessions.rotate(each, "42", nothing) for each in mine[2:]),
        )
        assert await redis.keys("session:*") == []


async def test_a_login_changes_the_id(sessions: Sessions, redis: Redis, clock: Clock) -> None:
    before = await sessions.create(None, {"cart": [1], "planted": True})
    clock.goes_on(seconds=10)
    after = await sessions.rotate(before, "42", changes(before.stored, {"cart": [1], "level": 2}))
    assert after is not None
    assert after.id != before.id
    assert (after.user_id, after.data, after.created_at) == ("42", {"cart": [1], "level": 2}, clock.now)
    assert await sessions.get(before.id) is None
    assert await sessions.get(after.id) == after
    assert await index(redis, "42") == [after.id]
    other = await sessions.rotate(after, "43", changes(after.stored, after.data))
    assert other is not None
    assert await sessions.of_user("43") == (other,)
    assert await sessions.count("42") == 0
    assert sorted(await redis.keys("*")) == sorted([key(other), "user:sessions:43"])


async def test_different_changes_are_all_kept(sessions: Sessions) -> None:
    session = await sessions.create("42", {"gone": 1})
    writes = [changes({}, {f"field {number}": number}) for number in range(20)]
    await asyncio.gather(
        *(sessions.write(session, by) for by in writes), sessions.write(session, changes(session.stored, {}))
    )
    found = await sessions.get(session.id)
    assert found is not None
    assert found.data == {f"field {number}": number for number in range(20)}


async def test_no_update_is_lost(sessions: Sessions) -> None:
    session = await sessions.create("42", {"views": 0})

    def count(data: dict[str, Any]) -> None:
        data["views"] += 1

    results = await asyncio.gather(*(sessions.update(session.id, count) for _ in range(30)))
    assert sorted(result.data["views"] for result in results if result) == list(range(1, 31))
    found = await sessions.get(session.id)
    assert found is not None
    assert found.data == {"views": 30}


async def test_deep_changes_are_found(sessions: Sessions) -> None:
    session = await sessions.create("42", {"cart": {"items": [1]}})
    updated = await sessions.update(session.id, lambda data: data["cart"]["items"].append(2))
    assert updated is not None
    assert await sessions.get(session.id) == updated
    assert updated.data == {"cart": {"items": [1, 2]}}


async def test_what_was_sent_twice_is_done_once(sessions: Sessions, client: Redis) -> None:
    # As a client does whose first answer was lost.
    async def twice(script: str, keys: int, *arguments: Any) -> Any:
        await once(script, keys, *arguments)
        return await once(script, keys, *arguments)

    once = client.evalsha
    client.evalsha = twice  # type: ignore[method-assign, assignment]
    session = await sessions.create("42", {"views": 0})
    for _ in range(3):
        await sessions.update(session.id, lambda data: data.update(views=data["views"] + 1))
    found = await sessions.get(session.id)
    assert found is not None
    assert found.data == {"views": 3}
    rotated = await sessions.rotate(found, "42", changes({}, {}))
    assert rotated is not None
    assert await sessions.of_user("42") == (rotated,)


@pytest.mark.parametrize(
    "fields",
    [
        {"user_id": "42"},
        {"version": "v", "created_at": "x", "last_activity": "y"},
        {"version": "v", "created_at": "2026-01-01T00:00:00", "last_activity": "2026-01-01T00:00:00"},
        {"version": b"\xff", "created_at": "2026-01-01T00:00:00Z", "last_activity": "2026-01-01T00:00:00Z"},
        {"version": "v", "created_at": "2026-01-01T00:00:00Z", "last_activity": "2026-01-01T00:00:00Z", "data:x": "{"},
    ],
)
async def test_what_is_no_session_is_deleted(
    sessions: Sessions, redis: Redis, fields: dict[str | bytes, str | bytes]
) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - whatever is wrong with it
        parse_session("x", fields)
    for read in (sessions.get, lambda _: sessions.of_user("42")):
        session = await sessions.create("42", {})
        await redis.delete(key(session))
        await redis.hset(key(session), mapping=dict(fields.items()))
        assert not await read(session.id)
        assert not await redis.exists(key(session))


async def test_sessions_of_older_applications_are_in_nobodys_way(sessions: Sessions, redis: Redis) -> None:
    old = new_id()
    await redis.set(f"session:{old}", json.dumps({"user_id": 42}))
    await redis.sadd("user:sessions:42", old)
    assert await sessions.get(old) is None
    session = await sessions.create("42", {})
    assert await sessions.of_user("42") == (session,)
    assert await redis.keys("session:*") == [key(session)]


async def test_a_server_that_forgot_the_scripts_is_told_them_again(sessions: Sessions, redis: Redis) -> None:
    session = await sessions.create("42", {})
    await redis.script_flush()
    assert await sessions.get(session.id) == session


async def test_every_kind_of_server_does_it(any_redis: Redis, clock: Clock) -> None:
    sessions = Sessions(any_redis, clock=clock)
    session = await sessions.create(None, DATA)
    logged_in = await sessions.rotate(session, "42", changes(session.stored, {"cart": []}))
    assert logged_in is not None
    clock.now += TOUCH_EVERY
    found = await sessions.get(logged_in.id)
    assert found is not None
    assert (found.data, found.last_activity) == ({"cart": []}, clock.now)
    assert await sessions.extend(found.id, 2 * LIFE)
    assert await sessions.of_user("42") == (found,)
    assert await sessions.update(found.id, lambda data: data.clear())
    assert await sessions.delete_all("42") == 1
    assert await any_redis.keys("*") == []
    await any_redis.set(f"session:{found.id}", "")
    assert await sessions.get(found.id) is None


async def test_no_answer_is_not_no_session(own_server: StartServer) -> None:
    server = own_server()
    async with client_of(server) as client:
        sessions = Sessions(client)
        session = await sessions.create("42", {})
        await client.acl_setuser("default", commands=["-evalsha"])
        with pytest.raises(ResponseError, match="permissions"):
            await sessions.get(session.id)
        server.stop()
        with pytest.raises(RedisConnectionError):
            await sessions.get(session.id)
        with pytest.raises(RedisConnectionError):
            await sessions.of_user("42")
