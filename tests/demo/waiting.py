"""Waiting for a condition outside our own process; nothing tells us when it holds, so it is asked again."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable

DEADLINE_SECONDS = 30


def wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not holds():
        assert time.monotonic() < deadline, "the condition never held"
        time.sleep(0.02)


async def eventually(holds: Callable[[], Awaitable[bool]]) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not await holds():
        assert time.monotonic() < deadline, "the condition never held"
        await asyncio.sleep(0.02)


async def a_moment() -> None:
    """Let others work before they are asked again: who asks all the time keeps the processor from them."""
    await asyncio.sleep(0.002)


def is_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False
