"""A user without just one command: what needs it says so, with the line that grants it, and the rest goes on."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from redis.asyncio import Redis

from pymon_tui.application import QUERIES as OF_THE_APPLICATION
from pymon_tui.application import session_actions
from pymon_tui.application.notification_actions import notify
from pymon_tui.demo.embedded import EmbeddedServer
from pymon_tui.invalidation.account import Result
from pymon_tui.invalidation.filters import Filters
from pymon_tui.invalidation.order import OrderError
from pymon_tui.invalidation.pattern import parse_pattern
from pymon_tui.invalidation.sweep import Refused
from pymon_tui.model.action import Action, NotDone
from pymon_tui.model.feed import Feed
from pymon_tui.model.link import Live
from pymon_tui.model.query import Command, Reason, Unavailable
from pymon_tui.model.text import safe
from pymon_tui.readings.queries import QUERIES
from pymon_tui.readings.slowlog_settings import change_threshold, reset_slowlog
from pymon_tui.server.actions import perform
from pymon_tui.server.commands import PANES, SENT, Sent, Use
from pymon_tui.server.connection import open_session
from pymon_tui.server.endpoint import Endpoint
from pymon_tui.server.greeting import Handshake
from pymon_tui.server.known import known_to
from pymon_tui.server.poller import Poller
from pymon_tui.services.notification import Level
from pymon_tui.services.sessions import Sessions
from pymon_tui.settings import Settings
from pymon_tui.settings.desk import desk_of
from tests.server.fake import unrecorded
from tests.server.listening import listening, until

ALL = (*QUERIES, *OF_THE_APPLICATION)
EXEMPT = {"hello", "auth"}
"""No rule can take these from a user: who may not log in is nobody."""

WATCHING = [sent for sent in SENT if not sent.uses.isdisjoint((Use.CONNECTION, *PANES)) and sent.name not in EXEMPT]
ACTING = (Use.KILL, Use.SLOWLOG_ACTIONS, Use.PUBLISH, Use.SESSION_ACTIONS)
DOING = [sent for sent in SENT if not sent.uses.isdisjoint(ACTING)]
RUNNING = [sent for sent in SENT if not sent.uses.isdisjoint((Use.PLAN, Use.REMOVE, Use.UNDO))]


async def lacking(redis: Redis, server: EmbeddedServer, denied: str) -> Endpoint:
    """The server as a user who may send all that is sent, but for one command."""
    session, _ = await open_session(Endpoint(socket=server.socket))
    known = await known_to(session)
    await session.close()
    rules = [f"+{name}" for name in sorted(known.commands) if name != denied]
    if not known.told or denied not in known.commands:
        pytest.skip(f"this server has no {denied}")
    await redis.execute_command("ACL", "SETUSER", "me", "reset", "on", "nopass", "~*", "&*", *rules)  # type: ignore[no-untyped-call]
    await redis.acl_log_reset()
    return Endpoint(socket=server.socket, username="me")


async def refused_by(redis: Redis) -> set[str]:
    """The commands that the ACL LOG has, which has each once."""
    entries = await redis.acl_log()
    assert {entry["reason"] for entry in entries} <= {"command"}
    names = [str(entry["object"]) for entry in entries]
    assert len(set(names)) == len(names)
    return set(names)


def _names(denied: Sent) -> set[str]:
    """How the ACL LOG names it: Redis 6.2 by its container alone."""
    return {denied.name, denied.name.partition("|")[0]}


def _with_givens(command: Command[Any] | None) -> Iterator[Command[Any]]:
    while command is not None:
        yield command
        command = command.given


async def fill(redis: Redis) -> None:
    """Something for every pane."""
    await Sessions(redis).create("7", {})
    await redis.hset("cache:stats:hits:2026-11-22", mapping={"user": "7"})
    await redis.lpush("notifications:recent:7", "{}")
    await redis.mset({f"page:{number}": number for number in range(300)})


@pytest.mark.parametrize("denied", WATCHING, ids=lambda sent: sent.name)
async def test_only_what_needs_it_is_missing(redis: Redis, server: EmbeddedServer, denied: Sent) -> None:
    await fill(redis)
    endpoint = await lacking(redis, server, denied.name)
    poller = Poller(ALL)
    session, _ = await open_session(endpoint)
    for now in range(8):
        await poller.tick(session, now * 100, 1, [query.name for query in ALL])
    need_it = {query.name for query in ALL if denied.name in {command.acl for command in _with_givens(query.command)}}
    gaps = {name: gap for name, gap in poller.readings.items() if isinstance(gap, Unavailable)}
    assert gaps.keys() == need_it
    for gap in gaps.values():
        assert (gap.reason, gap.remedy) == (Reason.DENIED, f"ACL SETUSER me +{denied.name}")
    assert await refused_by(redis) <= _names(denied)
    await redis.acl_log_reset()
    for now in range(8, 16):
        await poller.tick(session, now * 100, 1, [query.name for query in ALL])
    await session.close()
    assert await refused_by(redis) == set()


@pytest.mark.parametrize("denied", WATCHING, ids=lambda sent: sent.name)
async def test_the_feed_lives_or_says_what_it_lacks(redis: Redis, server: EmbeddedServer, denied: Sent) -> None:
    endpoint = await lacking(redis, server, denied.name)
    feed = Feed()
    async with listening(endpoint, b"news", b"n:*", feed=feed, ping_every=0.05) as _:
        await until(lambda: isinstance(feed.status, Live | Unavailable))
        assert isinstance(feed.status, Live)
        entries = [entry for entry in feed.newest() if "not followed" in getattr(entry, "text", "")]
        assert len(entries) == (denied.name in ("subscribe", "psubscribe"))
        await redis.publish("news", "1")
        await redis.publish("n:1", "2")
        expected = 1 if entries else 2
        await until(lambda: feed.seen >= expected)
    assert await refused_by(redis) <= _names(denied)


_FOR_UNDO = ("dump", "pttl", "restore", "time", "pexpiretime", "persist")


@pytest.mark.parametrize("denied", RUNNING, ids=lambda sent: sent.name)
@pytest.mark.parametrize("mode", ["unlink", "expire"])
async def test_a_run_goes_on_or_names_what_it_lacks(
    redis: Redis, server: EmbeddedServer, tmp_path: Any, monkeypatch: pytest.MonkeyPatch, mode: Any, denied: Sent
) -> None:
    await fill(redis)
    endpoint = await lacking(redis, server, denied.name)
    monkeypatch.setattr("pymon_tui.invalidation.pacing._IDLE", 0.0)
    desk = desk_of(endpoint, Settings(), tmp_path)
    asked = desk.selection([parse_pattern("page:*")], Filters(), every=False)
    grant = f"ACL SETUSER me +{denied.name}"
    if denied.name == "scan":
        with pytest.raises(Refused) as refused:
            await desk.planning(asked, mode, undo=True).run()
        assert refused.value.remedy == grant
        return
    plan = await desk.planning(asked, mode, undo=True).run()
    expire = 1_000.0 if mode == "expire" else 0.0
    options = desk.options(mode, expire=expire, jitter=0.0, undo=True, dry_run=False)
    if denied.name == ("unlink" if mode == "unlink" else "pexpireat"):
        try:
            why = (await desk.removal(plan, options, None).run()).why
        except OrderError as error:  # where ACL DRYRUN tells, it isn't begun
            why = safe(str(error))
        assert grant in why
        assert await redis.dbsize() > 300
        return
    if denied.name in _FOR_UNDO and desk.judge(plan, options).undo.state == "impossible":
        # PTTL is needed by a run that gives keys an end as well, with an undo or without.
        what = "PTTL is refused" if (mode, denied.name) == ("expire", "pttl") else "could not be undone"
        with pytest.raises(OrderError, match=what) as impossible:
            desk.removal(plan, options, None)
        assert grant in str(impossible.value)
        return
    result = await desk.removal(plan, options, None).run()
    _whole_or_explained(result, grant)
    assert await refused_by(redis) <= _names(denied)


@pytest.mark.parametrize("denied", DOING, ids=lambda sent: sent.name)
async def test_an_action_that_lacks_it_names_it_and_asks_once(
    redis: Redis, server: EmbeddedServer, denied: Sent
) -> None:
    sessions = Sessions(redis)
    ids = [(await sessions.create("7", {})).id for _ in range(3)]
    victim, _ = await open_session(Endpoint(socket=server.socket))
    endpoint = await lacking(redis, server, denied.name)
    refused = []
    for action in (
        Action(safe("Kill client"), ("CLIENT", "KILL", "ID", victim.client_id or 0), safe(""), "client|kill"),
        reset_slowlog(),
        change_threshold(10_000),
        notify("7", Level.INFO, "title", "", id="id", at=datetime(2026, 11, 22, tzinfo=UTC)),
        session_actions.extend(ids[0], "7", timedelta(hours=2)),
        session_actions.delete(ids[0], "7", 1.0),
        session_actions.log_out("7", ids[1:]),
    ):
        await redis.acl_log_reset()
        outcome = await perform(action, endpoint, Handshake.RESP3, read_only=False, record=unrecorded)
        if isinstance(outcome, NotDone):
            assert not outcome.unknown
            # Until Valkey 8 and Redis 7.2 no server tells which of a script's commands it was.
            assert outcome.remedy in (f"ACL SETUSER me +{denied.name}", "pymon-tui doctor tells what it takes")
            assert "doctor" not in outcome.remedy or "the script can't run" in outcome.what
            refused.append(action)
        assert await refused_by(redis) <= _names(denied)
    await victim.close()
    assert refused


def _whole_or_explained(result: Result, grant: str) -> None:
    if result.outcome == "done":
        assert (result.tally.removed, result.tally.refused) == (300, 0)
    else:
        assert result.outcome == "stopped"
        assert grant in result.why
        assert result.tally.removed == 0
