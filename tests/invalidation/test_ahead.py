from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest

from pymon_tui.invalidation.ahead import ahead, ready
from tests.server.listening import until


class Counted:
    """Numbers without end, and how many were made."""

    def __init__(self) -> None:
        self.made = 0
        self.closed = False

    async def numbers(self) -> AsyncGenerator[int]:
        try:
            while True:
                self.made += 1
                yield self.made
                await asyncio.sleep(0)
        finally:
            self.closed = True


async def test_only_so_many_are_made_before_they_are_wanted() -> None:
    counted = Counted()
    async with aclosing(ahead(counted.numbers(), 2)) as items:
        assert await anext(items) == 1
        await until(lambda: counted.made == 4)
        for _ in range(100):
            await asyncio.sleep(0)
        assert counted.made == 4  # two are kept, and one is in the hands of who makes them
        assert await anext(items) == 2
    assert counted.closed


async def test_it_ends_however_far_it_is_ahead() -> None:
    for turns in range(12):
        counted = Counted()
        async with asyncio.timeout(30):
            async with aclosing(ahead(counted.numbers(), 2)) as items:
                await anext(items)
                for _ in range(turns):
                    await asyncio.sleep(0)
        assert counted.closed


async def test_all_that_is_ready_comes_at_once() -> None:
    async def numbers() -> AsyncGenerator[int]:
        for number in range(10):
            yield number

    got = []
    async for some in ready(numbers(), 4):
        got.append(some)
        for _ in range(100):
            await asyncio.sleep(0)
    assert [number for some in got for number in some] == list(range(10))
    assert max(map(len, got)) == 4
    assert len(got) < 5


async def test_what_ends_the_items_is_raised_after_the_last_of_them() -> None:
    async def failing() -> AsyncGenerator[int]:
        for number in range(6):
            yield number
        raise ArithmeticError

    got = []
    with pytest.raises(ArithmeticError):
        async for item in ahead(failing(), 2):
            got.append(item)
    assert got == list(range(6))
