"""An application's client, and a clock to be set."""

from __future__ import annotations

from redis.asyncio import Redis

from pymon_tui.demo.embedded import EmbeddedServer
from pymon_tui.services.connection import connect


def client_of(server: EmbeddedServer) -> Redis:
    """The application's own client, which repeats what failed."""
    return connect(server.socket, name="py-monitor")


class Clock:
    """A clock that goes on when it is told to.

    Attributes:
        now: Seconds.
    """

    def __init__(self, now: float = 1_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now
