"""The real app on a scripted source."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from textual.app import App
from textual.pilot import Pilot

from pymon_tui.invalidation.desk import Desk
from pymon_tui.model.snapshot import Snapshot
from pymon_tui.server.endpoint import Endpoint
from pymon_tui.settings import Settings
from pymon_tui.ui.app import PymonApp
from pymon_tui.ui.panes import PANES_BY_KEY
from pymon_tui.ui.panes.pane import Pane
from pymon_tui.ui.screens.connect import Choice
from pymon_tui.ui.screens.invalidate.journey import Journey
from pymon_tui.ui.screens.invalidate.site import Site
from pymon_tui.ui.screens.monitor import MonitorScreen
from pymon_tui.ui.ways import Ways
from pymon_tui.ui.widgets.graph import Graph
from tests.demo.waiting import DEADLINE_SECONDS
from tests.script import Script

CHOSEN = Endpoint(host="chosen")


def app_of(script: Script, settings: Settings | None = None, desk: Desk | None = None) -> PymonApp:
    """An app whose every server is the script, and whose every desk is this one."""
    chosen = settings or Settings(host="scripted", read_only=script.read_only)

    def ways_of(app: App[Any], endpoint: Endpoint, monitor: MonitorScreen) -> Ways:
        assert desk is not None, "nothing is invalidated in this test"
        site = Site(desk, monitor.source, lambda: monitor.newest, lambda: script.now, chosen.graph, monitor.tabs)
        return Journey(app, site)

    return PymonApp(chosen, lambda _: script, _chosen, ways_of, clock=lambda: script.now)


@contextmanager
def few_panes(keys: str = "2") -> Iterator[None]:
    """Monitors have the panes of these keys alone: one that nobody looks at starts in a third of the time."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("pymon_tui.ui.screens.monitor.PANES", tuple(PANES_BY_KEY[key] for key in keys))
        yield


def no_ways(_app: App[Any], _endpoint: Endpoint, _monitor: MonitorScreen) -> Ways:
    """For an app in which nothing is invalidated."""
    raise AssertionError("nothing is invalidated in this test")


def monitor_of(app: App[Any]) -> MonitorScreen:
    """The monitor that is shown."""
    assert isinstance(app.screen, MonitorScreen)
    return app.screen


def _chosen(_: Choice, _present: Endpoint) -> Endpoint:
    return CHOSEN


async def until(pilot: Pilot[Any], holds: Callable[[], bool]) -> None:
    """Let the app go on until this holds, and has been painted.

    Raises:
        AssertionError: If the app has ended instead, or hangs.
    """
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not holds():
        assert pilot.app.return_code in (None, 0), "the app has ended"
        assert time.monotonic() < deadline, "it never came"
        await pilot.pause()
    await pilot.pause()


async def until_shown(pilot: Pilot[Any], one: Snapshot) -> MonitorScreen:
    """The monitor once it has this snapshot, and its panes have drawn what they were handed."""

    def shown() -> bool:
        screen = pilot.app.screen
        if not isinstance(screen, MonitorScreen) or screen.newest is not one:
            return False
        drawn = all(pane._drawn is pane.snapshot for pane in screen.query(Pane) if pane.is_on_screen)
        graphs = [graph for graph in screen.query(Graph) if graph.is_on_screen]
        return drawn and all(len(graph._columns) == graph.columns_wanted for graph in graphs)

    await until(pilot, shown)
    return monitor_of(pilot.app)
