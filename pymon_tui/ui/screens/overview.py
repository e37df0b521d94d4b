"""The overview's order; app.tcss says how wide each pane is in it."""

from __future__ import annotations

from collections.abc import Iterable

from pymon_tui.ui.panes.pane import Pane

ROWS = ("server", "memory", "hits", "clients", "slowlog", "notifications")
"""The panes by name, row by row."""


def in_order(panes: Iterable[type[Pane]]) -> list[type[Pane]]:
    """The panes as the overview places them; those it doesn't know come last."""
    return sorted(panes, key=lambda pane: ROWS.index(pane.NAME) if pane.NAME in ROWS else len(ROWS))
