"""A graph under a line that says what it draws; the line and the scale are there where there is room for them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.reactive import reactive

from pymon_tui.model.text import SafeText
from pymon_tui.ui.widgets.graph import Graph, Tone
from pymon_tui.ui.widgets.ink import Facts, Line


class Plot(Vertical, can_focus=False):
    """A ``Graph`` that with ``scaled`` has a caption and a scale, and is bare without.

    Attributes:
        graph: It says how many columns there is room for.
    """

    DEFAULT_CSS = """
    Plot {
        width: 1fr;
        height: 1fr;
        & > Facts { display: none; }
        &.-scaled > Facts { display: block; }
    }
    """

    scaled: reactive[bool] = reactive(False, init=False)

    def __init__(
        self,
        tone: Tone,
        unit: Callable[[float | None], SafeText],
        ceiling: Callable[[float], float],
        *,
        id: str | None = None,  # noqa: A002
    ) -> None:
        """``unit`` writes the scale in at most eight cells; ``ceiling`` gives a round end of it at or above a value."""
        self._ceiling = ceiling
        self.unit = unit
        self.graph = Graph(tone, unit)
        self._caption = Facts()
        super().__init__(id=id)

    def compose(self) -> ComposeResult:
        """The caption and the graph."""
        yield self._caption
        yield self.graph

    def show(self, caption: Line, columns: Sequence[float | None]) -> None:
        """Draw these columns, oldest first, under this caption."""
        self._caption.show((caption,))
        highest = max((value for value in columns if value is not None), default=0.0)
        self.graph.show(columns, self._ceiling(highest))

    def watch_scaled(self, scaled: bool) -> None:  # noqa: FBT001
        """Show or hide the caption and the scale."""
        self.set_class(scaled, "-scaled")
        self.graph.scaled = scaled
