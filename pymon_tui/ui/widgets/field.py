"""A line to type in."""

from __future__ import annotations

from textual.widgets import Input


class Field(Input):
    """An input whose cursor stands still: one that blinks is bytes over the line, for ever."""

    DEFAULT_CSS = """
    Field, Field:focus {
        border: none;
        height: 1;
        background: $panel;
        padding: 0 1;
    }
    """

    def on_mount(self) -> None:
        """Stop the blinking."""
        self.cursor_blink = False
