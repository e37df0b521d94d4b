"""A bar chart drawn by line: a bar for each of a row of things, and a hole where nothing is known of one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import NamedTuple

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.reactive import reactive
from textual.strip import Strip

from pymon_tui.model.text import SafeText, safe
from pymon_tui.ui.widgets.graph import EDGES, Glyphs
from pymon_tui.ui.widgets.ink import Ink, Role, Span, fit_right

WIDEST = 4
"""Cells of a bar with the gap after it; one of a single cell has no gap."""


class Bar(NamedTuple):
    """How high a bar is, from 0 to 1, and the role that decides its colour."""

    share: float
    role: Role


class Bars(Ink):
    """Bars side by side, the newest at the right, over a line that names some of them, beside a scale."""

    DEFAULT_CSS = """
    Bars { height: 1fr; min-height: 2; }
    """

    glyphs: reactive[Glyphs] = reactive("blocks", layout=False)

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        self._bars: tuple[Bar | None, ...] = ()
        self._names: dict[int, Span] = {}
        self._scale = (safe(""), safe(""))
        super().__init__(id=id, classes=classes)

    def show(self, bars: Sequence[Bar | None], names: Mapping[int, Span], scale: tuple[SafeText, SafeText]) -> None:
        """Draw these bars, oldest first; without room for all, the newest of them.

        Args:
            bars: None is a hole.
            names: What stands under a bar, by its place; where two would touch, the one that is given first stands.
            scale: What a bar of no height stands for, and one of full height.
        """
        wanted = (tuple(bars), dict(names), scale)
        if wanted != (self._bars, self._names, self._scale):
            self._bars, self._names, self._scale = wanted
            self.refresh()

    def render_line(self, y: int) -> Strip:
        """One row of the bars with the scale before it, or in the last the names."""
        width, rows = self.size.width, self.size.height - 1
        gutter = max(map(cell_len, self._scale)) + 1
        room = max(0, width - gutter)
        bars = self._bars[-room:] if room else ()
        per = max(1, min(WIDEST, room // len(bars))) if bars else 1
        if y >= rows:
            cells = self._named(len(bars), per)
        else:
            cells = [cell for bar in bars for cell in self._cells(bar, rows - 1 - y, rows, per)]
        cells.append((" " * (room - sum(cell_len(text) for text, _ in cells)), self.ink("value")))
        low, high = self._scale
        at_edge = {0: high, rows - 1: low}.get(y, safe(""))
        segments = [Segment(fit_right(at_edge, gutter - 1) + " ", self.ink("faint"))]
        for style, group in groupby(cells, key=lambda cell: cell[1]):
            segments.append(Segment("".join(text for text, _ in group), style))
        return Strip(segments).crop(0, width)

    def _cells(self, bar: Bar | None, row: int, rows: int, per: int) -> list[tuple[str, Style]]:
        """The cells of a bar in this row, counted from the lower edge."""
        filled = 0
        if bar is not None:
            # The lowest there is has an edge too, which a hole has not.
            filled = max(1, min(rows * 8, round(bar.share * rows * 8))) - row * 8
        if bar is None or filled <= 0:
            return [(" ", self.ink("value"))] * per
        glyph, gap = EDGES[self.glyphs][min(filled, 8) - 1], 1 if per > 1 else 0
        return [(glyph, self.ink(bar.role))] * (per - gap) + [(" ", self.ink("value"))] * gap

    def _named(self, count: int, per: int) -> list[tuple[str, Style]]:
        """The names under the bars, each within their width, with a blank between two."""
        end, first = count * per, len(self._bars) - count
        placed: list[tuple[int, Span]] = []
        for place, name in self._names.items():
            length = cell_len(name.text)
            start = min((place - first) * per, end - length)
            free = all(start > at + cell_len(other.text) or start + length < at for at, other in placed)
            if place >= first and start >= 0 and free:
                placed.append((start, name))
        cells: list[tuple[str, Style]] = []
        used = 0
        for start, (text, role) in sorted(placed):
            cells += [(" " * (start - used), self.ink("value")), (text, self.ink(role))]
            used = start + cell_len(text)
        return cells
