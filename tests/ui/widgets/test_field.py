"""What is pasted into a field: kept as it is, and drawn as safely as all else."""

from __future__ import annotations

import pytest
from textual import events
from textual.app import App, ComposeResult

from pymon_tui.model.text import safe
from pymon_tui.ui.widgets.field import Field


class Asking(App[None]):
    """A field and nothing else."""

    def __init__(self, *, password: bool) -> None:
        super().__init__()
        self.field = Field(password=password)

    def compose(self) -> ComposeResult:
        yield self.field


@pytest.mark.parametrize("pasted", ["a\x1b]2;PWNED\x07", "\x9b31mb", "a\u202eb\u200b", "e\u0301\udcff", "한글 key"])
async def test_what_is_pasted_is_kept_and_drawn_safely(pasted: str) -> None:
    app = Asking(password=False)
    async with app.run_test(size=(40, 3)) as pilot:
        app.field.focus()
        app.field.post_message(events.Paste(pasted))
        await pilot.pause()
        assert app.field.value == pasted
        drawn = app.field.render_line(0).text
        assert [character for character in drawn if safe(character) != character] == []
        kept = [character for character in pasted if safe(character) == character]
        assert [character for character in drawn if character not in "\ufffd "] == [
            character for character in kept if character != " "
        ]


async def test_a_password_is_dots() -> None:
    app = Asking(password=True)
    async with app.run_test(size=(40, 3)) as pilot:
        app.field.focus()
        await pilot.press("a", "b")
        assert app.field.value == "ab"
        assert app.field.render_line(0).text.strip() == "••"
