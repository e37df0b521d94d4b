"""Yes or no, before something that can't simply be taken back."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content

from pymon_tui.model.text import SafeText
from pymon_tui.ui.screens.hints import Named
from pymon_tui.ui.screens.invalidate import keys
from pymon_tui.ui.screens.window import Question, Window
from pymon_tui.ui.type_ahead import Asking
from pymon_tui.ui.widgets.ink import Line


class QuestionScreen(Asking, Window[bool]):
    """True for yes. Enter says no: it is the key that one hits by habit."""

    BINDINGS: ClassVar[list[BindingType]] = keys.QUESTION

    DEFAULT_CSS = """
    QuestionScreen > .frame {
        border: round $error;
        border-title-color: $error;
        padding: 1 2;
    }
    """

    def __init__(self, title: SafeText, lines: tuple[Line, ...], yes: str, no: str) -> None:
        """``yes`` and ``no`` say in two or three words what each answer does."""
        self._heading = title
        self._lines = lines
        self._answers = yes, no
        super().__init__()

    def compose(self) -> ComposeResult:
        """What it is about, and both answers."""
        frame = Question(self._lines)
        frame.border_title = Content(self._heading)
        yield frame

    def offered(self) -> tuple[Named, ...]:
        """Both answers."""
        yes, no = self._answers
        return Named("question.yes", yes), Named("question.no", no)

    def action_answer(self, yes: bool) -> None:  # noqa: FBT001
        """Close with the answer."""
        self.dismiss(yes)
