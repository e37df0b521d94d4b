"""The program on the terminal: the composition root, which knows the settings, the source and the screens."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual.binding import Binding, BindingType

from pymon_tui.server.endpoint import Endpoint
from pymon_tui.settings import Settings
from pymon_tui.state.source import Source
from pymon_tui.ui.screens.monitor import MonitorScreen
from pymon_tui.ui.terminal import DiffedApp
from pymon_tui.ui.theme import THEMES


class PymonApp(DiffedApp[int]):
    """The monitor of one server at a time."""

    CSS_PATH = "app.tcss"
    TITLE = "pymon"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q,ctrl+c", "quit", "Quit", show=False, id="quit", priority=False, tooltip="Leave"),
        Binding("ctrl+z", "suspend_process", "Suspend", show=False, id="suspend", tooltip="To the shell; fg returns"),
        Binding("t", "next_theme", "Theme", show=False, id="theme", tooltip="The next theme"),
        Binding("question_mark", "help", "Help", id="help", tooltip="The keys of the focused pane"),
    ]

    def __init__(self, settings: Settings, source_of: Callable[[Endpoint], Source]) -> None:
        """``source_of`` makes the live source; it is called after the first paint, for it imports much."""
        super().__init__(full_redraw=settings.full_redraw)
        self._settings = settings
        self._source_of = source_of
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = settings.theme or ("pymon-16" if settings.color == "16" else "pymon-dark")
        self.animation_level = "none"

    def on_ready(self) -> None:
        """Paint first, then connect."""
        self.call_after_refresh(self.watch_server, self._settings.endpoint)

    def watch_server(self, endpoint: Endpoint) -> None:
        """Show this server's monitor in place of what was shown."""
        self.push_screen(MonitorScreen(self._source_of(endpoint)))

    def action_next_theme(self) -> None:
        """The next of our own themes."""
        names = [theme.name for theme in THEMES]
        current = names.index(self.theme) if self.theme in names else -1
        self.theme = names[(current + 1) % len(names)]
