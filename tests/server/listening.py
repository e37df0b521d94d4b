"""A listener at work, and waiting for what it makes of things."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from pymon_tui.demo.embedded import EmbeddedServer
from pymon_tui.model.feed import Feed, Mark, Message
from pymon_tui.model.link import Live
from pymon_tui.server.endpoint import Endpoint
from pymon_tui.server.listener import Listener

DEADLINE_SECONDS = 30


async def until(holds: Callable[[], bool]) -> None:
    """Let others work until this holds."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not holds():
        assert time.monotonic() < deadline, "the condition never held"
        await asyncio.sleep(0.002)


def at(server: EmbeddedServer) -> Endpoint:
    """Where this server listens."""
    return Endpoint(socket=server.socket)


@asynccontextmanager
async def listening(
    endpoint: Endpoint, *patterns: bytes, feed: Feed | None = None, ping_every: float = 5.0, pong_timeout: float = 3.0
) -> AsyncIterator[tuple[Listener, Feed]]:
    """A listener that runs, and the feed it fills."""
    filled = Feed() if feed is None else feed
    listener = Listener(endpoint, filled, patterns, ping_every=ping_every, pong_timeout=pong_timeout)
    running = asyncio.create_task(listener.run())
    try:
        yield listener, filled
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running


def live(feed: Feed) -> Callable[[], bool]:
    """Whether the feed's connection is live."""
    return lambda: isinstance(feed.status, Live)


def messages(feed: Feed) -> list[tuple[bytes, bytes]]:
    """Channel and payload of the messages kept, oldest first."""
    entries = reversed(feed.newest())
    return [(entry.channel, entry.payload) for entry in entries if isinstance(entry, Message)]


def marks(feed: Feed) -> list[str]:
    """The marks kept, oldest first."""
    return [entry.text for entry in reversed(feed.newest()) if isinstance(entry, Mark)]
