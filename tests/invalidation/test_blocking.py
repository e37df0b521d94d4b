from __future__ import annotations

import asyncio
import threading

import pytest

from pymon_tui.invalidation.blocking import to_its_end
from tests.server.listening import until


def divide(one: int, *, by: int) -> float:
    return one / by


async def test_it_returns_and_raises_what_the_function_does() -> None:
    assert await to_its_end(divide, 1, by=2) == 0.5
    with pytest.raises(ZeroDivisionError):
        await to_its_end(divide, 1, by=0)


@pytest.mark.parametrize("fails", [False, True])
async def test_a_cancelled_task_goes_on_when_the_function_has_returned(fails: bool) -> None:  # noqa: FBT001 - pytest's
    may_end, has_begun, ended = threading.Event(), threading.Event(), []

    def work() -> None:
        has_begun.set()
        may_end.wait()
        ended.append("work")
        if fails:
            raise OSError

    async def task() -> None:
        try:
            await to_its_end(work)
        finally:
            ended.append("task")

    told: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))
    running = asyncio.create_task(task())
    await until(has_begun.is_set)
    for _ in range(3):  # who wants it to end, and then the end of the loop
        running.cancel()
        for _ in range(20):
            await asyncio.sleep(0)
    assert ended == []
    may_end.set()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert ended == ["work", "task"]
    assert told == []
