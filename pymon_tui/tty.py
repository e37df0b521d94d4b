"""What the terminal is and can, asked before anything is drawn on it."""

from __future__ import annotations

import os
import sys

import click

_COLOR_SYSTEMS = {"truecolor": "truecolor", "256": "256", "16": "standard"}


def require() -> None:
    """Refuse to go on without a terminal.

    Raises:
        click.UsageError: With what is missing, and the command that does without.
    """
    missing = [name for name in ("stdin", "stderr") if not _is_terminal(name)]
    reason = f"{missing[0]} is not one" if missing else "TERM=dumb cannot show it"
    if missing or os.environ.get("TERM") == "dumb":
        raise click.UsageError(f"the monitor needs a terminal, and {reason}; for one reading as text: pymon-tui once")


def use_color(color: str) -> None:
    """Tell Textual, before it is imported, how many colours there are; ``auto`` leaves it to what the terminal says."""
    if color in _COLOR_SYSTEMS:
        os.environ["TEXTUAL_COLOR_SYSTEM"] = _COLOR_SYSTEMS[color]


def _is_terminal(name: str) -> bool:
    stream = getattr(sys, name)  # None where the descriptor is closed
    return stream is not None and stream.isatty()
