"""Where an invalidation goes that is begun on the monitor."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from textual.app import App
from textual.widgets import Input

from pymon_tui import cli
from pymon_tui.model.link import Live
from pymon_tui.server.endpoint import Endpoint
from pymon_tui.settings import Settings
from pymon_tui.state.destination import NoPrimary
from pymon_tui.ui.app import PymonApp
from pymon_tui.ui.screens.invalidate.form import FormScreen
from pymon_tui.ui.screens.monitor import MonitorScreen
from pymon_tui.ui.ways import Ways
from tests.conftest import StartServer
from tests.samples import sample
from tests.script import Script
from tests.state.test_fleet import address, replicating
from tests.ui.stage import monitor_of, until, until_shown

pytestmark = pytest.mark.usefixtures("lone_pane")


async def test_from_a_replica_it_goes_to_the_primary_and_says_so(own_server: StartServer, tmp_path: Path) -> None:
    primary, replica = await replicating(own_server, replicas=1)
    settings = Settings(host="127.0.0.1", port=replica.port, name="prod")
    app = PymonApp(settings, *cli._ways_to_servers(settings, tmp_path))
    async with app.run_test(size=(80, 24)) as pilot:

        def both_are_known() -> bool:
            newest = monitor_of(app).newest
            fleet = newest.fleet if newest is not None else None
            return fleet is not None and sum(isinstance(node.snapshot.link, Live) for node in fleet.nodes) == 2

        await until(pilot, both_are_known)
        newest = monitor_of(app).newest
        assert newest is not None
        assert newest.node == "prod"
        await pilot.press("i")
        await until(pilot, lambda: isinstance(app.screen, FormScreen))
        app.screen.query_one("#pattern", Input).value = "a:*"
        await pilot.press("enter")
        await until(pilot, lambda: app.screen.has_class("-ready"))
        said = [str(widget.border_subtitle) for widget in app.screen.query("*") if widget.border_subtitle]
        assert f"db0 on {address(primary)}" in said


async def test_where_no_primary_is_known_that_is_said(tmp_path: Path) -> None:
    def nobody(_app: App[Any], _endpoint: Endpoint, _monitor: MonitorScreen) -> Ways:
        raise NoPrimary("no Sentinel has told yet where the primary of main is")

    one = await sample()
    script = Script(one)
    app = PymonApp(Settings(host="h"), lambda _: script, lambda _choice, present: present, nobody)
    async with app.run_test(size=(80, 24)) as pilot:
        monitor = await until_shown(pilot, one)
        for key in ("i", "J", "u"):
            await pilot.press(key)
        await until(pilot, lambda: len(app._notifications) == 3)
        assert {toast.message for toast in app._notifications} == {
            "no Sentinel has told yet where the primary of main is"
        }
        assert app.screen is monitor
