"""The real app on a scripted source."""

from __future__ import annotations

from pymon_tui.server.endpoint import Endpoint
from pymon_tui.settings import Settings
from pymon_tui.ui.app import PymonApp
from pymon_tui.ui.screens.connect import Choice
from pymon_tui.ui.screens.monitor import MonitorScreen
from tests.script import Script

CHOSEN = Endpoint(host="chosen")


def app_of(script: Script, settings: Settings | None = None) -> PymonApp:
    """An app whose every server is the script."""
    return PymonApp(settings or Settings(host="scripted"), lambda _: script, _chosen)


def monitor_of(app: PymonApp) -> MonitorScreen:
    """The monitor that is shown."""
    assert isinstance(app.screen, MonitorScreen)
    return app.screen


def _chosen(_: Choice) -> Endpoint:
    return CHOSEN
