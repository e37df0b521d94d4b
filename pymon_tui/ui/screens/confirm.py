"""The question before every write: what exactly is sent, and what it does."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content

from pymon_tui.model.action import Action
from pymon_tui.model.text import SafeText, safe
from pymon_tui.ui.screens.hints import Named
from pymon_tui.ui.screens.window import Question, Window
from pymon_tui.ui.type_ahead import Asking
from pymon_tui.ui.widgets.ink import Line, label, span


class ConfirmScreen(Asking, Window[bool]):
    """Shows an action; True if it is to be sent. Enter says no: it is the key that one hits by habit."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "answer(True)", "Yes", id="confirm.yes", tooltip="Send it"),
        Binding("n,escape,enter,q", "answer(False)", "No", id="confirm.no", tooltip="Send nothing"),
    ]

    KEYS = (Named("confirm.yes", "send it"), Named("confirm.no", "send nothing"))

    DEFAULT_CSS = """
    ConfirmScreen > .frame {
        border: round $error;
        border-title-color: $error;
        padding: 1 2;
    }
    """

    def __init__(self, action: Action, node: SafeText) -> None:
        self._action = action
        self._node = node
        super().__init__()

    def compose(self) -> ComposeResult:
        """The exact commands, whom they go to and what they do."""
        action = self._action
        lines: tuple[Line, ...] = (
            *((span(line, "strong"),) for line in action.lines),
            (),
            (label("on      "), span(self._node)),
            (label("effect  "), span(action.effect)),
        )
        frame = Question(lines)
        frame.border_title = Content(safe(f"{action.name}?"))
        yield frame

    def action_answer(self, yes: bool) -> None:  # noqa: FBT001
        """Close with the answer."""
        self.dismiss(yes)
