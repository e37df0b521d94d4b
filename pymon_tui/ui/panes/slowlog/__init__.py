"""The slow log pane."""

from __future__ import annotations

from pymon_tui.ui.panes.slowlog.pane import SlowLogPane

__all__ = ["SlowLogPane"]
