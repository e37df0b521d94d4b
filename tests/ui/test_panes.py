"""What every pane keeps, whatever it shows: the contracts of ``PANES``."""

from __future__ import annotations

from typing import Any

import pytest
from textual.binding import Binding
from textual.pilot import Pilot

from pymon_tui.application import QUERIES as OF_THE_APPLICATION
from pymon_tui.model.query import PENDING, Reason, Unavailable
from pymon_tui.model.snapshot import Snapshot
from pymon_tui.model.text import safe
from pymon_tui.readings.queries import QUERIES
from pymon_tui.ui.app import PymonApp
from pymon_tui.ui.panes import PANES, PANES_BY_KEY
from pymon_tui.ui.panes.pane import Pane
from pymon_tui.ui.screens.monitor import MonitorScreen
from pymon_tui.ui.widgets.table import Table
from tests.samples import sample
from tests.script import Script, snapshot
from tests.ui.stage import app_of, until_shown

EVERYTHING = (*QUERIES, *OF_THE_APPLICATION)
SIZES = ((80, 24), (160, 48))
DENIED = Unavailable(Reason.DENIED, safe("NOPERM this user has no permissions"), safe("ACL SETUSER me +all"))


async def _states() -> dict[str, Snapshot]:
    return {
        "pending": snapshot(dict.fromkeys(EVERYTHING, PENDING)),
        "denied": snapshot(dict.fromkeys(EVERYTHING, DENIED)),
        "full": await sample(),
    }


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("state", ["pending", "denied", "full"])
async def test_every_pane_draws(state: str, size: tuple[int, int]) -> None:
    one = (await _states())[state]
    script = Script(one)
    async with app_of(script).run_test(size=size) as pilot:
        await until_shown(pilot, one)
        for kind in PANES:
            assert not kind.IN_OVERVIEW or _draws(pilot, kind), f"{kind.NAME} is empty in {state} in the overview"
        for key, kind in PANES_BY_KEY.items():
            await pilot.press(key)
            await pilot.pause()
            assert _draws(pilot, kind), f"{kind.NAME} is empty in {state}"


async def test_the_full_form_is_made_when_it_is_first_opened_and_hidden_in_the_overview() -> None:
    one = await sample()
    async with app_of(Script(one)).run_test(size=SIZES[1]) as pilot:
        monitor = await until_shown(pilot, one)
        assert not monitor.query(".detail")
        for key, kind in (*PANES_BY_KEY.items(), *PANES_BY_KEY.items()):
            await pilot.press(key)
            pane = monitor.query_one(kind)
            assert len(pane.query(".detail")) == sum(map(len, pane.details().values()))
        await pilot.press("1")
        for pane in monitor.query(Pane):
            assert not any(widget.display for widget in pane.query(".detail"))
            assert pane.display is pane.IN_OVERVIEW


@pytest.mark.parametrize("state", ["denied", "full"])
async def test_every_key_can_be_pressed(state: str) -> None:
    one = (await _states())[state]
    async with app_of(Script(one)).run_test(size=SIZES[0]) as pilot:
        await until_shown(pilot, one)
        for key, kind in PANES_BY_KEY.items():
            await pilot.press(key)
            for binding in _bindings(kind):
                await pilot.press(binding.key.split(",")[0], "escape")
    assert pilot.app.return_code in (None, 0)


@pytest.mark.parametrize("kind", PANES, ids=lambda kind: kind.NAME)
def test_every_pane_tells_what_it_is(kind: type[Pane]) -> None:
    assert kind.TITLE
    assert kind.ABOUT.endswith(".")
    assert kind.QUERIES
    assert {*kind.QUERIES, *kind.DETAIL_QUERIES} <= {*QUERIES, *OF_THE_APPLICATION}


def test_names_and_keys_are_unique() -> None:
    names = [kind.NAME for kind in PANES]
    assert len(set(names)) == len(names)
    for kind in PANES:
        keys = [key for binding in _bindings(kind) for key in binding.key.split(",")]
        assert len(set(keys)) == len(keys)


@pytest.mark.parametrize("kind", [PymonApp, MonitorScreen, Table, *PANES], ids=lambda kind: kind.__name__)
def test_every_binding_has_an_id_and_a_tooltip(kind: Any) -> None:
    bare = [binding for binding in _bindings(kind) if not binding.id or not binding.tooltip]
    assert not bare


async def test_read_only_takes_the_writing_keys_away() -> None:
    one = await sample()
    writable, readable = Script(one), Script(one, read_only=True)
    keys: dict[bool, set[str]] = {}
    for script in (writable, readable):
        async with app_of(script).run_test(size=(80, 24)) as pilot:
            await until_shown(pilot, one)
            found: set[str] = set()
            for key in PANES_BY_KEY:
                await pilot.press(key)
                await pilot.pause()
                found |= {active.binding.id or "" for active in pilot.app.screen.active_bindings.values()}
            keys[script.read_only] = found
    gone = keys[False] - keys[True]
    assert len(gone) >= 4, gone  # kill, reset, threshold, publish


def _draws(pilot: Pilot[Any], kind: type[Pane]) -> bool:
    """Whether anything is to be seen in the pane."""
    pane = pilot.app.screen.query_one(kind)
    return any(line.text.strip() for widget in pane.query("*") for line in _lines(widget))


def _bindings(kind: Any) -> list[Binding]:
    return [binding for binding in kind.__dict__.get("BINDINGS", ()) if isinstance(binding, Binding)]


def _lines(widget: Any) -> list[Any]:
    return [widget.render_line(y) for y in range(widget.size.height)] if widget.display else []
