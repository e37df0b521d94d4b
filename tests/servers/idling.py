"""A proxy that closes connections on which nothing is said for a while, as load balancers do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import hiredis


@dataclass(slots=True)
class Idling:
    """Where it is, how often it was spoken to, in how many commands, and how many connections it has had and closed."""

    port: int = 0
    heard: int = 0
    commands: int = 0
    accepted: int = 0
    closed: int = 0


@asynccontextmanager
async def idling(target: str, limit: float, *, behind: bytes = b"") -> AsyncIterator[Idling]:
    """Stand in front of a server's unix socket; ``limit`` is the seconds of silence of a client who has its answers.

    It closes ``behind`` a question with these bytes alone, whose answer the client then has. What it was told and
    didn't read, because the line was gone by then, nobody could count.
    """
    proxy = Idling()
    tasks: set[asyncio.Task[None] | None] = set()

    async def serve(requests: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.current_task())
        proxy.accepted += 1
        answers, server = await asyncio.open_unix_connection(target, limit=1 << 24)
        answered, commands = asyncio.Event(), hiredis.Reader()
        back = asyncio.create_task(_pass(answers, client, answered))
        data = b""
        try:
            while True:
                async with asyncio.timeout(limit if behind in data else None):
                    if not (data := await requests.read(1 << 20)):
                        return
                proxy.heard += 1
                commands.feed(data)
                proxy.commands += sum(1 for _ in iter(commands.gets, False))
                answered.clear()
                server.write(data)
                await answered.wait()
        except TimeoutError:
            proxy.closed += 1
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            back.cancel()
            client.close()
            server.close()
            tasks.discard(asyncio.current_task())

    door = await asyncio.start_server(serve, "127.0.0.1", 0)
    proxy.port = door.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        door.close()
        for task in list(tasks):
            assert task is not None
            task.cancel()


async def _pass(answers: asyncio.StreamReader, client: asyncio.StreamWriter, answered: asyncio.Event) -> None:
    try:
        while data := await answers.read(1 << 20):
            client.write(data)
            answered.set()
    finally:
        answered.set()
