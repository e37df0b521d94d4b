"""How much time a graph shows, and what of it is known."""

from __future__ import annotations

import math
from typing import NamedTuple

from pymon_tui.model import units
from pymon_tui.model.history import HistoryView
from pymon_tui.ui.widgets.ink import Line, label, span


class Timespan(NamedTuple):
    """What a graph's width stands for: ``seconds``, or None for one column a sample."""

    name: str
    seconds: float | None


TIMESPANS = (Timespan("one column a sample", None), Timespan("15 min", 900.0), Timespan("1 h", 3600.0))


def samples_per_column(timespan: Timespan, interval: float, width: int) -> int:
    """How many samples one of ``width`` columns stands for, at least one; ``interval`` is in seconds."""
    if timespan.seconds is None or interval <= 0 or width <= 0:
        return 1
    return max(1, math.ceil(timespan.seconds / interval / width))


def covered(history: HistoryView, width: int, per_column: int) -> float:
    """The seconds that the newest ``width`` columns show; fewer than they could while the history is young."""
    # The newest column is still being filled: columns are counted from the beginning of time.
    newest = (history.end - 1) % per_column + 1
    return history.seconds(min(len(history), (width - 1) * per_column + newest))


def caption(history: HistoryView, width: int, per_column: int) -> Line:
    """What stands under the graphs: ``last 3m 20s  one column is 4s``."""
    line = (label(f"last {units.duration(covered(history, width, per_column))}"),)
    # The first sample of all covers no time: nothing was before it.
    samples = min(len(history) - 1, width * per_column)
    if samples < 1:
        return line
    column = history.seconds(samples) / samples * per_column
    shown = units.duration(round(column)) if column >= 9.5 else f"{column:.1f}".removesuffix(".0") + "s"
    return (*line, span(f"  one column is {shown}", "faint"))
