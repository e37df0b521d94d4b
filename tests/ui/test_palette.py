from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from textual.command import CommandPalette
from textual.pilot import Pilot
from textual.widgets import Input

from pymon_tui.ui.palette import ActionProvider
from pymon_tui.ui.panes import PANES
from pymon_tui.ui.screens.monitor import MonitorScreen
from tests.samples import sample
from tests.script import Script
from tests.ui.stage import app_of, until, until_shown


@asynccontextmanager
async def palette() -> AsyncIterator[Pilot[Any]]:
    """The palette over the monitor."""
    one = await sample()
    async with app_of(Script(one)).run_test(size=(80, 24)) as pilot:
        await until_shown(pilot, one)
        await pilot.press("ctrl+p")
        await until(pilot, lambda: isinstance(pilot.app.screen, CommandPalette))
        yield pilot


async def test_every_pane_and_action_is_found_by_name() -> None:
    one = await sample()
    async with app_of(Script(one)).run_test(size=(80, 24)) as pilot:
        monitor = await until_shown(pilot, one)
        names = [name for name, _, _ in ActionProvider(monitor)._entries()]
        assert {pane.TITLE for pane in PANES} <= set(names)
        assert {"Pause", "Refresh", "Quit", "Connect", "Theme pymon-light"} <= set(names)
        assert len(set(names)) == len(names)


async def test_ctrl_c_leaves_the_program() -> None:
    async with palette() as pilot:
        await pilot.press("ctrl+c")
        await until(pilot, lambda: pilot.app._exit)


async def test_the_palette_opens_a_pane() -> None:
    async with palette() as pilot:
        pilot.app.screen.query_one(Input).value = "hit rate"
        await until(pilot, lambda: pilot.app.screen.query_one("CommandList").option_count > 0)  # type: ignore[attr-defined]
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, MonitorScreen))
        await until(pilot, lambda: pilot.app.screen.query_one("#pane-hits").has_class("-full"))
