from __future__ import annotations

import asyncio
import gc
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from redis.asyncio import Redis
from redis.exceptions import NoPermissionError, ResponseError

from pymon_tui.demo.embedded import EmbeddedServer
from pymon_tui.invalidation.packing import last_words, pack, pack_all, pack_each, pack_together
from pymon_tui.invalidation.pipe import Pipe, open_pipe
from pymon_tui.invalidation.sweep import Sweep
from pymon_tui.model.link import Trouble
from pymon_tui.server.endpoint import Endpoint
from pymon_tui.server.reasons import LinkError
from tests.conftest import StartServer, client_of
from tests.demo.waiting import a_moment
from tests.invalidation.planned import only_client_left, selecting, user_may
from tests.server.fake import altering, endpoint_at, serving


@asynccontextmanager
async def piped(endpoint: Endpoint) -> AsyncIterator[Pipe]:
    pipe = await open_pipe(endpoint)
    try:
        yield pipe
    finally:
        await pipe.close()


async def test_answers_come_in_order_with_errors_among_them(redis: Redis, server: EmbeddedServer) -> None:
    await user_may(redis, "~a:*", "+@all")
    async with piped(Endpoint(socket=server.socket, username="pymon")) as pipe:
        commands = [(b"SET", b"a:\x00\xff\r\n", b"v"), (b"GET", b"b:"), (b"INCR", b"a:\x00\xff\r\n"), (b"NO",)]
        several = pipe.ask(pack_all(commands), 4)
        single = pipe.ask(pack(b"GET", b"a:\x00\xff\r\n"), 1)
        done, denied, wrong, unknown = await several
        assert done == b"OK"
        assert isinstance(denied, NoPermissionError)
        assert isinstance(wrong, ResponseError)
        assert isinstance(unknown, ResponseError)
        assert await single == [b"v"]


async def test_who_answers_is_known(redis: Redis, server: EmbeddedServer) -> None:
    async with piped(Endpoint(socket=server.socket, db=3)) as pipe:
        assert pipe.identity.run_id == (await redis.info("server"))["run_id"]
        assert (pipe.identity.role, pipe.user) == ("master", "default")
        assert await pipe.ask_one(b"SET", b"k", b"v") == b"OK"
    assert (await redis.info("keyspace"))["db3"]["keys"] == 1
    await user_may(redis, "~*", "+ping")
    async with piped(Endpoint(socket=server.socket, username="pymon")) as pipe:
        assert (pipe.identity.run_id, pipe.identity.role, pipe.user) == ("", "", "pymon")
    await only_client_left(redis)


async def test_values_of_any_size_come_whole(redis: Redis, server: EmbeddedServer) -> None:
    sizes = [0, 1, 262_143, 262_144, 262_145, 3_000_000]
    for size in sizes:
        await redis.set(f"k{size}", "x" * size)
    async with piped(Endpoint(socket=server.socket)) as pipe:
        answers = await pipe.ask(pack_all((b"GET", b"k%d" % size) for size in sizes), len(sizes))
    assert [len(answer) for answer in answers if isinstance(answer, bytes)] == sizes


async def test_who_gives_up_waiting_leaves_the_others_their_answers(server: EmbeddedServer) -> None:
    async with piped(Endpoint(socket=server.socket)) as pipe:
        given_up = pipe.ask(pack(b"ECHO", b"1"), 1)
        kept = pipe.ask(pack(b"ECHO", b"2"), 1)
        given_up.cancel()
        assert await kept == [b"2"]


async def test_a_lost_link_fails_all_that_is_asked(own_server: StartServer) -> None:
    complaints: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
    server = own_server()
    async with piped(Endpoint(socket=server.socket)) as pipe:
        waiting = pipe.ask(pack(b"BLPOP", b"nothing", b"0"), 1)
        nobody_waits = pipe.ask(pack(b"PING"), 1)
        os.kill(server.pid, signal.SIGKILL)
        with pytest.raises(LinkError, match="is the server still running"):
            await waiting
        assert nobody_waits.done()
        with pytest.raises(LinkError):
            await pipe.ask_one(b"PING")
        later = pipe.ask(pack(b"PING"), 1)
        assert later.done()
    del nobody_waits, later, waiting
    gc.collect()
    assert complaints == []


async def test_silence_is_an_error_only_while_something_is_asked(own_server: StartServer) -> None:
    server = own_server()
    async with piped(Endpoint(socket=server.socket, command_timeout=0.2)) as pipe:
        os.kill(server.pid, signal.SIGSTOP)
        try:
            with pytest.raises(LinkError, match=r"no answer from .* within 0.2 s") as lost:
                await pipe.ask_one(b"PING")
        finally:
            os.kill(server.pid, signal.SIGCONT)
    assert lost.value.trouble is Trouble.SILENT
    async with client_of(server) as redis, piped(Endpoint(socket=server.socket, command_timeout=0.05)) as pipe:
        assert await pipe.ask_one(b"PING") == b"PONG"
        asyncio.get_running_loop().call_later(0.15, pipe.ask, pack(b"SET", b"late", b"1"), 1)
        while not await redis.exists("late"):
            await a_moment()  # longer than the timeout passes without a question
        assert await pipe.ask_one(b"PING") == b"PONG"


@pytest.mark.parametrize("strange", [b"%1\r\n*1\r\n+a\r\n+b\r\n", b"~1\r\n+a\r\n", b"*2\r\n+x\r\n*0\r\n", b"+OK\r\n"])
async def test_an_answer_that_is_no_page_of_keys_is_a_foreign_server(strange: bytes, server: EmbeddedServer) -> None:
    def alter(command: list[bytes], reply: bytes) -> bytes:
        return strange if command[0] == b"SCAN" else reply

    async with serving(altering(server.socket, alter)) as port, piped(endpoint_at(port)) as pipe:
        with pytest.raises(LinkError) as caught:
            async for _ in Sweep(pipe, selecting("*")).pages():
                pass
    assert caught.value.trouble is Trouble.FOREIGN


async def test_a_closed_pipe_answers_nobody(server: EmbeddedServer) -> None:
    pipe = await open_pipe(Endpoint(socket=server.socket))
    waiting = pipe.ask(pack(b"BLPOP", b"nothing", b"0"), 1)
    await pipe.close()
    with pytest.raises(LinkError):
        await waiting
    await pipe.close()


async def test_no_server_is_an_error_with_a_remedy(own_server: StartServer) -> None:
    server = own_server()
    server.stop()
    with pytest.raises(LinkError, match="no socket at"):
        await open_pipe(Endpoint(socket=server.socket))


def test_commands_for_many_keys_are_packed_as_one_by_one() -> None:
    keys = [b"", b"k", b"a:\x00\xff\r\n", b"k" * 1_000]
    one_by_one = [(b"PTTL", key) for key in keys] + [(b"MEMORY", b"USAGE", key) for key in keys]
    assert pack_each([(b"PTTL",), (b"MEMORY", b"USAGE")], last_words(keys)) == pack_all(one_by_one)
    assert pack_together(b"UNLINK", last_words(keys)) == pack(b"UNLINK", *keys)
