"""What all windows share: a frame in the middle, over a screen that shines through."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar, TypeVar

from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen

from pymon_tui.ui.screens.hints import Named, in_border, named
from pymon_tui.ui.widgets.ink import Line, Prose
from pymon_tui.ui.widgets.key_bar import KeyLines

Answer = TypeVar("Answer")


class Window(ModalScreen[Answer]):
    """A screen with one framed widget, of the class ``frame``. It names the keys that work in it, and no others.

    Attributes:
        KEYS: What they do. They stand in a ``KeyLines`` where the window has one, else in the frame's lower border.
    """

    KEYS: ClassVar[tuple[Named, ...]] = ()

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

    def on_mount(self) -> None:
        """Name the keys, also when others work."""
        self.bindings_updated_signal.subscribe(self, lambda _: self.show_keys())
        self.show_keys()

    def action_press(self, key: str) -> None:
        """Press the key of a hint in the border."""
        # By the app: a key that the frame sends is stopped as soon as it comes back there from a field in it.
        self.app.call_later(self.app.simulate_key, key)

    def offered(self) -> Iterable[Named]:
        """What is to be named now."""
        return self.KEYS

    def show_keys(self) -> None:
        """The keys that do something now."""
        hints = named(self, self.offered())
        if lines := self.query(KeyLines):
            lines.first().hints = hints
        else:
            for frame in self.query(".frame"):  # none, when the app is left
                frame.border_subtitle = in_border(hints)


class Question(VerticalScroll):
    """A frame with what is asked, which scrolls where there is no room for it, and both answers, which don't."""

    DEFAULT_CSS = """
    Question > KeyLines { padding: 1 0 0 0; }
    """

    def __init__(self, lines: Sequence[Line]) -> None:
        super().__init__(Prose(lines, id="lines"), KeyLines(), classes="frame")

    def watch_show_vertical_scrollbar(self, shown: bool) -> None:  # noqa: FBT001
        """Say that there is more than is seen."""
        self.border_subtitle = Content("up down scroll" if shown else "")
