"""What stands in the overview, in which order; app.tcss says how wide each pane is in it."""

from __future__ import annotations

from collections.abc import Iterable

from pymon_tui.ui.panes.pane import Pane

ROWS = ("server", "memory", "hits", "clients", "slowlog", "notifications")
"""The panes by name, row by row."""


def in_order(panes: Iterable[type[Pane]]) -> list[type[Pane]]:
    """The panes of the overview as it places them."""
    return sorted((pane for pane in panes if pane.IN_OVERVIEW), key=lambda pane: ROWS.index(pane.NAME))


def wanted(panes: Iterable[type[Pane]], opened: str | None) -> set[str]:
    """The readings that are looked at, by name: those of the overview, or of the pane that is open in full."""
    if opened is None:
        return {query.name for pane in panes if pane.IN_OVERVIEW for query in pane.QUERIES}
    return {query.name for pane in panes if opened == pane.NAME for query in (*pane.QUERIES, *pane.DETAIL_QUERIES)}
