"""Keys in one packet: each means what it means after the key before it, and none answers a question unseen."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from textual import events
from textual.app import App
from textual.keys import _character_to_key
from textual.pilot import Pilot
from textual.widgets import Input

from pymon_tui.invalidation.restore_part import OtherServer
from pymon_tui.model.link import Lost, Trouble
from pymon_tui.model.text import safe
from pymon_tui.readings.slowlog import SLOWLOG, SlowLog
from pymon_tui.readings.slowlog_settings import SLOWLOG_SETTINGS, SlowlogSettings
from pymon_tui.ui.panes import PANES_BY_KEY
from pymon_tui.ui.panes.slowlog import SlowLogPane
from pymon_tui.ui.screens.confirm import ConfirmScreen
from pymon_tui.ui.screens.connect import ConnectScreen
from pymon_tui.ui.screens.invalidate.form import FormScreen
from pymon_tui.ui.screens.invalidate.plan import PlanScreen
from pymon_tui.ui.screens.monitor import MonitorScreen
from pymon_tui.ui.screens.password import PasswordScreen
from pymon_tui.ui.screens.prompt import PromptScreen
from pymon_tui.ui.screens.reader import ReaderScreen
from pymon_tui.ui.type_ahead import TypeAheadApp
from pymon_tui.ui.widgets.filter import FilterLine
from tests.script import Script, ready, snapshot
from tests.ui.screens.invalidate.walk import walk
from tests.ui.scripted_desk import RUN, ScriptedDesk, record_of
from tests.ui.stage import app_of, few_panes, monitor_of, until, until_shown

LOCKED = Lost(Trouble.LOCKED, safe("a password is wanted"), safe("give it"), 100.0, 105.0, 1)
NAMED = {"\r": "enter", "\x1b": "escape"}


def send(app: App[Any], packet: str) -> None:
    """All keys at once, as one packet brings them."""
    for character in packet:
        key = NAMED.get(character) or _character_to_key(character)
        app.post_message(events.Key(key, character if character.isprintable() else None))


@asynccontextmanager
async def shown(panes: str = "2") -> AsyncIterator[tuple[Pilot[int], Script]]:
    """The monitor with the panes of these keys, and a slow log of nothing."""
    script = Script(one := snapshot({SLOWLOG: ready(SlowLog((), 0)), SLOWLOG_SETTINGS: ready(SlowlogSettings(1, 128))}))
    with few_panes(panes):
        async with app_of(script).run_test(size=(80, 24)) as pilot:
            await until_shown(pilot, one)
            yield pilot, script


@pytest.mark.parametrize("key", "245789")
async def test_a_filter_takes_all_that_follows(key: str) -> None:
    async with shown(key) as (pilot, script):
        send(pilot.app, key)
        await pilot.pause()
        pane = next(one for one in pilot.app.screen.query(PANES_BY_KEY[key]) if one.full)
        for text in ("xyiq", "cJu"):  # each of them a key of the monitor
            send(pilot.app, f"/{text}")
            await until(pilot, lambda text=text: pane.query_one(FilterLine).text == text)  # type: ignore[misc]
            send(pilot.app, "\x1b")
            await until(pilot, lambda: pane.query_one(FilterLine).text == "")
        assert isinstance(pilot.app.screen, MonitorScreen)
        assert script.acts == []


@pytest.mark.parametrize(("pane", "key"), [("5", "e"), ("7", "a"), ("7", "p"), ("7", "P")])
async def test_a_prompt_takes_all_that_follows(pane: str, key: str) -> None:
    async with shown(pane) as (pilot, script):
        send(pilot.app, f"{pane}{key}xiqcy")
        await until(pilot, lambda: isinstance(pilot.app.screen, PromptScreen))
        await until(pilot, lambda: pilot.app.screen.query_one(Input).value.endswith("xiqcy"))
        assert script.acts == []


async def test_the_connect_screen_takes_all_that_follows() -> None:
    async with shown() as (pilot, _):
        send(pilot.app, "cquit.example")
        await until(pilot, lambda: isinstance(pilot.app.screen, ConnectScreen))
        await until(pilot, lambda: pilot.app.screen.query_one(Input).value == "quit.example")


async def test_a_pattern_typed_at_once_is_planned(tmp_path: Path) -> None:
    async with walk(ScriptedDesk(tmp_path)) as on:
        send(on.pilot.app, "iquery:cache:*")
        form = await on.until_on(FormScreen)
        await until(on.pilot, lambda: form.query_one("#pattern", Input).value == "query:cache:*")
        send(on.pilot.app, "\r")
        await on.until_on(PlanScreen)


async def test_a_paste_goes_where_the_key_before_it_leads() -> None:
    async with shown() as (pilot, _):
        send(pilot.app, "c")
        pilot.app.post_message(events.Paste("db.example"))
        await until(pilot, lambda: isinstance(pilot.app.screen, ConnectScreen))
        await until(pilot, lambda: pilot.app.screen.query_one(Input).value == "db.example")


async def test_nothing_typed_ahead_answers_a_question() -> None:
    async with shown("5") as (pilot, script):
        send(pilot.app, "5xy")
        await until(pilot, lambda: isinstance(pilot.app.screen, ConfirmScreen))
        await pilot.pause()
        assert isinstance(pilot.app.screen, ConfirmScreen)
        assert script.acts == []
        send(pilot.app, "y")
        await until(pilot, lambda: bool(script.acts))
        assert pilot.app.screen.query_one(SlowLogPane).full


async def test_what_is_typed_after_q_is_for_nobody() -> None:
    async with shown() as (pilot, script):
        send(pilot.app, "qcx")
        pilot.app.post_message(events.Key("ctrl+p", None))
        await until(pilot, lambda: pilot.app._exit)
        assert script.acts == []


async def test_leaving_does_not_wait_for_the_keys_before_it(monkeypatch: pytest.MonkeyPatch) -> None:
    settles = asyncio.Event()

    async def stuck(_: TypeAheadApp[Any]) -> None:
        await settles.wait()

    async with shown() as (pilot, script):
        monkeypatch.setattr(TypeAheadApp, "_settled", lambda _: settles.is_set())
        monkeypatch.setattr(TypeAheadApp, "_let_settle", stuck)
        app = pilot.app
        assert isinstance(app, TypeAheadApp)
        send(app, "5xcy")
        await until(pilot, lambda: app._taking is not None)
        taking = app._taking
        app.post_message(events.Key("ctrl+q", None))
        await until(pilot, lambda: app._exit)
        await app.on_event(events.Key("c", "c"))
        settles.set()
        assert taking is not None
        await taking  # none of those that waited is looked for any more
        assert script.acts == []


async def test_a_question_that_has_become_another_is_not_answered(tmp_path: Path) -> None:
    desk = ScriptedDesk(tmp_path)
    desk.known = (record_of(),)
    desk.restore_error = OtherServer("prod-cache was restarted since the run")
    async with walk(desk) as on:
        await on.press("u")
        await on.until_says("#lines", "bring back")
        send(on.pilot.app, "y" * 40)
        await on.until_says("KeyLines", "y restore them here anyway")
        await on.pilot.pause()
        assert desk.wanted.restores == [(RUN, False, False)]
        send(on.pilot.app, "y")
        await until(on.pilot, lambda: len(desk.wanted.restores) == 2)


async def test_a_prompt_that_comes_by_itself_takes_nothing_that_was_typed() -> None:
    async with shown("4") as (pilot, script):
        monitor = monitor_of(pilot.app)
        locked = replace(monitor.newest or snapshot({}), link=LOCKED)
        send(pilot.app, "4/")
        await until(pilot, lambda: isinstance(pilot.app.focused, Input))
        script.play(locked)
        send(pilot.app, "user:1")
        filter_line = next(one for one in monitor.query(FilterLine) if one.has_class("-open"))
        await until(pilot, lambda: filter_line.text == "user:1")
        assert isinstance(pilot.app.screen, MonitorScreen)
        send(pilot.app, "\r")
        script.play(replace(locked))
        await until(pilot, lambda: isinstance(pilot.app.screen, PasswordScreen))
        late = events.Key("x", "x")
        late.time = 0.0  # typed before the prompt was there
        pilot.app.post_message(late)
        send(pilot.app, "y")
        await until(pilot, lambda: pilot.app.screen.query_one(Input).value == "y")


async def test_a_burst_of_moves_and_text_waits_for_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[object] = []
    settle = TypeAheadApp._let_settle

    async def counted(app: TypeAheadApp[Any]) -> None:
        waits.append(app)
        await settle(app)

    monkeypatch.setattr(TypeAheadApp, "_let_settle", counted)
    async with shown() as (pilot, _):
        send(pilot.app, "c" + "x" * 300)
        await until(pilot, lambda: isinstance(pilot.app.screen, ConnectScreen))
        await until(pilot, lambda: pilot.app.screen.query_one(Input).value == "x" * 300)
        assert len(waits) == 1
        send(pilot.app, "\x1b")
        await until(pilot, lambda: isinstance(pilot.app.screen, MonitorScreen))
        waits.clear()
        for _ in range(300):
            pilot.app.post_message(events.Key("down", None))
        send(pilot.app, "?")
        await until(pilot, lambda: isinstance(pilot.app.screen, ReaderScreen))
        assert len(waits) <= 1


async def test_a_key_that_was_kept_is_for_nobody_once_the_app_is_left() -> None:
    async with shown() as (pilot, _):
        app = pilot.app
        assert isinstance(app, TypeAheadApp)
        key = events.Key("q", "q")
        app._typed, app._taking = deque([key]), asyncio.create_task(asyncio.sleep(0))
        app._exit = True
        await app.on_event(key)
        assert not app._typed  # else whoever sends them on would send this one for ever


async def test_nobody_waits_for_the_screen_of_an_app_that_has_ended() -> None:
    looks = iter(range(100))
    async with shown() as (pilot, _):
        app = pilot.app
        assert isinstance(app, TypeAheadApp)
        with pytest.MonkeyPatch.context() as ended:

            def ends() -> bool:
                ended.setattr(app, "_closing", True)
                return next(looks) is None  # a widget never takes its last message

            ended.setattr(app, "_settled", ends)
            await app._let_settle()
    assert next(looks) == 1  # else no other task goes on, and the program never ends
