"""The proxy fails in each of its ways, on ports and on sockets, and passes everything on else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import hiredis
import pytest

from pymon_tui.demo.embedded import EmbeddedServer
from tests.demo.waiting import eventually
from tests.servers.proxy import Proxy, proxied


class Client:
    """A connection through the proxy."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def ask(self, command: bytes, length: int) -> bytes:
        """The first bytes of what comes after this command; fewer where the connection ends."""
        self.send(command)
        return await self.read(length)

    def send(self, commands: bytes) -> None:
        """Send commands, one in each line."""
        for line in commands.splitlines():
            self.writer.write(hiredis.pack_command(tuple(line.split())))  # type: ignore[arg-type]

    async def read(self, length: int) -> bytes:
        async with asyncio.timeout(30):
            try:
                return await self.reader.readexactly(length)
            except asyncio.IncompleteReadError as end:
                return end.partial

    async def ended(self) -> bool:
        """Whether it ends with nothing more."""
        async with asyncio.timeout(30):
            try:
                return await self.reader.read(1) == b""
            except ConnectionResetError:
                return True


@asynccontextmanager
async def connected(proxy: Proxy) -> AsyncIterator[Client]:
    opened = asyncio.open_connection("127.0.0.1", proxy.port)
    if proxy.path:
        opened.close()
        opened = asyncio.open_unix_connection(proxy.path)
    reader, writer = await opened
    try:
        yield Client(reader, writer)
    finally:
        writer.transport.abort()


async def said(proxy: Proxy, word: bytes) -> None:
    """Wait until this has come to be echoed."""

    async def came() -> bool:
        return word in proxy.named(b"ECHO")

    await eventually(came)


@pytest.fixture(params=["port", "socket"])
async def proxy(server: EmbeddedServer, request: pytest.FixtureRequest) -> AsyncIterator[Proxy]:
    async with proxied(server.socket, unix=request.param == "socket") as running:
        yield running


@pytest.fixture
async def client(proxy: Proxy) -> AsyncIterator[Client]:
    async with connected(proxy) as opened:
        assert await opened.ask(b"ECHO 12345", 11) == b"$5\r\n12345\r\n"
        yield opened


async def test_knows_what_was_said(proxy: Proxy, client: Client) -> None:
    assert (proxy.said, proxy.named(b"ECHO"), proxy.accepted) == ([[b"ECHO", b"12345"]], [b"12345"], 1)


async def test_what_is_held_arrives_later_and_what_is_swallowed_never(proxy: Proxy, client: Client) -> None:
    proxy.hold()
    held = asyncio.create_task(client.ask(b"ECHO a", 7))
    async with connected(proxy) as other:
        second = asyncio.create_task(other.ask(b"ECHO b", 7))
        await said(proxy, b"b")
        assert not held.done()
        proxy.release()
        assert (await held, await second) == (b"$1\r\na\r\n", b"$1\r\nb\r\n")

    proxy.swallowing = True
    client.send(b"ECHO lost")
    await said(proxy, b"lost")
    proxy.swallowing = False
    assert await client.ask(b"ECHO c", 7) == b"$1\r\nc\r\n"


async def test_one_byte_at_a_time(proxy: Proxy, client: Client) -> None:
    proxy.piece = 1
    client.send(b"ECHO 12345")
    assert await client.reader.read(100) == b"$"
    assert await client.read(10) == b"5\r\n12345\r\n"


async def test_delays_both_ways(proxy: Proxy, client: Client) -> None:
    loop = asyncio.get_running_loop()
    proxy.delay = 0.02
    began = loop.time()
    assert await client.ask(b"PING", 7) == b"+PONG\r\n"
    assert loop.time() - began >= 0.04


async def test_cuts_after_some_bytes(proxy: Proxy, client: Client) -> None:
    proxy.cut_after(9)
    assert await client.ask(b"PING", 7) == b"+PONG\r\n"
    assert await client.ask(b"PING", 2) == b"+P"
    assert await client.ended()


async def test_cuts_in_the_middle_of_a_reply(proxy: Proxy, client: Client) -> None:
    proxy.cut_in_reply(3)
    assert await client.ask(b"PING\nGET nothing-there\nECHO 1234", 7 + 5 + 5) == b"+PONG\r\n$-1\r\n$4\r\n1"
    assert await client.ended()
    async with connected(proxy) as again:
        assert await again.ask(b"PING", 7) == b"+PONG\r\n"


@pytest.mark.parametrize("arrives", [True, False])
async def test_cuts_at_a_command_that_arrives_or_not(proxy: Proxy, client: Client, *, arrives: bool) -> None:
    assert await client.ask(b"DEL counted", 1) == b":"
    assert await client.read(3)
    proxy.cut_at(b"INCR", uncut=1, arrives=arrives)
    assert await client.ask(b"INCR counted", 4) == b":1\r\n"
    client.send(b"INCR counted")
    assert await client.ended()
    async with connected(proxy) as again:
        assert await again.ask(b"INCR counted", 4) == (b":3\r\n" if arrives else b":2\r\n")


async def test_says_something_else(proxy: Proxy, client: Client) -> None:
    proxy.instead = b"\xff\x00garbage"
    assert await client.ask(b"PING", 9) == b"\xff\x00garbage"
    assert await client.ask(b"PING", 7) == b"+PONG\r\n"


async def test_breaks_what_is_open(proxy: Proxy, client: Client) -> None:
    proxy.cut()
    assert await client.ended()


async def test_a_half_open_connection_says_nothing(proxy: Proxy, client: Client) -> None:
    proxy.lose_server()
    client.send(b"ECHO lost")
    await said(proxy, b"lost")
    assert not client.reader.at_eof()
    async with connected(proxy) as other:
        assert await other.ask(b"PING", 7) == b"+PONG\r\n"
    assert not client.reader.at_eof()


async def test_a_closed_door_refuses_and_opens_again(proxy: Proxy, client: Client) -> None:
    proxy.close_door()
    with pytest.raises((ConnectionRefusedError, FileNotFoundError)):
        async with connected(proxy):
            pass
    assert await client.ask(b"PING", 7) == b"+PONG\r\n"
    await proxy.open_door()
    async with connected(proxy) as other:
        assert await other.ask(b"PING", 7) == b"+PONG\r\n"


async def test_a_server_that_is_away_is_an_end_at_once() -> None:
    async with proxied("/nowhere") as proxy, connected(proxy) as client:
        assert await client.ended()
