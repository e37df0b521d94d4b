"""One line of text, asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input

from pymon_tui.model.text import SafeText, safe
from pymon_tui.ui.screens.hints import Named
from pymon_tui.ui.screens.window import Window
from pymon_tui.ui.widgets.field import Field
from pymon_tui.ui.widgets.ink import Prose, label, span


class PromptScreen(Window[str | None]):
    """Asks for a line; None if the person thinks better of it. ``wrong`` says what is wrong with a text, or None."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "Cancel", id="prompt.cancel", tooltip="Close without an answer"),
    ]

    KEYS = (Named("", "go on", "enter"), Named("prompt.cancel", "back"))

    DEFAULT_CSS = """
    PromptScreen Field { margin: 1 0; }
    """

    def __init__(self, title: str, hint: str, value: str, wrong: Callable[[str], str | None]) -> None:
        self._heading = safe(title)
        self._hint: SafeText = safe(hint)
        self._value = value
        self._wrong = wrong
        super().__init__()

    def compose(self) -> ComposeResult:
        """What is asked, and where to answer."""
        frame = Vertical(
            Prose(((label(self._hint),),)),
            Field(self._value, select_on_focus=False),
            Prose(id="wrong"),
            classes="frame",
        )
        frame.border_title = Content(self._heading)
        yield frame

    @on(Input.Submitted)
    def _submit(self, event: Input.Submitted) -> None:
        wrong = self._wrong(event.value)
        if wrong is None:
            self.dismiss(event.value)
        else:
            self.query_one("#wrong", Prose).show(((span(wrong, "warn"),),))
