from __future__ import annotations

from textual import on
from textual.app import App, ComposeResult

from pymon_tui.ui.theme import DARK
from pymon_tui.ui.widgets.picker import Picker


class Pickers(App[None]):
    """One picker, and what it said."""

    def __init__(self) -> None:
        super().__init__()
        self.register_theme(DARK)
        self.theme = DARK.name
        self.said: list[str] = []

    def compose(self) -> ComposeResult:
        """The picker."""
        yield Picker(("any", "hash", "[red]\x1b"), "any")

    @on(Picker.Changed)
    def _note(self, message: Picker.Changed) -> None:
        self.said.append(message.control.chosen)


async def test_the_arrows_go_round_and_each_step_is_said() -> None:
    app = Pickers()
    async with app.run_test(size=(30, 4)) as pilot:
        picker = app.query_one(Picker)
        picker.focus()
        await pilot.press("right", "space", "right", "left")
        assert app.said == ["hash", "[red]\x1b", "any", "[red]\x1b"]
        assert picker.render_line(0).text.rstrip() == r"‹ [red]\x1b ›"


async def test_a_click_goes_on() -> None:
    app = Pickers()
    async with app.run_test(size=(30, 4)) as pilot:
        await pilot.click(Picker)
        assert app.said == ["hash"]


async def test_the_same_word_again_says_nothing() -> None:
    app = Pickers()
    async with app.run_test(size=(30, 4)) as pilot:
        app.query_one(Picker).choose("any")
        await pilot.pause()
        assert app.said == []
