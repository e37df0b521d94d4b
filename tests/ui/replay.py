"""A terminal that shows what a program wrote, cell by cell."""

from __future__ import annotations

from functools import cache

import pyte
from rich.cells import cell_len
from textual.geometry import Size


class Cells(pyte.Screen):
    """A screen on which a wide character that loses one half is gone, as in real terminals and unlike in pyte."""

    def draw(self, data: str) -> None:
        for character in data:
            width = max(cell_len(character), 1)
            line = self.buffer[self.cursor.y]
            x = min(self.cursor.x, self.columns - width)
            if x > 0 and line[x].data == "":
                line[x - 1] = line[x - 1]._replace(data=" ")
            if line[x + width].data == "" and cell_len(character):
                line[x + width] = line[x + width]._replace(data=" ")
            super().draw(character)


@cache
def _seen(cell: pyte.screens.Char) -> tuple[object, ...]:
    if cell.data == " " and not (cell.underscore or cell.strikethrough or cell.reverse or cell.blink):
        return tuple(cell._replace(fg="default", bold=False, italics=False))
    return tuple(cell)


class Terminal:
    """A terminal that replays what is written to it; it doesn't wrap lines, which is how Textual sets it."""

    def __init__(self, width: int, height: int) -> None:
        self.screen = Cells(width, height)
        self.stream = pyte.Stream(self.screen)
        self.stream.feed("\x1b[?7l")

    def feed(self, sequence: str) -> None:
        self.stream.feed(sequence)

    def fill(self) -> None:
        """What another program might leave behind."""
        for y in range(self.screen.lines):
            self.stream.feed(f"\x1b[{y + 1}H\x1b[35m" + "?" * self.screen.columns)
        self.stream.feed("\x1b[m")

    @property
    def size(self) -> Size:
        return Size(self.screen.columns, self.screen.lines)

    @property
    def cells(self) -> list[list[tuple[object, ...]]]:
        """What the eye sees of each cell: of a blank, whose background alone is shown, no colour, bold or italic."""
        return [self.row(y) for y in range(self.screen.lines)]

    def row(self, y: int) -> list[tuple[object, ...]]:
        """The cells of one line."""
        row = self.screen.buffer[y]
        return [_seen(row[x]) for x in range(self.screen.columns)]

    @property
    def text(self) -> str:
        return "\n".join(self.screen.display)
