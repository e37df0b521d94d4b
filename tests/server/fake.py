"""Small servers that do what a real one can't be made to do."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import hiredis

from pymon_tui.model.action import Attempt
from pymon_tui.server.endpoint import Endpoint

CERTS = Path(__file__).parent / "certs"
# Both are for "localhost", signed by themselves with one key that protects nothing.
CERT, EXPIRED, KEY = (str(CERTS / name) for name in ("localhost.pem", "expired.pem", "localhost.key"))
ENCRYPTED = str(CERTS / "encrypted.key")

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
Answer = Callable[[list[bytes]], bytes | None]
"""From a command in upper case words to the bytes of its reply; None closes the connection."""


def unrecorded(attempt: Attempt) -> None:
    """For a test that isn't about the journal: nothing is written down, and nothing is wrong with that."""


@asynccontextmanager
async def serving(serve: Serve, *, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """A TCP server on 127.0.0.1, gone at the end with all its connections; yields its port."""
    open_now: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        open_now[task] = writer
        try:
            await serve(reader, writer)
        except (ConnectionError, hiredis.ProtocolError, asyncio.CancelledError):
            pass  # the client has gone, or says what this server doesn't know, or the test is over
        finally:
            writer.transport.abort()

    server = await asyncio.start_server(connected, "127.0.0.1", 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task, writer in open_now.items():
            writer.transport.abort()
            task.cancel()
        await asyncio.gather(*open_now)


def speaking(answer: Answer) -> Serve:
    """A server that answers each command as ``answer`` says."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        commands = hiredis.Reader()
        while data := await reader.read(65_536):
            commands.feed(data)
            while (command := commands.gets()) is not False:
                reply = answer([word if number else word.upper() for number, word in enumerate(command)])
                if reply is None:
                    return
                writer.write(reply)
            await writer.drain()

    return serve


def saying(text: bytes) -> Serve:
    """A server that says this to whoever comes, and waits."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(text)
        await writer.drain()
        await reader.read()

    return serve


async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Takes everything and never answers."""
    while await reader.read(65_536):
        pass


def bulk(text: bytes) -> bytes:
    """A bulk string."""
    return b"$%d\r\n%s\r\n" % (len(text), text)


def endpoint_at(port: int) -> Endpoint:
    """Where such a server is, with timeouts for tests: long enough to be answered, short enough to wait for."""
    return Endpoint(port=port, connect_timeout=2.0, command_timeout=2.0)
