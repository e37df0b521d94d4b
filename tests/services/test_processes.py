"""Two processes of the application, and what each hears of the other, of a person at a terminal, of a lost line."""

from __future__ import annotations

import asyncio
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from redis.asyncio import Redis

from pymon_tui.demo.embedded import EmbeddedServer
from tests.conftest import StartServer
from tests.demo.waiting import a_moment
from tests.forked import completed
from tests.services.application import client_of

KEY = "monitoring:result:42"


@asynccontextmanager
async def worker(server: EmbeddedServer) -> AsyncIterator[Process]:
    """A process of the application that holds the key in its first tier."""
    async with client_of(server) as client:
        await client.set(KEY, '"value"')  # so that no process stores it, which the others would hear of
    arguments = ("-m", "tests.services.worker", server.socket, KEY)
    process = await asyncio.create_subprocess_exec(sys.executable, *arguments, stdout=PIPE)
    try:
        await says(process, b"held")
        yield process
    finally:
        process.kill()
        await process.wait()


async def says(process: Process, word: bytes) -> None:
    """Wait for a process' next line, which is this one."""
    assert process.stdout is not None
    async with asyncio.timeout(30):
        assert (await process.stdout.readline()).split()[:1] == [word]


async def test_an_invalidation_from_the_terminal_reaches_all(
    redis: Redis, server: EmbeddedServer, tmp_path: Path
) -> None:
    config = tmp_path / "config.toml"
    config.touch(mode=0o600)
    arguments = ("-s", server.socket, "--config", str(config), "invalidate", "monitoring:result:*", "--yes")
    async with worker(server) as one, worker(server) as other:
        await redis.set("monitoring:result:43", "1")
        terminal = asyncio.create_task(asyncio.to_thread(completed, *arguments))
        for process in (one, other):
            await says(process, b"dropped")
            await says(process, b"held")  # loaded anew
        assert (await terminal).returncode == 0
        assert not await redis.exists("monitoring:result:43")


async def test_an_update_by_one_process_reaches_the_others(redis: Redis, server: EmbeddedServer) -> None:
    async with worker(server) as one, worker(server) as other, client_of(server) as client:
        await client.unlink(KEY)
        for process in (one, other):
            await says(process, b"dropped")


async def test_lines_that_are_cut_drop_what_is_held(redis: Redis, server: EmbeddedServer) -> None:
    async with worker(server) as one, worker(server) as other:
        await redis.client_kill_filter(_type="pubsub")
        for process in (one, other):
            await says(process, b"dropped")
            await says(process, b"held")


async def test_a_process_that_hangs_is_cut_off_and_drops_what_it_holds(own_server: StartServer) -> None:
    server = own_server({"client-output-buffer-limit": "pubsub 1mb 0 0"})
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(client_of(server))
        hanging = await stack.enter_async_context(worker(server))
        hanging.send_signal(signal.SIGSTOP)
        pipeline = client.pipeline(transaction=False)
        for number in range(4_000):
            pipeline.set(f"monitoring:result:{number}:{'x' * 1_000}", "1")
        await pipeline.execute()
        while await client.client_list(_type="pubsub"):
            await a_moment()
        hanging.send_signal(signal.SIGCONT)
        await says(hanging, b"dropped")
        await says(hanging, b"held")
