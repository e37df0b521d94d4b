from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from pathlib import Path

import pytest
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from pymon_tui.demo.embedded import EmbeddedServer
from pymon_tui.invalidation import reconnecting
from pymon_tui.invalidation.account import Options
from pymon_tui.invalidation.order import OrderError
from pymon_tui.server.endpoint import Endpoint
from tests.conftest import StartServer, client_of, free_port
from tests.demo.waiting import a_moment
from tests.invalidation.planned import selecting
from tests.invalidation.removing import populate, removal_of, removed, under_way
from tests.server.listening import until

pytestmark = pytest.mark.usefixtures("at_once")

KEPT = Options(undo=True)
SLOW = Options(undo=False, rate=10_000)


async def _endless(redis: Redis) -> None:
    with contextlib.suppress(ResponseError):
        await redis.eval("while true do end", 0)


async def _cluster_info(redis: Redis) -> object:
    return await redis.execute_command("CLUSTER", "INFO")  # type: ignore[no-untyped-call]


async def _reload(redis: Redis) -> None:
    await redis.execute_command("DEBUG", "RELOAD")  # type: ignore[no-untyped-call]


async def test_a_server_that_stays_away_is_given_up(
    own_server: StartServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = own_server()
    async with client_of(server) as redis:
        await populate(redis, "cache:", 8_000)
        await populate(redis, "cache:", 8_000, db=1)
    given_up = await removal_of(server, selecting("cache:*"), tmp_path, SLOW)
    cancelled = await removal_of(Endpoint(socket=server.socket, db=1), selecting("cache:*"), tmp_path, SLOW)
    async with under_way(given_up) as one, under_way(cancelled) as other:
        await until(lambda: min(run.progress.tally.removed for run in (given_up, cancelled)) > 1_000)
        monkeypatch.setattr(reconnecting, "PATIENCE", 0.2)
        server.stop()
        first = await one
        cancelled.cancel()
        second = await other
    assert first.outcome == "stopped"
    assert server.socket in first.why
    for result in (first, second):
        tally = result.tally
        assert tally.matched == tally.removed + tally.unknown + tally.already_gone
        assert result.left is None


@pytest.mark.needs("enable-debug-command")
async def test_keys_of_a_cluster_go_one_by_one(own_server: StartServer, tmp_path: Path) -> None:
    server = own_server({"cluster-enabled": "yes", "cluster-port": str(free_port())}, tcp=True)
    async with client_of(server) as redis:
        await redis.execute_command("CLUSTER", "ADDSLOTSRANGE", "0", "16383")  # type: ignore[no-untyped-call]
        async with asyncio.timeout(30):
            while "cluster_state:ok" not in str(await _cluster_info(redis)):
                await a_moment()
        for number in range(300):
            await redis.set(f"cache:{number}", "v")
        result = await removed(server, selecting("cache:*"), tmp_path, KEPT)
        assert (result.outcome, result.tally.removed, result.tally.refused) == ("done", 300, 0)
        assert await redis.dbsize() == 0


async def test_a_server_that_was_restarted_is_left_alone(own_server: StartServer, tmp_path: Path) -> None:
    server = own_server()
    async with client_of(server) as redis:
        await populate(redis, "cache:", 20_000)
        removal = await removal_of(server, selecting("cache:*"), tmp_path, SLOW)
        async with under_way(removal) as task:
            await until(lambda: removal.progress.tally.removed > 0)
            server.start()
            async with client_of(server) as new:
                await populate(new, "cache:", 100)
                result = await task
                assert await new.dbsize() == 100
    assert result.outcome == "stopped"
    assert "another server process answers" in result.why
    assert result.left is None
    assert result.tally.matched == result.tally.removed + result.tally.already_gone + result.tally.unknown


async def test_a_plan_of_another_process_is_refused(own_server: StartServer, tmp_path: Path) -> None:
    server = own_server()
    removal = await removal_of(server, selecting("cache:*"), tmp_path)
    server.start()
    with pytest.raises(OrderError, match="another server process"):
        await removal.run()


@pytest.mark.parametrize("config", [{}, {"replica-read-only": "no"}], ids=["read-only", "writable"])
async def test_a_primary_that_becomes_a_replica_ends_it(
    config: dict[str, str], own_server: StartServer, tmp_path: Path
) -> None:
    server = own_server(config)
    async with client_of(server) as redis:
        await populate(redis, "cache:", 20_000)
        removal = await removal_of(server, selecting("cache:*"), tmp_path, SLOW)
        async with under_way(removal) as task:
            await until(lambda: removal.progress.tally.removed > 0)
            await redis.replicaof("127.0.0.1", "1")
            result = await task
        assert result.outcome == "stopped"
        assert "has become a replica; connect to its primary" in result.why
        assert result.tally.removed == 20_000 - await redis.dbsize()


async def test_a_server_that_takes_no_writes_ends_it(own_server: StartServer, tmp_path: Path) -> None:
    server = own_server({"save": "3600 100000000"})
    Path(server.socket).with_name("dump.rdb").mkdir()  # where the server would put its snapshot
    async with client_of(server) as redis:
        await populate(redis, "cache:", 20_000)
        removal = await removal_of(server, selecting("cache:*"), tmp_path, SLOW)
        async with under_way(removal) as task:
            await until(lambda: removal.progress.tally.removed > 0)
            await redis.bgsave()
            result = await task
        assert result.outcome == "stopped"
        assert result.why.startswith("UNLINK was refused: MISCONF")
        assert result.tally.removed == 20_000 - await redis.dbsize()
        assert result.tally.unknown == 0


async def test_a_script_that_does_not_end_ends_it(own_server: StartServer, tmp_path: Path) -> None:
    server = own_server({"lua-time-limit": "10"})
    async with client_of(server) as redis, client_of(server) as other:
        await populate(redis, "cache:", 20_000)
        removal = await removal_of(server, selecting("cache:*"), tmp_path, SLOW)
        async with under_way(removal) as task:
            await until(lambda: removal.progress.tally.removed > 0)
            running = asyncio.create_task(_endless(other))
            result = await task
            await redis.script_kill()
            await running
        assert result.outcome == "stopped"
        assert "was refused: BUSY" in result.why
        assert result.tally.removed == 20_000 - await redis.dbsize()


@pytest.mark.needs("enable-debug-command")
async def test_a_server_that_loads_its_data_ends_it(own_server: StartServer, tmp_path: Path) -> None:
    server = own_server(
        {"enable-debug-command": "yes", "key-load-delay": "50", "loading-process-events-interval-bytes": "1024"}
    )
    async with client_of(server) as redis, client_of(server) as other:
        await populate(redis, "cache:", 10_000)
        removal = await removal_of(server, selecting("cache:*"), tmp_path, SLOW)
        async with under_way(removal) as task:
            await until(lambda: removal.progress.tally.removed > 0)
            reloading = asyncio.create_task(_reload(other))
            result = await task
            await reloading
        assert result.outcome == "stopped"
        assert "was refused: LOADING" in result.why
        assert result.tally.removed == 10_000 - await redis.dbsize()


async def test_a_full_server_lets_keys_go(redis: Redis, server: EmbeddedServer, tmp_path: Path) -> None:
    await populate(redis, "cache:", 2_000)
    await redis.config_set("maxmemory", 1)
    await redis.config_set("maxmemory-policy", "noeviction")
    result = await removed(server, selecting("cache:*"), tmp_path, KEPT)
    assert (result.outcome, result.tally.removed, await redis.dbsize()) == ("done", 2_000, 0)


async def test_a_frozen_server_is_waited_for(own_server: StartServer, tmp_path: Path) -> None:
    server = own_server()
    endpoint = Endpoint(socket=server.socket, command_timeout=0.3)
    async with client_of(server) as redis:
        await populate(redis, "cache:", 8_000)
        removal = await removal_of(endpoint, selecting("cache:*"), tmp_path, SLOW)
        async with under_way(removal) as task:
            await until(lambda: removal.progress.tally.removed > 0)
            os.kill(server.pid, signal.SIGSTOP)
            await until(lambda: removal.progress.state == "reconnecting")
            assert "no answer" in removal.progress.why
            os.kill(server.pid, signal.SIGCONT)
            result = await task
        assert (result.outcome, result.left, result.tally.unknown) == ("done", 0, 0)
        assert result.tally.removed + result.tally.already_gone == result.tally.matched
        assert result.tally.removed == 8_000
        assert await redis.dbsize() == 0
