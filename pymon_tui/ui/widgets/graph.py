"""An area graph drawn by line: the height of a column says its value, and nothing else of it does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby, takewhile
from typing import Literal, TypeAlias

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip

from pymon_tui.model.text import SafeText, safe
from pymon_tui.ui.widgets.ink import Ink, Role, fit
from pymon_tui.ui.widgets.scale import Scale

Glyphs: TypeAlias = Literal["blocks", "braille", "ascii"]
Cells: TypeAlias = list[tuple[str, Style]]

EDGES: dict[Glyphs, str] = {"blocks": "▁▂▃▄▅▆▇█", "braille": "⣀⣀⣤⣤⣶⣶⣿⣿", "ascii": "..--==##"}
_STEPS: dict[Glyphs, int] = {"blocks": 8, "braille": 4, "ascii": 8}
"""How many heights a cell has."""
_MARK: dict[Glyphs, str] = {"blocks": "╎", "braille": "╎", "ascii": "|"}
_LINE: dict[Glyphs, str] = {"blocks": "┄", "braille": "┄", "ascii": "-"}
_CUT: dict[Glyphs, str] = {"blocks": "▲", "braille": "▲", "ascii": "^"}
_UNKNOWN: dict[Glyphs, str] = {"blocks": "·", "braille": "·", "ascii": "?"}
_DOTS = (0x00, 0x40, 0x44, 0x46, 0x47), (0x00, 0x80, 0xA0, 0xB0, 0xB8)
"""The dots of a braille cell for each height, of its left and of its right column."""

_AXIS_HEIGHT = 4
"""Rows from which on the lowest has the clock."""
_WORDS = 8
"""Cells that the words of a mark need at least."""
_TOP_SHARE, _ROW_SHARE, _ALL_ROWS = 0.95, 0.10, 0.45
"""How much of the ink the top row has, and how much less a row below it has: so much at most, and so much in all."""


class Graph(Ink):
    """Columns that are aligned to the clock, the newest at the right."""

    DEFAULT_CSS = """
    Graph {
        height: 1fr;
        min-height: 1;
    }
    """

    class Resized(Message):
        """There is room for another number of columns or rows than before."""

    glyphs: reactive[Glyphs] = reactive("blocks", layout=False)
    tone: reactive[Role] = reactive[Role]("info", layout=False)
    """The role whose ink all of it has: that of the figure it draws."""

    def __init__(
        self,
        tone: Role,
        *,
        id: str | None = None,  # noqa: A002
        classes: str | None = None,
    ) -> None:
        self._columns: tuple[float | None, ...] = ()
        self._low, self._high = 0.0, 1.0
        self._marks: Mapping[int, SafeText] = {}
        self._ticks: Mapping[int, SafeText] = {}
        self._line: float | None = None
        self._cut: tuple[int, SafeText] | None = None
        self._high_as: tuple[int, list[int]] | None = None  # what heights are drawn in so many steps
        super().__init__(id=id, classes=classes)
        self.set_reactive(Graph.tone, tone)

    @property
    def a_cell(self) -> int:
        """How many columns a cell holds."""
        return 2 if self.glyphs == "braille" else 1

    @property
    def columns_wanted(self) -> int:
        """How many columns there is room for."""
        return self.size.width * self.a_cell

    @property
    def rows(self) -> int:
        """How many rows its columns have, which are all but that of the clock."""
        height = self.size.height
        return height - 1 if height >= _AXIS_HEIGHT else height

    @property
    def cut_glyph(self) -> str:
        """What stands where a value is cut."""
        return _CUT[self.glyphs]

    @property
    def unknown_glyph(self) -> str:
        """What stands where nothing is known."""
        return _UNKNOWN[self.glyphs]

    @property
    def untold(self) -> SafeText | None:
        """The highest value that is cut, where there is no room beside its column to write it."""
        if self._cut is None or self._beside(*self._cut) is not None:
            return None
        return self._cut[1]

    def show(
        self,
        columns: Sequence[float | None],
        scale: Scale,
        *,
        marks: Mapping[int, SafeText] | None = None,
        ticks: Mapping[int, SafeText] | None = None,
        line: float | None = None,
    ) -> None:
        """Draw these columns, oldest first.

        Args:
            columns: None is what isn't known.
            scale: What the lower and the upper edge stand for.
            marks: What happened, by the place of the column it happened at: a line stands over that.
            ticks: Clock times, by the cell they begin in.
            line: A value that all are to stay under: a line lies there.
        """
        values = [(value, place) for place, value in enumerate(columns) if value is not None]
        highest, at = max(values, default=(scale.low, 0))
        cut = (at, scale.unit(highest)) if highest > scale.high else None
        wanted = (tuple(columns), scale.low, scale.high, dict(marks or {}), dict(ticks or {}), line, cut)
        now = (self._columns, self._low, self._high, self._marks, self._ticks, self._line, self._cut)
        if wanted != now:
            self._columns, self._low, self._high, self._marks, self._ticks, self._line, self._cut = wanted
            self._high_as = None
            self.refresh()

    def on_resize(self, _: events.Resize) -> None:
        """Ask for what there is room for now."""
        self.post_message(self.Resized())

    def watch_glyphs(self) -> None:
        """Other glyphs hold another number of columns."""
        if self.is_mounted and len(self._columns) != self.columns_wanted:
            self.post_message(self.Resized())

    def render_line(self, y: int) -> Strip:
        """One row of the area, or the clock below it."""
        rows, width = self.rows, self.size.width
        blank = (" ", self.ink("value"))
        if y >= rows:
            cells = [blank] * width
            for start, text in self._ticks.items():
                self._write(cells, start, text, "faint")
        else:
            cells = self._row(rows - 1 - y)
            if y == 0:
                self._say_above(cells)
        segments = [
            Segment("".join(glyph for glyph, _ in group), style)
            for style, group in groupby(cells, key=lambda cell: cell[1])
        ]
        return Strip(segments).crop(0, width)

    def _row(self, row: int) -> Cells:
        """The cells of a row of the area, counted from the lower edge."""
        rows, a_cell, glyphs = self.rows, self.a_cell, self.glyphs
        blank, unknown = (" ", self.ink("value")), (_UNKNOWN[glyphs], self.ink("faint"))
        lined = self._line is not None and row == self._row_of(self._line)
        if lined:
            blank = (_LINE[glyphs], self.ink("warn"))
        shade = self.shade(self.tone, _share(rows - 1 - row, rows))
        cells: Cells = [blank] * (self.size.width - len(self._columns) // a_cell)
        marked = {place // a_cell for place in self._marks}
        mark, cut = (_MARK[glyphs], self.ink("accent")), (_CUT[glyphs], self.ink("value"))
        heights, most = self._heights(), rows * _STEPS[glyphs]
        below = row * _STEPS[glyphs]
        for place in range(0, len(heights), a_cell):
            height = heights[place] if a_cell == 1 else max(heights[place : place + a_cell])
            if height > most and row == rows - 1:
                cells.append(cut)
            elif height > below:
                cells.append((_glyph(glyphs, heights[place : place + a_cell], below), shade))
            elif marked and place // a_cell in marked:
                cells.append(mark)
            else:
                cells.append(unknown if height < 0 and row == 0 else blank)
        return cells

    def _heights(self) -> list[int]:
        """How high each column is, in steps of a cell: more than there are where it is cut, -1 where it isn't known.

        Something is never drawn as nothing.
        """
        most = self.rows * _STEPS[self.glyphs]
        if self._high_as is None or self._high_as[0] != most:
            low, high = self._low, self._high
            heights = [
                -1
                if value is None
                else most + 1
                if value > high
                else max(1 if value > 0 else 0, min(most, round((value - low) / (high - low) * most)))
                for value in self._columns
            ]
            self._high_as = most, heights
        return self._high_as[1]

    def _row_of(self, value: float) -> int:
        return min(self.rows - 1, int((value - self._low) / (self._high - self._low) * self.rows))

    def _say_above(self, cells: Cells) -> None:
        """Write what was cut beside its column, and what happened beside the newest mark, where nothing is drawn."""
        if self._cut is not None:
            start = self._beside(*self._cut)
            if start is not None:
                self._write(cells, start, self._cut[1], "value")
        if self._marks and self.rows > 2:
            self._say_mark(cells, *max(self._marks.items()))

    def _say_mark(self, cells: Cells, place: int, text: SafeText) -> None:
        cell, length = place // self.a_cell, cell_len(text)
        right = sum(1 for _ in takewhile(_is_blank, cells[cell + 1 :])) - 1  # a blank lies in between
        left = sum(1 for _ in takewhile(_is_blank, reversed(cells[:cell]))) - 1
        room = min(length, right if right >= length or right >= left else left)
        if room >= min(length, _WORDS):
            start = cell + 2 if right >= room else cell - 1 - room
            self._write(cells, start, safe(fit(text, room)), "accent")

    def _beside(self, place: int, text: SafeText) -> int | None:
        """The cell that a text in the top row begins in, right or left of a column; None where there is no room."""
        cell, width, top = place // self.a_cell, cell_len(text), self._row(self.rows - 1)
        for start in (cell + 1, cell - width):
            inside = start >= 0 and start + width <= len(top)
            if inside and all(map(_is_blank, top[start : start + width])):
                return start
        return None

    def _write(self, cells: Cells, start: int, text: SafeText, role: Role) -> None:
        style = self.ink(role)
        cells[start : start + cell_len(text)] = [(text, style)] + [("", style)] * (cell_len(text) - 1)


def _is_blank(cell: tuple[str, Style]) -> bool:
    return cell[0] == " "


def _share(below: int, rows: int) -> float:
    """How much of the ink a row has that lies so many rows below the top: the height alone decides it."""
    return _TOP_SHARE - below * min(_ROW_SHARE, _ALL_ROWS / max(1, rows - 1))


def _glyph(glyphs: Glyphs, heights: Sequence[int], below: int) -> str:
    """The glyph of a cell, of how high its columns are and how high its lower edge is."""
    if glyphs == "braille":
        return chr(0x2800 + sum(dots[max(0, min(4, high - below))] for dots, high in zip(_DOTS, heights, strict=False)))
    steps = heights[0] - below
    if glyphs == "ascii" and steps > _STEPS[glyphs]:
        return ":"
    return EDGES[glyphs][min(_STEPS[glyphs], steps) - 1]
