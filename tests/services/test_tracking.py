"""The first tier is told of every change, by a real server; and drops what it holds as soon as it can't be told."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
from redis.asyncio import Redis

from pymon_tui.demo.embedded import EmbeddedServer
from pymon_tui.invalidation.pattern import Pattern
from pymon_tui.server import clock
from pymon_tui.services.local import ABSENT, LocalCache
from pymon_tui.services.tracking import CHANNEL, Tracking, Way, announce, told_as
from tests.conftest import StartServer, client_of
from tests.demo.waiting import a_moment
from tests.server.listening import until

KEYS = (b"a:1", b"a:2", b"b:1")


@asynccontextmanager
async def tracked(
    client: Redis, *prefixes: bytes, ping_every: float = 5.0, pong_timeout: float = 5.0
) -> AsyncIterator[tuple[LocalCache, Tracking]]:
    """A first tier that holds the keys, and is told of changes."""
    local = LocalCache(100)
    tracking = Tracking(client, local, prefixes or (b"a:", b"b:"), ping_every=ping_every, pong_timeout=pong_timeout)
    running = asyncio.create_task(tracking.run())
    try:
        await until(lambda: local.is_open)
        hold(local)
        yield local, tracking
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running


async def do(client: Redis, *words: str) -> None:
    await client.execute_command(*words)  # type: ignore[no-untyped-call]


async def app_user(redis: Redis, *rules: str) -> None:
    """A user named app, with any password, who may do everything but what the rules take away."""
    await do(redis, "ACL", "SETUSER", "app", "on", "nopass", "~*", "+@all", *rules)


def hold(local: LocalCache) -> None:
    for key in KEYS:
        assert local.fill(key, local.begin(key), key, 600.0)


def held(local: LocalCache) -> list[bytes]:
    return [key for key in KEYS if local.get(key) is not ABSENT]


@pytest.fixture
async def raw(redis: Redis, server: EmbeddedServer) -> AsyncIterator[Redis]:
    """An application's client as it comes, in bytes, on the clean server."""
    async with Redis(unix_socket_path=server.socket) as client:
        yield client


@pytest.mark.parametrize(
    ("command", "left"),
    [
        (("SET", "a:1", "new"), [b"a:2", b"b:1"]),
        (("UNLINK", "a:1", "b:1"), [b"a:2"]),
        (("PEXPIRE", "b:1", "1"), [b"a:1", b"a:2"]),
        (("RENAME", "a:1", "a:2"), [b"b:1"]),
        (("FLUSHDB",), []),
        (("FLUSHALL",), []),
        (("EVAL", "redis.call('del', KEYS[1])", "1", "a:2"), [b"a:1", b"b:1"]),
    ],
)
async def test_whoever_changes_a_key(raw: Redis, redis: Redis, command: Sequence[Any], left: list[bytes]) -> None:
    for key in KEYS:
        await redis.set(key, "old")
    async with tracked(raw) as (local, tracking):
        assert tracking.way == "tracking"
        await do(redis, *command)
        await until(lambda: held(local) == left)


async def test_keys_that_end_by_themselves_are_told(raw: Redis, redis: Redis) -> None:
    await redis.set("a:1", "old", px=1_500)  # later than tracking begins, on a busy machine too
    async with tracked(raw) as (local, _):
        await until(lambda: held(local) == [b"a:2", b"b:1"])


async def test_other_keys_are_not_told(raw: Redis, redis: Redis) -> None:
    async with tracked(raw, b"a:") as (local, tracking):
        await redis.set("b:1", "new")
        await redis.set("a:1", "new")
        await until(lambda: held(local) == [b"a:2", b"b:1"])
        assert tracking.covers(b"a:9")
        assert not tracking.covers(b"b:1")


async def test_many_changes_at_once_are_all_told(raw: Redis, redis: Redis) -> None:
    async with tracked(raw) as (local, _):
        pipeline = redis.pipeline(transaction=False)
        for number in range(20_000):
            pipeline.set(f"a:{number}", "x" * 10)
        await pipeline.execute()
        await until(lambda: held(local) == [b"b:1"])


@pytest.mark.parametrize("prefixes", [(), (b"",), (b"a:", b"a:b:"), (b"a:", b"a:")])
def test_prefixes_that_the_server_would_refuse(prefixes: tuple[bytes, ...]) -> None:
    with pytest.raises(ValueError, match="prefixes"):
        Tracking(Redis(), LocalCache(1), prefixes)


async def test_a_killed_connection_drops_everything_and_comes_back(
    raw: Redis, redis: Redis, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "pymon_tui.services.tracking")
    async with tracked(raw) as (local, tracking):
        ticket = local.begin(b"a:9")
        (ours,) = [client for client in await redis.client_list() if "B" in client["flags"]]
        await redis.client_kill_filter(_id=ours["id"])
        await until(lambda: not local.is_open)
        assert (held(local), tracking.way) == ([], None)
        await until(lambda: local.is_open)
        assert not local.fill(b"a:9", ticket, "read before", 600.0)
        hold(local)
        await redis.set("a:1", "new")
        await until(lambda: held(local) == [b"a:2", b"b:1"])
    assert [record.levelname for record in caplog.records] == ["INFO", "WARNING", "INFO"]


async def test_a_connection_that_is_lost_soon_again_is_no_news(
    raw: Redis, redis: Redis, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, told = 0.0, []
    monkeypatch.setattr(clock, "now", lambda: now)
    async with tracked(raw) as (local, _):
        for stood in (0.0, 9.5, 10.0):
            await until(lambda: local.is_open)
            now += stood
            caplog.clear()
            (ours,) = [client for client in await redis.client_list() if "B" in client["flags"]]
            await redis.client_kill_filter(_id=ours["id"])
            await until(lambda: not local.is_open)
            await until(lambda: local.is_open)
            told.append([record.levelname for record in caplog.records])
    assert told == [["WARNING"], [], ["WARNING"]]


async def test_a_server_that_goes_and_comes_back(own_server: StartServer) -> None:
    server = own_server()
    async with Redis(unix_socket_path=server.socket) as client, tracked(client) as (local, _):
        server.stop()
        await until(lambda: not local.is_open)
        assert held(local) == []
        server.start()
        await until(lambda: local.is_open)


async def test_a_server_that_is_silent_is_taken_for_lost(own_server: StartServer) -> None:
    server = own_server()
    async with (
        Redis(unix_socket_path=server.socket) as client,
        tracked(client, ping_every=0.05, pong_timeout=0.2) as (local, _),
    ):
        os.kill(server.pid, signal.SIGSTOP)
        try:
            await until(lambda: not local.is_open)
            assert held(local) == []
        finally:
            os.kill(server.pid, signal.SIGCONT)
        await until(lambda: local.is_open)


async def test_silence_that_is_answered_is_no_loss(raw: Redis, redis: Redis) -> None:
    async with tracked(raw, ping_every=0.005) as (local, _):
        pings = 0
        while pings < 10:
            pings = (await redis.info("commandstats")).get("cmdstat_ping", {"calls": 0})["calls"]
            await a_moment()
        assert held(local) == list(KEYS)


@pytest.mark.parametrize("way", ["tracking", "channel"])
@pytest.mark.parametrize("protocol", [2, 3])
@pytest.mark.parametrize("decode_responses", [False, True])
@pytest.mark.needs("client|tracking")
async def test_however_the_pool_speaks(
    redis: Redis, server: EmbeddedServer, way: Way, protocol: int, *, decode_responses: bool
) -> None:
    if way == "channel":
        await app_user(redis, "&*", "-client|tracking")
    async with (
        Redis(
            unix_socket_path=server.socket,
            protocol=protocol,
            decode_responses=decode_responses,
            username="app" if way == "channel" else None,
            password="any" if way == "channel" else None,
            db=3,
        ) as client,
        tracked(client) as (local, tracking),
    ):
        assert tracking.way == way
        await client.set("a:1", "new")
        await announce(client, [Pattern(b"b:*")])
        await until(lambda: held(local) == ([b"a:2"] if way == "tracking" else [b"a:1", b"a:2"]))


@pytest.fixture
async def without_tracking(redis: Redis, server: EmbeddedServer) -> AsyncIterator[Redis]:
    """A client of a user who may not ask for tracking."""
    await app_user(redis, "&*", "-client|tracking")
    async with Redis(unix_socket_path=server.socket, username="app", password="any") as client:
        yield client


@pytest.mark.needs("client|tracking")
async def test_without_tracking_a_channel_tells(without_tracking: Redis, redis: Redis) -> None:
    async with tracked(without_tracking, ping_every=0.01) as (local, _):
        await redis.publish(CHANNEL, b"a:[2-9]")
        await until(lambda: held(local) == [b"a:1", b"b:1"])
        await redis.publish(CHANNEL, "[a-\udcff]".encode("utf-8", "surrogateescape"))
        await until(lambda: held(local) == [])


@pytest.mark.parametrize("length", [1, 511, 512, 1_024, 1_025, 5_000])
def test_a_key_of_any_length_can_be_told_of(length: int) -> None:
    for letter in (b"k", b"*"):
        assert told_as(letter * length).matches(letter * length)
        assert not told_as(letter * length).matches(letter * (length - 1) + b"x") or length > 511


async def test_a_server_without_resp3_tells_by_the_channel(own_server: StartServer) -> None:
    server = own_server({"rename-command": 'HELLO ""'})
    async with Redis(unix_socket_path=server.socket, protocol=2) as client, tracked(client) as (local, tracking):
        assert tracking.way == "channel"
        await announce(client, [Pattern(b"a:*")])
        await until(lambda: held(local) == [b"b:1"])


@pytest.mark.needs("client|tracking")
async def test_where_nothing_tells_nothing_is_held(redis: Redis, server: EmbeddedServer) -> None:
    await app_user(redis, "-client|tracking", "-subscribe")
    local = LocalCache(10)
    async with Redis(unix_socket_path=server.socket, username="app", password="any") as client:
        running = asyncio.create_task(Tracking(client, local, [b"a:"]).run())
        log: list[dict[str, Any]] = []
        while not any(entry["object"] == "subscribe" for entry in log):
            log = await redis.acl_log()
        assert not local.is_open
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running


async def test_the_pool_keeps_all_its_connections(own_server: StartServer) -> None:
    server = own_server()
    async with Redis(unix_socket_path=server.socket, max_connections=1) as client, tracked(client):
        await client.ping()
    async with client_of(server) as client:
        assert len(await client.client_list()) == 1
