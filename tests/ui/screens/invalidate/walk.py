"""Walks through the screens of invalidation, on a scripted source and a scripted desk."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from textual.content import Content
from textual.pilot import Pilot
from textual.screen import Screen
from textual.widgets import Input

from pymon_tui.model.snapshot import Snapshot
from pymon_tui.settings import Settings
from pymon_tui.ui.screens.invalidate.form import FormScreen
from pymon_tui.ui.screens.invalidate.plan import PlanScreen
from pymon_tui.ui.screens.invalidate.run import RunScreen
from pymon_tui.ui.widgets.ink import Ink
from tests.script import Script, snapshot
from tests.ui.scripted_desk import ScriptedDesk, ScriptedRemoval
from tests.ui.stage import app_of, few_panes, until, until_shown

ScreenT = TypeVar("ScreenT", bound=Screen[Any])


class Walk:
    """One app, and what its screens say."""

    def __init__(self, pilot: Pilot[Any], desk: ScriptedDesk, script: Script) -> None:
        self.pilot = pilot
        self.desk = desk
        self.script = script

    @property
    def screen(self) -> Screen[Any]:
        """What is shown."""
        return self.pilot.app.screen

    def text(self, selector: str) -> str:
        """What a widget of ours shows, as one line."""
        widget = self.screen.query_one(selector, Ink)
        return " ".join(" ".join(widget.render_line(y).text for y in range(widget.size.height)).split())

    def title(self, selector: str) -> str:
        """The frame's title and subtitle."""
        widget = self.screen.query_one(selector)
        return f"{widget.border_title} | {Content.from_markup(str(widget.border_subtitle)).plain}"

    async def until_says(self, selector: str, text: str) -> None:
        """Wait until a widget shows this."""
        await until(self.pilot, lambda: bool(self.screen.query(selector)) and text in self.text(selector))

    def hold(self) -> None:
        """Let the screen look no more."""
        for timer in self.screen._timers:
            timer.pause()

    async def until_on(self, kind: type[ScreenT]) -> ScreenT:
        """Wait until a screen of this kind is shown."""
        await until(self.pilot, lambda: isinstance(self.screen, kind))
        assert isinstance(self.screen, kind)
        return self.screen

    async def press(self, *keys: str) -> None:
        """Press keys, one after another."""
        await self.pilot.press(*keys)
        await self.pilot.pause()

    async def to_form(self) -> FormScreen:
        """From the monitor to the form."""
        await self.press("i")
        return await self.until_on(FormScreen)

    async def to_plan(self, pattern: str = "user:cache:*") -> PlanScreen:
        """From the monitor to a plan that is being made."""
        form = await self.to_form()
        form.query_one("#pattern", Input).value = pattern
        await self.press("enter")
        screen = await self.until_on(PlanScreen)
        await until(self.pilot, lambda: bool(self.desk.plans))
        return screen

    async def to_ready_plan(self, pattern: str = "user:cache:*") -> PlanScreen:
        """From the monitor to a plan."""
        screen = await self.to_plan(pattern)
        self.desk.plans[-1].finish()
        await until(self.pilot, lambda: screen.has_class("-ready"))
        return screen

    async def to_run(self) -> tuple[RunScreen, ScriptedRemoval]:
        """From the monitor to a run that is under way; the pattern is typed where it has to be."""
        plan = await self.to_ready_plan()
        await self.press("enter")
        assert plan.has_class("-typing")
        plan.query_one("#typed", Input).value = "user:cache:*"
        await self.press("enter")
        screen = await self.until_on(RunScreen)
        return screen, self.desk.removals[-1]


@asynccontextmanager
async def walk(
    desk: ScriptedDesk, one: Snapshot | None = None, *, size: tuple[int, int] = (80, 24), panes: str = "2"
) -> AsyncIterator[Walk]:
    """The app on a sample, at the monitor, which has the panes of these keys."""
    shown = one or snapshot({})
    script = Script(shown, read_only=desk.rules.read_only)
    settings = Settings(host="scripted", read_only=script.read_only, theme="pymon-dark")
    with few_panes(panes):
        async with app_of(script, settings, desk).run_test(size=size) as pilot:
            await until_shown(pilot, shown)
            yield Walk(pilot, desk, script)
