"""The pane of a deployment's nodes."""

from __future__ import annotations

from pymon_tui.ui.panes.fleet.pane import FleetPane

__all__ = ["FleetPane"]
