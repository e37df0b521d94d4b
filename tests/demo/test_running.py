"""The demo is alive within moments, causes no error reply, and leaves nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from pymon_tui.demo.embedded import EmbeddedServer
from pymon_tui.demo.heavy import HEAVY
from pymon_tui.demo.running import running_demo
from tests.conftest import client_of
from tests.demo.waiting import eventually, is_gone, wait_until

# Prints the process id of everything it starts, then the socket.
PARENT = """
import subprocess, sys

class Told(subprocess.Popen):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        print(self.pid, end=" ")

subprocess.Popen = Told
from pymon_tui.demo.running import running_demo
with running_demo(seed=1, rate=200) as server:
    print(server.pid, server.socket, flush=True)
    {ending}
"""

NAMES = {
    "admin-shell": 1,
    "api-web": 4,
    "billing-worker": 1,
    "celery-worker": 2,
    "flower": 1,
    "notifier": 1,
    "scheduler": 1,
    "websocket-gateway": 1,
}


@pytest.fixture(scope="module")
def demo() -> Iterator[EmbeddedServer]:
    with running_demo(seed=7, rate=2_000) as server:
        yield server


@pytest.fixture
async def client(demo: EmbeddedServer) -> AsyncIterator[Redis]:
    async with client_of(demo) as client:
        yield client


async def names(client: Redis) -> dict[str, int]:
    found = [entry["name"] for entry in await client.client_list() if entry["name"]]
    return {name: found.count(name) for name in sorted(found)}


async def test_its_clients_have_names(client: Redis) -> None:
    async def all_are_there() -> bool:
        return await names(client) == NAMES

    await eventually(all_are_there)


async def test_the_cache_hits_misses_expires_and_evicts(client: Redis) -> None:
    counters = ("keyspace_hits", "keyspace_misses", "expired_keys", "evicted_keys", "total_commands_processed")
    first = await client.info("stats")

    async def all_move() -> bool:
        now = await client.info("stats")
        return all(now[name] > first[name] for name in counters)

    await eventually(all_move)


async def test_keys_of_every_kind_are_there(client: Redis) -> None:
    kinds = {
        "monitoring:result:1": "string",
        "alerts:recent:1:20": "string",
        "project:stats:1": "hash",
        "project:config:1": "string",
        "user:sessions:1": "set",
        "user:preferences:1": "string",
        "notifications:recent:1": "list",
        "online_users": "set",
        "leaderboard": "zset",
    }

    async def all_are_there() -> bool:
        return {key: await client.type(key) for key in kinds} == kinds

    await eventually(all_are_there)
    assert 0 < await client.ttl("monitoring:result:1") <= 300
    assert [key async for key in client.scan_iter("session:*", count=10_000)]
    assert [key async for key in client.scan_iter("cache:stats:hits:????-??-??", count=10_000)]


async def test_slow_commands_are_logged(client: Redis) -> None:
    expected = {" ".join(map(str, heavy.command)) for heavy in HEAVY}

    async def one_is_logged() -> bool:
        logged = {entry["command"].decode() for entry in await client.slowlog_get(256)}
        return bool(logged & expected)

    await eventually(one_is_logged)


async def test_notifications_arrive_in_korean_and_english(client: Redis) -> None:
    async with client.pubsub() as subscription:
        await subscription.psubscribe("notifications:*")
        heard: list[dict[str, Any]] = [message async for message in first_messages(subscription, 15)]
    assert all(message["channel"].startswith("notifications:") for message in heard)
    texts = "".join(message["data"] for message in heard)
    assert not texts.isascii()
    assert '"level": "' in texts


async def first_messages(subscription: Any, count: int) -> AsyncIterator[dict[str, Any]]:
    async for message in subscription.listen():
        if message["type"] == "pmessage":
            yield message
            count -= 1
        if count == 0:
            return


async def test_a_worker_waits_and_a_gateway_listens(client: Redis) -> None:
    async def both() -> bool:
        waiting = (await client.info("clients"))["blocked_clients"] > 0
        return waiting and "notifications:1" in await client.pubsub_channels() and await client.pubsub_numpat() > 0

    await eventually(both)


async def test_no_command_is_refused(client: Redis) -> None:
    async def worked_for_a_while() -> bool:
        return bool((await client.info("stats"))["total_commands_processed"] > 10_000)

    await eventually(worked_for_a_while)
    assert (await client.info("stats"))["total_error_replies"] == 0
    assert not await client.info("errorstats")


async def test_it_fills_an_emptied_server_again(client: Redis) -> None:
    async def is_full() -> bool:
        return bool(await client.exists("leaderboard")) and await client.dbsize() > 5_000

    await eventually(is_full)
    await client.flushall()
    await eventually(is_full)


async def test_it_comes_back_when_the_server_does() -> None:
    with running_demo(seed=1, rate=200) as server:
        server.start()
        async with client_of(server) as client:

            async def all_are_there() -> bool:
                return await names(client) == NAMES and await client.dbsize() > 1_000

            await eventually(all_are_there)


async def test_it_stops_at_once_while_the_server_is_paused(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[subprocess.Popen[bytes]] = []

    class Kept(subprocess.Popen[bytes]):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            started.append(self)

    monkeypatch.setattr(subprocess, "Popen", Kept)
    with running_demo(seed=1, rate=200) as server:
        _, workload = started
        async with client_of(server) as client:

            async def all_are_there() -> bool:
                return await names(client) == NAMES

            await eventually(all_are_there)
        os.kill(server.pid, signal.SIGSTOP)
    assert workload.returncode == 0  # not killed: it ended by itself


@pytest.mark.parametrize(
    ("ending", "end"),
    [
        ("sys.stdin.read()", signal.SIGKILL),
        ("sys.stdin.read()", signal.SIGTERM),
        ("sys.stdin.read()", signal.SIGHUP),
        ("sys.stdin.read()", signal.SIGINT),
        ("sys.exit(3)", None),
        ("raise RuntimeError", None),
    ],
)
def test_nothing_survives_the_parent(ending: str, end: signal.Signals | None) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PARENT.format(ending=ending)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as parent:
        assert parent.stdout is not None
        *pids, socket = parent.stdout.readline().decode().split()
        assert len(pids) == 3  # the watchdog, the workload, the server
        if end is not None:
            parent.send_signal(end)
        wait_until(lambda: all(is_gone(int(pid)) for pid in pids) and not Path(socket).parent.exists())
