"""Hands that try what the screens name, and eyes that see whether anything came of it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Hashable
from contextlib import asynccontextmanager
from typing import Any

from rich.cells import cell_len
from textual.pilot import Pilot
from textual.screen import Screen
from textual.widgets import Input

from pymon_tui.model.snapshot import Snapshot
from pymon_tui.model.text import safe
from pymon_tui.ui.panes import PANES_BY_KEY
from pymon_tui.ui.screens.monitor import MonitorScreen
from pymon_tui.ui.widgets.key_bar import Hint, KeyBar
from tests.samples import sample
from tests.script import Script
from tests.ui.scripted_desk import ScriptedDesk
from tests.ui.stage import app_of, few_panes, until, until_shown

SIZE = (120, 30)


class Hands:
    """Presses, clicks, and looks whether anything came of it."""

    def __init__(self, pilot: Pilot[Any], script: Script, one: Snapshot) -> None:
        self.pilot = pilot
        self.script = script
        self.one = one
        self.tried: set[str] = set()  # the names of the hints
        self.told: Callable[[], object] = tuple  # what was told to others than the source

    @property
    def screen(self) -> Screen[Any]:
        return self.pilot.app.screen

    def hints(self) -> tuple[Hint, ...]:
        return self.screen.query_one(KeyBar).hints

    def places(self) -> dict[Hint, tuple[int, int]]:
        """The hints that are seen, in bars and in borders, and the cell of the terminal that each begins at."""
        found: dict[Hint, tuple[int, int]] = {}
        for bar in self.screen.query(KeyBar):
            corner = bar.content_region.offset
            found |= {hint: (corner.x + x, corner.y + y) for x, y, hint in bar.placed(bar.content_size.width)}
        strips = self.screen._compositor.render_strips() if not found else ()
        for y, strip in enumerate(strips):
            x = 0
            for text, style, _ in strip:
                if style is not None and (action := style.meta.get("@click")):
                    key, _, name = text.partition(" ")
                    found[Hint(safe(key), safe(name), action.split("'")[1])] = x, y
                x += cell_len(text)
        return found

    def seen(self) -> Hashable:
        """All that a person could notice, and all that the source was told."""
        app, script = self.pilot.app, self.script
        strips = [tuple((text, style) for text, style, _ in strip) for strip in self.screen._compositor.render_strips()]
        told = (
            script.acts,
            script.pokes,
            script.chosen,
            script.patterns,
            script.wanted,
            script.interval,
            script.peaks_reset,
            self.told(),
        )
        return (
            *strips[:-1],
            self.screen,
            len(app._notifications),
            app.clipboard,
            app.theme,
            repr(told),
            str(app.focused),
        )

    async def back(self, key: str | None) -> None:
        """To the overview, or to the pane of this key, from wherever a hint has led; without a pause."""
        while not isinstance(self.screen, MonitorScreen):
            before = self.screen
            await self.pilot.press("escape")
            await until(self.pilot, lambda before=before: self.screen is not before)  # type: ignore[misc]
        monitor = self.screen
        if monitor.paused:
            await self.pilot.press("space")
        self.pilot.app.clear_notifications()
        if isinstance(monitor.focused, Input):
            await self.pilot.press("escape")
        opened = next((at for at, kind in PANES_BY_KEY.items() if monitor._open == kind.NAME), None)
        if opened != key:
            await self.pilot.press(key or "1")
        await self.pilot.pause()

    async def until_offered(self, hint: Hint, where: str) -> None:
        """Go round the groups, out of one, or along the rows until the hint is there, as it was at first."""
        ways = iter(("escape", "g", "g", "g", "g", "g", "home", "down", "down", "down", "down"))
        while hint not in self.hints():
            names = {one.name for one in self.hints()}
            key = next((way for way in ways if way != "escape" or names & {"All rows", "Groups", "Shapes"}), None)
            assert key is not None, f"{hint.name} is gone {where}"
            await self.pilot.press(key)
            await self.pilot.pause()

    async def does(self, hint: Hint, where: str, *, click: bool) -> None:
        """Fail where nothing comes of a hint."""
        before = self.seen()
        if click:
            bar = self.screen.query_one(KeyBar)
            (at,) = (at for at, _, one in bar.placed(bar.size.width) if one == hint)
            await self.pilot.click(KeyBar, offset=(at, 0))
        else:
            await self.pilot.press(hint.press)
        await self.pilot.pause()
        how = "a click on" if click else "the key of"
        assert self.seen() != before, f"{how} {hint.key} {hint.name} does nothing {where}"
        self.tried.add(hint.name)


@asynccontextmanager
async def hands_on(desk: ScriptedDesk | None = None, panes: str = "".join(PANES_BY_KEY)) -> AsyncIterator[Hands]:
    """Hands at the monitor, which has the panes of these keys, once it shows a picture."""
    one = await sample()
    script = Script(one)
    with few_panes(panes):
        async with app_of(script, desk=desk).run_test(size=SIZE) as pilot:
            await until_shown(pilot, one)
            yield Hands(pilot, script, one)
