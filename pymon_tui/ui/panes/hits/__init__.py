"""The hit rate pane: the server's own and the application's."""

from __future__ import annotations

from pymon_tui.ui.panes.hits.pane import HitsPane

__all__ = ["HitsPane"]
