"""Ctrl+C leaves from everywhere, but where something goes on that it ends first; q closes what has no line to type."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from textual.screen import Screen

from pymon_tui.ui.screens.connect import ConnectScreen
from pymon_tui.ui.screens.invalidate.form import FormScreen
from pymon_tui.ui.screens.invalidate.live import LiveScreen
from pymon_tui.ui.screens.invalidate.run import RunScreen
from pymon_tui.ui.screens.invalidate.undo import UndoScreen
from pymon_tui.ui.screens.monitor import MonitorScreen
from pymon_tui.ui.screens.password import PasswordScreen
from pymon_tui.ui.screens.prompt import PromptScreen
from pymon_tui.ui.screens.window import Window
from tests.ui.opening import OPENED, kinds_of, opened
from tests.ui.screens.invalidate.walk import walk
from tests.ui.scripted_desk import ScriptedDesk, result_of
from tests.ui.stage import until

TYPED_INTO = {ConnectScreen, PasswordScreen, PromptScreen, FormScreen}


def test_these_are_all() -> None:
    assert set(OPENED) == kinds_of(Window) | kinds_of(LiveScreen)


@pytest.mark.parametrize("kind", OPENED)
async def test_ctrl_c_leaves_the_program(kind: type[Screen[Any]], tmp_path: Path) -> None:
    async with walk(ScriptedDesk(tmp_path)) as on:
        screen = await opened(on, kind)
        if isinstance(screen, RunScreen):
            on.desk.removals[-1].finish(result_of())
            await until(on.pilot, lambda: screen.result is not None)
        await on.press("ctrl+c")
        await until(on.pilot, lambda: on.pilot.app._exit)


@pytest.mark.parametrize("kind", [kind for kind in OPENED if kind not in TYPED_INTO | {RunScreen}])
async def test_q_closes(kind: type[Screen[Any]], tmp_path: Path) -> None:
    async with walk(ScriptedDesk(tmp_path)) as on:
        await opened(on, kind)
        await on.press("q")
        await until(on.pilot, lambda: isinstance(on.screen, MonitorScreen))


async def test_ctrl_c_ends_a_run_before_it_leaves(tmp_path: Path) -> None:
    async with walk(ScriptedDesk(tmp_path)) as on:
        await opened(on, RunScreen)
        await on.press("ctrl+c")
        assert on.desk.removals[-1].told == ["cancel"]
        assert not on.pilot.app._exit


async def test_ctrl_c_ends_an_undo_before_it_leaves(tmp_path: Path) -> None:
    async with walk(ScriptedDesk(tmp_path)) as on:
        await opened(on, UndoScreen)
        await on.press("y", "ctrl+c")
        assert on.desk.restores[-1].cancelled
        assert not on.pilot.app._exit
