"""``pymon-tui invalidate PATTERN --yes`` as a person waits for it: from the start of the process to its end.

Half of the keys match. The line of shell removes as many in the same round, so that only ratios depend on the machine.
"""

from __future__ import annotations

import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.bench_invalidation import FILL, OURS, filled
from tests.benchmarks.figures import Figure, spread

ROUNDS = 3
LIMITS = {10_000: 0.0, 100_000: 2.0, 300_000: 3.0, 1_000_000: 5.0}
"""How many times as fast as the shell the command is to be, by the number of keys to remove; 0 for none."""
SECONDS = {10_000: 0.4}
"""How long it may take, where the start of Python is most of it."""
UNDO = 0.8
"""The share of the speed without an undo."""
KEPT = (10_000, 100_000)
"""Numbers of keys that are removed with an undo as well."""


@dataclass(frozen=True, slots=True)
class Spent:
    """What one process cost, and all that it started: seconds."""

    wall: float
    cpu: float


Runs = dict[str, list[Spent]]
"""All rounds of each way."""


def figures() -> list[Figure]:
    """The figures of each server that is here."""
    if shutil.which("redis-cli") is None:
        return [Figure("whole commands", "", "not measured", None, "redis-cli is not installed")]
    binaries = {"Valkey": None, "Redis": shutil.which("redis-server")}
    return [
        figure
        for name, binary in binaries.items()
        if binary is not None or name == "Valkey"
        for keys in LIMITS
        for figure in _of(name, keys, _rounds(Path(binary) if binary else None, keys))
    ]


def _rounds(binary: Path | None, keys: int) -> Runs:
    """Every way in turn, several times over."""
    runs: Runs = {}
    ways = ["ours", *(["undo"] if keys in KEPT else []), "shell"]
    with filled(binary, keys) as (client, port), tempfile.TemporaryDirectory() as folder:
        for number in range(ROUNDS + 1):
            for way in ways:
                client.eval(FILL, 0, OURS, keys)
                spent = _spent(way, port, folder)
                assert client.dbsize() == keys, way
                if number or keys > min(KEPT):  # the first start of all compiles what isn't compiled yet
                    runs.setdefault(way, []).append(spent)
    return runs


def _spent(way: str, port: int, folder: str) -> Spent:
    pattern = f"{OURS}*"
    if way == "shell":
        scan = f"redis-cli -p {port} --scan --pattern '{pattern}'"
        command = ["sh", "-c", f"{scan} | xargs -n 1000 redis-cli -p {port} unlink"]
    else:
        command = [sys.executable, "-m", "pymon_tui", "-p", str(port), "invalidate", pattern, "--yes"]
        command += [] if way == "undo" else ["--no-undo"]
    environ = os.environ | {"XDG_STATE_HOME": folder, "XDG_CONFIG_HOME": folder}
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environ, check=True)
    wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    return Spent(wall, after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime)


def _of(server: str, keys: int, runs: Runs) -> list[Figure]:
    what = f"`invalidate --yes`, {keys:,} of {2 * keys:,} keys, the whole command, {server}".replace(",000", " 000")
    faster, least, most = _ratio(runs, "shell", "ours"), LIMITS[keys], SECONDS.get(keys)
    wall = statistics.median(one.wall for one in runs["ours"])
    told = f"{_told(runs['ours'])}; the shell: {_told(runs['shell'])}"
    if most is not None:
        found = [Figure(f"{what}, without an undo", f"≤ {most} s", f"{wall:.2f} s", wall <= most, told)]
    else:
        against = f"{what}, without an undo: against `redis-cli --scan` into `xargs -n 1000 redis-cli unlink`"
        found = [Figure(against, f"≥ {least:.0f} times as fast", f"{faster:.1f} times", faster >= least, told)]
    if "undo" in runs:
        share = _ratio(runs, "ours", "undo")
        limit = f"≥ {UNDO:.0%} of the speed without"
        found.append(Figure(f"{what}, with an undo", limit, f"{share:.0%}", share >= UNDO, _told(runs["undo"])))
    return found


def _ratio(runs: Runs, slow: str, fast: str) -> float:
    """How many times as fast one way is as the other, in the middle of all rounds."""
    return statistics.median(one.wall / other.wall for one, other in zip(runs[slow], runs[fast], strict=True))


def _told(runs: Sequence[Spent]) -> str:
    walls, cpu = spread([run.wall for run in runs], ".2f"), statistics.median(run.cpu for run in runs)
    return f"{walls} s, CPU {cpu:.2f} s"
