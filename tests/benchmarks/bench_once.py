"""``once --json --span 0`` from start to end, next to the import of redis.asyncio alone."""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence

from pymon_tui.demo.embedded import EmbeddedServer
from tests.benchmarks.figures import Figure, spread

ROUNDS = 25
LIMIT = 1.5
LIBRARIES = ("click", "pydantic_settings", "redis.asyncio")
"""What the command can't do without."""


def figures() -> list[Figure]:
    """``once``, the import alone, and the import of all the libraries it needs, which is the least it can take."""
    with EmbeddedServer() as server:
        once = [sys.executable, "-m", "pymon_tui", "once", "--json", "--span", "0", "-s", server.socket]
        alone = [sys.executable, "-c", "import redis.asyncio"]
        libraries = [sys.executable, "-c", f"import {', '.join(LIBRARIES)}"]
        rounds = [tuple(map(_run, (once, alone, libraries))) for _ in range(ROUNDS + 1)][1:]
    ours, theirs, floor = ([one[place] for one in rounds] for place in range(3))
    ratio = _ratio(ours, theirs, 0)
    walls = [[one[0] * 1e3 for one in runs] for runs in (ours, theirs, floor)]
    return [
        Figure(
            "`once --json --span 0`",
            f"≤ {LIMIT} times `import redis.asyncio`",
            f"{ratio:.2f} times",
            ratio <= LIMIT,
            f"{spread(walls[0])} ms and {spread(walls[1])} ms, medians of {ROUNDS} in turn; "
            f"fastest of each: {min(walls[0]) / min(walls[1]):.2f} times; CPU: {_ratio(ours, theirs, 1):.2f} times; "
            f"the floor is {_ratio(floor, theirs, 0):.2f} times, {spread(walls[2])} ms, CPU "
            f"{_ratio(floor, theirs, 1):.2f} times: the import of {', '.join(LIBRARIES)}",
        )
    ]


def _ratio(ours: Sequence[tuple[float, float]], theirs: Sequence[tuple[float, float]], part: int) -> float:
    return statistics.median(one[part] for one in ours) / statistics.median(one[part] for one in theirs)


def _run(command: Sequence[str]) -> tuple[float, float]:
    """Wall and CPU seconds of a command."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
