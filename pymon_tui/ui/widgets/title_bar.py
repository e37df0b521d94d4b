"""The one line at the top: where we are, how it is, and how fresh the picture."""

from __future__ import annotations

from rich.cells import cell_len
from textual.reactive import reactive
from textual.strip import Strip

from pymon_tui.ui.widgets.ink import Ink, Line, Span, line_width


class TitleBar(Ink):
    """A left part that is cut where there is no room, and a right part that is not."""

    DEFAULT_CSS = """
    TitleBar { height: 1; dock: top; }
    """

    left: reactive[Line] = reactive(())
    right: reactive[Line] = reactive(())

    def render_line(self, y: int) -> Strip:
        """Both parts in the widget's width."""
        width = self.size.width
        room = max(0, width - line_width(self.right) - 1)
        line: list[Span] = []
        for piece in self.left:
            # A piece that doesn't fit is left out whole: half a version number misleads.
            if line and line_width(tuple(line)) + cell_len(piece.text) > room:
                break
            line.append(piece)
        left = self.strip(tuple(line), min(room + 1, width))
        return Strip.join([left, self.strip(self.right, width - min(room + 1, width))])
