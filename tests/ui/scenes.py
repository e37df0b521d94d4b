"""Every screen over the monitor, as it stands at some moments, and the hints that it has then."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, NamedTuple, cast

from textual.screen import Screen

from pymon_tui.invalidation.browsing import Browsing, BrowsingProgress, KeyFacts
from pymon_tui.invalidation.order import OrderError
from pymon_tui.invalidation.pattern import Pattern, PatternError
from pymon_tui.invalidation.sampling import Sample
from pymon_tui.model.text import SafeText, safe
from pymon_tui.ui.screens.confirm import ConfirmScreen
from pymon_tui.ui.screens.connect import DEMO, ConnectScreen
from pymon_tui.ui.screens.invalidate.draft import Draft
from pymon_tui.ui.screens.invalidate.form import FormScreen
from pymon_tui.ui.screens.invalidate.journal import JournalScreen
from pymon_tui.ui.screens.invalidate.plan import PlanScreen
from pymon_tui.ui.screens.invalidate.question import QuestionScreen
from pymon_tui.ui.screens.invalidate.run import RunScreen
from pymon_tui.ui.screens.invalidate.undo import UndoScreen
from pymon_tui.ui.screens.keys.screen import KeysScreen
from pymon_tui.ui.screens.password import PasswordScreen
from pymon_tui.ui.screens.prompt import PromptScreen
from pymon_tui.ui.screens.reader import ReaderScreen
from tests.ui.opening import PATTERN, opened, site_of
from tests.ui.screens.invalidate.walk import Walk
from tests.ui.scripted_desk import ScriptedDesk, progress_of, result_of, samples
from tests.ui.stage import until

Way = Callable[[Walk], Awaitable[object]]


class Scene(NamedTuple):
    """A screen as it stands at some moment, and the names of the hints that it has then."""

    kind: type[Screen[Any]]
    what: str
    way: Way
    names: tuple[str, ...]


class Listing:
    """A listing of keys that never ends, and stops each time."""

    refusals: tuple[SafeText, ...] = ()
    progress = BrowsingProgress(6, 12, 6, ended=False, capped=False)

    async def __aenter__(self) -> Listing:
        return self

    async def __aexit__(self, *_: object) -> None:
        pass

    async def more(self) -> tuple[Sample, ...]:
        """Some of them."""
        return samples()[:2]

    async def facts(self, key: bytes) -> KeyFacts:
        """What is known of one."""
        return KeyFacts(samples()[0], safe("listpack"))


class Desk(ScriptedDesk):
    """A desk that lists keys, too."""

    def browsing(self, pattern: Pattern) -> Browsing:
        """Some keys."""
        return cast(Browsing, Listing())


async def push(on: Walk, screen: Screen[Any]) -> None:
    await on.pilot.app.push_screen(screen)


def plain(kind: type[Screen[Any]]) -> Way:
    """The screen as it opens."""
    return lambda on: opened(on, kind)


async def connecting(on: Walk) -> None:
    await push(on, ConnectScreen(safe(""), (DEMO,)))


async def in_the_list(on: Walk) -> None:
    await connecting(on)
    await on.press("tab")


async def prompted(on: Walk) -> None:
    await push(on, PromptScreen("Publish", "what", "", lambda text: None if text else "nothing is typed"))


async def filled_form(on: Walk) -> None:
    await push(on, FormScreen(site_of(on), Draft("user:cache:*"), "pattern"))


async def form_at_a_picker(on: Walk) -> None:
    await filled_form(on)
    await on.press("down")


async def wrong_form(on: Walk) -> None:
    await push(on, FormScreen(site_of(on), Draft("user:cache:*", idle="soon"), "pattern"))


async def ready_plan(on: Walk) -> None:
    screen = await opened(on, PlanScreen)
    on.desk.plans[-1].finish()
    await until(on.pilot, lambda: screen.has_class("-ready"))


async def typing(on: Walk) -> None:
    await ready_plan(on)
    await on.press("enter")


async def no_plan(on: Walk) -> None:
    screen = await opened(on, PlanScreen)
    on.desk.plans[-1].error = PatternError("no such pattern")
    on.desk.plans[-1].finish()
    await until(on.pilot, lambda: cast(PlanScreen, screen)._failed is not None)


def run_in(state: str, why: str = "") -> Way:
    async def way(on: Walk) -> None:
        screen = await opened(on, RunScreen)
        on.desk.removals[-1].progress = replace(progress_of(), state=cast(Any, state), why=safe(why))
        cast(RunScreen, screen)._look()

    return way


async def ended_run(on: Walk) -> None:
    screen = await opened(on, RunScreen)
    on.desk.removals[-1].finish(result_of())
    await until(on.pilot, lambda: cast(RunScreen, screen).result is not None)


async def failed_run(on: Walk) -> None:
    screen = await opened(on, RunScreen)
    on.desk.removals[-1].fail(OrderError("not any more"))
    await until(on.pilot, lambda: cast(RunScreen, screen)._failed is not None)


async def undo(on: Walk) -> None:
    screen = await opened(on, UndoScreen)
    await until(on.pilot, lambda: cast(UndoScreen, screen).is_judged)


async def undoing(on: Walk) -> None:
    await undo(on)
    await on.press("y")


async def undone(on: Walk) -> None:
    await undoing(on)
    on.desk.restores[-1].finish()
    await until(on.pilot, lambda: cast(UndoScreen, on.screen).result is not None)


def journal_at(*keys: str) -> Way:
    async def way(on: Walk) -> None:
        screen = cast(JournalScreen, await opened(on, JournalScreen))
        await until(on.pilot, lambda: screen.knows and bool(screen._found))
        await on.press(*keys)

    return way


async def reader_of_the_journal(on: Walk) -> None:
    await journal_at("enter")(on)
    await on.until_on(ReaderScreen)


async def help_of_the_journal(on: Walk) -> None:
    await journal_at("question_mark")(on)
    await on.until_on(ReaderScreen)


async def listed_keys(on: Walk) -> None:
    async def invalidate(pattern: Pattern) -> None:
        on.pilot.app.notify(pattern.shown, markup=False)

    screen = KeysScreen(site_of(on), PATTERN, invalidate)
    await push(on, screen)
    await until(on.pilot, lambda: screen._stopped_at is not None)


SCENES = (
    Scene(ConfirmScreen, "", plain(ConfirmScreen), ("send it", "send nothing")),
    Scene(PasswordScreen, "", plain(PasswordScreen), ("log in", "back", "quit")),
    Scene(ConnectScreen, "in the field", connecting, ("connect", "list", "back", "quit")),
    Scene(ConnectScreen, "in the list", in_the_list, ("connect", "list", "back", "quit")),
    Scene(PromptScreen, "", prompted, ("go on", "back")),
    Scene(QuestionScreen, "", plain(QuestionScreen), ("do it", "leave everything")),
    Scene(FormScreen, "empty", plain(FormScreen), ("Next field", "Back")),
    Scene(FormScreen, "filled", filled_form, ("Plan", "Next field", "Clear", "Back")),
    Scene(FormScreen, "at a picker", form_at_a_picker, ("Plan", "Next field", "Clear", "Back", "Help")),
    Scene(FormScreen, "wrong", wrong_form, ("Next field", "Clear", "Back")),
    Scene(PlanScreen, "being made", plain(PlanScreen), ("Back", "Help")),
    Scene(
        PlanScreen, "ready", ready_plan, ("Run", "Dry run", "Mode", "Undo on/off", "Preset", "Again", "Back", "Help")
    ),
    Scene(PlanScreen, "while one types", typing, ("Remove", "Back")),
    Scene(PlanScreen, "failed", no_plan, ("Again", "Back", "Help")),
    Scene(RunScreen, "beginning", plain(RunScreen), ("Cancel", "Leave", "Help")),
    Scene(RunScreen, "under way", run_in("running"), ("Pause", "Cancel", "Leave", "Help")),
    Scene(RunScreen, "paused", run_in("paused", "paused by you"), ("Pause", "Cancel", "Leave", "Help")),
    Scene(RunScreen, "asking", run_in("asking", "more keys match"), ("Go on", "Cancel", "End", "Leave", "Help")),
    Scene(RunScreen, "ended", ended_run, ("Undo", "Details", "Journal", "Leave", "Help")),
    Scene(RunScreen, "failed", failed_run, ("Journal", "Leave", "Help")),
    Scene(UndoScreen, "asking", undo, ("bring them back", "replace them", "leave everything")),
    Scene(UndoScreen, "under way", undoing, ("cancel",)),
    Scene(UndoScreen, "ended", undone, ("close",)),
    Scene(JournalScreen, "at a run", journal_at(), ("Details", "Undo", "More", "Close", "Help")),
    Scene(JournalScreen, "at a run cut off", journal_at("down"), ("Details", "Resume", "More", "Close", "Help")),
    Scene(JournalScreen, "read to its end", journal_at("m", "end"), ("Details", "Close", "Help")),
    Scene(ReaderScreen, "of the journal", reader_of_the_journal, ("copy", "close")),
    Scene(ReaderScreen, "help", help_of_the_journal, ("copy", "close")),
    Scene(
        KeysScreen, "", listed_keys, ("Sort", "Details", "More", "Copy", "Invalidate", "all", "Again", "Back", "Help")
    ),
)
