"""A unix socket in front of a server's, which notes what is asked and cuts the line at a command."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import hiredis


class Line:
    """What goes over it, and where it is cut.

    Attributes:
        path: Where to connect to.
        said: The commands that the server was sent, or that were cut off, on all connections.
        cut_at: The command at which to cut, such as ``UNLINK``.
        uncut: How many of those go through before; below 0 the line is cut no more.
        arrives: Whether the command reaches the server, and its answer alone is lost.
    """

    def __init__(self, path: str, cut_at: bytes, *, uncut: int, arrives: bool) -> None:
        self.path = path
        self.said: list[list[bytes]] = []
        self.cut_at = cut_at
        self.uncut = uncut
        self.arrives = arrives

    def named(self, command: bytes) -> list[bytes]:
        """The keys that a command was sent with, in order."""
        return [key for said in self.said if said[0] == command for key in said[1:]]

    def is_cut_by(self, commands: list[list[bytes]]) -> bool:
        """Note commands that a client sends; whether the line ends here."""
        self.said += commands
        count = sum(command[0] == self.cut_at for command in commands)
        before, self.uncut = self.uncut, self.uncut - count
        return before >= 0 > self.uncut


@asynccontextmanager
async def cutting(server: str, cut_at: bytes, *, uncut: int, arrives: bool) -> AsyncIterator[Line]:
    """A line to the server at this path, cut once."""
    with tempfile.TemporaryDirectory(prefix="pm") as folder:
        line = Line(str(Path(folder, "s")), cut_at, uncut=uncut, arrives=arrives)
        tasks: set[asyncio.Task[None]] = set()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            tasks.add(task)
            try:
                await _pass_on(line, server, reader, writer)
            except (ConnectionError, asyncio.CancelledError):
                pass  # either end has gone, or the test is over
            finally:
                writer.close()

        door = await asyncio.start_unix_server(serve, line.path, limit=1 << 24)
        try:
            yield line
        finally:
            door.close()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


async def _pass_on(line: Line, server: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    answers, to_server = await asyncio.open_unix_connection(server)
    back = asyncio.create_task(_pass_back(answers, writer))
    commands = hiredis.Reader()
    try:
        while data := await reader.read(1 << 20):
            commands.feed(data)
            whole = list(iter(commands.gets, False))
            if line.is_cut_by(whole):
                back.cancel()
                if line.arrives:
                    to_server.write(data)
                    to_server.write_eof()
                    await asyncio.gather(back, return_exceptions=True)
                    await answers.read()  # until the server has done all of it, and hung up
                return
            to_server.write(data)
            await to_server.drain()
    finally:
        back.cancel()
        await asyncio.gather(back, return_exceptions=True)
        to_server.close()


async def _pass_back(answers: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await answers.read(1 << 20):
        writer.write(data)
        await writer.drain()
    writer.close()
