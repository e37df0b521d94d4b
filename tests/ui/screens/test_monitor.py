from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from textual.pilot import Pilot

from pymon_tui.model.deployment import Kind, Role
from pymon_tui.model.link import Lost, Trouble
from pymon_tui.model.query import Reason, Unavailable
from pymon_tui.model.snapshot import Snapshot
from pymon_tui.model.text import safe
from pymon_tui.readings.memory import MEMORY
from pymon_tui.readings.server import server_now
from pymon_tui.settings import Settings
from pymon_tui.ui.panes import PANES, PANES_BY_KEY
from pymon_tui.ui.panes.fleet import FleetPane
from pymon_tui.ui.panes.pane import Pane
from pymon_tui.ui.panes.server.told import told
from pymon_tui.ui.screens.connect import ConnectScreen
from pymon_tui.ui.screens.monitor import MonitorScreen
from pymon_tui.ui.screens.reader import ReaderScreen
from pymon_tui.ui.widgets.ink import Facts
from pymon_tui.ui.widgets.key_bar import KeyBar
from pymon_tui.ui.widgets.table import Table
from pymon_tui.ui.widgets.title_bar import TitleBar
from tests.samples import sample
from tests.script import Script, snapshot
from tests.state.deployed import fleet, node
from tests.ui.stage import app_of, until, until_shown

DENIED = Unavailable(Reason.DENIED, safe("NOPERM no permissions"), safe("ACL SETUSER me +info"))
LOST = Lost(Trouble.UNREACHABLE, safe("10.0.0.1:6379 refuses connections"), safe("is it running?"), 100.0, 105.0, 3)


async def settled(pilot: Pilot[Any], script: Script, one: Snapshot) -> MonitorScreen:
    """The monitor once it has this snapshot."""
    script.play(one)
    return await until_shown(pilot, one)


def text(widget: Any) -> str:
    """What a widget shows, line by line."""
    return "\n".join(widget.render_line(y).text.rstrip() for y in range(widget.size.height))


async def test_a_pane_per_entry_and_a_key_for_each() -> None:
    script = Script()
    async with app_of(script).run_test(size=(120, 36)) as pilot:
        monitor = await settled(pilot, script, snapshot({}))
        overview = {pane.NAME for pane in PANES if pane.IN_OVERVIEW}
        assert {pane.NAME for pane in monitor.query(Pane)} == overview
        assert script.wanted == {query.name for pane in PANES if pane.IN_OVERVIEW for query in pane.QUERIES}
        for key, pane in PANES_BY_KEY.items():
            await pilot.press(key)
            assert [shown.NAME for shown in monitor.query(Pane) if shown.full and shown.display] == [pane.NAME]
            assert script.wanted == {query.name for query in (*pane.QUERIES, *pane.DETAIL_QUERIES)}
        await pilot.press("escape")
        assert not any(pane.full for pane in monitor.query(Pane))


async def test_a_gap_is_drawn_with_its_remedy() -> None:
    script = Script()
    async with app_of(script).run_test(size=(120, 36)) as pilot:
        monitor = await settled(pilot, script, snapshot({MEMORY: DENIED}))
        shown = text(monitor.query_one("#pane-memory .gap", Facts))
        assert "denied" in shown
        assert "ACL SETUSER me +info" in shown


async def test_a_pane_has_the_focus_from_the_first_picture_on() -> None:
    script = Script()
    async with app_of(script).run_test(size=(120, 36)) as pilot:
        waiting = pilot.app.focused
        assert waiting is not None
        monitor = await settled(pilot, script, snapshot({}, link=LOST))
        assert monitor.focused is waiting
        await settled(pilot, script, snapshot({}))
        assert monitor.focused is waiting


async def test_pause_holds_the_picture_and_says_so() -> None:
    script = Script()
    async with app_of(script).run_test(size=(120, 36)) as pilot:
        held = snapshot({})
        monitor = await settled(pilot, script, held)
        await pilot.press("space")
        await settled(pilot, script, snapshot({}, at=101.0))
        assert monitor.snapshot is held
        assert "PAUSED" in text(monitor.query_one(TitleBar))
        await pilot.press("space")
        assert monitor.snapshot is not held
        assert "PAUSED" not in text(monitor.query_one(TitleBar))


async def test_a_lost_link_keeps_the_picture_and_says_what_failed() -> None:
    script = Script()
    async with app_of(script).run_test(size=(120, 36)) as pilot:
        monitor = await settled(pilot, script, snapshot({}))
        assert not monitor.query_one("#banner").display
        await settled(pilot, script, snapshot({}, link=LOST))
        banner = text(monitor.query_one("#banner", Facts))
        assert "10.0.0.1:6379 refuses connections · is it running?" in banner
        assert monitor.has_class("-stale")
        await settled(pilot, script, snapshot({}, at=102.0))
        assert not monitor.query_one("#banner").display
        assert not monitor.has_class("-stale")


async def test_all_ages_of_a_lost_link_go_on_together() -> None:
    one, script = await sample(), Script()
    link = Lost(Trouble.UNREACHABLE, safe("10.0.0.1:6379 refuses connections"), safe(""), one.at - 12, one.at + 60, 3)
    away = node(1, Role.PRIMARY, link=link)
    # Of another node the newest try may be long ago: what it says of itself is as old.
    away = replace(away, snapshot=replace(away.snapshot, at=one.at - 10))
    lost = replace(one, link=link, fleet=fleet(Kind.SINGLE, [away]))
    async with app_of(script).run_test(size=(120, 36)) as pilot:
        monitor = await settled(pilot, script, lost)
        before = told(lost)
        assert before is not None
        script.now = one.at + 30
        monitor._show_age()
        await until(pilot, lambda: monitor.snapshot is not lost)
        assert "away 42s" in text(monitor.query_one("#banner", Facts))
        after = told(monitor.snapshot) if monitor.snapshot is not None else None
        assert after is not None
        assert after.server_time - before.server_time == 30
        assert server_now(after.snapshot) == after.server_time
        assert "saved     32s ago" in text(monitor.query_one("#server-facts", Facts))
        await pilot.press(next(key for key, kind in PANES_BY_KEY.items() if kind is FleetPane))
        await until(pilot, lambda: bool(monitor.query(FleetPane)) and monitor.query_one(FleetPane).full)
        rows = monitor.query_one(FleetPane).query_one(Table)
        await until(pilot, lambda: "lost 42s" in rows.render_line(1).text)


async def test_while_paused_the_picture_keeps_its_age_and_the_banner_goes_on() -> None:
    one, script = await sample(), Script()
    async with app_of(script).run_test(size=(120, 36)) as pilot:
        monitor = await settled(pilot, script, replace(one, link=LOST))
        held = monitor.snapshot
        await pilot.press("space")
        script.now = LOST.since + 42
        monitor._show_age()
        await pilot.pause()
        assert monitor.snapshot is held
        assert "away 42s" in text(monitor.query_one("#banner", Facts))


async def test_interval_and_refresh_reach_the_source() -> None:
    script = Script()
    async with app_of(script).run_test(size=(80, 24)) as pilot:
        await settled(pilot, script, snapshot({}))
        await pilot.press("plus")
        assert script.interval == 2.0
        await pilot.press("plus", "minus", "minus", "minus")
        assert script.interval == 0.5
        await pilot.press("r")
        assert script.pokes == 1


async def test_peaks_are_set_anew_by_a_key_of_a_pane_that_shows_them() -> None:
    one, script = await sample(), Script()
    async with app_of(script).run_test(size=(80, 24)) as pilot:
        await settled(pilot, script, one)
        await pilot.press("2", "R")
        await until(pilot, lambda: script.peaks_reset == 1)
        assert [note.message for note in pilot.app._notifications] == ["peaks count anew from now on"]
        await pilot.press("3", "R")
        await pilot.pause()
        assert script.peaks_reset == 1


async def test_help_lists_the_keys_and_escape_closes_it() -> None:
    script = Script()
    async with app_of(script).run_test(size=(120, 50)) as pilot:
        await settled(pilot, script, snapshot({}))
        await pilot.press("question_mark")
        assert isinstance(pilot.app.screen, ReaderScreen)
        shown = text(pilot.app.screen.query_one(Facts))
        assert "Hold the picture" in shown
        await pilot.press("escape")
        assert isinstance(pilot.app.screen, MonitorScreen)


async def test_keys_can_be_remapped() -> None:
    script = Script()
    async with app_of(script, Settings(host="h", keymap={"pause": "f5"})).run_test() as pilot:
        monitor = await settled(pilot, script, snapshot({}))
        await pilot.press("space")
        assert not monitor.paused
        await pilot.press("f5")
        assert monitor.paused
        assert "f5" in text(monitor.query_one(KeyBar))


async def test_nobody_named_a_server_and_none_is_there() -> None:
    script = Script()
    refused = Lost(Trouble.UNREACHABLE, safe("127.0.0.1:6379 refuses connections"), safe(""), 100.0, 101.0, 1)
    async with app_of(script, Settings()).run_test(size=(80, 24)) as pilot:
        script.play(snapshot({}, link=refused))
        await until(pilot, lambda: isinstance(pilot.app.screen, ConnectScreen))
        assert "127.0.0.1:6379 refuses connections" in text(pilot.app.screen.query(Facts).first())
        await pilot.press("escape")
        assert isinstance(pilot.app.screen, MonitorScreen)


@pytest.mark.parametrize("size", [(80, 24), (120, 36), (200, 50), (40, 10)])
async def test_every_pane_has_a_place(size: tuple[int, int]) -> None:
    script = Script()
    async with app_of(script).run_test(size=size) as pilot:
        monitor = await settled(pilot, script, snapshot({}))
        assert all(pane.size.width > 0 and pane.region.bottom <= size[1] for pane in monitor.query(Pane))
