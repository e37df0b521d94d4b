"""Every screen over the monitor, opened by itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

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
from pymon_tui.ui.screens.invalidate.plan import PlanScreen
from pymon_tui.ui.screens.invalidate.question import QuestionScreen
from pymon_tui.ui.screens.invalidate.run import RunScreen
from pymon_tui.ui.screens.invalidate.site import Site
from pymon_tui.ui.screens.invalidate.undo import UndoScreen
from pymon_tui.ui.screens.keys.screen import KeysScreen
from pymon_tui.ui.screens.password import PasswordScreen
from pymon_tui.ui.screens.prompt import PromptScreen
from pymon_tui.ui.screens.reader import ReaderScreen
from tests.ui.screens.invalidate.walk import Walk
from tests.ui.scripted_desk import ScriptedDesk, plan_of, record_of
from tests.ui.stage import monitor_of

PATTERN = parse_pattern("user:cache:*")
KILL = Action(safe("Kill client"), ("CLIENT", "KILL", "ID", 7), safe("It is gone."), "client|kill")


async def never(_: object) -> None:
    """What a list of keys would go on to."""


def run_screen(site: Site, desk: ScriptedDesk) -> RunScreen:
    """A run that begins."""
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


def kinds_of(kind: type[Any]) -> set[type[Any]]:
    """All kinds that are derived from one."""
    return {each for below in kind.__subclasses__() for each in (below, *kinds_of(below))}


def site_of(on: Walk) -> Site:
    """What the screens over this monitor are given."""
    monitor = monitor_of(on.pilot.app)
    return Site(on.desk, monitor.source, lambda: monitor.newest, lambda: on.script.now, "blocks", tuple)


async def opened(on: Walk, kind: type[Screen[Any]]) -> Screen[Any]:
    """A screen of this kind, over the monitor."""
    await on.pilot.app.push_screen(OPENED[kind](site_of(on), on.desk))
    return await on.until_on(kind)
