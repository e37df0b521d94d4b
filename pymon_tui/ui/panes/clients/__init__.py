"""The clients pane."""

from __future__ import annotations

from pymon_tui.ui.panes.clients.pane import ClientsPane

__all__ = ["ClientsPane"]
