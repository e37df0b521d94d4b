"""Pilots wait for what will come, and for nothing else."""

from __future__ import annotations

import pytest
from textual.app import App, ComposeResult
from textual.widgets import Static

from tests.ui import settling


class Stage(App[None]):
    def compose(self) -> ComposeResult:
        yield Static("shown")

    def key_h(self) -> None:
        """Mounts a hidden widget, which asks for a layout before it takes messages: on 3.11 it is never told of it."""
        hidden = Static("hidden")
        hidden.display = False
        self.mount(hidden)
        hidden.refresh(layout=True)

    def key_s(self) -> None:
        """Mounts a widget of three lines, which is laid out in the frame after."""
        self.mount(Static("one\ntwo\nthree", id="new"))


async def test_a_hidden_widget_that_asked_for_a_layout_holds_nobody_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settling, "_PATIENCE", 3.0)
    async with Stage().run_test() as pilot:
        await pilot.press("h")
        assert [each.display for each in pilot.app.query(Static)] == [True, False]


async def test_a_widget_that_is_new_is_laid_out() -> None:
    async with Stage().run_test() as pilot:
        await pilot.press("s")
        assert pilot.app.query_one("#new").size.height == 3
