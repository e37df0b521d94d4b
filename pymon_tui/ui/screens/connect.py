"""Where to look: a URL, a profile, a server looked at before, or the demo."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input

from pymon_tui.model.text import SafeText, safe
from pymon_tui.server import url
from pymon_tui.ui.screens.hints import Named
from pymon_tui.ui.screens.window import Window
from pymon_tui.ui.type_ahead import Asking
from pymon_tui.ui.widgets.field import Field
from pymon_tui.ui.widgets.ink import Facts, Span, label, span
from pymon_tui.ui.widgets.table import Column, Listed, Table


@dataclass(frozen=True, slots=True)
class Choice:
    """A place to look at: of what kind, its name or URL, and a word about it."""

    kind: Literal["profile", "recent", "demo", "url"]
    name: str
    about: SafeText


DEMO = Choice("demo", "demo", safe("a server of its own, with traffic"))

_COLUMNS: tuple[Column[Choice], ...] = (
    Column("kind", "", 8, lambda choice: Span(safe(choice.kind), "label"), sortable=False),
    Column("name", "", 36, lambda choice: span(choice.name, "strong"), sortable=False),
    Column("about", "", 18, lambda choice: Span(choice.about, "label"), rank=1, grows=True, sortable=False),
)


class ConnectScreen(Asking, Window[Choice | None]):
    """Asks for a server; None goes back to the one that is shown."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "Back", id="connect.back", tooltip="Stay with the server shown"),
        Binding("ctrl+q", "app.quit", "Quit", id="connect.quit", tooltip="Leave"),
        Binding("down", "list", "List", show=False, id="connect.list", tooltip="To the list of places"),
        Binding("enter", "choose", "Connect", id="connect.choose", tooltip="Connect to the one under the cursor"),
    ]

    KEYS = (
        Named("connect.choose", "connect", "enter"),
        Named("", "list", "tab"),
        Named("connect.back", "back"),
        Named("connect.quit", "quit"),
    )

    DEFAULT_CSS = """
    ConnectScreen {
        & Field { margin: 1 0 0 0; }
        & Table { height: auto; max-height: 16; min-height: 3; }
    }
    """

    def __init__(self, why: SafeText, choices: Sequence[Choice]) -> None:
        """``why`` says what keeps us from the server shown; it may be empty."""
        self._why = why
        self._choices = tuple(choices)
        self.asks = bool(why)  # then it comes unasked, and what was typed was meant for something else
        super().__init__()

    def compose(self) -> ComposeResult:
        """A field for a URL, and the places known."""
        table: Table[Choice] = Table(_COLUMNS)
        table.styles.height = len(self._choices) + 1
        frame = Vertical(
            Facts(((span(self._why, "warn"),),) if self._why else ()),
            Field(placeholder="host:port, or redis:// rediss:// unix:// valkey:// valkeys://"),
            Facts(id="wrong"),
            table,
            classes="frame",
        )
        frame.border_title = Content("Connect")
        yield frame

    def on_mount(self) -> None:
        """Fill the list; the field has the focus, for a URL is what one pastes."""
        self.query_one(Table).show(Listed(self._choices, lambda choice: (choice.kind, choice.name)))
        self.query_one(Input).focus()

    def action_list(self) -> None:
        """From the field to the list."""
        self.query_one(Table).focus()

    def action_choose(self) -> None:
        """Connect to the place under the cursor."""
        choice = self.query_one(Table).cursor_row
        if choice is not None:
            self.dismiss(choice)

    @on(Input.Submitted)
    def _submit(self, event: Input.Submitted) -> None:
        text = event.value.strip()
        if not text:
            self.action_choose()
            return
        try:
            url.parse(text)
        except ValueError as error:
            self.query_one("#wrong", Facts).show(((span(str(error), "warn"),), (label("such as cache.example:6379"),)))
        else:
            self.dismiss(Choice("url", text, safe("")))

    @on(Table.Opened)
    def _opened(self) -> None:
        self.action_choose()
