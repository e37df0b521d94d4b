"""Small servers that do what a real one can't be made to do."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import hiredis

from pymon_tui.model.action import Attempt
from pymon_tui.server.endpoint import Endpoint, Tls

CERTS = Path(__file__).parent / "certs"
# Both are for "localhost", signed by themselves with one key that protects nothing.
CERT, EXPIRED, KEY = (str(CERTS / name) for name in ("localhost.pem", "expired.pem", "localhost.key"))
ENCRYPTED = str(CERTS / "encrypted.key")
# For "localhost" and with the same key, issued by an authority, without the identifiers that a strict check wants.
ISSUED, AUTHORITY = str(CERTS / "issued.pem"), str(CERTS / "authority.pem")
# The same, issued by an authority that another one has issued.
BELOW, INTERMEDIATE = str(CERTS / "below-intermediate.pem"), str(CERTS / "intermediate.pem")
IN_CN = str(CERTS / "address-in-cn.pem")
"""Of 127.0.0.1, which is its common name and no alternative one."""
TRUSTED = {  # the server's certificate, the host it is reached at, and how it is verified
    "by its authority": (CERT, "localhost", Tls(ca_certs=CERT)),
    "by another name": (CERT, "127.0.0.1", Tls(ca_certs=CERT, server_name="localhost")),
    "unverified": (CERT, "127.0.0.1", Tls(verify=False)),
    "as redis-cli takes it": (ISSUED, "localhost", Tls(ca_certs=AUTHORITY)),
    "by an intermediate authority": (BELOW, "localhost", Tls(ca_certs=INTERMEDIATE)),
}

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
Answer = Callable[[list[bytes]], bytes | None]
"""From a command in upper case words to the bytes of its reply; None closes the connection."""
Alter = Callable[[list[bytes], bytes], bytes]
"""From a command, its name in upper case, and a server's reply to the bytes that arrive in its place."""

_SUBSCRIBING = (b"SUBSCRIBE", b"PSUBSCRIBE", b"SSUBSCRIBE")


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


def altering(target: str, alter: Alter) -> Serve:
    """A server on a unix socket, whose answers arrive as ``alter`` leaves them; what is published isn't altered."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        commands = hiredis.Reader()
        answers, server = await asyncio.open_unix_connection(target)
        try:
            while data := await reader.read(65_536):
                commands.feed(data)
                while (command := commands.gets()) is not False:
                    server.write(b"*%d\r\n" % len(command) + b"".join(map(bulk, command)))
                    if command[0].upper() in _SUBSCRIBING:
                        await asyncio.gather(_pass(answers, writer), _pass(reader, server))
                        return
                    writer.write(alter([command[0].upper(), *command[1:]], await _one_reply(answers)))
                await writer.drain()
        finally:
            server.transport.abort()

    return serve


async def _one_reply(answers: asyncio.StreamReader) -> bytes:
    """The next reply as it stands; nothing else is on its way."""
    replies, found = hiredis.Reader(notEnoughData=Ellipsis), b""
    while replies.gets() is Ellipsis:
        data = await answers.read(65_536)
        if not data:
            raise ConnectionResetError
        found += data
        replies.feed(data)
    return found


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65_536):
        writer.write(data)
        await writer.drain()
