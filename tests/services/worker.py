"""A process of the application that reads one key all the time: python -m tests.services.worker SOCKET KEY.

It writes ``held`` when its first tier holds the key, and ``dropped NANOSECONDS`` (of the monotonic clock) when that has
dropped it, again and again.
"""

from __future__ import annotations

import asyncio
import sys
import time

from pymon_tui.services.connection import connect
from pymon_tui.services.local import ABSENT, LocalCache
from pymon_tui.services.strategy import Tiers
from pymon_tui.services.tracking import Tracking

PREFIX = b"monitoring:result:"


async def work(socket: str, key: str) -> None:
    """Read for ever."""
    local = LocalCache(100)
    async with (
        connect(socket, name="worker") as client,
        Tiers(client, Tracking(client, local, [PREFIX], pong_timeout=30.0)) as tiers,
    ):
        while True:
            while local.get(key.encode()) is ABSENT:
                await tiers.get_or_load(key, load)
                await asyncio.sleep(0.001)
            say("held")
            while local.get(key.encode()) is not ABSENT:  # noqa: ASYNC110 - an instant, which nothing announces
                await asyncio.sleep(0.001)
            say(f"dropped {time.monotonic_ns()}")


async def load() -> str:
    """The value where it is kept for good."""
    return "value"


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(work(*sys.argv[1:]))
