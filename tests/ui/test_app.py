"""The app around the screens: another server, pictures, and what happens when something fails unforeseen."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.widgets import Input

from pymon_tui.server.endpoint import Endpoint
from pymon_tui.settings import Settings
from pymon_tui.settings.recent import recent
from pymon_tui.ui.app import PymonApp
from pymon_tui.ui.screens.connect import Choice, ConnectScreen
from pymon_tui.ui.screens.monitor import MonitorScreen
from pymon_tui.ui.widgets.ink import Facts
from tests.samples import sample
from tests.script import Script
from tests.ui.stage import CHOSEN, app_of, no_ways, until, until_shown


class Ways:
    """Where an app was led, and the scripts it was given for it."""

    def __init__(self, *scripts: Script) -> None:
        self.scripts = list(scripts)
        self.endpoints: list[Endpoint] = []
        self.choices: list[Choice] = []

    def source_of(self, endpoint: Endpoint) -> Script:
        self.endpoints.append(endpoint)
        return self.scripts.pop(0)

    def endpoint_of(self, choice: Choice, present: Endpoint) -> Endpoint:
        self.choices.append(choice)
        return CHOSEN


async def test_another_server_takes_the_place_of_the_first() -> None:
    one, other = await sample(), await sample()
    ways = Ways(Script(one), Script(other))
    app = PymonApp(Settings(host="first"), ways.source_of, ways.endpoint_of, no_ways)
    async with app.run_test(size=(80, 24)) as pilot:
        first = await until_shown(pilot, one)
        await pilot.press("c")
        await until(pilot, lambda: isinstance(app.screen, ConnectScreen))
        app.screen.query_one(Input).value = "cache.example:port"
        await pilot.press("enter")
        assert "cache.example" in app.screen.query_one("#wrong", Facts).render_line(0).text
        app.screen.query_one(Input).value = "cache.example:6380"
        await pilot.press("enter")
        second = await until_shown(pilot, other)
        assert first is not second
        assert not first.is_running
    assert [choice.name for choice in ways.choices] == ["cache.example:6380"]
    assert [endpoint.host for endpoint in ways.endpoints] == ["first", CHOSEN.host]
    assert recent() == ("redis://chosen:6379",)


async def test_the_demo_can_be_chosen() -> None:
    one, other = await sample(), await sample()
    ways = Ways(Script(one), Script(other))
    app = PymonApp(Settings(host="first"), ways.source_of, ways.endpoint_of, no_ways)
    async with app.run_test(size=(80, 24)) as pilot:
        await until_shown(pilot, one)
        await pilot.press("c")
        await until(pilot, lambda: isinstance(app.screen, ConnectScreen))
        await pilot.press("down", "end", "enter")
        await until_shown(pilot, other)
        socket = ways.endpoints[-1].socket
        assert socket is not None
        assert Path(socket).exists()
    app.close_demo()
    assert not Path(socket).exists()
    assert ways.endpoints[-1].name == "demo"
    assert recent() == ()


async def test_a_picture_is_saved_where_it_can_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    one = await sample()
    async with app_of(Script(one)).run_test(size=(80, 24)) as pilot:
        await until_shown(pilot, one)
        await pilot.press("ctrl+s")
        await until(pilot, lambda: bool(list(tmp_path.glob("*.svg"))))


async def test_an_unforeseen_error_ends_in_one_line_without_variables(home: Path) -> None:
    one = await sample()
    app = app_of(Script(one))

    def fail(hidden: str) -> None:
        raise RuntimeError("it broke")

    with pytest.raises(RuntimeError, match="it broke"):
        async with app.run_test(size=(80, 24)) as pilot:
            await until_shown(pilot, one)
            app.call_later(fail, "SECRET-VALUE")
            await pilot.pause()
            await pilot.pause()
    assert app.return_code == 1
    assert app.crash is not None
    assert app.crash.count("\n") == 0
    (log,) = home.rglob("crash.log")
    report = log.read_text()
    assert "it broke" in report
    assert "in fail" in report
    assert "SECRET-VALUE" not in report
    assert str(log) in app.crash
    assert log.stat().st_mode & 0o077 == 0


async def test_a_failed_worker_is_reported_with_its_cause(home: Path) -> None:
    one = await sample()
    script = Script(one)
    app = app_of(script)

    async def fail() -> None:
        raise KeyError("deep inside")

    with pytest.raises(Exception, match="deep inside"):
        async with app.run_test(size=(80, 24)) as pilot:
            monitor = await until_shown(pilot, one)
            monitor.run_worker(fail())
            await pilot.pause()
            await pilot.pause()
    (log,) = home.rglob("crash.log")
    assert "in fail" in log.read_text()
    assert "KeyError" in (app.crash or "")


async def test_back_from_the_connect_screen_is_where_one_was() -> None:
    one = await sample()
    async with app_of(Script(one)).run_test(size=(80, 24)) as pilot:
        monitor = await until_shown(pilot, one)
        await pilot.press("c")
        await until(pilot, lambda: isinstance(pilot.app.screen, ConnectScreen))
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(pilot.app.screen, MonitorScreen))
        assert pilot.app.screen is monitor
