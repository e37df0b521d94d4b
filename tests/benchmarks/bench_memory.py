"""Whether memory stays flat: snapshots whose every number changes, through the real screen and its cell diff."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import pty
import subprocess
import sys
import time
import tracemalloc

from textual.drivers.headless_driver import HeadlessDriver

from pymon_tui.server.endpoint import Endpoint
from pymon_tui.settings import Settings
from pymon_tui.ui.app import PymonApp
from pymon_tui.ui.screens.connect import Choice
from pymon_tui.ui.ways import Ways
from tests.benchmarks.figures import Figure
from tests.benchmarks.marathon import Marathon, recorded
from tests.benchmarks.watched import rss_mib

SNAPSHOTS = 20_000
FIRST, FULL = 10, 10_000
"""Snapshots after which the screen is filled, and after which whatever is bounded is full, caches included."""
SIZE = (120, 36)
LIMIT = 0.01
"""The share of RSS that is noise."""
KEYS = ("1", "2", "1", "3", "1", "4", "1", "5", "1", "6", "1", "7")
KEY_EVERY = 100
"""Snapshots from one change of the form to the next."""
PATIENCE = 10.0
"""Seconds to wait for a frame."""


class Nowhere(HeadlessDriver):
    """A terminal that takes whatever is written."""

    drawn = asyncio.Event()
    """Set by each frame."""

    @property
    def is_headless(self) -> bool:
        return False

    def write(self, data: str) -> None:
        self.drawn.set()


def figures() -> list[Figure]:
    """The growth between the two marks, in a process of its own."""
    ours, theirs = pty.openpty()  # without a terminal the app leaves
    began = time.monotonic()
    command = [sys.executable, "-m", "tests.benchmarks.bench_memory", str(SNAPSHOTS)]
    # Frames as fast as they can be drawn: nobody waits for a sixtieth of a second with nothing to do.
    environment = {**os.environ, "TEXTUAL_FPS": "1000"}
    answer = subprocess.run(
        command, env=environment, stdin=theirs, stdout=subprocess.PIPE, check=True, text=True
    ).stdout
    os.close(ours)
    os.close(theirs)
    marks = {int(at): rss for at, rss in json.loads(answer)["rss"].items()}
    growth = marks[SNAPSHOTS] - marks[FULL]
    course = ", ".join(f"{at:,}: {rss:.1f}" for at, rss in marks.items())
    return [
        Figure(
            f"growth of RSS from {FULL:,} snapshots, when all that is bounded is full, to {SNAPSHOTS:,}",
            f"flat: ≤ {LIMIT:.0%}",
            f"{growth:+.1f} MiB, {growth / marks[FULL]:+.1%}",
            growth <= LIMIT * marks[FULL],
            f"MiB after {course}; {time.monotonic() - began:.0f} s",
        ),
        Figure(
            f"growth of RSS from {FIRST:,} snapshots, when the screen is filled, to {SNAPSHOTS:,}",
            "",
            f"{marks[SNAPSHOTS] - marks[FIRST]:+.1f} MiB",
            None,
            "each pane opened; the slow log, the feed and what is remembered of texts drawn full",
        ),
    ]


async def _run(snapshots: int, *, traced: bool) -> dict[str, object]:
    marathon = Marathon(await recorded())
    settings = Settings(host="scripted")
    app = PymonApp(settings, lambda _: marathon, _nowhere, _no_ways, driver_class=Nowhere)
    rss, first = {}, None
    async with app.run_test(headless=False, size=SIZE) as pilot:
        for number in range(1, snapshots + 1):
            await marathon.advance()
            Nowhere.drawn.clear()
            await asyncio.wait_for(Nowhere.drawn.wait(), PATIENCE)
            if number % KEY_EVERY == 0:
                await pilot.press(KEYS[number // KEY_EVERY % len(KEYS)])
            if number in (FIRST, 2_000) or number % 5_000 == 0:
                gc.collect()
                rss[number] = rss_mib("self")
            if number == FULL and traced:
                tracemalloc.start(12)
                first = tracemalloc.take_snapshot()
    if first is not None:
        for growth in tracemalloc.take_snapshot().compare_to(first, "traceback")[:8]:
            print(growth, *growth.traceback.format()[-8:], sep="\n", file=sys.stderr)
    return {"rss": rss}


def _no_ways(_app: object, _endpoint: object, _monitor: object) -> Ways:
    raise AssertionError("nothing is invalidated here")


def _nowhere(_: Choice, _present: Endpoint) -> Endpoint:
    raise AssertionError("nobody chooses a server here")


if __name__ == "__main__":
    print(json.dumps(asyncio.run(_run(int(sys.argv[1]), traced="trace" in sys.argv))))
