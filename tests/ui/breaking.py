"""``python -m tests.ui.breaking PLACE ARGUMENTS``: the program with an error in one place that nobody has foreseen."""

from __future__ import annotations

import sys
from typing import Any, NoReturn

from pymon_tui import cli
from pymon_tui.server.listener import Listener
from pymon_tui.server.poller import Poller
from pymon_tui.ui.panes import PANES


def _break(*passed: Any, **_: Any) -> NoReturn:
    raise LookupError(f"it broke, with {len(passed)} arguments")


def main() -> None:
    """Break it, and run it."""
    place = sys.argv.pop(1)
    if place == "poller":
        Poller.tick = _break  # type: ignore[method-assign]
    elif place == "listener":
        Listener._follow = _break  # type: ignore[method-assign]
    else:
        next(pane for pane in PANES if place == pane.NAME).draw = _break  # type: ignore[method-assign]
    cli.main()


if __name__ == "__main__":
    main()
