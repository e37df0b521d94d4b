"""On a server that nobody else uses every rate is 0, and so are the totals of others, whatever became of our line."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable

import pytest

from pymon_tui.demo.embedded import EmbeddedServer
from pymon_tui.model.query import Ready
from pymon_tui.model.snapshot import Snapshot
from pymon_tui.readings.metrics import CLIENTS as CONNECTED
from pymon_tui.readings.metrics import COMMANDS, CONNECTIONS, ERRORS, HITS, MISSES, NET_INPUT
from pymon_tui.server.connection import open_session
from pymon_tui.server.endpoint import Endpoint
from tests.conftest import StartServer, client_of
from tests.server.listening import listening, live
from tests.server.listening import until as until_true
from tests.state.test_monitor import CLIENTS, SERVER, has_samples, is_live, is_lost, monitor_of, until, watched

RATES = (COMMANDS, CONNECTIONS, ERRORS, HITS, MISSES, NET_INPUT)
TOTALS = ("total_commands_processed", "total_connections_received", "total_error_replies")


def moved(snapshot: Snapshot) -> dict[str, tuple[float | None, ...]]:
    """The rates that aren't 0 somewhere in the history."""
    history = snapshot.history
    found = {metric.name: history.samples(metric.name, 0, history.end) for metric in RATES}
    return {name: samples for name, samples in found.items() if set(samples) - {0.0, None}}


def of_others(snapshot: Snapshot) -> dict[str, int | None]:
    told = snapshot.reading(SERVER)
    assert isinstance(told, Ready)
    return {field: told.value.others(field) for field in TOTALS}


async def others_of(server: EmbeddedServer) -> dict[str, int | None]:
    """What the server has counted of those who started it, and of this question."""
    async with client_of(server) as client:
        told = await client.info("stats")
    return {field: int(told[field]) + (field == "total_commands_processed") for field in TOTALS}


async def test_from_the_first_sample_on_with_a_feed(own_server: StartServer) -> None:
    server = own_server()
    endpoint, others = Endpoint(socket=server.socket), await others_of(server)
    async with watched(monitor_of(endpoint, CLIENTS)) as snapshots:
        await until(snapshots, is_live)
        async with listening(endpoint, b"news", b"n:*", ping_every=0.05) as (_, feed):
            await until_true(live(feed))
            quiet = await until(snapshots, has_samples(10))
            assert moved(quiet) == {}
            assert of_others(quiet) == others


async def test_our_own_connections_are_no_clients(own_server: StartServer) -> None:
    server = own_server()
    endpoint = Endpoint(socket=server.socket)

    def counted(clients: int, ours: int) -> Callable[[Snapshot], bool]:
        def is_counted(snapshot: Snapshot) -> bool:
            told = snapshot.value(SERVER)
            number = snapshot.history.latest(CONNECTED.name)
            if told is None or told.own is None:
                return False
            return (number, told.other_clients, told.own.lines) == (clients, clients, ours)

        return is_counted

    async with watched(monitor_of(endpoint, CLIENTS)) as snapshots:
        await until(snapshots, counted(0, 1))
        async with listening(endpoint, b"news") as (_, feed):
            await until_true(live(feed))
            session, _ = await open_session(endpoint)
            await until(snapshots, counted(0, 3))
            async with client_of(server) as client:
                await client.ping()
                await until(snapshots, counted(1, 3))
                assert session.client_id is not None
                await client.client_kill_filter(_id=str(session.client_id))  # which nobody here has noticed
                await until(snapshots, counted(1, 2))
            await session.close()
            quiet = await until(snapshots, counted(0, 2))
            quiet = await until(snapshots, has_samples(len(quiet.history) + 5))
            assert set(quiet.history.samples(CONNECTED.name, quiet.history.end - 4, quiet.history.end)) == {0}


async def test_after_the_line_was_lost_with_what_was_asked_on_it(own_server: StartServer) -> None:
    server = own_server()
    endpoint, others = Endpoint(socket=server.socket, command_timeout=0.3), await others_of(server)
    async with watched(monitor_of(endpoint, CLIENTS)) as snapshots:
        await until(snapshots, has_samples(3))
        os.kill(server.pid or 0, signal.SIGSTOP)
        await until(snapshots, is_lost)
        os.kill(server.pid or 0, signal.SIGCONT)  # it carries out what it was sent before it sees that we are gone
        back = await until(snapshots, is_live)
        quiet = await until(snapshots, has_samples(len(back.history) + 6))
        assert moved(quiet) == {}
        assert of_others(quiet) == others


async def test_after_the_counters_were_set_back_while_nobody_looked(own_server: StartServer) -> None:
    server = own_server(tcp=True)
    elsewhere, endpoint = Endpoint(socket=server.socket), Endpoint(host="127.0.0.1", port=server.port or 0)
    async with watched(monitor_of(elsewhere)) as snapshots:
        await until(snapshots, has_samples(3))
    session, _ = await open_session(elsewhere)
    await session.ask([("PING",)] * 200)
    await session.close()
    async with client_of(server) as client:
        await client.config_resetstat()
    async with watched(monitor_of(endpoint)) as snapshots:
        quiet = await until(snapshots, has_samples(6))
        assert moved(quiet) == {}
        told = of_others(quiet)
        assert (told["total_commands_processed"] or 0) <= 1  # CONFIG RESETSTAT itself


async def test_after_the_counters_were_set_back_while_we_looked(own_server: StartServer) -> None:
    server = own_server()
    async with client_of(server) as client, watched(monitor_of(Endpoint(socket=server.socket))) as snapshots:
        await client.ping()
        begun = await until(snapshots, has_samples(4))
        await client.config_resetstat()
        await until(snapshots, lambda snapshot: bool(snapshot.history.events()))
        quiet = await until(snapshots, has_samples(len(begun.history) + 8))
        assert moved(quiet) == {}
        assert (of_others(quiet)["total_commands_processed"] or 0) <= 1


@pytest.mark.parametrize("names", [("127.0.0.1", "localhost"), ("localhost", "127.0.0.1"), ("socket", "127.0.0.1")])
async def test_through_two_addresses_of_one_server(own_server: StartServer, names: tuple[str, str]) -> None:
    server = own_server(tcp=True)

    def at(name: str) -> Endpoint:
        return Endpoint(socket=server.socket) if name == "socket" else Endpoint(host=name, port=server.port or 0)

    first, second = map(at, names)
    others = await others_of(server)
    async with watched(monitor_of(first)) as here:
        begun = await until(here, has_samples(4))
        async with watched(monitor_of(second, CLIENTS)) as there:
            gathered = asyncio.gather(until(here, has_samples(len(begun.history) + 12)), until(there, has_samples(10)))
            one, other = await gathered
        assert moved(other) == {}
        assert of_others(one) == of_others(other) == others
        # A server counts a connection before we know that it is made, and so which of its addresses that is to.
        assert moved(one).keys() <= ({"connections"} if "socket" in names else set())
