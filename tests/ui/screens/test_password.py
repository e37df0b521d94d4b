"""The password that is asked for while the server turns us away without it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from pymon_tui.model.link import Live, Lost, Trouble
from pymon_tui.model.snapshot import Snapshot
from pymon_tui.model.text import safe
from pymon_tui.server.endpoint import Endpoint
from pymon_tui.settings import Settings
from pymon_tui.ui.app import PymonApp
from pymon_tui.ui.screens.connect import ConnectScreen
from pymon_tui.ui.screens.monitor import MonitorScreen
from pymon_tui.ui.screens.password import PasswordScreen
from tests.script import Script, snapshot
from tests.ui.stage import app_of, no_ways, until, until_shown

pytestmark = pytest.mark.usefixtures("lone_pane")
SECRET = "hunter2-and-more"
WHY = safe("wrong password for user default, or no such user")


def lost(trouble: Trouble, tries: int, since: float = 90.0) -> Snapshot:
    return snapshot({}, link=Lost(trouble, WHY, safe("check REDISCLI_AUTH"), since, 130.0, tries))


def asks(pilot: Pilot[int]) -> bool:
    return isinstance(pilot.app.screen, PasswordScreen)


async def typed(pilot: Pilot[int], text: str) -> None:
    pilot.app.screen.query_one(Input).value = text
    await pilot.press("enter")
    await until(pilot, lambda: not asks(pilot))


async def test_it_is_asked_given_and_not_seen() -> None:
    script = Script(lost(Trouble.LOCKED, 1))
    async with app_of(script).run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: asks(pilot))
        assert WHY in pilot.app.export_screenshot().replace("&#160;", " ")
        pilot.app.screen.query_one(Input).value = SECRET
        await pilot.pause()
        assert SECRET not in pilot.app.export_screenshot()
        await typed(pilot, SECRET)
        assert script.passwords == [SECRET]
        back = snapshot({}, link=Live(100.0, 0.001))
        script.play(back)
        await until_shown(pilot, back)
        assert not asks(pilot)
        assert script.pokes == 0


async def test_what_is_done_about_keys_speaks_with_it_too() -> None:
    script = Script(lost(Trouble.LOCKED, 1))
    async with app_of(script).run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: asks(pilot))
        await typed(pilot, SECRET)
        assert isinstance(pilot.app, PymonApp)
        password = pilot.app._endpoint.password
        assert password is not None
        assert password.get_secret_value() == SECRET


async def test_a_wrong_one_is_asked_again_and_none_only_on_request() -> None:
    script = Script(lost(Trouble.LOCKED, 1))
    async with app_of(script).run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: asks(pilot))
        await typed(pilot, SECRET)
        script.play(lost(Trouble.LOCKED, 2))
        await until(pilot, lambda: asks(pilot))
        await pilot.press("escape")
        third = lost(Trouble.LOCKED, 3)
        script.play(third)
        await until_shown(pilot, third)
        assert not asks(pilot)
        await pilot.press("r")
        await until(pilot, lambda: asks(pilot))
        await typed(pilot, "")
        assert (script.passwords, script.pokes) == ([SECRET], 1)


async def test_it_is_asked_again_when_it_is_wanted_again() -> None:
    script = Script(lost(Trouble.LOCKED, 1))
    async with app_of(script).run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: asks(pilot))
        script.play(snapshot({}, link=Live(100.0, 0.001)))
        await until(pilot, lambda: not asks(pilot))
        script.play(lost(Trouble.LOCKED, 1, since=110.0))
        await until(pilot, lambda: asks(pilot))


@pytest.mark.parametrize("trouble", [trouble for trouble in Trouble if trouble is not Trouble.LOCKED])
async def test_no_other_trouble_asks(trouble: Trouble) -> None:
    one = lost(trouble, 2)
    script = Script(one)
    async with app_of(script).run_test(size=(80, 24)) as pilot:
        await until_shown(pilot, one)
        await pilot.press("r")
        assert not asks(pilot)
        assert script.pokes == 1


async def test_a_feed_that_is_turned_away_asks_too() -> None:
    one = snapshot({}, link=Live(100.0, 0.001))
    one.feed.status = Lost(Trouble.LOCKED, WHY, safe(""), 90.0, 130.0, 1)
    async with app_of(Script(one)).run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: asks(pilot))


async def test_nobody_is_asked_in_the_middle_of_something_else() -> None:
    live = snapshot({}, link=Live(100.0, 0.001))
    script = Script(live)
    async with app_of(script).run_test(size=(80, 24)) as pilot:
        monitor = await until_shown(pilot, live)
        await pilot.press("c")
        await until(pilot, lambda: isinstance(pilot.app.screen, ConnectScreen))
        one = lost(Trouble.LOCKED, 1)
        script.play(one)
        await until(pilot, lambda: monitor.newest is one)
        assert isinstance(pilot.app.screen, ConnectScreen)
        await pilot.press("escape")
        await until(pilot, lambda: asks(pilot))


async def test_a_guessed_server_that_wants_one_is_the_right_one() -> None:
    script = Script(lost(Trouble.LOCKED, 1))
    app = PymonApp(Settings(), lambda _: script, lambda *_: Endpoint(), no_ways, clock=lambda: script.now)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: asks(pilot))
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, MonitorScreen))
        assert "r asks for a password" in app.export_screenshot().replace("&#160;", " ")
        assert replace(app._endpoint, password=None) == Endpoint()
