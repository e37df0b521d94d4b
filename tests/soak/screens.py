"""The real screens, headless, on a machine that can sleep."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from textual.pilot import Pilot

from pymon_tui.server import clock
from pymon_tui.server.endpoint import Endpoint
from pymon_tui.settings import Settings
from pymon_tui.ui.app import PymonApp
from tests.faults.watching import source_of
from tests.ui.stage import no_ways

PATIENCE = 0.5
"""Seconds of the connect and command timeouts."""


class Sleep:
    """How long the machine has seemed to sleep, in seconds."""

    seconds = 0.0


sleep = Sleep()


@asynccontextmanager
async def asleep() -> AsyncIterator[None]:
    """The machine wakes from an hour's sleep."""
    sleep.seconds += 3_600.0
    yield


def endpoint_at(port: int) -> Endpoint:
    """What listens at this port of this machine, with little patience."""
    return Endpoint(host="127.0.0.1", port=port, connect_timeout=PATIENCE, command_timeout=PATIENCE)


@asynccontextmanager
async def screens(endpoint: Endpoint) -> AsyncIterator[Pilot[int]]:
    """The app on what is at this endpoint."""
    real = clock.now
    clock.now = lambda: real() + sleep.seconds
    app = PymonApp(
        Settings(host="soaked"),
        source_of,
        lambda *_: endpoint,
        no_ways,
        endpoint=endpoint,
        clock=clock.now,
    )
    try:
        async with app.run_test(size=(120, 36)) as pilot:
            yield pilot
    finally:
        clock.now = real
