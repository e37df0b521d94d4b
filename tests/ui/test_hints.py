"""Every hint does something, by its key and by a click; every key that works together is known to the keymap."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path
from typing import Any, cast

import pytest
from textual.pilot import Pilot

from pymon_tui.ui.app import PymonApp
from pymon_tui.ui.contexts import contexts
from pymon_tui.ui.panes import PANES_BY_KEY
from pymon_tui.ui.panes.pane import Pane
from pymon_tui.ui.screens.monitor import MonitorScreen
from pymon_tui.ui.widgets.table import Table
from tests.samples import sample
from tests.script import Script
from tests.ui.hands import SIZE, Hands, hands_on
from tests.ui.scripted_desk import ScriptedDesk
from tests.ui.stage import app_of, until, until_shown

EVERYWHERE = {"Pause", "Help", "Invalidate", "panes"}
"""The hints that are the same in every pane: they are tried in the overview and in one of the panes."""
ACTING = {"Clients": {"Kill"}, "Sessions": {"Delete"}, "Server": {"Open", "Reset peaks"}, "Hit rate": {"Reset peaks"}}
"""Hints that a pane must have with these readings, by its title."""
COLUMNS = {"server": 10, "clients": 10, "slowlog": 6, "sessions": 6, "application": 10}
"""Columns to sort by that a pane has at least, by its name."""
KNOWN = [{(binding.id or binding.action): binding.key for binding in one.bindings} for one in contexts(PymonApp)]


@pytest.mark.parametrize(
    ("key", "where"), [(None, "the overview"), *((key, kind.TITLE) for key, kind in PANES_BY_KEY.items())]
)
async def test_every_hint_of_a_pane_does_something_by_key_and_by_click(
    key: str | None, where: str, tmp_path: Path
) -> None:
    panes = key if key not in (None, "4") else "".join(PANES_BY_KEY)  # they lead to others, too
    async with hands_on(ScriptedDesk(tmp_path), panes) as hands:
        await hands.back(key)
        hints = hands.hints()
        assert hints
        _assert_known(hands.pilot)
        for hint in hints:
            if hint.name in EVERYWHERE and key not in (None, "4"):
                continue
            for click in (False, True):
                await hands.back(key)
                await hands.until_offered(hint, f"in {where}")
                await hands.does(hint, f"in {where}", click=click)
    assert ACTING.get(where, set()) <= hands.tried
    assert where not in ("Memory", "Hit rate") or "Open" not in hands.tried


async def test_every_pane_that_is_chosen_in_the_overview_opens_by_a_click(tmp_path: Path) -> None:
    async with hands_on(ScriptedDesk(tmp_path)) as hands:
        await _overview_panes(hands)


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


@pytest.mark.parametrize(("key", "kind"), PANES_BY_KEY.items(), ids=[kind.NAME for kind in PANES_BY_KEY.values()])
async def test_every_column_of_a_pane_can_be_sorted_by_key_and_by_click(key: str, kind: type[Pane]) -> None:
    tried = 0
    async with hands_on(panes=key) as hands:
        await hands.back(key)
        for table in hands.screen.query_one(kind).query(Table):
            names = [column.name for column, _ in table._laid_out() if column.sortable]
            if names and table.display and table.size.height:
                await _sorts(hands, table, names)
                tried += len(names)
    assert tried >= COLUMNS.get(kind.NAME, 0)


async def _sorts(hands: Hands, table: Table[Any], names: list[str]) -> None:
    """Fail where the table can't be sorted by each of these columns."""
    table.focus()
    await hands.pilot.pause()
    by_key = []
    before = hands.seen()
    for _ in names:
        await hands.pilot.press("s")
        await hands.pilot.pause()
        by_key.append(table.sort)
        seen = hands.seen()
        assert seen != before, f"the order by {table.sort} is not to be seen"
        before = seen
    assert sorted(map(str, by_key)) == sorted(names)
    for name in names:
        at = 0
        for column, width in table._laid_out():
            if column.name == name:
                break
            at += width + 1
        order = table.sort, table.descending
        await hands.pilot.click(table, offset=(at, 0))
        await hands.pilot.pause()
        assert table.sort == name
        assert (table.sort, table.descending) != order


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
