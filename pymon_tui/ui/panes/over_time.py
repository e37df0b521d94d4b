"""What panes with graphs share: how much time the graphs show is chosen with ``w``."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.reactive import reactive

from pymon_tui.model.snapshot import Snapshot
from pymon_tui.ui.panes.pane import Pane
from pymon_tui.ui.widgets.graph import Graph
from pymon_tui.ui.widgets.ink import Line
from pymon_tui.ui.widgets.timespan import TIMESPANS, Timespan, caption, samples_per_column


class PaneOverTime(Pane):
    """A pane that draws history. The overview has one column a sample; in full a person chooses the time shown."""

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

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """The overview has no room to say what time is shown, so it can't be chosen there."""
        return self.full if action == "timespan" else super().check_action(action, parameters)

    def columns(self, snapshot: Snapshot, metric: str, graph: Graph) -> tuple[float | None, ...]:
        """The metric's columns for this graph, over the time that is shown."""
        width = graph.columns_wanted
        return snapshot.history.columns(metric, width, self._per_column(snapshot, width))

    def marks(self, snapshot: Snapshot, graph: Graph) -> frozenset[int]:
        """The columns in which something happened."""
        width = graph.columns_wanted
        return snapshot.history.marks(width, self._per_column(snapshot, width))

    def caption(self, snapshot: Snapshot, graph: Graph) -> Line:
        """How much time the graph shows, in words."""
        width = graph.columns_wanted
        return caption(snapshot.history, width, self._per_column(snapshot, width))

    def _per_column(self, snapshot: Snapshot, width: int) -> int:
        timespan = self.timespan if self.full else TIMESPANS[0]
        return samples_per_column(timespan, snapshot.interval, width)
