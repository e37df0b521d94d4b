"""The panes, in the order of their keys: 2 is the first. Tabs, keys, palette, help and polling follow this tuple."""

from __future__ import annotations

from pymon_tui.ui.panes.clients import ClientsPane
from pymon_tui.ui.panes.hits import HitsPane
from pymon_tui.ui.panes.memory import MemoryPane
from pymon_tui.ui.panes.notifications import NotificationsPane
from pymon_tui.ui.panes.pane import Pane
from pymon_tui.ui.panes.server import ServerPane
from pymon_tui.ui.panes.slowlog import SlowLogPane

PANES: tuple[type[Pane], ...] = (ServerPane, MemoryPane, ClientsPane, SlowLogPane, HitsPane, NotificationsPane)
