"""A pane alone on the screen, given its snapshots by hand: quicker than the whole monitor."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Generic, TypeVar

from textual.app import App, ComposeResult
from textual.content import Content
from textual.pilot import Pilot

from pymon_tui.model.snapshot import Snapshot
from pymon_tui.ui.panes.pane import Pane
from pymon_tui.ui.theme import THEMES
from pymon_tui.ui.widgets.ink import Facts, text_of

P = TypeVar("P", bound=Pane)


class _Stage(App[None]):
    def __init__(self, pane: Pane) -> None:
        super().__init__()
        self._pane = pane
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = THEMES[0].name

    def compose(self) -> ComposeResult:
        yield self._pane


class Alone(Generic[P]):
    """A pane and the hand that drives it."""

    def __init__(self, pane: P, pilot: Pilot[None]) -> None:
        self.pane = pane
        self._pilot = pilot

    async def show(self, snapshot: Snapshot, *, full: bool) -> None:
        """Draw this snapshot in this form."""
        self.pane.full = full
        self.pane.snapshot = snapshot
        await self._settle()

    async def press(self, *keys: str) -> None:
        """Press keys while the pane has the focus."""
        self.pane.focus()
        await self._pilot.press(*keys)
        await self._settle()

    async def resize(self, width: int, height: int) -> None:
        """Give the pane another size, frame included."""
        await self._pilot.resize_terminal(width, height)
        await self._settle()

    @property
    def edge(self) -> str:
        """What the frame's lower edge says."""
        return Content.from_markup(str(self.pane.border_subtitle)).plain

    def said(self, selector: str) -> list[str]:
        """What the facts of this selector say, line by line."""
        facts = self.pane.query_one(selector, Facts)
        return [facts.render_line(y).text.rstrip() for y in range(facts.size.height)]

    def cut(self) -> list[str]:
        """The lines of facts seen that are not seen to their end."""
        shown = [facts for facts in self.pane.query(Facts) if facts.display]
        return [
            text
            for facts in shown
            for text in (text_of(line).rstrip() for line in facts._lines)
            if len(text) > facts.size.width
        ]

    @property
    def rows_taken(self) -> int:
        """The rows of all that is displayed."""
        return sum(widget.outer_size.height for widget in self.pane.children if widget.display)

    async def _settle(self) -> None:
        # Full and size are laid out after the next refresh, and what is drawn then may lay out once more.
        for _ in range(3):
            await self._pilot.pause()


@asynccontextmanager
async def alone(pane: P, width: int, height: int) -> AsyncIterator[Alone[P]]:
    """The pane on a screen of this size, its frame included."""
    async with _Stage(pane).run_test(size=(width, height)) as pilot:
        yield Alone(pane, pilot)
