"""What an interpreter complains of at its end: ``python -m tests.as_forgotten`` leaves a task, and what can't end."""

from __future__ import annotations

import asyncio
import sys


class Stuck:
    """It fails when it is deleted, which is when somebody looks for circles."""

    def __init__(self) -> None:
        self.itself = self

    def __del__(self) -> None:
        raise ValueError("stuck")


def forget() -> None:
    """Leave a task that waits in a loop that nobody closes."""
    loop = asyncio.new_event_loop()
    task = loop.create_task(asyncio.sleep(3_600), name="forgotten")
    loop.run_until_complete(asyncio.sleep(0, task))


if __name__ == "__main__":
    forget()
    Stuck()
    sys.exit(3)
