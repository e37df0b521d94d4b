"""Work that blocks, in a thread, and never left behind: what follows it may close the file it writes to."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


async def to_its_end(function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """What ``function`` returns or raises. A task that is cancelled meanwhile goes on once it has returned."""
    # No task of its own, which the end of the loop would cancel.
    working = asyncio.get_running_loop().run_in_executor(None, partial(function, *args, **kwargs))
    try:
        await asyncio.wait((working,))
        return working.result()
    except asyncio.CancelledError:
        while not working.done():
            with suppress(asyncio.CancelledError):  # the end of the loop cancels once more
                await asyncio.wait((working,))
        if not working.cancelled():
            working.exception()  # nobody is left to hear of it
        raise
