"""A run in a process of its own, to be killed: python -m tests.invalidation.killed SOCKET FOLDER UNDO."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from pymon_tui.invalidation import ledger, pacing
from pymon_tui.invalidation.account import Options
from pymon_tui.server.endpoint import Endpoint
from tests.invalidation.planned import selecting
from tests.invalidation.removing import removal_of


async def run(socket: str, folder: str, rate: str) -> None:
    """Remove the cache's keys, writing more often to the journal than at other times."""
    ledger.ALLOWANCE, ledger.PERIOD = 1_000, 0.01
    pacing._IDLE = 0.0
    options = Options(undo=True, rate=float(rate))
    removal = await removal_of(Endpoint(socket=socket), selecting("cache:*"), Path(folder), options)
    sys.stdout.write("planned\n")
    sys.stdout.flush()
    await removal.run()


if __name__ == "__main__":
    asyncio.run(run(*sys.argv[1:]))
