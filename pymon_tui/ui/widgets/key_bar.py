"""The keys that do something now: in the one line at the bottom, and in a window."""

from __future__ import annotations

from typing import ClassVar, NamedTuple

from rich.cells import cell_len
from textual import events
from textual.reactive import reactive
from textual.strip import Strip

from pymon_tui.model.text import SafeText
from pymon_tui.ui.widgets.ink import Ink, Span, span


class Hint(NamedTuple):
    """A key as it is displayed, what it does in a word, and the key that a click presses, as Textual names it."""

    key: SafeText
    name: SafeText
    press: str


class Placed(NamedTuple):
    """A hint, and the cell of the widget that it begins at."""

    x: int
    y: int
    hint: Hint


class KeyBar(Ink):
    """As many hints as there is room for, closer together where that makes room for all of them.

    A click on one presses its key: both do the same, wherever the focus is.
    """

    FIRST: ClassVar[int] = 1
    """The column that the first hint begins at."""
    GAP: ClassVar[int] = 2
    """The cells between two hints."""

    DEFAULT_CSS = """
    KeyBar { height: 1; dock: bottom; }
    """

    hints: reactive[tuple[Hint, ...]] = reactive(())

    def render_line(self, y: int) -> Strip:
        """The hints in a row."""
        pieces: list[Span] = [span(" " * self.FIRST)]
        gap = self._gap(self.size.width)
        for x, row, hint in self.placed(self.size.width):
            if row == y:
                pieces += [Span(hint.key, "accent"), span(" "), Span(hint.name, "label")]
                # A blank that goes over the edge would put an ellipsis at the end of the hint before it.
                pieces.append(span(" " * min(gap, self.size.width - x - _width(hint))))
        return self.strip(tuple(pieces), self.size.width)

    def on_click(self, event: events.Click) -> None:
        """Press the hint's key."""
        offset = event.get_content_offset(self)
        for at, row, hint in self.placed(self.size.width):
            if offset is not None and row == offset.y and at <= offset.x < at + _width(hint):
                self.app.simulate_key(hint.press)
                return

    def placed(self, width: int) -> list[Placed]:
        """The hints that fit, and where."""
        placed: list[Placed] = []
        at, gap = self.FIRST, self._gap(width)
        for hint in self.hints:
            if at + _width(hint) > width:
                break
            placed.append(Placed(at, 0, hint))
            at += _width(hint) + gap
        return placed

    def _gap(self, width: int) -> int:
        """The cells between two hints: one less where all of them have room then, and have none else."""
        room = width - self.FIRST - sum(map(_width, self.hints))
        between = len(self.hints) - 1
        return self.GAP - (between * (self.GAP - 1) <= room < between * self.GAP)


class KeyLines(KeyBar):
    """All hints of a window, in as many rows as they take."""

    FIRST = 0
    GAP = 3

    DEFAULT_CSS = """
    KeyLines { height: auto; }
    """

    def watch_hints(self) -> None:
        """Others may take more rows."""
        self.refresh(layout=True)

    def get_content_height(self, container: object, viewport: object, width: int) -> int:
        """As many rows as the hints take in this width."""
        return 1 + max((row for _, row, _ in self.placed(width)), default=0)

    def placed(self, width: int) -> list[Placed]:
        """The hints, and where; what a row has no room for goes into the next."""
        placed: list[Placed] = []
        at = row = 0
        for hint in self.hints:
            if at and at + _width(hint) > width:
                at, row = 0, row + 1
            placed.append(Placed(at, row, hint))
            at += _width(hint) + self.GAP
        return placed

    def _gap(self, width: int) -> int:
        """Always the same: there are more rows."""
        return self.GAP


def _width(hint: Hint) -> int:
    return cell_len(hint.key) + 1 + cell_len(hint.name)
