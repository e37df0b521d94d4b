"""A line to type in."""

from __future__ import annotations

from rich.text import Text
from textual.widgets import Input

from pymon_tui.model.text import safe

_NOT_DRAWN = "\ufffd"


class Field(Input):
    """An input that draws what is pasted as safely as all else, whatever it holds, and whose cursor stands still.

    The value is what was typed or pasted, to the last character. One that blinks is bytes over the line, for ever.
    """

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

    @property
    def _value(self) -> Text:
        # One character for each, or the cursor would stand elsewhere than it seems.
        drawn = "•" * len(self.value) if self.password else "".join(map(_drawn, self.value))
        return Text(drawn, no_wrap=True, overflow="ignore", end="")


def _drawn(character: str) -> str:
    return character if safe(character) == character else _NOT_DRAWN
