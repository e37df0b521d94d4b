"""The panes, in the order of their keys: 2 is the first. Tabs, keys, palette, help and polling follow this tuple."""

from __future__ import annotations

from pymon_tui.ui.panes.memory import MemoryPane
from pymon_tui.ui.panes.pane import Pane

PANES: tuple[type[Pane], ...] = (MemoryPane,)
