"""The live source against real servers that are killed, restarted, paused, locked and reset."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import hiredis
import pytest
from pydantic import SecretStr
from redis.asyncio import Redis

from pymon_tui.demo.embedded import EmbeddedServer
from pymon_tui.model.action import Action, Attempt, Done, NotDone
from pymon_tui.model.feed import Feed
from pymon_tui.model.link import Connecting, Live, Lost, Trouble
from pymon_tui.model.query import PENDING, Argument, Batch, Command, Query, Ready, Reason, Unavailable, fixed, itself
from pymon_tui.model.snapshot import Snapshot
from pymon_tui.model.text import safe
from pymon_tui.readings.info import INFO, Info
from pymon_tui.readings.metrics import COMMANDS, HITS, MISSES, NET_INPUT, NET_OUTPUT, USED_MEMORY
from pymon_tui.readings.slowlog_settings import SLOWLOG_SETTINGS
from pymon_tui.server import clock
from pymon_tui.server.connection import open_session
from pymon_tui.server.endpoint import CLIENT_NAME, Endpoint
from pymon_tui.server.terms import Terms
from pymon_tui.state.fleet import Fleet
from pymon_tui.state.monitor import Monitor
from tests.conftest import StartServer, client_of
from tests.demo.waiting import a_moment
from tests.server.fake import bulk, endpoint_at, serving, speaking, unrecorded
from tests.servers.idling import idling
from tests.servers.proxy import proxied

INTERVAL = 0.06
SERVER = Query("server", INFO, itself)
CLIENTS = Query("clients", Command("client|list", fixed("CLIENT", "LIST"), itself), itself)
SLOW = Query("slow", Command("slowlog|get", fixed("SLOWLOG", "GET", 10), itself), itself)
FLUSH = Action(safe("Flush"), ("FLUSHALL",), safe("Everything is gone."), "flushall")
SECRET = "s3same"

Snapshots = AsyncIterator[Snapshot]


def monitor_of(
    endpoint: Endpoint, *queries: Query[Any], interval: float = INTERVAL, read_only: bool = False
) -> Monitor:
    return Monitor(endpoint, (SERVER, *queries), interval=interval, feed=Feed(), read_only=read_only, record=unrecorded)


@asynccontextmanager
async def watched(monitor: Monitor | Fleet) -> AsyncIterator[Snapshots]:
    snapshots = monitor.snapshots()
    try:
        async with asyncio.timeout(20):
            yield snapshots
    finally:
        await snapshots.aclose()


async def until(snapshots: Snapshots, wanted: Callable[[Snapshot], bool]) -> Snapshot:
    """The first snapshot that is as it is wanted."""
    async for snapshot in snapshots:
        if wanted(snapshot):
            return snapshot
    raise AssertionError("the snapshots have ended")


def is_live(snapshot: Snapshot) -> bool:
    return isinstance(snapshot.link, Live)


def is_lost(snapshot: Snapshot) -> bool:
    return isinstance(snapshot.link, Lost)


def known(snapshot: Snapshot) -> list[float | None]:
    """The whole history of a gauge."""
    return list(snapshot.history.samples(USED_MEMORY.name, 0, snapshot.history.end))


def has_samples(samples: int) -> Callable[[Snapshot], bool]:
    return lambda snapshot: len(snapshot.history) >= samples


# Living


async def test_begins_without_a_connection_and_goes_on_with_one_snapshot_a_tick(
    redis: Redis, server: EmbeddedServer
) -> None:
    endpoint = Endpoint(socket=server.socket, name="orders\x1b", environment="production")
    async with watched(monitor_of(endpoint)) as snapshots:
        first = await anext(snapshots)
        assert isinstance(first.link, Connecting)
        assert first.reading(SERVER) is PENDING
        assert (first.node, first.environment, first.interval) == ("orders\\x1b", "production", INTERVAL)
        second, third = await anext(snapshots), await anext(snapshots)
        assert isinstance(second.link, Live)
        assert isinstance(third.link, Live)
        assert second.link.since == third.link.since
        assert third.link.rtt >= 0
        assert isinstance(third.reading(SERVER), Ready)
        assert (len(second.history), len(third.history)) == (1, 2)
        clients = await redis.client_list()
        assert third.own_ids >= {int(client["id"]) for client in clients if client["name"] == CLIENT_NAME} - {None}


async def test_a_server_is_what_it_is_met_as(server: EmbeddedServer) -> None:
    endpoint = Endpoint(socket=server.socket)
    met: list[tuple[Endpoint, str, bool]] = []

    async def terms(endpoint: Endpoint, info: Info, *, far: bool) -> Terms:
        met.append((endpoint, str(info.text("run_id")), far))
        return Terms(safe("prod\x1b[2J"), safe("profile prod is read-only"))

    monitor = Monitor(
        endpoint, (SERVER,), interval=INTERVAL, feed=Feed(), read_only=False, record=unrecorded, terms=terms
    )
    assert not monitor.standing.read_only
    async with watched(monitor) as snapshots:
        named = await until(snapshots, lambda one: one.environment is not None)
        await until(snapshots, lambda one: one.at > named.at + 2 * INTERVAL)
    assert named.environment == "prod\\x1b[2J"
    assert monitor.standing.read_only
    ((asked, run_id, far),) = met  # once for a process, on no other connection
    assert (asked, len(run_id), far) == (endpoint, 40, False)
    refused = await monitor.act(FLUSH)
    assert isinstance(refused, NotDone)
    assert refused.what.endswith(" was not sent: profile prod is read-only")
    assert met[1:] == [(replace(endpoint, environment=named.environment), run_id, True)]


async def test_never_ticks_before_its_time(server: EmbeddedServer) -> None:
    began = clock.now()
    async with watched(monitor_of(Endpoint(socket=server.socket), interval=0.1)) as snapshots:
        await until(snapshots, is_live)
        times = [(await anext(snapshots)).at for _ in range(4)]
    assert all(at - began > 0.1 * number - 0.01 for number, at in enumerate(times, start=1))


async def test_a_new_interval_holds_at_once(server: EmbeddedServer) -> None:
    monitor = monitor_of(Endpoint(socket=server.socket), interval=3600)
    async with watched(monitor) as snapshots:
        await until(snapshots, is_live)
        monitor.set_interval(INTERVAL)
        assert (await until(snapshots, has_samples(4))).interval == INTERVAL


async def test_a_poke_ticks_now(server: EmbeddedServer) -> None:
    monitor = monitor_of(Endpoint(socket=server.socket), interval=3600)
    async with watched(monitor) as snapshots:
        await until(snapshots, is_live)
        for samples in (2, 3, 4):
            monitor.poke()
            assert len((await anext(snapshots)).history) == samples


async def test_asks_only_what_is_looked_at(server: EmbeddedServer) -> None:
    monitor = monitor_of(Endpoint(socket=server.socket), CLIENTS, interval=3600)
    async with watched(monitor) as snapshots:
        assert (await until(snapshots, is_live)).reading(CLIENTS) is PENDING
        monitor.want({CLIENTS.name})
        assert isinstance((await anext(snapshots)).reading(CLIENTS), Ready)


async def test_our_own_commands_are_no_load_of_the_server(redis: Redis, server: EmbeddedServer) -> None:
    monitor = monitor_of(Endpoint(socket=server.socket), CLIENTS)
    monitor.want({CLIENTS.name})
    async with watched(monitor) as snapshots:
        await until(snapshots, lambda snapshot: len(snapshot.own_ids) == 1)
        settled = (await until(snapshots, has_samples(3))).history.end
        quiet = await until(snapshots, lambda snapshot: snapshot.history.end >= settled + 6)
        for metric in (COMMANDS, NET_INPUT):
            assert 0 in quiet.history.samples(metric.name, quiet.history.end - 5, quiet.history.end)
            assert set(quiet.history.samples(metric.name, quiet.history.end - 5, quiet.history.end)) <= {0, None}
        # INFO alone is some 10 KB of an answer at each tick.
        growth, _ = quiet.history.growth(NET_OUTPUT.name, 5 * INTERVAL) or (0.0, 0.0)
        assert growth < 5 * 500
        for _ in range(50):
            await redis.ping()
        ticks = len(quiet.history) + 3
        busy = await until(snapshots, has_samples(ticks))
        growth, _ = busy.history.growth(COMMANDS.name, 60) or (0.0, 0.0)
        assert growth >= 50


@pytest.mark.parametrize("line", [("HGETALL",), ("LRANGE", 0, -1), ("HMGET", "f"), ("PTTL",), ("TYPE",)], ids=str)
async def test_our_own_reads_are_neither_hits_nor_misses(
    redis: Redis, server: EmbeddedServer, line: tuple[Argument, ...]
) -> None:
    await redis.hset("hash", "f", "1")
    await redis.rpush("list", "1")
    name, *rest = line
    batch = Batch(tuple((name, key, *rest) for key in ("hash", "list", "gone", "lost")))
    reads = Query("reads", Command("reads", lambda *_: batch, itself), itself)
    monitor = monitor_of(Endpoint(socket=server.socket), reads)
    monitor.want({reads.name})
    async with watched(monitor) as snapshots:
        quiet = await until(snapshots, has_samples(4))
        for metric in (HITS, MISSES):
            assert set(quiet.history.samples(metric.name, quiet.history.end - 4, quiet.history.end)) <= {0, None}
        counted = await redis.info("stats")
        assert min(counted["keyspace_hits"], counted["keyspace_misses"]) >= 4
        await redis.get("gone")
        busy = await until(snapshots, has_samples(len(quiet.history) + 3))
        growth, _ = busy.history.growth(MISSES.name, 60) or (0.0, 0.0)
        assert growth == 1


async def test_a_question_that_is_asked_once_is_no_load_of_the_server(redis: Redis, server: EmbeddedServer) -> None:
    batch = Batch(tuple(("EXISTS", f"key:{number}") for number in range(100)))
    reads = Query("reads", Command("reads", lambda *_: batch, itself), itself)
    monitor = monitor_of(Endpoint(socket=server.socket), reads)
    async with watched(monitor) as snapshots:
        settled = (await until(snapshots, has_samples(3))).history.end
        monitor.want({reads.name})
        monitor.poke()  # INFO is asked in the same packet
        asked = await until(snapshots, lambda snapshot: isinstance(snapshot.reading(reads), Ready))
        monitor.want(())
        quiet = await until(snapshots, lambda snapshot: snapshot.history.end >= asked.history.end + 3)
        # It is counted before the first of it is carried out.
        assert set(quiet.history.samples(NET_INPUT.name, settled, quiet.history.end)) <= {0, None}


async def test_what_others_do_after_a_reset_is_all_theirs(own_server: StartServer) -> None:
    server = own_server()
    async with client_of(server) as client, watched(monitor_of(Endpoint(socket=server.socket))) as snapshots:
        await until(snapshots, has_samples(8))
        await client.config_resetstat()
        reset = await until(snapshots, lambda snapshot: bool(snapshot.history.events()))
        assert [event.text for event in reset.history.events()] == ["counters reset"]
        for _ in range(50):
            await client.ping()
        later = await until(snapshots, lambda snapshot: snapshot.history.end >= reset.history.end + 3)
        told = later.reading(SERVER)
        assert isinstance(told, Ready)
        assert told.value.others("total_commands_processed") in (50, 51)  # perhaps with the reset itself


# Gaps


async def test_a_greeting_that_was_refused_is_asked_again_by_hand_alone(redis: Redis, server: EmbeddedServer) -> None:
    await redis.acl_setuser("mon", enabled=True, passwords=["+" + SECRET], commands=["-@all", "+ping", "+info"])
    endpoint = Endpoint(socket=server.socket, username="mon", password=SecretStr(SECRET))
    monitor = monitor_of(endpoint)

    async def refusals() -> int:
        return sum([int(str(entry["count"])) for entry in await redis.acl_log()])

    async with watched(monitor) as snapshots:

        async def is_connected_anew(before: frozenset[int]) -> frozenset[int]:
            await redis.client_kill_filter(user="mon")
            return (await until(snapshots, lambda one: is_live(one) and one.own_ids.isdisjoint(before))).own_ids

        ids = (await until(snapshots, is_live)).own_ids
        assert await refusals() == 2  # CLIENT SETNAME and COMMAND INFO
        ids = await is_connected_anew(await is_connected_anew(ids))
        for _ in range(2):  # as the feed and a list of keys do
            session, _ = await open_session(monitor.endpoint)
            await session.close()
        assert await refusals() == 2
        monitor.poke()
        ids = await is_connected_anew(ids)
        assert await refusals() == 4
        monitor.log_in(SecretStr(SECRET))
        await is_connected_anew(await is_connected_anew(ids))
        assert await refusals() == 6
    again = Endpoint(socket=server.socket, username="mon", password=SecretStr(SECRET))
    session, _ = await open_session(again)  # of another monitor
    await session.close()
    assert await refusals() == 8


@pytest.mark.needs("slowlog|get")
async def test_a_denied_command_is_one_gap_and_is_asked_once(redis: Redis, server: EmbeddedServer) -> None:
    await redis.acl_setuser("mon", enabled=True, passwords=["+" + SECRET], commands=["+@all", "-slowlog|get"])
    endpoint = Endpoint(socket=server.socket, username="mon", password=SecretStr(SECRET))
    monitor = monitor_of(endpoint, CLIENTS, SLOW)
    monitor.want({CLIENTS.name, SLOW.name})
    async with watched(monitor) as snapshots:
        snapshot = await until(snapshots, has_samples(5))
        gap = snapshot.reading(SLOW)
        assert isinstance(gap, Unavailable)
        assert (gap.reason, gap.remedy) == (Reason.DENIED, "ACL SETUSER mon +slowlog|get")
        assert isinstance(snapshot.reading(CLIENTS), Ready)
        assert isinstance(await monitor.act(replace(FLUSH, command=("PING",))), Done)
        await until(snapshots, has_samples(8))
        assert [entry["count"] for entry in await redis.acl_log()] == [1]
        assert SECRET not in repr(snapshot) + repr(monitor) + str(vars(monitor))
        await redis.acl_setuser("mon", commands=["+slowlog|get"], reset=False)
        monitor.poke()
        await until(snapshots, lambda snapshot: isinstance(snapshot.reading(SLOW), Ready))


async def test_a_late_tick_covers_the_time_it_was_late(own_server: StartServer) -> None:
    server = own_server()
    async with client_of(server) as client, watched(monitor_of(Endpoint(socket=server.socket))) as snapshots:
        await until(snapshots, has_samples(2))
        before = await until(snapshots, has_samples(4))
        await client.client_pause(20 * int(INTERVAL * 1000), all=True)
        later = await until(snapshots, lambda snapshot: snapshot.at > before.at + 18 * INTERVAL)
        later = await until(snapshots, has_samples(before.history.end + 2))
    assert later.history.events() == ()
    width = int((later.at - before.at) / INTERVAL)
    assert width >= 18
    for metric in (COMMANDS, USED_MEMORY):
        assert None not in later.history.columns(metric.name, width, INTERVAL)


# Losing and coming back


async def test_a_late_answer_counts_for_the_time_it_covers() -> None:
    loop, slow = asyncio.get_running_loop(), asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        commands = hiredis.Reader()
        while data := await reader.read(65_536):
            commands.feed(data)
            while (command := commands.gets()) is not False:
                if command[0] == b"INFO" and slow.is_set():
                    await asyncio.sleep(10 * INTERVAL)
                now = loop.time()
                text = f"run_id:x\r\nserver_time_usec:{now * 1e6:.0f}\r\ntotal_commands_processed:{now * 1e6:.0f}\r\n"
                writer.write({b"HELLO": b"%0\r\n", b"INFO": bulk(text.encode())}.get(command[0], b"+OK\r\n"))

    rates: list[float | None] = []
    async with serving(serve) as port, watched(monitor_of(endpoint_at(port))) as snapshots:
        async for snapshot in snapshots:
            if len(rates) == 5:
                slow.set()
            if isinstance(snapshot.link, Live):
                rates.append(snapshot.history.latest(COMMANDS.name))
            if len(rates) == 8:
                break
    assert [rate for rate in rates if rate] == pytest.approx([1e6] * 7, rel=0.2)


async def test_a_restarted_server_is_found_again(own_server: StartServer) -> None:
    server = own_server()
    async with watched(monitor_of(Endpoint(socket=server.socket))) as snapshots:
        await until(snapshots, has_samples(2))
        server.stop()
        lost = await until(snapshots, is_lost)
        assert isinstance(lost.link, Lost)
        assert lost.link.trouble is Trouble.UNREACHABLE
        assert lost.link.next_try > lost.at
        assert isinstance(lost.reading(SERVER), Ready)
        again = await until(snapshots, is_lost)
        assert isinstance(again.link, Lost)
        assert (again.link.since, again.link.tries) == (lost.link.since, lost.link.tries + 1)
        assert again.at >= lost.link.next_try
        server.start()
        back = await until(snapshots, is_live)
        (event,) = back.history.events()
        assert (event.text, event.index) == ("restarted", back.history.end - 1)
        assert back.history.latest(COMMANDS.name) is None
        away = int((back.at - lost.at) / INTERVAL)
        for metric in (COMMANDS, USED_MEMORY):  # nobody looked
            assert None in back.history.columns(metric.name, away, INTERVAL)
        # Not of the next snapshot: a server under load is asked for INFO less often than it is ticked.
        await until(snapshots, lambda one: one.history.latest(COMMANDS.name) is not None)


async def test_what_stops_answering_is_away_since_it_was_asked(own_server: StartServer) -> None:
    server = own_server()
    endpoint = Endpoint(socket=server.socket, command_timeout=0.3)
    async with watched(monitor_of(endpoint)) as snapshots:
        last = await until(snapshots, is_live)
        os.kill(server.pid, signal.SIGSTOP)
        try:
            lost = await until(snapshots, is_lost)
        finally:
            os.kill(server.pid, signal.SIGCONT)
        assert isinstance(lost.link, Lost)
        assert lost.link.trouble is Trouble.SILENT
        assert lost.at - lost.link.since >= 0.3
        assert lost.link.since > last.at


async def test_a_killed_connection_is_made_again_and_nothing_is_lost(redis: Redis, server: EmbeddedServer) -> None:
    async with watched(monitor_of(Endpoint(socket=server.socket))) as snapshots:
        before = await until(snapshots, lambda snapshot: len(snapshot.own_ids) == 1 and len(snapshot.history) > 2)
        for client in await redis.client_list():
            if client["name"] == CLIENT_NAME:
                await redis.client_kill_filter(_id=client["id"])
        seen = []

        def came_back(snapshot: Snapshot) -> bool:
            seen.append(snapshot)
            return snapshot.own_ids.isdisjoint(before.own_ids) and snapshot.history.end > before.history.end + 3

        back = await until(snapshots, came_back)
        assert all(isinstance(one.link, Live) and one.link.since == seen[0].link.since for one in seen)
        assert back.history.events() == ()
        assert len(back.own_ids) == 1
        rates = back.history.columns(COMMANDS.name, len(back.history) - 1, back.interval)
        assert None not in rates[1:]
        assert rates[-1] == 0  # the greeting is ours


@pytest.mark.parametrize("limit", [0.05, 0.1])
async def test_a_time_limit_of_a_proxy_shows_a_steady_picture(own_server: StartServer, limit: float) -> None:
    interval, server = 0.25, own_server()  # whose counters nobody has reset
    async with client_of(server) as redis, idling(server.socket, limit, behind=b"SLOWLOG") as proxy:
        monitor = monitor_of(Endpoint(port=proxy.port), SLOW, interval=interval)
        monitor.want({SLOW.name})
        before = (await redis.info("stats"))["total_commands_processed"]
        async with watched(monitor) as snapshots:
            await until(snapshots, has_samples(1))
            while True:
                snapshot = await anext(snapshots)
                assert isinstance(snapshot.link, Live)
                await redis.ping()
                if len(snapshot.history) >= 6:
                    break
        # All that came is a rate, and nothing of ours is in it.
        assert None not in snapshot.history.columns(COMMANDS.name, 5, interval)
        growth, _ = snapshot.history.growth(COMMANDS.name, 60) or (0.0, 0.0)
        everything = (await redis.info("stats"))["total_commands_processed"] - before
        assert growth <= everything - proxy.commands
        assert proxy.closed >= 5


async def test_a_time_limit_of_the_server_shows_a_steady_picture(own_server: StartServer) -> None:
    server = own_server({"timeout": "1"})
    async with (
        proxied(server.socket) as line,
        watched(monitor_of(Endpoint(port=line.port), interval=2.2)) as snapshots,
    ):
        await until(snapshots, has_samples(1))
        while len((snapshot := await anext(snapshots)).history) < 3:
            assert isinstance(snapshot.link, Live)
        assert line.accepted >= 2
        assert snapshot.history.columns(COMMANDS.name, 2, 2.2) == (0, 0)  # the greeting of each is ours


async def test_what_was_refused_is_not_asked_again_on_the_next_connection(server: EmbeddedServer, redis: Redis) -> None:
    await redis.acl_setuser("plain", enabled=True, nopass=True, commands=["+@all", "-slowlog"], keys=["*"])
    async with idling(server.socket, 0.05) as proxy:
        monitor = monitor_of(Endpoint(port=proxy.port, username="plain"), SLOW, interval=0.15)
        monitor.want({SLOW.name})
        async with watched(monitor) as snapshots:
            await until(snapshots, lambda _: proxy.closed >= 3)
    assert [(entry["object"], entry["count"]) for entry in await redis.acl_log()] == [("slowlog|get", 1)]


async def test_another_server_at_the_same_address_is_no_restart() -> None:
    run_ids = iter("aab" + "b" * 1000)

    def answer(command: list[bytes]) -> bytes:
        if command[0] != b"INFO":
            return b"%0\r\n" if command[0] == b"HELLO" else b"+OK\r\n"
        text = f"run_id:{next(run_ids)}\r\nuptime_in_seconds:86400\r\ntotal_commands_processed:1000\r\n".encode()
        return b"$%d\r\n%s\r\n" % (len(text), text)

    async with serving(speaking(answer)) as port, watched(monitor_of(endpoint_at(port))) as snapshots:
        snapshot = await until(snapshots, lambda snapshot: bool(snapshot.history.events()))
        assert [event.text for event in snapshot.history.events()] == ["another server answers"]
        assert snapshot.history.latest(COMMANDS.name) is None


async def test_a_server_that_takes_us_and_drops_us_is_tried_ever_less_often() -> None:
    def answer(command: list[bytes]) -> bytes | None:
        if command[0] == b"INFO":
            answered.append(None)
            return b"$8\r\nrun_id:x\r\n" if len(answered) % 3 == 1 else None  # nor on the next connection
        return b"%0\r\n" if command[0] == b"HELLO" else b"+OK\r\n"

    answered: list[None] = []
    async with serving(speaking(answer)) as port, watched(monitor_of(endpoint_at(port))) as snapshots:
        for tries in (1, 2, 3):
            lost = await until(snapshots, is_lost)
            assert isinstance(lost.link, Lost)
            assert lost.link.tries == tries


async def test_a_refused_login_waits_long_but_not_for_who_pokes(own_server: StartServer) -> None:
    server = own_server({"requirepass": "other"})
    monitor = monitor_of(Endpoint(socket=server.socket, password=SecretStr(SECRET)))
    async with watched(monitor) as snapshots:
        refused = await until(snapshots, is_lost)
        assert isinstance(refused.link, Lost)
        assert refused.link.trouble is Trouble.LOCKED
        assert refused.link.next_try - refused.at > 20
        assert SECRET not in repr(refused)
        session, _ = await open_session(Endpoint(socket=server.socket, password=SecretStr("other")))
        await session.ask([("CONFIG", "SET", "requirepass", SECRET)])
        await session.close()
        monitor.poke()
        assert is_live(await anext(snapshots))


async def test_a_monitor_that_is_given_up_leaves_no_connection(redis: Redis, server: EmbeddedServer) -> None:
    live = asyncio.Event()

    async def follow() -> None:
        async with watched(monitor_of(Endpoint(socket=server.socket))) as snapshots:
            async for snapshot in snapshots:
                if len(snapshot.own_ids) == 1:
                    live.set()

    following = asyncio.create_task(follow())
    await live.wait()
    following.cancel()
    with pytest.raises(asyncio.CancelledError):
        await following
    async with asyncio.timeout(5):
        while any(client["name"] == CLIENT_NAME for client in await redis.client_list()):
            await a_moment()


@pytest.mark.parametrize("moment", range(8))
async def test_is_given_up_even_while_it_is_poked(server: EmbeddedServer, moment: int) -> None:
    live = asyncio.Event()
    monitor = monitor_of(Endpoint(socket=server.socket), interval=3600)

    async def follow() -> None:
        async with watched(monitor) as snapshots:
            await until(snapshots, is_live)
            live.set()
            await until(snapshots, is_lost)

    following = asyncio.create_task(follow())
    await live.wait()
    monitor.poke()
    for _ in range(moment):
        await asyncio.sleep(0)
    following.cancel()
    with pytest.raises(asyncio.CancelledError):
        await following


# Acting


async def test_acts_and_looks_again_at_once(redis: Redis, server: EmbeddedServer) -> None:
    await redis.set("key", "value")
    monitor = monitor_of(Endpoint(socket=server.socket), interval=3600)
    async with watched(monitor) as snapshots:
        before = await until(snapshots, is_live)
        assert await monitor.act(FLUSH) == Done(safe("OK"))
        assert await redis.dbsize() == 0
        after = await anext(snapshots)
        assert len(after.history) == len(before.history) + 1


async def test_a_read_only_monitor_refuses_to_act(redis: Redis, server: EmbeddedServer) -> None:
    await redis.set("key", "value")
    monitor = monitor_of(Endpoint(socket=server.socket), read_only=True)
    outcome = await monitor.act(FLUSH)
    assert isinstance(outcome, NotDone)
    assert not outcome.unknown
    assert await redis.dbsize() == 1


async def test_what_it_does_is_recorded(redis: Redis, server: EmbeddedServer) -> None:
    attempts: list[Attempt] = []
    endpoint = Endpoint(socket=server.socket)
    monitor = Monitor(endpoint, (SERVER,), interval=INTERVAL, feed=Feed(), read_only=False, record=attempts.append)
    outcome = await monitor.act(FLUSH)
    assert [(attempt.action, attempt.outcome) for attempt in attempts] == [(FLUSH, outcome)]


async def test_what_another_process_told_is_forgotten(own_server: StartServer) -> None:
    server = own_server()
    monitor = monitor_of(Endpoint(socket=server.socket), SLOWLOG_SETTINGS)
    monitor.want([SLOWLOG_SETTINGS.name])
    async with watched(monitor) as snapshots:
        await until(snapshots, lambda one: isinstance(one.reading(SLOWLOG_SETTINGS), Ready))
        monitor.want([])
        server.stop()
        lost = await until(snapshots, is_lost)
        assert isinstance(lost.reading(SLOWLOG_SETTINGS), Ready)  # the last picture
        server.start()
        back = await until(snapshots, is_live)
        assert back.reading(SLOWLOG_SETTINGS) == PENDING
        assert isinstance(back.reading(SERVER), Ready)


async def test_a_process_that_answers_between_two_ticks_is_asked_everything_at_once(own_server: StartServer) -> None:
    """What it has told stays, and what only the one before had told is asked without waiting for the interval."""
    server = own_server()
    monitor = monitor_of(Endpoint(socket=server.socket), SLOWLOG_SETTINGS, SLOW, interval=3_600)
    monitor.want([SLOWLOG_SETTINGS.name, SLOW.name])

    def run_id(snapshot: Snapshot) -> str | None:
        reading = snapshot.reading(SERVER)
        return reading.value.text("run_id") if isinstance(reading, Ready) else None

    async with watched(monitor) as snapshots:
        before = run_id(await until(snapshots, lambda one: isinstance(one.reading(SLOWLOG_SETTINGS), Ready)))
        server.stop()
        server.start()
        monitor.look_again()
        found = await until(snapshots, lambda one: run_id(one) != before or is_lost(one))
        assert run_id(found) is not None
        assert isinstance(found.reading(SLOW), Ready)
        again = await until(snapshots, lambda one: isinstance(one.reading(SLOWLOG_SETTINGS), Ready))
        assert run_id(again) == run_id(found)


async def test_a_tick_that_is_cut_off_halfway_is_a_lost_link_and_is_not_asked_again() -> None:
    greetings, cut = list[None](), list[None]()

    def answer(command: list[bytes]) -> bytes | None:
        if command[0] == b"HELLO":
            greetings.append(None)
            return b"%0\r\n"
        if command[0] == b"SLOWLOG":
            cut.append(None)
            return b"*0\r\n" if len(cut) != 2 else None
        return bulk(b"run_id:x") if command[0] == b"INFO" else b"+OK\r\n"

    async with serving(speaking(answer)) as port:
        monitor = monitor_of(endpoint_at(port), SLOW)
        monitor.want({SLOW.name})
        async with watched(monitor) as snapshots:
            after = await until(snapshots, lambda snapshot: len(cut) > 1 and len(snapshot.history) != len(cut))
            assert is_lost(after)
            assert len(greetings) == 1
