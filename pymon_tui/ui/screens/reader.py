"""Something to be read in full: a client, a slow command, a message."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content

from pymon_tui.model.text import SafeText
from pymon_tui.ui.screens.hints import Named
from pymon_tui.ui.screens.window import Window
from pymon_tui.ui.widgets.ink import Line, Prose


class ReaderScreen(Window[None]):
    """Lines under a title; ``y`` copies them."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,enter,q", "dismiss", "Close", id="reader.close", tooltip="Close this window"),
        Binding("y", "copy", "Copy", id="reader.copy", tooltip="Copy all of it to the clipboard"),
        Binding("j,down", "scroll(1)", "Down", show=False, id="reader.down", tooltip="Scroll down"),
        Binding("k,up", "scroll(-1)", "Up", show=False, id="reader.up", tooltip="Scroll up"),
    ]

    KEYS = (Named("reader.copy", "copy"), Named("reader.close", "close"))

    DEFAULT_CSS = """
    ReaderScreen > .frame { max-width: 110; }
    """

    def __init__(self, title: SafeText, lines: tuple[Line, ...], copied: SafeText) -> None:
        self._heading = title
        self._lines = lines
        self._copied = copied
        super().__init__()

    def compose(self) -> ComposeResult:
        """The lines in a frame that scrolls."""
        frame = VerticalScroll(Prose(self._lines), classes="frame")
        frame.border_title = Content(self._heading)
        yield frame

    def action_copy(self) -> None:
        """Copy all of it through the terminal (OSC 52), which works over SSH."""
        self.app.copy_to_clipboard(self._copied)
        self.notify("copied", markup=False)

    def action_scroll(self, lines: int) -> None:
        """Scroll by some lines."""
        frame = self.query_one(VerticalScroll)
        frame.scroll_to(y=frame.scroll_offset.y + lines, animate=False)
