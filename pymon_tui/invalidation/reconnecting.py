"""The same server again, after its connection was lost in the middle of the work."""

from __future__ import annotations

import random
import time

from pymon_tui.invalidation.pacing import Pacer
from pymon_tui.invalidation.pipe import Pipe, open_pipe
from pymon_tui.model.text import safe
from pymon_tui.server.backoff import backoff
from pymon_tui.server.endpoint import Endpoint
from pymon_tui.server.reasons import LinkError

PATIENCE = 300.0
"""Seconds for which a lost server is tried again."""


async def reopened(endpoint: Endpoint, error: LinkError, pacer: Pacer) -> Pipe:
    """A new connection, however long it takes within ``PATIENCE``; ``error`` says how the last one was lost.

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
            return await open_pipe(endpoint)
        except LinkError as another:
            error = another
    raise error
