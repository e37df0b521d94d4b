"""Items that are made before they are wanted, while what came before them is worked on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import TypeVar

T = TypeVar("T")


async def ahead(items: AsyncGenerator[T], room: int) -> AsyncGenerator[T]:
    """The same items, made in a task of their own up to ``room`` items before they are wanted."""
    async with aclosing(_made(items, room, 1)) as made:
        async for (item,) in made:
            yield item


async def ready(items: AsyncGenerator[T], room: int) -> AsyncGenerator[list[T]]:
    """As ``ahead``: all that are made already, and at least one."""
    async with aclosing(_made(items, room, room)) as made:
        async for some in made:
            yield some


async def _made(items: AsyncGenerator[T], room: int, most: int) -> AsyncGenerator[list[T]]:
    queue: asyncio.Queue[tuple[T] | None] = asyncio.Queue(room)

    async def fill() -> None:
        try:
            async with aclosing(items):
                async for item in items:
                    await queue.put((item,))
        finally:
            await queue.put(None)

    filling = asyncio.create_task(fill())
    try:
        made = await queue.get()
        while made is not None:
            some = [made[0]]
            while len(some) < most and not queue.empty() and (made := queue.get_nowait()) is not None:
                some.append(made[0])
            yield some
            if made is not None:
                made = await queue.get()
        await filling  # raises what ended it
    finally:
        filling.cancel()
        while not queue.empty():
            queue.get_nowait()  # who fills it would wait for ever to put its last item into a full one
        await asyncio.gather(filling, return_exceptions=True)
