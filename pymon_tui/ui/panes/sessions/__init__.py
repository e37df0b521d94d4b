"""The sessions pane."""

from __future__ import annotations

from pymon_tui.ui.panes.sessions.pane import SessionsPane

__all__ = ["SessionsPane"]
