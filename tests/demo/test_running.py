"""The demo is alive within moments, causes no error reply, and leaves nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from pymon_tui.demo.earlier import DAYS, TOLD
from pymon_tui.demo.embedded import EmbeddedServer
from pymon_tui.demo.heavy import HEAVY
from pymon_tui.demo.readers import FOLLOWED
from pymon_tui.demo.running import running_demo
from pymon_tui.services.keys import (
    CACHE_REFRESH,
    FAMILIES,
    MONITORING_RESULT,
    NOTIFICATIONS_CHANNEL,
    SESSION,
    STATS_HITS,
    STATS_MISSES,
    Family,
)
from pymon_tui.services.notification import parse_notification
from pymon_tui.services.notifications import Notifications
from pymon_tui.services.stats import Stats
from tests.conftest import client_of
from tests.demo.waiting import eventually, is_gone, wait_until
from tests.processes import killed_at_exit

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

# What the demo writes that is no cache of Py_Monitor's.
OTHERS = {str(heavy.command[1]) for heavy in HEAVY} | {"celery"}
REPORTS = "project:report:"

# Each with so many connections at least.
NAMES = {
    "admin-shell": 1,
    "api-web": 8,  # each hears of changes besides
    "billing-worker": 1,
    "celery-worker": 2,
    "dashboard": 1,
    "flower": 1,
    "notifier": 1,
    "scheduler": 1,
    "websocket-gateway": 3,
}


@pytest.fixture(scope="module")
def demo() -> Iterator[EmbeddedServer]:
    with running_demo(seed=7, rate=2_000) as server:
        yield server


@pytest.fixture
async def client(demo: EmbeddedServer) -> AsyncIterator[Redis]:
    async with client_of(demo) as client:
        yield client


async def all_are_connected(client: Redis) -> bool:
    return await names(client) >= Counter(NAMES)


async def names(client: Redis) -> Counter[str]:
    return Counter(entry["name"] for entry in await client.client_list())


async def keys_of(client: Redis, family: Family) -> set[str]:
    return {key async for key in client.scan_iter(family.glob, count=10_000)}


async def test_its_clients_have_names(client: Redis) -> None:
    await eventually(lambda: all_are_connected(client))
    assert set(await names(client)) == {*NAMES, ""}  # and we


async def test_the_cache_hits_misses_expires_and_evicts(client: Redis) -> None:
    counters = ("keyspace_hits", "keyspace_misses", "expired_keys", "evicted_keys", "total_commands_processed")
    first = await client.info("stats")

    async def all_move() -> bool:
        now = await client.info("stats")
        return all(now[name] > first[name] for name in counters)

    await eventually(all_move)


async def test_every_family_is_there_and_little_else(client: Redis) -> None:
    async def all_are_there() -> bool:
        # A value is loaded before it expires only now and then.
        return all([await keys_of(client, family) for family in FAMILIES if family is not CACHE_REFRESH])

    await eventually(all_are_there)
    others = {
        key
        async for key in client.scan_iter(count=10_000)
        if not key.startswith(REPORTS) and not any(family.values(key) for family in FAMILIES)
    }
    assert others <= OTHERS
    assert 0 < await client.ttl(MONITORING_RESULT.key(project_id=1)) <= 300


async def test_users_log_in_and_out(client: Redis) -> None:
    first = await keys_of(client, SESSION)

    async def some_came_and_some_went() -> bool:
        now = await keys_of(client, SESSION)
        return bool(now - first and first - now and len(now) > 1_000)

    await eventually(some_came_and_some_went)


async def test_a_month_of_statistics_is_there_and_todays_grow(client: Redis) -> None:
    stats = Stats(client)

    async def all_are_there() -> bool:
        month = await stats.range(stats.today - timedelta(days=DAYS - 1), stats.today)
        return all(day.total.hits and day.total.misses for day in month.days)

    await eventually(all_are_there)
    before = (await stats.day(stats.today)).total

    async def todays_grow() -> bool:
        now = (await stats.day(stats.today)).total
        return now.hits > before.hits and now.misses > before.misses

    await eventually(todays_grow)
    assert await client.hlen(STATS_HITS.key(day=stats.today)) >= 5
    assert await client.hlen(STATS_MISSES.key(day=stats.today)) >= 3


async def test_recent_notifications_are_kept_in_korean_and_english(client: Redis) -> None:
    notifications = Notifications(client)

    async def last_is_there() -> bool:
        return bool(await notifications.recent(TOLD[-1]))

    await eventually(last_is_there)
    kept = [each for user_id in TOLD[:50] for each in await notifications.recent(user_id)]
    assert {each.message.isascii() for each in kept} == {True, False}
    assert max(each.at for each in kept) - min(each.at for each in kept) > timedelta(hours=12)


async def test_slow_commands_are_logged(client: Redis) -> None:
    expected = {" ".join(map(str, heavy.command)) for heavy in HEAVY}

    async def one_is_logged() -> bool:
        logged = {entry["command"].decode(errors="replace") for entry in await client.slowlog_get(256)}
        return bool(logged & expected)

    await eventually(one_is_logged)


async def test_notifications_arrive_in_korean_and_english(client: Redis) -> None:
    async with client.pubsub() as subscription:
        await subscription.psubscribe(NOTIFICATIONS_CHANNEL.glob)
        heard: list[dict[str, Any]] = [message async for message in first_messages(subscription, 15)]
    users = [NOTIFICATIONS_CHANNEL.values(message["channel"]) for message in heard]
    told = [
        parse_notification(message["data"], user["user_id"])
        for message, user in zip(heard, users, strict=True)
        if user is not None
    ]
    assert len(told) == 15
    assert not "".join(each.message for each in told).isascii()


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
        followed = {NOTIFICATIONS_CHANNEL.key(user_id=user_id) for user_id in FOLLOWED}
        return waiting and followed <= set(await client.pubsub_channels()) and await client.pubsub_numpat() > 0

    await eventually(both)


async def test_no_command_is_refused(client: Redis) -> None:
    async def worked_for_a_while() -> bool:
        return bool((await client.info("stats"))["total_commands_processed"] > 10_000)

    await eventually(worked_for_a_while)
    assert (await client.info("stats"))["total_error_replies"] == 0
    assert not await client.info("errorstats")


async def test_it_fills_an_emptied_server_again(client: Redis) -> None:
    async def is_full() -> bool:
        days, sessions, results = [await keys_of(client, one) for one in (STATS_HITS, SESSION, MONITORING_RESULT)]
        all_are_there = len(days) == DAYS and len(sessions) > 1_000 and bool(results)
        return all_are_there and bool(await client.exists("leaderboard")) and await client.dbsize() > 5_000

    await eventually(is_full)
    await client.flushall()  # in the middle of the first filling too, which is then done once more
    await eventually(is_full)


async def test_it_survives_that_everything_is_invalidated_and_its_clients_are_killed(client: Redis) -> None:
    await eventually(lambda: all_are_connected(client))
    keys = [key async for key in client.scan_iter(count=10_000)]
    await client.unlink(*keys)
    for entry in await client.client_list():
        if entry["name"] in NAMES:
            await client.client_kill_filter(_id=entry["id"])

    busy = Counter({name: count for name, count in NAMES.items() if name not in ("flower", "admin-shell")})

    async def works_again() -> bool:
        return await names(client) >= busy and len(await keys_of(client, SESSION)) > 1_000

    await eventually(works_again)


async def test_it_comes_back_when_the_server_does() -> None:
    with running_demo(seed=1, rate=200) as server:
        server.start()
        async with client_of(server) as client:

            async def all_are_there() -> bool:
                return await all_are_connected(client) and await client.dbsize() > 1_000

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
            await eventually(lambda: all_are_connected(client))
        os.kill(server.pid, signal.SIGSTOP)
    assert workload.returncode == 0  # not killed: it ended by itself


@pytest.mark.parametrize(
    ("last", "end"),
    [
        ("sys.stdin.read()", signal.SIGKILL),
        ("sys.stdin.read()", signal.SIGTERM),
        ("sys.stdin.read()", signal.SIGHUP),
        ("sys.stdin.read()", signal.SIGINT),
        ("sys.exit(3)", None),
        ("raise RuntimeError", None),
    ],
)
def test_nothing_survives_the_parent(last: str, end: signal.Signals | None) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", PARENT.format(ending=last)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    with killed_at_exit(process) as parent:
        assert parent.stdout is not None
        *pids, socket = parent.stdout.readline().decode().split()
        assert len(pids) == 3  # the watchdog, the workload, the server
        if end is not None:
            parent.send_signal(end)
        wait_until(lambda: all(is_gone(int(pid)) for pid in pids) and not Path(socket).parent.exists())
