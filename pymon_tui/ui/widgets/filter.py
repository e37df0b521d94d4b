"""The line at a pane's lower edge that narrows its rows while one types."""

from __future__ import annotations

from typing import ClassVar

from textual import events, on
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input

from pymon_tui.ui.widgets.field import Field
from pymon_tui.ui.widgets.ink import Facts, span

_LONGEST = 200


class FilterLine(Horizontal):
    """A text to filter by. Hidden until ``open``; enter keeps the text, escape drops it, both go back.

    To be given to the table that it narrows (``Table(filter_line=...)``), which then has the keys for it, and yielded
    after that table. The pane narrows its rows when ``Changed`` comes and says ``text`` in its title.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "drop", "Clear", id="filter.drop", tooltip="Show all rows again"),
    ]

    DEFAULT_CSS = """
    FilterLine {
        height: 1;
        display: none;
        &.-open { display: block; }
        & Facts { width: 2; }
        & Field, & Field:focus { width: 1fr; padding: 0; }
    }
    """

    class Changed(Message):
        """The rows that hold ``text`` are wished for; all of them where it is empty."""

        def __init__(self, filter_line: FilterLine, text: str) -> None:
            self.filter_line = filter_line
            self.text = text
            super().__init__()

        @property
        def control(self) -> FilterLine:
            """The line."""
            return self.filter_line

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        self._text = ""
        self._came_from: Widget | None = None
        self._field: Input | None = None
        super().__init__(id=id)

    @property
    def text(self) -> str:
        """What is filtered by now; empty for nothing."""
        return self._text

    def open(self) -> None:
        """Show the line and type into it; what has the focus now gets it back."""
        self._came_from = self.screen.focused
        self.add_class("-open")
        if self._field is None:
            self._field = self._mounted_field()
        self._field.can_focus = True
        self._field.focus()

    def filter_by(self, text: str) -> None:
        """Filter by this text, as if it had been typed and kept."""
        if self._field is not None:
            with self._field.prevent(Input.Changed):
                self._field.value = text
        self._change(text)

    def _mounted_field(self) -> Input:
        """Where to type. It is made when somebody first does: an input with its parts costs what a pane does."""
        # Control characters would come in by the clipboard; no row shows one, so none could be found.
        field = Field(self._text, max_length=_LONGEST, restrict=r"[^\x00-\x1f\x7f-\x9f]*", select_on_focus=False)
        self.mount(Facts(((span("/ ", "accent"),),)), field)
        return field

    def action_drop(self) -> None:
        """Hide the line and show all rows."""
        self.filter_by("")
        self._close()

    def on_descendant_blur(self, _: events.DescendantBlur) -> None:
        """Who clicks elsewhere has done typing; a terminal that loses the focus gives it back."""
        if self.app.app_focus:
            self._hide()

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        self._change(event.value)

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self._close()

    def _change(self, text: str) -> None:
        if text != self._text:
            self._text = text
            self.post_message(self.Changed(self, text))

    def _close(self) -> None:
        self._hide()
        if self._came_from is not None and self._came_from.is_attached:
            self._came_from.focus()

    def _hide(self) -> None:
        self.remove_class("-open")
        if self._field is not None:
            # What isn't shown can take the focus all the same, and would swallow every key.
            self._field.can_focus = False
