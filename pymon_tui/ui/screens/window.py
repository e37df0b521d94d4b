"""What all windows share: a frame in the middle, over a screen that shines through."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, TypeVar

from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen

from pymon_tui.ui.widgets.ink import Line, Prose, label, span

Answer = TypeVar("Answer")


class Window(ModalScreen[Answer]):
    """A screen with one framed widget, of the class ``frame``."""

    # What the monitor has bound doesn't work while a window is open, and this is hit when nothing else does.
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+c", "app.quit", "Quit", show=False, id="window.quit", tooltip="Leave the program"),
    ]

    DEFAULT_CSS = """
    Window {
        align: center middle;
        background: $background 60%;
        & > .frame {
            width: 90%;
            max-width: 90;
            height: auto;
            max-height: 90%;
            border: round $accent;
            border-title-color: $accent;
            border-title-style: bold;
            border-subtitle-color: $ink-label;
            background: $background;
            padding: 0 1;
            scrollbar-size-vertical: 1;
        }
        & Facts { width: 1fr; }
    }
    """


class Question(VerticalScroll):
    """A frame with what is asked, which scrolls where there is no room for it, and both answers, which don't."""

    DEFAULT_CSS = """
    Question > .answers { dock: bottom; padding: 1 0 0 0; }
    """

    def __init__(self, lines: Sequence[Line], yes: str, no: str) -> None:
        """``yes`` and ``no`` say in two or three words what each answer does."""
        answers: Line = (span("y", "accent"), label(f" {yes}   "), span("n", "accent"), label(f" {no}"))
        super().__init__(Prose(lines), Prose((answers,), classes="answers"), classes="frame")

    def watch_show_vertical_scrollbar(self, shown: bool) -> None:  # noqa: FBT001
        """Say that there is more than is seen."""
        self.border_subtitle = Content("up down scroll" if shown else "")
