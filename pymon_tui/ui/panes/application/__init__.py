"""The application pane."""

from __future__ import annotations

from pymon_tui.ui.panes.application.pane import ApplicationPane

__all__ = ["ApplicationPane"]
