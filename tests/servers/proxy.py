"""A line to a server that fails as lines do: swallowing, slow, in crumbs, cut, corrupt; in the test's own loop."""

from __future__ import annotations

import asyncio
import socket
import struct
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import hiredis

PIECE = 1 << 20
RESET = struct.pack("ii", 1, 0)


@dataclass(slots=True, eq=False)
class _Link:
    """One client's connection and ours to the server for it."""

    requests: asyncio.StreamReader
    client: asyncio.StreamWriter
    answers: asyncio.StreamReader
    server: asyncio.StreamWriter
    commands: hiredis.Reader | None = field(default_factory=hiredis.Reader)
    replies: hiredis.Reader | None = None
    deaf: bool = False


@dataclass(frozen=True, slots=True)
class _Stop:
    """The command at which a connection ends, how many of it pass before, and whether that one arrives."""

    command: bytes
    uncut: int
    arrives: bool


class Proxy:
    """Stands in front of a server. Faults may come and go at any time, for all connections that there are.

    Attributes:
        port: Its port on 127.0.0.1; 0 where it is a unix socket.
        path: Its unix socket; empty where it is a port.
        accepted: How many connections it has had.
        said: The commands that were sent, on all connections, also those that were swallowed or cut off; without
            those of connections that speak TLS.
        swallowing: What either side says is lost, and nobody is told of an end: a black hole without FIN.
        piece: Bytes that pass at a time; 0 for all there are.
        delay: Seconds that each piece waits, either way.
        instead: What clients get in place of the next piece of a reply; None for what the server says.
    """

    def __init__(self, target: str | int) -> None:
        self.port = 0
        self.path = ""
        self.accepted = 0
        self.said: list[list[bytes]] = []
        self.swallowing = False
        self.piece = 0
        self.delay = 0.0
        self.instead: bytes | None = None
        self._target = target
        self._links: dict[asyncio.Task[None], _Link | None] = {}
        self._clients: dict[asyncio.Task[None], asyncio.StreamWriter] = {}  # those on their way to a link, too
        self._door: asyncio.Server | None = None
        self._flows = asyncio.Event()
        self._flows.set()
        self._bytes_left: int | None = None
        self._replies_left = 0
        self._stop: _Stop | None = None

    @property
    def stopped(self) -> bool:
        """Whether the last `cut_at` has happened."""
        return self._stop is None

    def named(self, command: bytes) -> list[bytes]:
        """The words that a command was sent with, such as keys, in order."""
        return [word for said in self.said if said[0].upper() == command for word in said[1:]]

    # Faults that last

    def hold(self) -> None:
        """Let nothing pass; what is said meanwhile arrives after `release`."""
        self._flows.clear()

    def release(self) -> None:
        """Let all pass that was held."""
        self._flows.set()

    def close_door(self) -> None:
        """Refuse new connections (a port), or be gone (a socket); those that are open go on."""
        assert self._door is not None
        self._door.close()
        if self.path:
            Path(self.path).unlink(missing_ok=True)  # from Python 3.13 on `close` has done so

    async def open_door(self) -> None:
        """Accept connections, at the same place as before."""
        if self.path:
            self._door = await asyncio.start_unix_server(self._serve, self.path, limit=1 << 24)
        else:
            self._door = await asyncio.start_server(self._serve, "127.0.0.1", self.port, limit=1 << 24)
            self.port = self._door.sockets[0].getsockname()[1]

    # Faults that happen once

    def cut(self) -> None:
        """Break all connections at once: clients see a reset (a port) or an end (a socket)."""
        for client in self._clients.values():
            _break(client)

    def lose_server(self) -> None:
        """The server hangs up, and no client is told: half-open connections."""
        for link in self._open():
            link.deaf = True
            link.server.close()

    def cut_after(self, count: int) -> None:
        """Break the connection on which so many more bytes of replies have passed."""
        self._bytes_left = count

    def cut_in_reply(self, number: int) -> None:
        """Break the connection in the middle of the server's n-th reply from now, on all connections, from 1."""
        self._replies_left = number

    def cut_at(self, command: bytes, *, uncut: int, arrives: bool) -> None:
        """End the connection at a command: ``uncut`` of it pass before; then it, or its answer alone, is lost."""
        self._stop = _Stop(command, uncut, arrives)

    # How it works

    def _open(self) -> list[_Link]:
        return [link for link in self._links.values() if link]

    async def _serve(self, requests: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.accepted += 1
        self._links[task], self._clients[task] = None, client
        try:
            answers, server = await _connected_to(self._target)
            self._links[task] = link = _Link(requests, client, answers, server)
            await self._pass_both_ways(link)
        except (OSError, asyncio.CancelledError):
            pass  # either end has gone, or the test is over
        finally:
            client.close()
            del self._links[task], self._clients[task]

    async def _pass_both_ways(self, link: _Link) -> None:
        back = asyncio.create_task(self._pass_replies(link))
        try:
            while data := await link.requests.read(PIECE):
                said = _commands_in(link, data)
                self.said += said
                stop = self._stop
                if stop and self._ends_at(stop, said):
                    link.deaf = True
                    if stop.arrives:
                        link.server.write(data)
                        link.server.write_eof()
                        await back  # until the server has done all of it, and hung up
                    return
                await self._pass(data, link.server, link)
        finally:
            back.cancel()
            await asyncio.gather(back, return_exceptions=True)
            link.server.close()

    async def _pass_replies(self, link: _Link) -> None:
        with suppress(ConnectionError):
            while data := await link.answers.read(PIECE):
                if link.deaf:
                    continue
                if self.instead is not None:
                    data, self.instead = self.instead, None
                end = self._end_of(link, data)
                await self._pass(data[:end], link.client, link)
                if end is not None:
                    _break(link.client)
                    return
        if not (self.swallowing or link.deaf):
            link.client.close()

    async def _pass(self, data: bytes, to: asyncio.StreamWriter, link: _Link) -> None:
        size = self.piece or len(data) or 1
        for start in range(0, len(data), size):
            if self.delay:
                await asyncio.sleep(self.delay)
            await self._flows.wait()
            if not (self.swallowing or link.deaf):
                to.write(data[start : start + size])
                await to.drain()
                for _ in range(3 if self.piece else 0):
                    await asyncio.sleep(0)  # until a client in this loop has read this piece by itself

    def _ends_at(self, stop: _Stop, said: list[list[bytes]]) -> bool:
        count = sum(command[0].upper() == stop.command for command in said)
        ends = count > stop.uncut
        self._stop = None if ends else _Stop(stop.command, stop.uncut - count, stop.arrives)
        return ends

    def _end_of(self, link: _Link, data: bytes) -> int | None:
        """Where in this data the connection ends; None if it doesn't."""
        if self._bytes_left is not None:
            end = self._bytes_left
            self._bytes_left = None if len(data) >= end else end - len(data)
            return end if len(data) >= end else None
        start = 0
        for at in range(1, len(data) + 1) if self._replies_left else ():
            link.replies = link.replies or hiredis.Reader(notEnoughData=Ellipsis)
            link.replies.feed(data[at - 1 : at])
            if link.replies.gets() is not Ellipsis:
                self._replies_left -= 1
                if self._replies_left == 0:
                    return (start + at) // 2
                start = at
        return None

    async def _end(self) -> None:
        if self._door:
            self._door.close()
        tasks = list(self._links)
        for link in self._open():
            link.client.transport.abort()
            link.server.transport.abort()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@asynccontextmanager
async def proxied(target: str | int, *, unix: bool = False) -> AsyncIterator[Proxy]:
    """A proxy in front of a server's unix socket or port, on a port, or on a unix socket of its own."""
    proxy = Proxy(target)
    with tempfile.TemporaryDirectory(prefix="pm") as folder:
        proxy.path = str(Path(folder, "s")) if unix else ""
        await proxy.open_door()
        try:
            yield proxy
        finally:
            await proxy._end()


def _commands_in(link: _Link, data: bytes) -> list[list[bytes]]:
    if link.commands is None:
        return []
    link.commands.feed(data)
    try:
        return list(iter(link.commands.gets, False))
    except hiredis.ProtocolError:
        link.commands = None  # it speaks something else
        return []


async def _connected_to(target: str | int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    if isinstance(target, str):
        return await asyncio.open_unix_connection(target, limit=1 << 24)
    return await asyncio.open_connection("127.0.0.1", target, limit=1 << 24)


def _break(writer: asyncio.StreamWriter) -> None:
    """Close a connection with a reset, if it is of a kind that has one, once what was written has left."""
    if writer.is_closing():
        return
    ours: socket.socket = writer.get_extra_info("socket")
    if ours.family != socket.AF_UNIX:
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    writer.close()
