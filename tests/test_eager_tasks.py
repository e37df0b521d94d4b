"""Asynchronous tests run with eager tasks wherever Python has them, as the monitor does."""

from __future__ import annotations

import asyncio
import sys


async def test_a_task_begins_before_it_is_returned() -> None:
    begun = []

    async def begin() -> None:
        begun.append("begun")

    task = asyncio.create_task(begin())
    assert begun == (["begun"] if sys.version_info >= (3, 12) else [])
    await task
