"""What panes with graphs share: how much time the graphs show is chosen with ``w``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.reactive import reactive

from pymon_tui.model.snapshot import Snapshot
from pymon_tui.model.text import SafeText
from pymon_tui.ui.panes.pane import Pane
from pymon_tui.ui.widgets.graph import Graph
from pymon_tui.ui.widgets.ink import Span, span
from pymon_tui.ui.widgets.scale import Scale
from pymon_tui.ui.widgets.timespan import TIMESPANS, Timeline, Timespan, ranged

_HIGH = 9
"""Rows of a pane from which on its graph has room for the clock, and takes half of them."""


def graph_rows(height: int) -> int:
    """How many of so many rows the overview keeps for its graph at least."""
    return height // 2 if height >= _HIGH else max(2, height // 3)


class PaneOverTime(Pane):
    """A pane that draws history. The overview shows five minutes; in full a person chooses the time shown."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("w", "timespan", "Time", id="graph.timespan", tooltip="Show more time in the graphs, or less"),
    ]

    timespan: reactive[Timespan] = reactive(TIMESPANS[0], layout=False, init=False)

    def action_timespan(self) -> None:
        """Show the next of the time spans."""
        self.timespan = TIMESPANS[(TIMESPANS.index(self.timespan) + 1) % len(TIMESPANS)]

    @on(Graph.Resized)
    def _fill(self, event: Graph.Resized) -> None:
        # A graph has no width before it is laid out, which is after it was drawn for the first time.
        event.stop()
        self.draw_again()

    def watch_timespan(self) -> None:
        """Draw the same snapshot over another time."""
        self.draw_again()

    def can(self, action: str) -> bool | None:
        """The panes of the overview show the same time, so that what is one above the other happened at once."""
        return self.full if action == "timespan" else super().can(action)

    def timeline(self, snapshot: Snapshot, graph: Graph) -> Timeline:
        """The history over the time that this graph shows."""
        return Timeline(snapshot.history, self.shown, graph.size.width, graph.a_cell)

    @property
    def shown(self) -> Timespan:
        """The time that graphs show: in the overview always the same."""
        return self.timespan if self.full else TIMESPANS[0]

    def ranged(self, scale: Scale, graph: Graph) -> SafeText:
        """What this graph's edges are, in words."""
        return ranged(scale, graph, self.shown)

    def legend(self, columns: Sequence[float | None], graph: Graph, why: str) -> Span:
        """What the faint dots are, where there are any."""
        return span(f"   {graph.unknown_glyph} {why}" if None in columns else "", "faint")
