"""The benchmarks: ``python -m tests.benchmarks [NAME ...]`` runs those named, or all, and prints one table.

They need Linux, about twenty minutes and a machine that has little else to do. The exit code is 0 whatever the
figures are: they are for people to judge, and no test.
"""

from __future__ import annotations

import argparse
import compileall
import os
import platform
import sys
import time
from collections.abc import Callable
from importlib import import_module
from importlib.metadata import version

import pymon_tui
from tests.benchmarks.figures import HEAD, Figure, row
from tests.servers.kinds import system_path

NAMES = ("screen", "keys", "start", "once", "refresh", "feed", "memory", "invalidation", "command", "services")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description="Measure the program.")
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"what to measure: {', '.join(NAMES)}; all if left out"
    )
    names = parser.parse_args().names or NAMES
    if unknown := sorted({*names} - {*NAMES}):
        parser.error(f"no benchmark {', '.join(unknown)}; there are: {', '.join(NAMES)}")
    os.environ["PATH"] = system_path()
    # Programs that compile themselves anew at each start would be measured for that.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    for package in pymon_tui.__path__:
        compileall.compile_dir(package, quiet=1)
    print(_machine(), file=sys.stderr)
    print(HEAD)
    for name in names:
        began = time.monotonic()
        measure: Callable[[], list[Figure]] = import_module(f"tests.benchmarks.bench_{name}").figures
        for figure in measure():
            print(row(figure), flush=True)
        load = os.getloadavg()[0]
        print(f"{name}: {time.monotonic() - began:.0f} s, load {load:.1f}", file=sys.stderr, flush=True)


def _machine() -> str:
    versions = [f"{name} {version(name)}" for name in ("textual", "redis", "hiredis")]
    python = f"Python {platform.python_version()}"
    return ", ".join([f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}", python, *versions])


if __name__ == "__main__":
    main()
