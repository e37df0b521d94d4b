"""Keys of others under names of ours, of other types: every pane looks at them without an error on the server."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from redis.asyncio import Redis

from pymon_tui.application import QUERIES as OF_THE_APPLICATION
from pymon_tui.application.recent import RECENT
from pymon_tui.application.sessions import (
    OF_SESSIONS,
    SESSION_KEYS,
    SESSIONS,
    SessionHeader,
    State,
)
from pymon_tui.application.statistics import APPLICATION_DAYS, APPLICATION_TODAY
from pymon_tui.demo.embedded import EmbeddedServer
from pymon_tui.model.query import Query, Ready, Reason, Unavailable
from pymon_tui.readings.queries import QUERIES
from pymon_tui.readings.server import SERVER
from pymon_tui.server.alike import BLIND, HOLDS
from pymon_tui.server.connection import open_session
from pymon_tui.server.endpoint import Endpoint
from pymon_tui.server.known import known_to
from pymon_tui.server.poller import Poller
from pymon_tui.server.session import Session
from pymon_tui.server.traffic import caused, set_back
from pymon_tui.services.keys import NOTIFICATIONS_RECENT, SESSION, STATS_HITS, STATS_MISSES
from pymon_tui.services.sessions import Sessions
from pymon_tui.ui.panes import PANES
from pymon_tui.ui.panes.pane import Pane
from tests.permissions.making import run

ROUNDS = 15
MANY = 300
"""More keys than are asked about in one tick."""

DOCUMENT = '{"user_id": "7", "created_at": "2026-11-30T00:00:00Z"}'


async def fill(redis: Redis) -> None:
    """Strings, as the seed application's JSON, under names by which the services keep other types."""
    seconds, _ = await redis.time()
    today = datetime.fromtimestamp(seconds, UTC).date()
    days = [today + timedelta(days=number) for number in range(-31, 2)]
    await redis.mset({SESSION.key(id=f"{number:032x}"): DOCUMENT for number in range(MANY)})
    await redis.mset({NOTIFICATIONS_RECENT.key(user_id=number): DOCUMENT for number in range(MANY)})
    await redis.mset({family.key(day=day): DOCUMENT for family in (STATS_HITS, STATS_MISSES) for day in days})
    await redis.config_resetstat()


async def polled(poller: Poller, session: Session, queries: Sequence[Query[Any]], rounds: int = ROUNDS) -> None:
    for now in range(rounds):
        await poller.tick(session, float(now), 1, [query.name for query in queries], caused(session.endpoint))


async def failures(redis: Redis) -> dict[str, int]:
    """How often each command has failed, as the server counts; with the errors of all."""
    stats = await redis.info("commandstats")
    failed = {name.removeprefix("cmdstat_"): of["failed_calls"] + of["rejected_calls"] for name, of in stats.items()}
    return {name: count for name, count in failed.items() if count}


async def errors(redis: Redis) -> int:
    return sum(int(each["count"]) for each in (await redis.info("errorstats")).values())


@pytest.fixture
async def session(server: EmbeddedServer) -> AsyncIterator[Session]:
    opened, _ = await open_session(Endpoint(socket=server.socket))
    yield opened
    await opened.close()


@pytest.mark.parametrize("pane", PANES)
async def test_no_pane_makes_an_error_of_keys_of_other_types(redis: Redis, session: Session, pane: type[Pane]) -> None:
    await fill(redis)
    queries = (*pane.QUERIES, *pane.DETAIL_QUERIES)
    poller = Poller(queries)
    await polled(poller, session, queries)
    assert await failures(redis) == {}
    assert await errors(redis) == 0


async def test_what_is_ours_among_them_is_read_and_theirs_is_told_as_such(redis: Redis, session: Session) -> None:
    created = await Sessions(redis).create("kim.minjun", {})
    await fill(redis)
    mine = SESSION.key(id=created.id).encode()
    queries = (SESSIONS, APPLICATION_TODAY, RECENT)
    poller = Poller(queries)
    await polled(poller, session, queries)
    headers, today, recent = (poller.readings[query.name] for query in queries)
    assert isinstance(headers, Ready)
    assert isinstance(headers.value[mine], SessionHeader)
    assert {what for key, what in headers.value.items() if key != mine} == {State.UNREADABLE}
    assert len(headers.value) == MANY + 1
    assert isinstance(today, Unavailable)
    assert today.reason is Reason.UNREADABLE
    assert isinstance(recent, Ready)
    assert (len(recent.value.lists), recent.value.notifications) == (MANY, ())
    assert await failures(redis) == {}


async def test_a_key_that_becomes_a_session_is_read_once_its_type_is_asked_again(
    redis: Redis, session: Session
) -> None:
    created = await Sessions(redis).create("7", {})
    key = SESSION.key(id=created.id)
    held = await redis.dump(key)
    await redis.set(key, "x")
    poller = Poller((SESSIONS,))
    await polled(poller, session, (SESSIONS,), 3)
    reading = poller.readings[SESSIONS.name]
    assert isinstance(reading, Ready)
    assert reading.value[key.encode()] is State.UNREADABLE
    await redis.restore(key, 0, held or b"", replace=True)
    await poller.tick(session, HOLDS + 2, 1, [SESSIONS.name])
    reading = poller.readings[SESSIONS.name]
    assert isinstance(reading, Ready)
    assert isinstance(reading.value[key.encode()], SessionHeader)


async def test_where_types_may_not_be_asked_one_key_of_another_answers_for_all(
    redis: Redis, server: EmbeddedServer
) -> None:
    await redis.acl_setuser("me", enabled=True, nopass=True, categories=["+@all"], commands=["-type"], keys=["*"])
    await fill(redis)
    opened, _ = await open_session(Endpoint(socket=server.socket, username="me"))
    queries = (SESSIONS, APPLICATION_TODAY, APPLICATION_DAYS, RECENT)
    poller = Poller(queries)
    await polled(poller, opened, queries)
    await opened.close()
    assert await failures(redis) == dict.fromkeys(("type", "hmget", "hgetall", "lrange"), 1)
    for query in queries:
        reading = poller.readings[query.name]
        assert isinstance(reading, Unavailable)
        assert (reading.reason, reading.remedy) == (Reason.DENIED, "ACL SETUSER me +type")


async def test_where_types_may_not_be_asked_sessions_are_read_a_few_at_a_time(
    redis: Redis, server: EmbeddedServer
) -> None:
    await redis.acl_setuser("me", enabled=True, nopass=True, categories=["+@all"], commands=["-type"], keys=["*"])
    sessions = Sessions(redis)
    many = 2 * BLIND + 1
    for number in range(many):
        await sessions.create(str(number), {})
    await redis.config_resetstat()
    opened, _ = await open_session(Endpoint(socket=server.socket, username="me"))
    poller = Poller((SESSIONS,))
    read = []
    for now in range(6):
        await poller.tick(opened, float(now), 1, [SESSIONS.name])
        reading = poller.readings[SESSIONS.name]
        read.append(len(reading.value) if isinstance(reading, Ready) else None)
    await opened.close()
    assert read == [None, BLIND, 2 * BLIND, many, many, many]
    assert await failures(redis) == {"type": 1}


USERS = [
    ("*", "none"),
    ("*", "memory|usage type"),
    ("*", "pttl"),
    ("session:*", "type"),
    ("session:0*", "none"),
    ("session:0*", "type"),
    ("cache:data:*", "acl|dryrun"),
    ("cache:stats:hits:*", "none"),
    ("cache:stats:hits:*", "type acl|dryrun"),
]
"""Patterns of keys that they may touch, and what they may not send."""


@pytest.mark.parametrize(("keys", "lacking"), USERS)
async def test_no_command_is_refused_twice_whatever_the_user_lacks(
    redis: Redis, server: EmbeddedServer, keys: str, lacking: str
) -> None:
    asking, _ = await open_session(Endpoint(socket=server.socket))
    subcommands = (await known_to(asking)).selectors  # Redis 6.2 has rules for whole commands alone
    await asking.close()
    rules = [f"-{name if subcommands else name.partition('|')[0]}" for name in lacking.split() if name != "none"]
    await run(redis, "ACL", "SETUSER", "me", "reset", "on", "nopass", "+@all", "&*", f"~{keys}", *rules)
    await Sessions(redis).create("7", {})
    opened, _ = await open_session(Endpoint(socket=server.socket, username="me"))
    await fill(redis)
    queries = (*QUERIES, *OF_THE_APPLICATION)
    await polled(Poller(queries), opened, queries)
    await opened.close()
    failed = await failures(redis)
    assert {name: count for name, count in failed.items() if count > 1} == {}
    if keys == "*" and "type" not in lacking:
        assert failed.keys() <= {lacking}


async def test_who_may_not_touch_keys_is_told_so_once_of_each_command(redis: Redis, server: EmbeddedServer) -> None:
    await redis.acl_setuser("me", enabled=True, nopass=True, categories=["+@all"], keys=["cache:data:*"])
    await fill(redis)
    await redis.acl_log_reset()
    opened, _ = await open_session(Endpoint(socket=server.socket, username="me"))
    queries = (*OF_SESSIONS, APPLICATION_TODAY, RECENT)
    poller = Poller(queries)
    await polled(poller, opened, queries)
    await opened.close()
    failed = await failures(redis)
    assert set(failed.values()) == {1}
    # Redis 6.2 counts by containers, and has no ACL DRYRUN to ask of other keys.
    once = {"type", "hmget", "pttl", "memory", "hgetall", "lrange"}
    assert {name.partition("|")[0] for name in failed} - {"acl"} == once
    denied = {name: reading.reason for name, reading in poller.readings.items() if isinstance(reading, Unavailable)}
    assert denied == {query.name: Reason.DENIED for query in queries if query is not SESSION_KEYS}


async def test_errors_of_ours_are_told_as_ours(redis: Redis, server: EmbeddedServer) -> None:
    await redis.acl_setuser("me", enabled=True, nopass=True, categories=["+@all"], keys=["cache:data:*"])
    await fill(redis)
    opened, _ = await open_session(Endpoint(socket=server.socket, username="me"))
    set_back(opened.endpoint, caused(opened.endpoint))  # as what the server has counted was
    queries = (SERVER, *OF_SESSIONS)
    poller = Poller(queries)
    await polled(poller, opened, queries)
    await opened.close()
    reading = poller.readings[SERVER.name]
    assert isinstance(reading, Ready)
    assert reading.value.own_errors == sum((await failures(redis)).values()) >= 4
    assert reading.value.total_error_replies == 0
