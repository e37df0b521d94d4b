"""The short way to draw scattered pieces of text: which order, which cursor moves, which changes of the pen."""

from __future__ import annotations

from collections.abc import Callable
from itertools import groupby, pairwise
from typing import NamedTuple

from pymon_tui.ui.cells import DEFAULT_PEN, Pen, sgr


class Run(NamedTuple):
    """Neighbouring cells of one row that are drawn in one pen.

    Attributes:
        y: Row, from 0.
        x: First column, from 0.
        text: What is drawn.
        pen: What it is drawn with.
        sure: True when the text takes one cell a character in every terminal, so that the cursor is known after it.
    """

    y: int
    x: int
    text: str
    pen: Pen
    sure: bool


Standing = Callable[[int, int, int], tuple[str, Pen] | None]
"""``(row, first column, column before which it ends)`` to what stands there: plain text in one pen, or None."""


class _Draft:
    """A sequence being written, with where it leaves the cursor and the pen."""

    __slots__ = ("_standing", "_width", "parts", "pen", "x", "y")

    def __init__(self, width: int, standing: Standing, *, y: int, x: int, pen: Pen) -> None:
        self._width = width
        self._standing = standing
        self.y = y  # -1 is no row: the cursor may be anywhere
        self.x = x
        self.pen = pen
        self.parts: list[str] = []

    def draw(self, run: Run) -> None:
        if (self.y, self.x) != (run.y, run.x):
            self._move(run)
        if run.pen != self.pen:
            self.parts.append(sgr(self.pen, run.pen))
            self.pen = run.pen
        self.parts.append(run.text)
        self.x += len(run.text)
        # After the last column the cursor stays there in one terminal, and beyond it in another.
        if not run.sure or self.x >= self._width:
            self.y = -1

    def _move(self, run: Run) -> None:
        gap = run.x - self.x
        if self.y != run.y or gap < 0:
            self.parts.append(f"\x1b[{run.y + 1};{run.x + 1}H" if run.x else f"\x1b[{run.y + 1}H")
        elif not self._write_again(run):
            self.parts.append(f"\x1b[{gap}C" if gap > 1 else "\x1b[C")
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


def sequence(runs: list[Run], width: int, standing: Standing) -> str:
    """The escape sequence that draws the runs, which are in order of row and column, on ``width`` columns.

    It starts at any cursor position with the default pen, and ends with the default pen, so that whatever else
    writes to the terminal finds the defaults.
    """
    parts: list[str] = []
    y, x, pen = -1, 0, DEFAULT_PEN
    for _, row in groupby(runs, key=lambda run: run.y):
        drafts: list[_Draft] = []
        for order in _orders(list(row), pen):
            draft = _Draft(width, standing, y=y, x=x, pen=pen)
            for run in order:
                draft.draw(run)
            drafts.append(draft)
        best = min(drafts, key=lambda draft: sum(map(len, draft.parts)))
        parts += best.parts
        y, x, pen = best.y, best.x, best.pen
    return "".join([*parts, sgr(pen, DEFAULT_PEN)])


def _orders(row: list[Run], pen: Pen) -> list[list[Run]]:
    """The orders worth a try: from left to right, and pen by pen, since a colour is dearer than a move back."""
    pens = dict.fromkeys([pen, *(run.pen for run in row)])
    changes = sum(before.pen != after.pen for before, after in pairwise(row))
    if changes < len({run.pen for run in row}) or not all(run.sure for run in row):
        return [row]
    return [row, [run for each in pens for run in row if run.pen == each]]
