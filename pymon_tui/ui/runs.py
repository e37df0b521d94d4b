"""The short way to draw scattered pieces of text: which order, which cursor moves, which changes of the pen."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import groupby, pairwise
from operator import attrgetter
from typing import NamedTuple

from pymon_tui.ui.cells import DEFAULT_PEN, Pen, blank_alike, sgr

# Bytes of a move: over some cells of the row, and back to any of its cells.
FORWARD = 4
BACK = 5


class Run(NamedTuple):
    """Neighbouring cells of one row that are drawn in one pen.

    Attributes:
        y: Row, from 0.
        x: First column, from 0.
        text: What is drawn.
        pen: What it is drawn with.
        width: Cells that the text takes in every terminal, so that the cursor is known after it; None if they differ.
        reach: Cells that it takes at most, where they differ.
    """

    y: int
    x: int
    text: str
    pen: Pen
    width: int | None
    reach: int = 0


Standing = Callable[[int, int, int], tuple[str, Pen] | None]
"""``(row, first column, column before which it ends)`` to what stands there: plain text in one pen, or None."""


class _Draft:
    """A sequence being written, with where it leaves the cursor and the pen."""

    __slots__ = ("_standing", "_width", "parts", "pen", "x", "y")

    def __init__(self, standing: Standing, width: int) -> None:
        self._standing = standing
        self._width = width
        self.y = -1  # no row: the cursor may be anywhere
        self.x = 0
        self.pen = DEFAULT_PEN
        self.parts: list[str] = []

    def draw(self, run: Run) -> None:
        if (self.y, self.x) != (run.y, run.x):
            self._move(run)
        if run.pen != self.pen and (run.text.strip(" ") or not blank_alike(run.pen, self.pen)):
            self.parts.append(sgr(self.pen, run.pen))
            self.pen = run.pen
        self.parts.append(run.text)
        if run.width is None or run.x + run.width >= self._width:  # terminals differ in where it is behind the edge
            self.y = -1
        else:
            self.x += run.width

    def draw_all(self, runs: Iterable[Run]) -> None:
        for run in runs:
            self.draw(run)

    @property
    def ended(self) -> str:
        """All that was drawn, with the default pen at its end."""
        return "".join([*self.parts, sgr(self.pen, DEFAULT_PEN)])

    def _move(self, run: Run) -> None:
        anywhere = f"\x1b[{run.y + 1};{run.x + 1}H" if run.x else f"\x1b[{run.y + 1}H"
        if self.y < 0:
            self.parts.append(anywhere)
        elif self.y != run.y:
            self.parts.append(min(_down(run.y - self.y, run.y) + _along(run.x - self.x, run.x), anywhere, key=len))
        elif run.x < self.x or not self._write_again(run):
            self.parts.append(_along(run.x - self.x, run.x))
        self.y, self.x = run.y, run.x

    def _write_again(self, run: Run) -> bool:
        """Crosses a short gap by writing what stands there, where that is cheaper than a move."""
        gap = run.x - self.x
        if gap > 4:
            return False
        standing = self._standing(run.y, self.x, run.x)
        if standing is None:
            return False
        text, pen = standing
        if pen not in (self.pen, run.pen) or len(text.encode()) > (3 if gap == 1 else 4):
            return False
        if pen != self.pen:
            self.parts.append(sgr(self.pen, pen))
            self.pen = pen
        self.parts.append(text)
        return True


def _down(rows: int, y: int) -> str:
    """The move to row ``y``, so many further down, in the same column; negative is up."""
    letter, many = ("B", rows) if rows > 0 else ("A", -rows)
    return f"\x1b[{letter}" if many == 1 else min(f"\x1b[{many}{letter}", f"\x1b[{y + 1}d", key=len)


def _along(cells: int, x: int) -> str:
    """The move to column ``x``, so many cells to the right, in the same row; negative is to the left."""
    if cells >= 0:
        return f"\x1b[{cells}C" if cells > 1 else "\x1b[C" * cells
    if x == 0:
        return "\r"
    return "\x1b[D" if cells == -1 else min(f"\x1b[{-cells}D", f"\x1b[{x + 1}G", key=len)


def sequence(runs: list[Run], standing: Standing, width: int) -> str:
    """The escape sequence that draws the runs, which are in order of row and column, on a screen of this width.

    It starts at any cursor position with the default pen, and ends with the default pen, so that whatever else
    writes to the terminal finds the defaults.
    """
    rows = [_without_blank_pens(list(row)) for _, row in groupby(runs, key=attrgetter("y"))]
    by_rows = _Draft(standing, width)
    for row in rows:
        by_rows.draw_all(_ordered(row, by_rows.pen))
    if len(rows) == 1:
        return by_rows.ended
    # A change of the pen takes twice the bytes of a move, so each pen mostly draws all of its runs before the next.
    by_pens = _Draft(standing, width)
    free: list[Run] = []
    for row in rows:
        if _is_bound(row):
            by_pens.draw_all(row)
        else:
            free += row
    # What a terminal makes wider covers what stands behind it, which comes after it.
    for some in ([run for run in free if run.width is None], [run for run in free if run.width is not None]):
        for pen in sorted({run.pen for run in some}, key=lambda pen: (pen != by_pens.pen, pen.background, pen)):
            by_pens.draw_all(run for run in some if run.pen == pen)
    return min(by_rows.ended, by_pens.ended, key=len)


def _without_blank_pens(row: list[Run]) -> list[Run]:
    """The runs of a row, of which those that are blank have the pen of the one before where they look the same."""
    for at in range(1, len(row)):
        run, before = row[at], row[at - 1].pen
        if run.pen != before and not run.text.strip(" ") and blank_alike(run.pen, before):
            row[at] = run._replace(pen=before)
    return row


def _is_sure(row: Sequence[Run]) -> bool:
    """Whether its runs may be drawn in any order: none of them may reach into the next."""
    return all(run.width is not None for run in row)


def _is_bound(row: Sequence[Run]) -> bool:
    """Whether of its runs of unsure width one may reach into another, which is drawn with another pen."""
    end, pen = 0, None
    for run in row:
        if run.width is None:
            if run.x < end and run.pen != pen:
                return True
            if run.x + run.reach > end:
                end, pen = run.x + run.reach, run.pen
    return False


def _ordered(row: list[Run], pen: Pen) -> list[Run]:
    """The runs of a row from left to right, or pen by pen where that is shorter: moves back are cheap."""
    pens = dict.fromkeys([pen, *(run.pen for run in row)])
    if len(row) <= len(pens) or not _is_sure(row):
        return row
    colours = sum(len(sgr(before.pen, after.pen)) for before, after in pairwise(row))
    fewer_colours = sum(len(sgr(before, after)) for before, after in pairwise(pens))
    neighbours = sum(before.x + (before.width or 0) == after.x for before, after in pairwise(row))
    moves = FORWARD * neighbours + BACK * len(pens)
    if fewer_colours + moves >= colours:
        return row
    return [run for each in pens for run in row if run.pen == each]
