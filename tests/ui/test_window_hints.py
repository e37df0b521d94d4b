"""Every key that a screen over the monitor names does something, and a click on it presses that key."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import pytest
from textual.screen import Screen

import pymon_tui.ui
from pymon_tui.settings import Settings
from pymon_tui.ui.palette import Palette
from pymon_tui.ui.panes.pane import Pane
from pymon_tui.ui.screens.acting import ActingScreen
from pymon_tui.ui.screens.confirm import ConfirmScreen
from pymon_tui.ui.screens.invalidate import journal
from pymon_tui.ui.screens.invalidate.live import LiveScreen
from pymon_tui.ui.screens.monitor import MonitorScreen
from pymon_tui.ui.screens.reader import ReaderScreen
from pymon_tui.ui.screens.window import Window
from pymon_tui.ui.widgets.key_bar import Hint
from tests.script import Script, snapshot
from tests.ui.hands import Hands
from tests.ui.opening import OPENED, kinds_of
from tests.ui.scenes import SCENES, Desk, Scene
from tests.ui.screens.invalidate.walk import Walk
from tests.ui.scripted_desk import ScriptedDesk, record_of
from tests.ui.stage import app_of, until_shown

BASES = {
    Palette: "Textual's, which has no key bar",
    pymon_tui.ui.painting.SeenScreen: "how screens are painted",
    ActingScreen: "how the monitor acts",
    Window: "what windows share",
    LiveScreen: "what the screens of invalidation share",
    MonitorScreen: "its hints are those of the panes, which test_hints tries",
}
"""Kinds of screens that aren't tried here, and what they are."""


def test_every_screen_is_tried_or_is_named_with_a_reason() -> None:
    for module in pkgutil.walk_packages(pymon_tui.ui.__path__, "pymon_tui.ui."):
        importlib.import_module(module.name)
    ours = {kind for kind in kinds_of(Screen) if kind.__module__.startswith("pymon_tui.")}
    tried = {scene.kind for scene in SCENES}
    assert ours == tried | set(BASES)
    assert tried == set(OPENED)
    assert not tried & set(BASES)


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """With a journal of more runs than are read at once."""
    monkeypatch.setattr(journal, "_PAGE", 2)
    desk = Desk(tmp_path)
    cut_off = record_of(id="b", run="b", state="interrupted", undo_path=None)
    desk.known = (record_of(), cut_off, record_of(id="c", kind="undo", undo_path=None))
    return desk


@asynccontextmanager
async def walk_with_hands(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[Walk, Hands, list[str]]]:
    """One app; the keys that clicks have pressed; who leaves the program is seen to, and stays."""
    one = snapshot({})
    script = Script(one)
    app = app_of(script, Settings(host="scripted", theme="pymon-dark"), desk)
    pressed: list[str] = []
    left: list[str] = []
    simulate_key = app.simulate_key

    def simulate(key: str) -> None:
        pressed.append(key)
        simulate_key(key)

    monkeypatch.setattr(app, "simulate_key", simulate)
    monkeypatch.setattr(app, "exit", lambda *_, **__: left.append("left"))
    async with app.run_test(size=(80, 24)) as pilot:
        monitor = await until_shown(pilot, one)
        await monitor.query(Pane).remove()  # nothing has to be laid out and drawn underneath
        hands = Hands(pilot, script, one)
        hands.told = lambda: (left, [removal.told for removal in desk.removals], desk.wanted, cancelled(desk))
        yield Walk(pilot, desk, script), hands, pressed
        monkeypatch.undo()


def cancelled(desk: ScriptedDesk) -> list[bool]:
    return [restore.cancelled for restore in desk.restores]


async def to(on: Walk, scene: Scene) -> None:
    """From wherever a hint has led to this scene, by way of the monitor."""
    app = on.pilot.app
    while len(app.screen_stack) > 1:
        await app.pop_screen()
    app.clear_notifications()
    await scene.way(on)
    await on.pilot.pause()
    assert isinstance(on.screen, scene.kind)
    on.hold()


async def test_every_hint_of_a_window_does_something_by_a_click_which_presses_its_key(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong: list[str] = []
    async with walk_with_hands(desk, monkeypatch) as (on, hands, pressed):
        for scene in SCENES:
            where = f"in {scene.kind.__name__} {scene.what}".rstrip()
            await to(on, scene)
            screen = on.screen
            hints = hands.places()
            if (names := tuple(hint.name for hint in hints)) != scene.names:
                wrong.append(f"there are {names} {where}")
            wrong += [f"{what} {where}" for what in unnamed(on.screen, hints)]
            for number, hint in enumerate(hints):
                places = hands.places() if number else hints
                if on.screen is not screen or hint not in places:
                    await to(on, scene)
                    screen, places = on.screen, hands.places()
                before = hands.seen()
                pressed.clear()
                await on.pilot.click(offset=places[hint])
                await on.pilot.pause()
                if pressed != [hint.press]:
                    wrong.append(f"a click on {hint.key} {hint.name} presses {pressed} {where}")
                if hands.seen() == before:
                    wrong.append(f"{hint.key} {hint.name} does nothing {where}")
    assert not wrong, "\n".join(wrong)


def unnamed(screen: Screen[Any], hints: Iterable[Hint]) -> Iterator[str]:
    """Keys of a screen's own that work and are named nowhere, and what a border says that can't be clicked."""
    active = screen.active_bindings
    named = {active[hint.press].binding.action for hint in hints}
    named |= {"leave"} if "cancel" in named else set()  # it ends an undo first, as cancel does
    for key, one in active.items():
        if one.node is screen and one.enabled and one.binding.show and one.binding.action not in named:
            yield f"{key} works and isn't named"
    border = screen.query_one(".frame")._border_subtitle
    if isinstance(screen, Window) and border is not None:
        said = "  ".join(f"{hint.key} {hint.name}" for hint in hints)
        if border.plain not in ("", said):
            yield f"the border says {border.plain}"


async def test_a_window_names_the_keys_that_the_keymap_has_given() -> None:
    one = snapshot({})
    keymap = {"confirm.yes": "f10", "reader.close": "x"}
    script = Script(one)
    async with app_of(script, Settings(host="scripted", keymap=keymap)).run_test(size=(80, 24)) as pilot:
        await until_shown(pilot, one)
        hands = Hands(pilot, script, one)
        for kind, keys in ((ConfirmScreen, ["f10", "n"]), (ReaderScreen, ["y", "x"])):
            await pilot.app.push_screen(OPENED[kind](cast(Any, None), cast(Any, None)))
            await pilot.pause()
            assert [hint.key for hint in hands.places()] == keys
