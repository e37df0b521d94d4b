"""The server pane: who the server is, what it does, how fast, and whether its data is safe."""

from pymon_tui.ui.panes.server.pane import ServerPane

__all__ = ["ServerPane"]
