"""Every hint does something, by its key and by a click; every key that works together is known to the keymap."""

from __future__ import annotations

from collections.abc import Hashable
from itertools import combinations
from pathlib import Path
from typing import Any, cast

from textual.pilot import Pilot
from textual.screen import Screen
from textual.widgets import Input

from pymon_tui.model.snapshot import Snapshot
from pymon_tui.ui.app import PymonApp
from pymon_tui.ui.contexts import contexts
from pymon_tui.ui.panes import PANES_BY_KEY
from pymon_tui.ui.panes.pane import Pane
from pymon_tui.ui.screens.monitor import MonitorScreen
from pymon_tui.ui.widgets.key_bar import Hint, KeyBar
from pymon_tui.ui.widgets.table import Table
from tests.samples import sample
from tests.script import Script
from tests.ui.scripted_desk import ScriptedDesk
from tests.ui.stage import app_of, until, until_shown

SIZE = (120, 30)
EVERYWHERE = {"Pause", "Help", "Invalidate", "panes"}
"""The hints that are the same in every pane: they are tried in the overview and in one of the panes."""
KNOWN = [{(binding.id or binding.action): binding.key for binding in one.bindings} for one in contexts(PymonApp)]


class Hands:
    """Presses, clicks, and looks whether anything came of it."""

    def __init__(self, pilot: Pilot[Any], script: Script, one: Snapshot) -> None:
        self.pilot = pilot
        self.script = script
        self.one = one
        self.tried: set[str] = set()

    @property
    def screen(self) -> Screen[Any]:
        return self.pilot.app.screen

    def hints(self) -> tuple[Hint, ...]:
        return self.screen.query_one(KeyBar).hints

    def seen(self) -> Hashable:
        """All that a person could notice, and all that the source was told."""
        app, script = self.pilot.app, self.script
        strips = [
            tuple((text, str(style)) for text, style, _ in strip) for strip in self.screen._compositor.render_strips()
        ]
        told = script.acts, script.pokes, script.chosen, script.patterns, script.wanted, script.interval
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
            (at,) = (at for at, one in bar.placed() if one == hint)
            await self.pilot.click(KeyBar, offset=(at, 0))
        else:
            await self.pilot.press(hint.press)
        await self.pilot.pause()
        how = "a click on" if click else "the key of"
        assert self.seen() != before, f"{how} {hint.key} {hint.name} does nothing {where}"
        self.tried.add(f"{where} {hint.name}")


async def test_every_hint_of_every_pane_does_something_by_key_and_by_click(tmp_path: Path) -> None:
    one = await sample()
    script = Script(one)
    async with app_of(script, desk=ScriptedDesk(tmp_path)).run_test(size=SIZE) as pilot:
        await until_shown(pilot, one)
        hands = Hands(pilot, script, one)
        for key, kind in ((None, None), *PANES_BY_KEY.items()):
            where = f"in {kind.TITLE}" if kind is not None else "in the overview"
            await hands.back(key)
            hints = hands.hints()
            assert hints, where
            _assert_known(pilot)
            for hint in hints:
                if hint.name in EVERYWHERE and key not in (None, "4"):
                    continue
                for click in (False, True):
                    await hands.back(key)
                    await hands.until_offered(hint, where)
                    await hands.does(hint, where, click=click)
        await _overview_panes(hands)
    missing = {"in Clients Kill", "in Sessions Delete", "in Server Open"} - hands.tried
    assert not missing
    assert not {tried for tried in hands.tried if tried in ("in Memory Open", "in Hit rate Open")}


async def _overview_panes(hands: Hands) -> None:
    """The hints of each pane that has the focus in the overview."""
    await hands.back("1")
    for pane in hands.screen.query(Pane):
        if pane.IN_OVERVIEW:
            await hands.back("1")
            cast(MonitorScreen, hands.screen)._focus(pane)
            await hands.pilot.pause()
            _assert_known(hands.pilot)
            hint = next(one for one in hands.hints() if one.name == "Open")
            await hands.does(hint, f"at {pane.TITLE}", click=True)
            assert pane.full


def _assert_known(pilot: Pilot[Any]) -> None:
    """What is active together here is so for the keymap, too, which would refuse a key of two of them."""
    active = {one.binding.id for one in pilot.app.screen.active_bindings.values() if one.enabled and one.binding.id}
    for pair in combinations(sorted(active), 2):
        assert any(set(pair) <= known.keys() for known in KNOWN), pair


async def test_every_column_that_is_seen_can_be_sorted_by_key_and_by_click() -> None:
    one = await sample()
    script = Script(one)
    tried = 0
    async with app_of(script).run_test(size=SIZE) as pilot:
        await until_shown(pilot, one)
        hands = Hands(pilot, script, one)
        for key, kind in PANES_BY_KEY.items():
            await hands.back(key)
            for table in pilot.app.screen.query_one(kind).query(Table):
                names = [column.name for column, _ in table._laid_out() if column.sortable]
                if not (names and table.display and table.size.height):
                    continue
                table.focus()
                await pilot.pause()
                by_key = []
                for _ in names:
                    before = hands.seen()
                    await pilot.press("s")
                    await pilot.pause()
                    by_key.append(table.sort)
                    assert hands.seen() != before, f"{kind.NAME}: the order by {table.sort} is not to be seen"
                assert sorted(map(str, by_key)) == sorted(names), kind.NAME
                for name in names:
                    at = 0
                    for column, width in table._laid_out():
                        if column.name == name:
                            break
                        at += width + 1
                    order = table.sort, table.descending
                    await pilot.click(table, offset=(at, 0))
                    await pilot.pause()
                    assert table.sort == name
                    assert (table.sort, table.descending) != order
                    tried += 1
    assert tried > 40


async def test_a_double_click_in_a_pane_of_the_overview_opens_it() -> None:
    one = await sample()
    async with app_of(Script(one)).run_test(size=SIZE) as pilot:
        monitor = await until_shown(pilot, one)
        for pane in [pane for pane in monitor.query(Pane) if pane.IN_OVERVIEW]:
            await pilot.double_click(pane, offset=(4, 2))
            await until(pilot, lambda pane=pane: pane.full)  # type: ignore[misc]
            assert isinstance(pilot.app.screen, MonitorScreen)  # and no row of it besides
            await pilot.press("1")
            await until(pilot, lambda pane=pane: not pane.full)  # type: ignore[misc]
