"""One of a few words, chosen with the arrows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.strip import Strip

from pymon_tui.model.text import SafeText, safe
from pymon_tui.ui.widgets.ink import Ink, Role, span


class Picker(Ink, can_focus=True):
    """Shows one of its words; in focus, the arrows and the space bar go to the next or the one before."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("right,space", "step(1)", "Next", show=False, id="picker.next", tooltip="The next value"),
        Binding("left", "step(-1)", "Before", show=False, id="picker.before", tooltip="The value before"),
    ]

    DEFAULT_CSS = """
    Picker { height: 1; background: $panel; }
    """

    class Changed(Message):
        """Another word is chosen."""

        def __init__(self, picker: Picker) -> None:
            self.picker = picker
            super().__init__()

        @property
        def control(self) -> Picker:
            """The widget."""
            return self.picker

    def __init__(self, words: Sequence[str], chosen: str, *, id: str | None = None) -> None:  # noqa: A002
        self.words = tuple(words)
        self._chosen = chosen if chosen in self.words else self.words[0]
        super().__init__(id=id)

    @property
    def chosen(self) -> str:
        """The word that is shown."""
        return self._chosen

    def choose(self, word: str) -> None:
        """Show this word, and say so if it is another one."""
        if word != self._chosen:
            self._chosen = word
            self.refresh()
            self.post_message(self.Changed(self))

    @property
    def shown(self) -> SafeText:
        """The word with the arrows around it."""
        return safe(f"‹ {safe(self._chosen)} ›")

    def action_step(self, step: int) -> None:
        """Show the word some places on."""
        self.choose(self.words[(self.words.index(self._chosen) + step) % len(self.words)])

    def on_click(self, _: events.Click) -> None:
        """The next word."""
        self.action_step(1)

    def on_focus(self) -> None:
        """The arrows light up."""
        self.refresh()

    def on_blur(self) -> None:
        """And go out."""
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """The word between arrows."""
        arrow: Role = "accent" if self.has_focus else "faint"
        word = span(self._chosen, "strong" if self._chosen != self.words[0] else "value")
        return self.strip((span("‹ ", arrow), word, span(" ›", arrow)), self.size.width)
