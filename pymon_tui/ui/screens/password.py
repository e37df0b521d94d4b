"""A password, asked for while the server turns us away without it."""

from __future__ import annotations

from typing import ClassVar

from pydantic import SecretStr
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input

from pymon_tui.model.text import SafeText, safe
from pymon_tui.ui.screens.hints import Named
from pymon_tui.ui.screens.window import Window
from pymon_tui.ui.type_ahead import Asking
from pymon_tui.ui.widgets.field import Field
from pymon_tui.ui.widgets.ink import Prose, label, span

_ABOUT = safe("It is kept in memory until you leave. An empty line tries once more as before.")


class PasswordScreen(Asking, Window[SecretStr | None]):
    """Asks for a password, which is not shown; None if the person has none to give."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "Back", id="password.back", tooltip="Close without a password"),
        Binding("ctrl+q", "app.quit", "Quit", id="password.quit", tooltip="Leave"),
    ]

    KEYS = (Named("", "log in", "enter"), Named("password.back", "back"), Named("password.quit", "quit"))

    DEFAULT_CSS = """
    PasswordScreen Field { margin: 1 0; }
    """

    def __init__(self, node: SafeText, why: SafeText) -> None:
        """``why`` says how ``node`` turns us away."""
        self._node = node
        self._why = why
        super().__init__()

    def compose(self) -> ComposeResult:
        """Why it is asked, and where to answer."""
        frame = Vertical(Prose(((span(self._why, "warn"),), (label(_ABOUT),))), Field(password=True), classes="frame")
        frame.border_title = Content(f"Password for {self._node}")
        yield frame

    @on(Input.Submitted)
    def _submit(self, event: Input.Submitted) -> None:
        self.dismiss(SecretStr(event.value))
