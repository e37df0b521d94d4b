"""How much time a graph shows: its columns, what is marked in it, and the clock below it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from pymon_tui.model.history import HistoryView
from pymon_tui.model.text import SafeText, safe
from pymon_tui.ui.widgets.graph import Graph
from pymon_tui.ui.widgets.scale import Scale

_TICKS = (10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600)
_APART = 2.4
"""How many times its own width a clock time has from its beginning to that of the next one, at least."""


class Timespan(NamedTuple):
    """What a graph's width stands for, in seconds."""

    name: str
    seconds: float


TIMESPANS = (Timespan("5m", 300.0), Timespan("15m", 900.0), Timespan("1h", 3600.0))
WHILE_RUNNING = Timespan("2m", 120.0)
"""What is shown of a run."""


@dataclass(frozen=True, slots=True)
class Timeline:
    """A history over the time that one graph shows, the newest at the right.

    Attributes:
        cells: How wide the graph is.
        a_cell: How many columns a cell holds.
    """

    history: HistoryView
    timespan: Timespan
    cells: int
    a_cell: int

    @property
    def seconds(self) -> float:
        """What one column stands for."""
        return self.timespan.seconds / max(1, self.cells * self.a_cell)

    def columns(self, metric: str) -> tuple[float | None, ...]:
        """The metric's columns, oldest first."""
        return self.history.columns(metric, self.cells * self.a_cell, self.seconds)

    def marks(self) -> Mapping[int, SafeText]:
        """The columns in which something happened, and what."""
        return self.history.marks(self.cells * self.a_cell, self.seconds)

    def ticks(self) -> Mapping[int, SafeText]:
        """Round clock times, in local time, by the cell that they begin in."""
        a_cell = self.seconds * self.a_cell
        found = ((each, 5 if each % 60 == 0 else 8) for each in _TICKS)
        step, width = next(((each, width) for each, width in found if each >= _APART * width * a_cell), (0, 0))
        if not step:
            return {}
        end = self.history.newest(self.seconds) + 1
        first, last = (end - self.cells * self.a_cell) * self.seconds, end * self.seconds
        east = time.localtime(last).tm_gmtoff
        ticks: dict[int, SafeText] = {}
        for number in range(int((first + east) // step), int((last + east) // step) + 1):
            moment = number * step - east
            cell = int((moment / self.seconds - end) // self.a_cell) + self.cells
            if 0 <= cell <= self.cells - width:
                ticks[cell] = safe(time.strftime("%H:%M:%S"[:width], time.localtime(moment)))
        return ticks


def ranged(scale: Scale, graph: Graph, timespan: Timespan) -> SafeText:
    """What a graph's height and width stand for, and what it cuts without room to say so: ``0–18k/s · 5m``."""
    cut = "" if graph.untold is None else f"{graph.cut_glyph}{graph.untold} · "
    return safe(f"{cut}{scale.text} · {timespan.name}")
