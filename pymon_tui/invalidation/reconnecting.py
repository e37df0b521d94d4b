"""The same server again, after its connection was lost in the middle of the work."""

from __future__ import annotations

import random
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from pymon_tui.invalidation.pacing import Pacer
from pymon_tui.invalidation.pipe import Line
from pymon_tui.model.text import safe
from pymon_tui.server.backoff import backoff
from pymon_tui.server.endpoint import Endpoint
from pymon_tui.server.reasons import LinkError

L = TypeVar("L", bound=Line)

PATIENCE = 300.0
"""Seconds for which a lost server is tried again."""


async def reopened(
    endpoint: Endpoint,
    error: LinkError,
    pacer: Pacer,
    *,
    opens: Callable[[Endpoint], Awaitable[L]],
    check: Callable[[], Awaitable[None]] | None,
) -> L:
    """A new connection, however long it takes within ``PATIENCE``.

    Args:
        error: How the last one was lost.
        opens: Makes a connection.
        check: Awaited after each try that fails; raises where there is nothing left to wait for. None for no such look.

    Raises:
        Cancelled: If nobody wants one any more.
        LinkError: If the server doesn't come back.
    """
    until, tries, dice = time.monotonic() + PATIENCE, 0, random.Random()
    while time.monotonic() < until:
        tries += 1
        pacer.state, pacer.why = "reconnecting", safe(f"{error.what}; trying again")
        await pacer.wait(backoff(error.trouble, tries, dice))
        try:
            return await opens(endpoint)
        except LinkError as another:
            error = another
        if check is not None:
            await check()
    raise error
