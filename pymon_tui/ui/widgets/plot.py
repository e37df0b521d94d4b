"""A graph of a rate under a line that says what it draws; the line is there where there is room for it."""

from __future__ import annotations

from collections.abc import Callable

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.reactive import reactive

from pymon_tui.ui.widgets.graph import Graph
from pymon_tui.ui.widgets.ink import Facts, Line, Role
from pymon_tui.ui.widgets.scale import Scale, Unit, rates
from pymon_tui.ui.widgets.timespan import Timeline


class Plot(Vertical, can_focus=False):
    """A ``Graph`` that with ``titled`` has a caption, and is bare without.

    Attributes:
        graph: It says how many columns there is room for.
    """

    DEFAULT_CSS = """
    Plot {
        width: 1fr;
        height: 1fr;
        & > Facts { display: none; }
        &.-titled > Facts { display: block; }
    }
    """

    titled: reactive[bool] = reactive(False, init=False)

    def __init__(
        self,
        tone: Role,
        unit: Unit,
        round_: Callable[[float], float],
        *,
        id: str | None = None,  # noqa: A002
    ) -> None:
        """``unit`` writes a rate in at most eight cells; ``round_`` gives a round number at or above a value."""
        self._round = round_
        self.unit = unit
        self.graph = Graph(tone)
        self._caption = Facts()
        super().__init__(id=id)

    def compose(self) -> ComposeResult:
        """The caption and the graph."""
        yield self._caption
        yield self.graph

    def show(self, metric: str, time: Timeline) -> Scale:
        """Draw this rate over this time. Returns what the edges of the graph are."""
        columns = time.columns(metric)
        scale = rates(columns, self.unit, self.graph.rows, self._round)
        self.graph.show(columns, scale, marks=time.marks(), ticks=time.ticks())
        return scale

    def say(self, caption: Line) -> None:
        """Write this above the graph."""
        self._caption.show((caption,))

    def watch_titled(self, titled: bool) -> None:  # noqa: FBT001
        """Show or hide the caption."""
        self.set_class(titled, "-titled")
