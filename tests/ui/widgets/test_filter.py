"""The filter line: typed, kept, dropped, and out of the way while there is no text to type."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Input

from pymon_tui.ui.theme import THEMES
from pymon_tui.ui.widgets.filter import FilterLine
from pymon_tui.ui.widgets.ink import span
from pymon_tui.ui.widgets.table import Column, Listed, Table

FRUIT = ("apple", "apricot", "banana")


class Fruit(App[None]):
    """A table of fruit, narrowed as one types."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "Back"),
        Binding("q", "quit", "Quit"),
        Binding("1", "first", "First"),
    ]

    def __init__(self) -> None:
        super().__init__()
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = "pymon-dark"
        self.heard: list[str] = []
        self.went_back = 0

    def compose(self) -> ComposeResult:
        line = FilterLine()
        yield Table[str]([Column("name", "name", 10, span, grows=True)], filter_line=line)
        yield line

    def on_mount(self) -> None:
        self.narrow("")
        self.query_one(Table).focus()

    @on(FilterLine.Changed)
    def _changed(self, event: FilterLine.Changed) -> None:
        self.heard.append(event.text)
        self.narrow(event.text)

    def narrow(self, text: str) -> None:
        self.query_one(Table).show(Listed([name for name in FRUIT if text in name], str))

    async def action_back(self) -> None:
        self.went_back += 1

    @property
    def line(self) -> FilterLine:
        return self.query_one(FilterLine)

    @property
    def shown(self) -> list[str]:
        rows = self.query_one(Table).rows
        return [rows[index] for index in range(len(rows))]


async def test_typing_narrows_at_each_key_and_enter_keeps_it() -> None:
    app = Fruit()
    async with app.run_test(size=(30, 8)) as pilot:
        assert not app.line.display
        await pilot.press("slash")
        assert app.line.display
        await pilot.press("a", "p")
        assert app.shown == ["apple", "apricot"]
        await pilot.press("enter")
        assert app.heard == ["a", "ap"]
        assert not app.line.display
        assert isinstance(app.focused, Table)
        assert app.line.text == "ap"


async def test_escape_drops_the_filter_and_goes_back_to_the_rows() -> None:
    app = Fruit()
    async with app.run_test(size=(30, 8)) as pilot:
        await pilot.press("slash", "b", "escape")
        assert app.shown == list(FRUIT)
        assert app.line.text == ""
        assert isinstance(app.focused, Table)
        assert app.went_back == 0


async def test_escape_in_the_rows_clears_a_kept_filter_before_it_goes_back() -> None:
    app = Fruit()
    async with app.run_test(size=(30, 8)) as pilot:
        await pilot.press("slash", "b", "enter", "escape")
        assert app.shown == list(FRUIT)
        assert app.went_back == 0
        await pilot.press("escape")
        assert app.went_back == 1


async def test_a_kept_filter_is_edited_where_it_was_left() -> None:
    app = Fruit()
    async with app.run_test(size=(30, 8)) as pilot:
        await pilot.press("slash", "a", "p", "enter", "slash", "r", "enter")
        assert app.shown == ["apricot"]


async def test_keys_of_the_screen_are_typed_and_not_obeyed() -> None:
    app = Fruit()
    async with app.run_test(size=(30, 8)) as pilot:
        await pilot.press("slash", "q", "1")
        assert app.line.text == "q1"
        assert app.shown == []


async def test_control_characters_do_not_come_in_by_the_clipboard() -> None:
    app = Fruit()
    async with app.run_test(size=(30, 8)) as pilot:
        await pilot.press("slash")
        app.query_one(Input).insert_text_at_cursor("a\x1b]52;c;x")
        await pilot.pause()
        assert app.line.text == ""


async def test_a_terminal_that_loses_the_focus_closes_nothing() -> None:
    app = Fruit()
    async with app.run_test(size=(30, 8)) as pilot:
        await pilot.press("slash", "a")
        app.app_focus = False
        await pilot.pause()
        app.app_focus = True
        await pilot.pause()
        assert app.line.display
        await pilot.press("p")
        assert app.line.text == "ap"


async def test_a_click_elsewhere_ends_the_typing_and_keeps_the_text() -> None:
    app = Fruit()
    async with app.run_test(size=(30, 8)) as pilot:
        await pilot.press("slash", "a")
        await pilot.click(Table, offset=(2, 1))
        assert not app.line.display
        assert app.line.text == "a"


async def test_the_keys_are_offered_only_while_they_do_something() -> None:
    app = Fruit()
    async with app.run_test(size=(30, 8)) as pilot:
        table = app.query_one(Table)
        assert table.check_action("filter", ()) is True
        assert table.check_action("drop_filter", ()) is False
        await pilot.press("slash", "a", "enter")
        assert table.check_action("drop_filter", ()) is True
        bare = Table[str]([Column("name", "name", 10, span)])
        assert bare.check_action("filter", ()) is False
        assert bare.check_action("drop_filter", ()) is False
