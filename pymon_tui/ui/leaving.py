"""Leaving in good order, whatever ends us."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
from typing import Any

from textual import events
from textual.app import App, ReturnType, ScreenError
from textual.css.query import QueryError
from textual.widget import WidgetError

from pymon_tui.ui.palette import Palette
from pymon_tui.ui.type_ahead import TypeAheadApp

TERMINAL_SECONDS = 2.0
"""How often we look whether the terminal is still there."""
LAST_SECONDS = 3.0
"""How long leaving may take once a signal asked for it."""
_GONE = (QueryError, ScreenError, WidgetError)
"""What Textual raises for a widget or a screen that is not there."""


class Leaving:
    """Ends an app that runs on a terminal when a signal asks for it, or the terminal goes away."""

    def __init__(self, app: App[Any]) -> None:
        """To be called in the app's loop."""
        self._app = app
        self._loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGHUP):
            # Left alone, they would leave the terminal in the alternate screen.
            signal.signal(number, lambda received, _frame: self._leave(128 + received))
        app.set_interval(TERMINAL_SECONDS, self._leave_with_terminal)

    def _leave_with_terminal(self) -> None:
        # A terminal that doesn't control us (a container's, say) goes away without a SIGHUP.
        if sys.__stdin__ is None or not sys.__stdin__.isatty():
            self._leave(128 + signal.SIGHUP)

    def _leave(self, code: int) -> None:
        # A write to a terminal that is gone can hold the loop for ever; then the process ends without it, and what
        # watches the demo's server ends that.
        last = threading.Timer(LAST_SECONDS, os._exit, (code,))
        last.daemon = True
        last.start()
        self._loop.call_soon_threadsafe(self._app.exit, code)


class LeavableApp(TypeAheadApp[ReturnType]):
    """An app that is left without a failure: its widgets go before its timers, workers and late key presses do."""

    def action_command_palette(self) -> None:
        """Open the palette, which is left as every window is."""
        if not isinstance(self.screen, Palette):
            self.push_screen(Palette(id="--command-palette"))

    async def on_event(self, event: events.Event) -> None:
        """As Textual; a key that comes with the one that leaves is for nobody."""
        if self._exit and isinstance(event, events.InputEvent):
            self.forget_typed()
        else:
            await super().on_event(event)

    def _handle_exception(self, error: Exception) -> None:
        cause = getattr(error, "error", error)  # a worker's failure tells what failed in it
        if self._exit and isinstance(cause, _GONE):
            return
        super()._handle_exception(error)
