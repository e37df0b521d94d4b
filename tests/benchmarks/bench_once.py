"""``once --json`` from start to end, next to the import of redis.asyncio alone."""

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


def figures() -> list[Figure]:
    """The two, started in turn."""
    with EmbeddedServer() as server:
        once = [sys.executable, "-m", "pymon_tui", "once", "--json", "-s", server.socket]
        alone = [sys.executable, "-c", "import redis.asyncio"]
        pairs = [(_run(once), _run(alone)) for _ in range(ROUNDS + 1)][1:]
    ours, theirs = [ours for ours, _ in pairs], [theirs for _, theirs in pairs]
    wall, cpu = ([statistics.median(one[part] for one in runs) for runs in (ours, theirs)] for part in (0, 1))
    fastest = min(one[0] for one in ours) / min(one[0] for one in theirs)
    ratio = wall[0] / wall[1]
    walls = [[one[0] * 1e3 for one in runs] for runs in (ours, theirs)]
    return [
        Figure(
            "`once --json`",
            f"≤ {LIMIT} times `import redis.asyncio`",
            f"{ratio:.2f} times",
            ratio <= LIMIT,
            f"{spread(walls[0])} ms and {spread(walls[1])} ms, medians of {ROUNDS} in turn; "
            f"fastest of each: {fastest:.2f} times; CPU: {cpu[0] / cpu[1]:.2f} times",
        )
    ]


def _run(command: Sequence[str]) -> tuple[float, float]:
    """Wall and CPU seconds of a command."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
