"""An area graph drawn by line: a bright edge on a dim body, and a hole where nothing is known."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Sequence
from itertools import groupby
from typing import Literal, TypeAlias

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip

from pymon_tui.model.text import SafeText, safe
from pymon_tui.ui.widgets.ink import Ink, fit_right

Glyphs: TypeAlias = Literal["blocks", "braille", "ascii"]
Tone: TypeAlias = Literal["accent", "info", "good"]

EDGES: dict[Glyphs, str] = {"blocks": "▁▂▃▄▅▆▇█", "braille": "⣀⣀⣤⣤⣶⣶⣿⣿", "ascii": "..--==##"}
_BODY: dict[Glyphs, str] = {"blocks": "█", "braille": "⣿", "ascii": ":"}
_MARK: dict[Glyphs, str] = {"blocks": "┊", "braille": "┊", "ascii": "|"}
_LINE: dict[Glyphs, str] = {"blocks": "╌", "braille": "╌", "ascii": "-"}
_GUTTER = 9


def ceiling(value: float) -> float:
    """The next of 1, 2, 5, 10, 20, 50, ... at or above the value: a scale that doesn't move at each sample."""
    if value < 1e-9 or not math.isfinite(value):
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next((step * power for step in (1, 2, 5) if value <= step * power * 1.0000001), 10 * power)


def byte_ceiling(value: float) -> float:
    """The same of bytes, round in their binary units: 1, 2, 5, ... 500 KiB, 1 MiB."""
    unit = 1.0
    while value > 1024 * unit:
        unit *= 1024
    return min(ceiling(value / unit), 1024.0) * unit


class Graph(Ink):
    """The newest columns of a metric, the newest at the right."""

    DEFAULT_CSS = """
    Graph {
        height: 1fr;
        min-height: 1;
    }
    """

    class Resized(Message):
        """There is room for another number of columns than before."""

    glyphs: reactive[Glyphs] = reactive("blocks", layout=False)
    scaled: reactive[bool] = reactive(False, layout=False)
    """Whether the scale stands at the left."""

    def __init__(
        self,
        tone: Tone,
        unit: Callable[[float | None], SafeText],
        *,
        id: str | None = None,  # noqa: A002
        classes: str | None = None,
    ) -> None:
        self._tone: Tone = tone
        self._unit = unit
        self._columns: tuple[float | None, ...] = ()
        self._top = 1.0
        self._marks: frozenset[int] = frozenset()
        self._line: float | None = None
        super().__init__(id=id, classes=classes)

    @property
    def columns_wanted(self) -> int:
        """How many columns there is room for."""
        return max(0, self.size.width - (_GUTTER if self.scaled else 0))

    def show(
        self,
        columns: Sequence[float | None],
        top: float | None = None,
        *,
        marks: Collection[int] = (),
        line: float | None = None,
    ) -> None:
        """Draw these columns, oldest first.

        Args:
            columns: None is a hole.
            top: The value of the upper edge, by default a round one.
            marks: Places of columns at which something happened: a line stands over them.
            line: A value that all are to stay under: a line lies there.
        """
        known = [value for value in columns if value is not None]
        scale = top if top is not None and top > 0 else ceiling(max(known, default=0.0))
        wanted = (tuple(columns), scale, frozenset(marks), line)
        if wanted != (self._columns, self._top, self._marks, self._line):
            self._columns, self._top, self._marks, self._line = wanted
            self.refresh()

    def on_resize(self, _: events.Resize) -> None:
        """Ask for the columns that there is room for now."""
        if len(self._columns) != self.columns_wanted:
            self.post_message(self.Resized())

    def render_line(self, y: int) -> Strip:
        """One row of the area, with the scale before it if it is wanted."""
        width, height = self.size.width, self.size.height
        room = self.columns_wanted
        columns = self._columns[-room:] if room else ()
        row = height - 1 - y
        lined = self._line is not None and row == min(height - 1, int(self._line / self._top * height))
        blank = (_LINE[self.glyphs], self.ink("faint")) if lined else (" ", self.ink("value"))
        over = (_MARK[self.glyphs], self.ink("accent"))
        tones = (self.ink(self._tone), self.area(self._tone)), (self.ink("accent"), self.area("accent"))
        cells = [blank] * (room - len(columns))
        for place, value in enumerate(columns, len(self._columns) - len(columns)):
            marked = place in self._marks
            cells.append(self._cell(value, row, height, *tones[marked]) or (over if marked else blank))
        segments = [Segment(self._scale(y, height), self.ink("faint"))] if self.scaled else []
        for style, group in groupby(cells, key=lambda cell: cell[1]):
            segments.append(Segment("".join(glyph for glyph, _ in group), style))
        return Strip(segments, width).crop(0, width)

    def _cell(self, value: float | None, row: int, height: int, edge: Style, body: Style) -> tuple[str, Style] | None:
        """What the column is in this row, counted from the lower edge; None where it doesn't reach."""
        if value is None:
            return None
        eighths = min(height * 8, round(value / self._top * height * 8))
        if value > 0 and eighths == 0:
            eighths = 1  # something is not nothing
        filled = eighths - row * 8
        if filled <= 0:
            # A zero has an edge too: it is known to be nothing, which a hole is not.
            return (EDGES[self.glyphs][0], body) if eighths == row == 0 else None
        if filled > 8:
            return _BODY[self.glyphs], body
        return EDGES[self.glyphs][filled - 1], edge

    def _scale(self, y: int, height: int) -> str:
        shown = {0: self._top, height - 1: 0.0}
        if height >= 5:
            shown[height // 2] = self._top * (height - height // 2) / height
        text = self._unit(shown[y]) if y in shown else safe("")
        return fit_right(text, _GUTTER - 1) + " "
