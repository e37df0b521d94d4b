"""Everything the program does, done on a server of its own: it sends nothing that the table of commands hasn't."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from pymon_tui.application import QUERIES as OF_THE_APPLICATION
from pymon_tui.application import session_actions
from pymon_tui.demo.embedded import EmbeddedServer
from pymon_tui.invalidation import pacing
from pymon_tui.invalidation.browsing import Browsing
from pymon_tui.invalidation.filters import Filters
from pymon_tui.invalidation.packing import unpacked
from pymon_tui.invalidation.pattern import parse_pattern
from pymon_tui.invalidation.pipe import Pipe
from pymon_tui.model.action import Action, Done
from pymon_tui.model.text import safe
from pymon_tui.readings.queries import QUERIES
from pymon_tui.readings.slowlog_settings import change_threshold, reset_slowlog
from pymon_tui.readings.topology import TOPOLOGY
from pymon_tui.server.actions import perform
from pymon_tui.server.commands import name_of, sent
from pymon_tui.server.connection import open_session
from pymon_tui.server.endpoint import Endpoint
from pymon_tui.server.greeting import Handshake
from pymon_tui.server.known import known_to
from pymon_tui.server.poller import Poller
from pymon_tui.server.session import Session
from pymon_tui.server.stream import Stream
from pymon_tui.services.sessions import Sessions
from pymon_tui.settings import Settings
from pymon_tui.settings.desk import desk_of
from pymon_tui.ui.panes.notifications.asked import publish
from tests.server.fake import unrecorded
from tests.server.listening import listening, live, until

Names = set[str]


@pytest.fixture
def left(monkeypatch: pytest.MonkeyPatch) -> Names:
    """The names of all commands that leave the program, by any of its doors."""
    names: Names = set()

    def watch(door: type, method: str, commands_of: Callable[[Any], Any]) -> None:
        original = getattr(door, method)

        def watched(self: Any, commands: Any, *rest: Any) -> Any:
            names.update(map(name_of, commands_of(commands)))
            return original(self, commands, *rest)

        monkeypatch.setattr(door, method, watched)

    watch(Session, "send", lambda commands: commands)
    watch(Stream, "write", lambda commands: commands)
    watch(Pipe, "ask", unpacked)
    return names


@pytest.fixture
def endpoint(server: EmbeddedServer) -> Endpoint:
    """The run's server."""
    return Endpoint(socket=server.socket)


@pytest.fixture
def only_read(endpoint: Endpoint) -> Endpoint:
    """The same, only to be read: whatever needs no more works there."""
    return replace(endpoint, read_only=True)


@pytest.fixture(autouse=True)
def _known(left: Names) -> Iterator[None]:
    """After whatever a test does: the table has all of it."""
    yield
    assert left
    assert {name for name in left if sent(name) is None} == set()


def containers(names: Names) -> Names:
    """What Redis 6.2 counts in place of subcommands; the first is what this test sends itself."""
    return {"config", *(name.partition("|")[0] for name in names)}


async def counted(redis: Redis) -> Names:
    """The commands that the server has counted, those of this look left out."""
    names = {name.removeprefix("cmdstat_") for name in await redis.info("commandstats")}
    return names - {"config|resetstat"}


@pytest.mark.parametrize("handshake", Handshake)
async def test_the_greeting(redis: Redis, only_read: Endpoint, left: Names, handshake: Handshake) -> None:
    await redis.acl_setuser("me", enabled=True, nopass=True, categories=["+@all"], keys=["*"], channels=["*"])
    named = Endpoint(socket=only_read.socket, username="me", db=3, read_only=True)
    session, _ = await open_session(named, handshake)
    await known_to(session)
    await session.close()
    assert "auth" in left or handshake is Handshake.RESP3


async def test_the_readings(redis: Redis, only_read: Endpoint, left: Names) -> None:
    await Sessions(redis).create("7", {})
    await redis.hset("cache:stats:hits:2026-11-22", mapping={"user": "7"})
    await redis.lpush("notifications:recent:7", "{}")
    await redis.mset({f"page:{number}": number for number in range(50)})
    await redis.config_resetstat()
    queries = (*QUERIES, *OF_THE_APPLICATION, *TOPOLOGY)
    poller = Poller(queries)
    session, _ = await open_session(only_read)
    for now in range(8):
        await poller.tick(session, now * 100, 1, [query.name for query in queries])
    await session.close()
    assert {"info", "client|list", "slowlog|get", "scan", "hgetall", "hmget", "memory|usage", "pttl"} <= left
    assert await counted(redis) <= left | containers(left)


async def test_the_feed(redis: Redis, only_read: Endpoint, left: Names) -> None:
    async with listening(only_read, b"news", b"n:*", ping_every=0.05) as (listener, feed):
        await until(live(feed))
        await listener.watch([b"others", b"o:*"])
        await until(lambda: {"punsubscribe", "unsubscribe", "ping"} <= left)


@pytest.mark.parametrize("mode", ["unlink", "expire"])
async def test_a_plan_a_run_and_its_undo(
    redis: Redis, endpoint: Endpoint, left: Names, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: Any
) -> None:
    monkeypatch.setattr(pacing, "_IDLE", 0.0)
    await redis.mset({f"page:{number}": number for number in range(300)})
    await redis.config_resetstat()
    desk = desk_of(endpoint, Settings(), tmp_path)
    filters = Filters(type="string", expiry="none", idle_over=0, larger_than=0)
    filtered, selection = (
        desk.selection([parse_pattern("page:*")], asked, every=False) for asked in (filters, Filters())
    )
    only_read = desk_of(replace(endpoint, read_only=True), Settings(read_only=True), tmp_path)
    await only_read.estimate(filtered)
    await only_read.planning(filtered, mode, undo=True).run()
    plan = await desk.planning(selection, mode, undo=True).run()
    expire = 1_000.0 if mode == "expire" else 0.0
    options = desk.options(mode, expire=expire, jitter=0.0, undo=True, dry_run=False)
    result = await desk.removal(plan, options, None).run()
    assert result.tally.removed == 300
    for replacing in (False, True):
        restore = desk.restore(next(desk.newest()), replace=replacing, elsewhere=False)
        assert restore is not None
        await restore.run()
    changing = {"restore", "unlink"} if mode == "unlink" else {"pexpireat"}
    assert {"scan", "dump", "acl|dryrun", *changing} <= left
    assert await counted(redis) <= left | containers(left)


async def test_looking_through_keys(redis: Redis, only_read: Endpoint, left: Names) -> None:
    await redis.mset({f"page:{number}": number for number in range(300)})
    async with Browsing(only_read, parse_pattern("page:*")) as browsing:
        (first, *_) = await browsing.more()
        await browsing.facts(first.key)
    async with Browsing(only_read, parse_pattern("page:1")) as browsing:
        await browsing.more()
    assert "object|encoding" in left


async def test_the_actions(redis: Redis, endpoint: Endpoint, left: Names) -> None:
    sessions = Sessions(redis)
    ids = [(await sessions.create("7", {})).id for _ in range(4)]
    victim, _ = await open_session(endpoint)
    actions: Sequence[Action] = (
        Action(safe("Kill client"), ("CLIENT", "KILL", "ID", victim.client_id or 0), safe(""), "client|kill"),
        reset_slowlog(),
        change_threshold(10_000),
        publish("news hello"),
        session_actions.extend(ids[0], "7", timedelta(hours=2)),
        session_actions.delete(ids[0], "7", 1.0),
        session_actions.log_out("7", [ids[1]]),
    )
    for action in actions:
        outcome = await perform(action, endpoint, Handshake.RESP3, read_only=False, record=unrecorded)
        assert isinstance(outcome, Done), outcome
    await victim.close()
    assert await redis.keys("session:*") == []
    assert {"eval", "zrange", "zrem", "unlink", "multi", "exec", "publish", "client|kill"} <= left
