"""Ctrl+C leaves from everywhere, but where something goes on that it ends first; q closes what has no line to type."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from textual.screen import Screen

from pymon_tui.invalidation.account import Options
from pymon_tui.invalidation.filters import Filters
from pymon_tui.invalidation.pattern import parse_pattern
from pymon_tui.model.action import Action
from pymon_tui.model.text import safe
from pymon_tui.ui.screens.confirm import ConfirmScreen
from pymon_tui.ui.screens.connect import ConnectScreen
from pymon_tui.ui.screens.invalidate.draft import Draft
from pymon_tui.ui.screens.invalidate.form import FormScreen
from pymon_tui.ui.screens.invalidate.journal import JournalScreen
from pymon_tui.ui.screens.invalidate.live import LiveScreen
from pymon_tui.ui.screens.invalidate.plan import PlanScreen
from pymon_tui.ui.screens.invalidate.question import QuestionScreen
from pymon_tui.ui.screens.invalidate.run import RunScreen
from pymon_tui.ui.screens.invalidate.site import Site
from pymon_tui.ui.screens.invalidate.undo import UndoScreen
from pymon_tui.ui.screens.keys.screen import KeysScreen
from pymon_tui.ui.screens.monitor import MonitorScreen
from pymon_tui.ui.screens.password import PasswordScreen
from pymon_tui.ui.screens.prompt import PromptScreen
from pymon_tui.ui.screens.reader import ReaderScreen
from pymon_tui.ui.screens.window import Window
from tests.ui.screens.invalidate.walk import Walk, walk
from tests.ui.scripted_desk import ScriptedDesk, plan_of, record_of, result_of
from tests.ui.stage import monitor_of, until

PATTERN = parse_pattern("user:cache:*")
KILL = Action(safe("Kill client"), ("CLIENT", "KILL", "ID", 7), safe("It is gone."), "client|kill")


async def never(_: object) -> None:
    """What a list of keys would go on to."""


def run_screen(site: Site, desk: ScriptedDesk) -> RunScreen:
    options = Options()
    plan = plan_of(desk.selection((PATTERN,), Filters(), every=False), desk.endpoint)
    return RunScreen(site, desk.removal(plan, options, None))


OPENED: Mapping[type[Screen[Any]], Callable[[Site, ScriptedDesk], Screen[Any]]] = {
    ConfirmScreen: lambda *_: ConfirmScreen(KILL, safe("prod")),
    ConnectScreen: lambda *_: ConnectScreen(safe(""), ()),
    PasswordScreen: lambda *_: PasswordScreen(safe("prod"), safe("a password is wanted")),
    PromptScreen: lambda *_: PromptScreen("Publish", "what", "", lambda _: None),
    ReaderScreen: lambda *_: ReaderScreen(safe("Client 7"), (), safe("")),
    QuestionScreen: lambda *_: QuestionScreen(safe("Invalidate?"), (), "do it", "leave everything"),
    UndoScreen: lambda site, _: UndoScreen(site, record_of()),
    FormScreen: lambda site, _: FormScreen(site, Draft(), "pattern"),
    PlanScreen: lambda site, _: PlanScreen(site, Draft("user:cache:*"), Options(), None),
    RunScreen: run_screen,
    JournalScreen: lambda site, _: JournalScreen(site),
    KeysScreen: lambda site, _: KeysScreen(site, PATTERN, never),
}
"""Every screen over the monitor."""

TYPED_INTO = {ConnectScreen, PasswordScreen, PromptScreen, FormScreen}


def kinds_of(kind: type[Any]) -> set[type[Any]]:
    return {each for below in kind.__subclasses__() for each in (below, *kinds_of(below))}


def test_these_are_all() -> None:
    assert set(OPENED) == kinds_of(Window) | kinds_of(LiveScreen)


async def opened(on: Walk, kind: type[Screen[Any]]) -> Screen[Any]:
    monitor = monitor_of(on.pilot.app)
    site = Site(on.desk, monitor.source, lambda: monitor.newest, lambda: on.script.now, "blocks", tuple)
    await on.pilot.app.push_screen(OPENED[kind](site, on.desk))
    return await on.until_on(kind)


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
