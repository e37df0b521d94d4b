"""The command line in a process of its own, to be killed: ``python -m tests.stateful.child ARGUMENTS``."""

from __future__ import annotations

import sys

from pymon_tui import cli
from tests.stateful.circumstances import in_small_pages

if __name__ == "__main__":
    with in_small_pages():
        sys.exit(cli.run(sys.argv[1:]))
