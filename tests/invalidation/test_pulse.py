from __future__ import annotations

import asyncio
import os
import signal
import threading

import pytest
from redis.asyncio import Redis

from pymon_tui.demo.embedded import EmbeddedServer
from pymon_tui.invalidation import pulse as pulse_module
from pymon_tui.invalidation.brake import Feeling
from pymon_tui.invalidation.pulse import Pulse
from pymon_tui.server.endpoint import Endpoint
from tests.conftest import StartServer, client_of
from tests.invalidation.planned import only_client_left
from tests.server.listening import until


@pytest.fixture(autouse=True)
def looks_often(monkeypatch: pytest.MonkeyPatch) -> None:
    """It need not be waited for."""
    monkeypatch.setattr(pulse_module, "_LOOK", 0.05)


@pytest.mark.needs("enable-debug-command")
async def test_it_feels_what_other_clients_feel(own_server: StartServer) -> None:
    server = own_server({"enable-debug-command": "yes"})
    async with client_of(server) as redis:
        with Pulse(Endpoint(socket=server.socket)).beating() as pulse:
            await until(lambda: pulse.feeling.ping_p99 is not None)
            idle = pulse.feeling.ping_p99
            assert idle is not None
            assert pulse.role == "master"
            assert (pulse.feeling.lag, pulse.feeling.lazyfree, pulse.feeling.blocked) == (None, 0, 0)
            for _ in range(3):
                await redis.execute_command("DEBUG", "SLEEP", "0.1")  # type: ignore[no-untyped-call]
            await until(lambda: (pulse.feeling.ping_p99 or 0.0) >= 0.05)
            assert (pulse.feeling.ping_p99 or 0.0) > idle
            pulse.forget()
            await until(lambda: pulse.feeling.ping_p99 is None)
            await until(lambda: pulse.feeling.ping_p99 is not None)
        await only_client_left(redis)


async def test_it_sees_what_the_server_has_to_digest(redis: Redis, server: EmbeddedServer) -> None:
    with Pulse(Endpoint(socket=server.socket)).beating() as pulse:
        await until(lambda: pulse.role == "master")
        blocked = redis.blpop(["nothing"], timeout=0)
        async with client_of(server) as other:
            waiting = asyncio.ensure_future(blocked)
            await until(lambda: pulse.feeling.blocked == 1)
            await other.rpush("nothing", "v")
            await waiting
            await until(lambda: pulse.feeling.blocked == 0)
    await only_client_left(redis)


async def test_a_replica_tells_how_far_it_is_behind(own_server: StartServer) -> None:
    primary, replica = own_server({"repl-diskless-sync-delay": "0"}, tcp=True), own_server()
    async with client_of(replica) as redis, client_of(primary) as writer:
        await redis.replicaof("127.0.0.1", str(primary.port))
        with Pulse(Endpoint(socket=primary.socket)).beating() as pulse:
            await until(lambda: pulse.feeling.lag is not None)
            os.kill(replica.pid, signal.SIGSTOP)
            await writer.set("k", "x" * 2**20)
            await until(lambda: (pulse.feeling.lag or 0) > 2**20)
            os.kill(replica.pid, signal.SIGCONT)
            await until(lambda: (pulse.feeling.lag or 0) < 2**20)


async def test_a_server_that_goes_is_felt_no_more_until_it_is_back(own_server: StartServer) -> None:
    server = own_server()
    with Pulse(Endpoint(socket=server.socket)).beating() as pulse:
        await until(lambda: pulse.feeling.ping_p99 is not None)
        server.stop()
        await until(lambda: pulse.feeling == Feeling())
        server.start()
        await until(lambda: pulse.feeling.ping_p99 is not None)
    async with client_of(server) as redis:
        await only_client_left(redis)
    await until(lambda: not any(thread.name == "pulse" for thread in threading.enumerate()))
