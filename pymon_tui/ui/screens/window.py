"""What all windows share: a frame in the middle, over a screen that shines through."""

from __future__ import annotations

from typing import ClassVar, TypeVar

from textual.binding import Binding, BindingType
from textual.screen import ModalScreen

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
