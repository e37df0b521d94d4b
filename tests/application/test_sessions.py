"""What is read of sessions: what each answer tells, whose turn it is, and what is refused."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr
from redis.asyncio import Redis

from pymon_tui.application.sessions import (
    OF_SESSIONS,
    PER_TICK,
    SESSION_KEYS,
    SESSION_LIVES,
    SESSION_SIZES,
    SESSIONS,
    Life,
    SessionHeader,
    State,
    decode_lives,
    decode_sizes,
    id_of,
    read_header,
    shortened,
)
from pymon_tui.demo.embedded import EmbeddedServer
from pymon_tui.model.query import Answers, Batch, Query, Ready, Reason, Unavailable
from pymon_tui.server.connection import open_session
from pymon_tui.server.endpoint import Endpoint
from pymon_tui.server.poller import Poller
from pymon_tui.server.session import Session
from pymon_tui.services.keys import SESSION
from pymon_tui.services.session import HEADER, new_id
from pymon_tui.services.sessions import Sessions
from tests.application.made import NOW, header_reply, session_key
from tests.application.test_walk import page

NAMES = [query.name for query in OF_SESSIONS]


def value(poller: Poller, query: Query[Any]) -> Any:
    reading = poller.readings[query.name]
    assert isinstance(reading, Ready), reading
    return reading.value


def test_a_header_says_whose_it_is_and_since_when() -> None:
    header = read_header(header_reply("이서연".encode(), age=90, idle=5))
    assert isinstance(header, SessionHeader)
    assert header.user_id == "이서연"
    assert [header.created_at, header.last_activity] == pytest.approx([NOW - 90, NOW - 5])
    for user_id in (None, b""):
        of_nobody = read_header(header_reply(user_id, age=90, idle=5))
        assert isinstance(of_nobody, SessionHeader)
        assert of_nobody.user_id is None


@pytest.mark.parametrize(
    "reply",
    [
        None,
        b"OK",
        [b"x"],
        [b"42", None, None, None],
        [b"42", b"x", b"y", b"v"],
        [b"42", b"2026-01-01T00:00:00", b"2026-01-01T00:00:00", b"v"],
        [b"\xff", b"2026-01-01T00:00:00Z", b"2026-01-01T00:00:00Z", b"v"],
        [1, 2, 3, 4],
    ],
)
def test_what_is_no_session_is_unreadable(reply: Any) -> None:
    assert read_header(reply) is State.UNREADABLE


@given(st.lists(st.none() | st.binary(max_size=40), min_size=len(HEADER), max_size=len(HEADER)))
def test_no_field_of_a_strangers_breaks_it(reply: list[bytes | None]) -> None:
    assert read_header(reply) in (State.UNREADABLE, State.EMPTY)


def test_what_has_no_field_of_ours_is_empty() -> None:
    assert read_header([None] * len(HEADER)) is State.EMPTY


def test_lives_run_out() -> None:
    asked = [("PTTL", b"k%d" % number) for number in range(4)]
    lives = decode_lives(Answers(list(zip(asked, [90_000, -1, -2, b"odd"], strict=True)), (), 100.0))
    ends, stays = lives[b"k0"], lives[b"k1"]
    assert isinstance(ends, Life)
    assert isinstance(stays, Life)
    assert [ends.left(now) for now in (100.0, 130.0, 500.0)] == [90.0, 60.0, 0.0]
    assert stays.left(500.0) is None
    assert (lives[b"k2"], lives[b"k3"]) == (State.GONE, State.UNREADABLE)


def test_sizes_are_bytes() -> None:
    asked = [("MEMORY", "USAGE", b"k%d" % number) for number in range(3)]
    sizes = decode_sizes(Answers(list(zip(asked, [352, None, b"odd"], strict=True)), (), 100.0))
    assert sizes == {b"k0": 352, b"k1": State.GONE, b"k2": State.UNREADABLE}


def test_of_an_id_no_more_is_shown_than_tells_it_from_others() -> None:
    session_id = new_id()
    assert shortened(session_id) == session_id[:6] + "…"
    assert shortened("deadbeef") == "de…"
    assert shortened("abc") == shortened("") == "…"
    assert shortened("\x1b[2J" * 10) == "\\x1b[2J\\x1b[…"
    assert id_of(SESSION.key(id=session_id).encode()) == session_id
    assert id_of(b"other") == ""


def test_what_is_gone_takes_nobodys_turn() -> None:
    here = [session_key(number) for number in range(PER_TICK + 50)]
    gone = [session_key(1000 + number) for number in range(PER_TICK + 50)]
    walk = page(b"0", *gone, *here)
    known: Any = None
    asked: list[bytes] = []
    for _ in range(4):
        batch = SESSIONS.command.arguments(known, walk)
        assert isinstance(batch, Batch)
        assert len(batch.commands) == PER_TICK
        keys = [command[1] for command in batch.commands]
        asked += [key for key in keys if isinstance(key, bytes)]
        reply = header_reply(b"42", age=1, idle=1)
        answers = [(line, [None] * 4 if line[1] in gone else reply) for line in batch.commands]
        known = SESSIONS.command.fold(known, SESSIONS.command.decode(Answers(answers, (), 1.0)))
    assert set(asked) == {*here, *gone}
    later = page(b"0", *here)
    for _ in range(2):
        batch = SESSIONS.command.arguments(known, later)
        assert isinstance(batch, Batch)
        assert not {command[1] for command in batch.commands} & set(gone)


# On a real server


@pytest.fixture
async def session(server: EmbeddedServer, redis: Redis) -> AsyncIterator[Session]:
    """The session of a user who may do all but look how long keys live."""
    await redis.acl_setuser("mon", enabled=True, passwords=["+pw"], commands=["+@all", "-pttl"], keys=["*"])
    opened, _ = await open_session(Endpoint(socket=server.socket, username="mon", password=SecretStr("pw")))
    yield opened
    await opened.close()


async def polled(poller: Poller, session: Session, ticks: Collection[int]) -> None:
    for now in ticks:
        await poller.tick(session, now, 1, NAMES)


async def test_sessions_are_read_as_the_application_writes_them(server: EmbeddedServer, redis: Redis) -> None:
    began = datetime.now(UTC) - timedelta(minutes=10)
    created = await Sessions(redis, clock=lambda: began).create("kim.minjun", {"cart": ["책"]})
    nobodys = await Sessions(redis).create(None, {})
    opened, _ = await open_session(Endpoint(socket=server.socket))
    try:
        poller = Poller(OF_SESSIONS)
        await polled(poller, opened, range(2))
        one, other = (SESSION.key(id=each.id).encode() for each in (created, nobodys))
        header = value(poller, SESSIONS)[one]
        assert (header.user_id, header.created_at) == ("kim.minjun", pytest.approx(began.timestamp()))
        assert value(poller, SESSIONS)[other].user_id is None
        assert 3590 < value(poller, SESSION_LIVES)[one].left(1) <= 3600
        assert value(poller, SESSION_SIZES)[one] > 100
        assert (value(poller, SESSION_KEYS).met, value(poller, SESSION_KEYS).whole) == (2, True)
        await Sessions(redis).delete(created.id)
        await polled(poller, opened, range(2, 4))
        assert value(poller, SESSIONS)[one] is State.EMPTY
        assert value(poller, SESSION_LIVES)[one] is State.GONE
        assert value(poller, SESSION_SIZES)[one] is State.GONE
    finally:
        await opened.close()


async def test_keys_of_another_type_are_unreadable_and_nothing_waits_for_them(session: Session, redis: Redis) -> None:
    await redis.mset({f"session:{number}": "x" for number in range(PER_TICK + 20)})
    poller = Poller(OF_SESSIONS)
    await polled(poller, session, range(3))
    assert set(value(poller, SESSIONS).values()) == {State.UNREADABLE}
    created = await Sessions(redis).create("42", {})
    await polled(poller, session, range(3, 7))
    assert value(poller, SESSIONS)[SESSION.key(id=created.id).encode()].user_id == "42"
    assert len(value(poller, SESSIONS)) == PER_TICK + 21


async def test_one_thing_may_be_refused_and_is_not_asked_again(session: Session, redis: Redis) -> None:
    await Sessions(redis).create("42", {})
    poller = Poller(OF_SESSIONS)
    await polled(poller, session, range(4))
    lives = poller.readings[SESSION_LIVES.name]
    assert isinstance(lives, Unavailable)
    assert (lives.reason, lives.remedy) == (Reason.DENIED, "ACL SETUSER mon +pttl")
    assert len(value(poller, SESSIONS)) == len(value(poller, SESSION_SIZES)) == 1
    (entry,) = await redis.acl_log()
    assert (entry["object"], entry["count"]) == ("pttl", 1)
