"""The panes, by their keys. Tabs, palette, help and polling follow this table."""

from __future__ import annotations

from collections.abc import Mapping

from pymon_tui.ui.panes.application import ApplicationPane
from pymon_tui.ui.panes.clients import ClientsPane
from pymon_tui.ui.panes.fleet import FleetPane
from pymon_tui.ui.panes.hits import HitsPane
from pymon_tui.ui.panes.memory import MemoryPane
from pymon_tui.ui.panes.notifications import NotificationsPane
from pymon_tui.ui.panes.pane import Pane
from pymon_tui.ui.panes.server import ServerPane
from pymon_tui.ui.panes.sessions import SessionsPane
from pymon_tui.ui.panes.slowlog import SlowLogPane

PANES_BY_KEY: Mapping[str, type[Pane]] = {
    "2": ServerPane,
    "3": MemoryPane,
    "4": ClientsPane,
    "5": SlowLogPane,
    "6": HitsPane,
    "7": NotificationsPane,
    "8": SessionsPane,
    "9": ApplicationPane,
    "f": FleetPane,
}
PANES: tuple[type[Pane], ...] = tuple(PANES_BY_KEY.values())
