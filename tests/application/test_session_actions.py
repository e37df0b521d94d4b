"""What is done to sessions: the right thing, once, and without an id where somebody could read it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr
from redis.asyncio import Redis

from pymon_tui.application.session_actions import delete, extend, log_out, parse_life, usual_life
from pymon_tui.demo.embedded import EmbeddedServer
from pymon_tui.journal.actions import recorder
from pymon_tui.journal.journal import Journal
from pymon_tui.model.action import Action, Done, NotDone, Outcome
from pymon_tui.model.text import safe
from pymon_tui.server.actions import perform
from pymon_tui.server.endpoint import Endpoint
from pymon_tui.server.greeting import Handshake
from pymon_tui.services.session import changes, new_id
from pymon_tui.services.sessions import LIFE, Sessions
from tests.server.fake import unrecorded

HOUR = timedelta(hours=1)


@pytest.fixture
def sessions(redis: Redis) -> Sessions:
    return Sessions(redis)


async def carried_out(action: Action, server: EmbeddedServer) -> Outcome:
    endpoint = Endpoint(socket=server.socket)
    return await perform(action, endpoint, Handshake.RESP3, read_only=False, record=unrecorded)


def nothing_of(name: str, why: str) -> NotDone:
    """What comes of an action that found nothing to do."""
    return NotDone(safe(f"{name}: {why}; nothing was done"), safe("look again, and decide again"), unknown=False)


@pytest.mark.parametrize(
    ("text", "life"),
    [
        ("90s", timedelta(seconds=90)),
        (" 30 m ", timedelta(minutes=30)),
        ("8H", timedelta(hours=8)),
        ("2d", timedelta(days=2)),
    ],
)
def test_a_life_is_typed(text: str, life: timedelta) -> None:
    assert parse_life(text) == life


@pytest.mark.parametrize("text", ["", "30", "m", "1.5h", "-1h", "1w", "0s", "367d", "999999999d", "1h30m", "١h"])
def test_what_is_no_life_says_so(text: str) -> None:
    with pytest.raises(ValueError, match=r"m, h or d|longer than 0s"):
        parse_life(text)


def test_the_usual_life_is_the_applications() -> None:
    assert parse_life(usual_life()) == LIFE


async def test_a_session_is_extended(sessions: Sessions, redis: Redis, server: EmbeddedServer) -> None:
    session = await sessions.create("kim.minjun", {})
    done = await carried_out(extend(session.id, "kim.minjun", 8 * HOUR), server)
    assert done == Done(safe("it lives for at least 8h 0m from now on"))
    for key in (f"session:{session.id}", "user:sessions:kim.minjun"):
        assert await redis.pttl(key) > 7.9 * 3_600_000
    assert (await sessions.of_user("kim.minjun")) == (session,)


async def test_a_session_is_deleted_and_the_index_stays_true(
    sessions: Sessions, redis: Redis, server: EmbeddedServer
) -> None:
    session, other = [await sessions.create("kim.minjun", {}) for _ in range(2)]
    assert await carried_out(delete(session.id, "kim.minjun", 5.0), server) == Done(safe("ended"))
    assert await redis.zrange("user:sessions:kim.minjun", 0, -1) == [other.id]
    assert await sessions.get(session.id) is None
    assert await sessions.get(other.id) == other
    gone = "there is no such session any more"
    assert await carried_out(delete(session.id, "kim.minjun", 5.0), server) == nothing_of("Delete session", gone)
    assert await carried_out(extend(session.id, "kim.minjun", HOUR), server) == nothing_of("Extend session", gone)
    assert not await redis.exists(f"session:{session.id}")


async def test_everywhere_is_everywhere(sessions: Sessions, redis: Redis, server: EmbeddedServer) -> None:
    first, unindexed, rotating = [await sessions.create("kim:minjun*", {}) for _ in range(3)]
    other = await sessions.create("kim", {})
    await redis.zrem("user:sessions:kim%3Aminjun%2A", unindexed.id)
    action = log_out("kim:minjun*", [first.id, unindexed.id, rotating.id])
    assert await sessions.rotate(rotating, "kim:minjun*", changes({}, {}))  # while the dialog is open
    assert await carried_out(action, server) == Done(safe("3 sessions ended"))
    assert sorted(await redis.keys("*")) == sorted([f"session:{other.id}", "user:sessions:kim"])
    none = nothing_of("Log out everywhere", "there is no session of the user any more")
    assert await carried_out(action, server) == none


async def test_a_session_whose_user_has_no_name_can_be_ended(redis: Redis, server: EmbeddedServer) -> None:
    session = await Sessions(redis).create(None, {})
    await redis.hset(f"session:{session.id}", "user_id", "")
    assert isinstance(await carried_out(extend(session.id, None, 2 * HOUR), server), Done)
    assert await redis.pttl(f"session:{session.id}") > 1.9 * 3_600_000
    assert await carried_out(delete(session.id, None, 1.0), server) == Done(safe("ended"))
    assert await redis.keys("*") == []
    with pytest.raises(ValueError, match="empty"):
        log_out("", [])


def test_the_dialog_says_whose_and_how_many() -> None:
    one, two = new_id(), new_id()
    assert log_out("kim", [one]).effect.startswith("ends the 1 session of kim known here")
    assert log_out("kim", [one, two]).effect.startswith("ends the 2 sessions of kim known here")
    assert delete(one, "k\x1b[2Jim", 65.0).effect == "ends this session of k\\x1b[2Jim, last used 1m ago"
    assert delete(one, "jim", None).effect == "ends this session of jim, last used –"
    assert delete(one, None, 65.0).effect == "ends this session of nobody, last used 1m ago"
    assert extend(one, "kim", HOUR).effect == "the session of kim lives for at least 1h 0m from now on"
    assert delete(one, "kim", 1.0).lines == (
        f"HMGET session:{one[:6]}… version user_id",
        "TYPE user:sessions:kim",
        "MULTI",
        f"ZREM user:sessions:kim {one[:6]}…",
        f"UNLINK session:{one[:6]}…",
        "EXEC",
    )
    assert delete(one, None, 1.0).lines[1:] == ("MULTI", f"UNLINK session:{one[:6]}…", "EXEC")
    assert extend(one, "kim", HOUR).lines[-1].startswith(f"EVAL SCRIPT 2 session:{one[:6]}… user:sessions:kim NOW")


@pytest.mark.parametrize("denied", ["+ping", "-pexpire", "-unlink", "-zrange", "-hmget", "-multi"])
async def test_no_id_is_written_or_said(
    sessions: Sessions, redis: Redis, server: EmbeddedServer, tmp_path: Path, denied: str
) -> None:
    """Whatever is done, and whatever is refused of it."""
    ids = [(await sessions.create("kim", {})).id for _ in range(4)]
    await redis.acl_setuser("mon", enabled=True, passwords=["+pw"], commands=["+@all", denied], keys=["*"])
    endpoint = Endpoint(socket=server.socket, username="mon", password=SecretStr("pw"))
    journal, said = Journal(tmp_path), []
    for action in (extend(ids[0], "kim", HOUR), delete(ids[1], "kim", 1.0), log_out("kim", ids)):
        for read_only in (False, True):
            outcome = await perform(action, endpoint, Handshake.RESP3, read_only=read_only, record=recorder(journal))
            told: Sequence[str] = (outcome.answer,) if isinstance(outcome, Done) else (outcome.what, outcome.remedy)
            said += [*told, action.shown, *action.lines, action.effect, action.name, repr(action), repr(outcome)]
            assert isinstance(outcome, NotDone) or not read_only
    written = journal.path.read_text()
    assert written.count("\n") == 6
    for session_id in ids:
        assert session_id[:7] not in written
        assert not [line for line in said if session_id[:7] in line]
    assert "Log out everywhere" in written
