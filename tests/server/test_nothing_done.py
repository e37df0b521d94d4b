"""Every action that there is, where it finds what it is for and where it doesn't: the journal says which it was."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from redis.asyncio import Redis

from pymon_tui.application.notification_actions import notify
from pymon_tui.application.session_actions import delete, extend, log_out
from pymon_tui.demo.embedded import EmbeddedServer
from pymon_tui.journal.actions import recorder
from pymon_tui.journal.journal import Journal
from pymon_tui.model.action import Action, Done
from pymon_tui.readings.clients.client import parse_client
from pymon_tui.readings.slowlog_settings import change_threshold, reset_slowlog
from pymon_tui.server.actions import perform
from pymon_tui.server.connection import open_session
from pymon_tui.server.endpoint import Endpoint
from pymon_tui.server.greeting import Handshake
from pymon_tui.services.notification import Level
from pymon_tui.services.session import new_id
from pymon_tui.services.sessions import Sessions
from pymon_tui.ui.panes.clients.kill import kill
from pymon_tui.ui.panes.notifications.asked import publish

HOUR = timedelta(hours=1)


@asynccontextmanager
async def victim(server: EmbeddedServer, *, gone: bool) -> AsyncIterator[Action]:
    """The kill of another client, which may have gone since it was seen."""
    session, _ = await open_session(Endpoint(socket=server.socket))
    action = kill(parse_client(b"id=%d addr=/socket:0" % (session.client_id or 0)))
    if gone:
        await session.close()
        async with Redis(unix_socket_path=server.socket) as redis:
            while any(client["id"] == str(session.client_id) for client in await redis.client_list()):
                await redis.ping()
    yield action
    await session.close()


async def of_another(redis: Redis) -> str:
    """A session that was kim's when it was seen, and is another user's by now."""
    return (await Sessions(redis).create("eve", {})).id


async def of_kim(redis: Redis) -> str:
    return (await Sessions(redis).create("kim", {})).id


async def without_index(redis: Redis) -> str:
    """A session of kim's, in the place of whose index something else is by now."""
    session_id = await of_kim(redis)
    await redis.delete("user:sessions:kim")
    await redis.sadd("user:sessions:kim", "a")
    return session_id


async def nobodys(_: Redis) -> str:
    return new_id()


Prepare = Callable[[Redis], Awaitable[str]]
Make = Callable[[str], Action]


def extended(session_id: str) -> Action:
    return extend(session_id, "kim", 8 * HOUR)


def deleted(session_id: str) -> Action:
    return delete(session_id, "kim", 1.0)


def logged_out(session_id: str) -> Action:
    return log_out("kim", [session_id])


CASES: dict[str, tuple[Prepare, Make, str]] = {
    "extend": (of_kim, extended, ""),
    "extend what is gone": (nobodys, extended, "there is no such session any more"),
    "extend another's": (of_another, extended, "it is another user's by now"),
    "extend without an index": (without_index, extended, "is a set and no index of them"),
    "delete": (of_kim, deleted, ""),
    "delete what is gone": (nobodys, deleted, "there is no such session any more"),
    "delete another's": (of_another, deleted, "it is another user's by now"),
    "delete without an index": (without_index, deleted, ""),
    "log out": (of_kim, logged_out, ""),
    "log out who is gone": (nobodys, logged_out, "there is no session of the user any more"),
    "log out, and it is another's": (of_another, logged_out, "there is no session of the user any more"),
    "log out without an index": (without_index, logged_out, ""),
    "reset the slow log": (nobodys, lambda _: reset_slowlog(), ""),
    "change the threshold": (nobodys, lambda _: change_threshold(20_000), ""),
    "publish to nobody": (nobodys, lambda _: publish("news hello"), ""),
    "notify": (
        nobodys,
        lambda _: notify("kim", Level.INFO, "title", "", id="id", at=datetime(2026, 11, 22, tzinfo=UTC)),
        "",
    ),
}
"""What there is, the action that was decided on before, and why nothing is done; empty where something is."""


async def journalled(action: Action, server: EmbeddedServer, folder: Path) -> tuple[str, str]:
    """The event in the journal, and what it says came of the action; the same is told to whoever asked for it."""
    journal = Journal(folder)
    outcome = await perform(
        action, Endpoint(socket=server.socket), Handshake.RESP3, read_only=False, record=recorder(journal)
    )
    (entry,) = journal.entries()
    said = str(entry.fields["answer"] if entry.event == "done" else entry.fields["why"])
    assert said == (outcome.answer if isinstance(outcome, Done) else outcome.what)
    return entry.event, said


async def keys_of(redis: Redis) -> dict[object, object]:
    return {key: await redis.dump(key) for key in await redis.keys()}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
async def test_what_has_done_nothing_is_no_deed_in_the_journal(
    redis: Redis, server: EmbeddedServer, tmp_path: Path, case: tuple[Prepare, Make, str]
) -> None:
    prepare, make, why = case
    action = make(await prepare(redis))
    before = await keys_of(redis)
    event, said = await journalled(action, server, tmp_path)
    assert event == ("refused" if why else "done")
    assert why in said
    assert said.endswith("nothing was done") == bool(why)
    if why:
        assert await keys_of(redis) == before


@pytest.mark.parametrize("gone", [False, True])
async def test_the_kill_of_a_client_that_has_gone_is_none(
    redis: Redis, server: EmbeddedServer, tmp_path: Path, *, gone: bool
) -> None:
    async with victim(server, gone=gone) as action:
        told = await journalled(action, server, tmp_path)
    nothing = "Kill client: there is no such client any more; nothing was done"
    assert told == (("refused", nothing) if gone else ("done", "1 killed"))
