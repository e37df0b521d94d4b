"""The soak: ``python -m tests.soak`` breaks a server and a cluster under load again and again, and counts.

``--on server|cluster|both`` (by default both, each for half of the time), ``--minutes 30``, ``--seed N``. The real
screens run headless on the real source; servers, nodes and lines fail at random, keys are pressed and keys are removed
meanwhile. It ends with a table of each; the exit code is 0 where nothing crashed, leaked or was counted wrongly. It
needs Linux or macOS and no network.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys

from tests.soak import cluster, server
from tests.soak.account import Account

SOAKS = {"server": server.soak, "cluster": cluster.soak}


def main() -> int:
    """Soak what was asked for, and print what became of it, also where that ends early."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description="Break servers again and again.")
    parser.add_argument("--on", choices=(*SOAKS, "both"), default="both")
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--seed", type=int, default=random.randrange(10_000))
    chosen = parser.parse_args()
    print(f"{chosen.minutes:g} minutes on {chosen.on}, --seed {chosen.seed}", file=sys.stderr, flush=True)  # noqa: T201
    names = list(SOAKS) if chosen.on == "both" else [chosen.on]
    accounts = []
    for name in names:
        account = Account(name)
        accounts.append(account)
        try:
            asyncio.run(SOAKS[name](account, chosen.minutes * 60 / len(names), chosen.seed))
        finally:
            print(account.table(), flush=True)  # noqa: T201
    return 0 if all(account.is_sound for account in accounts) else 1


if __name__ == "__main__":
    sys.exit(main())
