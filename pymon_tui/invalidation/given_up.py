"""Work that a person may give up, told from a task that is cancelled by whoever waits for it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class PlanCancelled(Exception):  # noqa: N818 - what somebody wanted, and no error
    """The plan was given up before it was whole."""


class Abandonable:
    """Runs one piece of work, which ``cancel`` ends before or while it runs."""

    def __init__(self) -> None:
        self._task: asyncio.Task[Any] | None = None
        self._cancelled = False

    def cancel(self) -> None:
        """Give up."""
        self._cancelled = True
        if self._task is not None:
            self._task.cancel()

    async def run(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Do it.

        Raises:
            PlanCancelled: After ``cancel``, once the work has ended.
        """
        if self._cancelled:
            raise PlanCancelled
        self._task = task = asyncio.create_task(work())
        try:
            return await task
        except asyncio.CancelledError:
            waiting = asyncio.current_task()
            if self._cancelled and not (waiting is not None and waiting.cancelling()):
                raise PlanCancelled from None
            raise
