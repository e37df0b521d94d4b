"""Where the app goes for invalidation; what that needs is imported when it is first wanted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from textual.app import App

from pymon_tui.invalidation.pattern import Pattern
from pymon_tui.server.endpoint import Endpoint
from pymon_tui.ui.screens.monitor import MonitorScreen


class Ways(Protocol):
    """What a person can do about the keys of one server; each is awaited in a worker of the app."""

    async def invalidate(self, pattern: Pattern | None) -> None:
        """From a pattern to a run and its account."""
        ...

    async def list_keys(self, pattern: Pattern) -> None:
        """The keys of a pattern, and what can be done with them."""
        ...

    async def journal(self) -> None:
        """What was done until now."""
        ...

    async def undo_last(self) -> None:
        """Take back the newest run of this server."""
        ...


WaysOf = Callable[[App[Any], Endpoint, MonitorScreen], Ways]
"""Makes the ways of a server whose monitor is shown. Raises NoPrimary if it isn't known where they would lead."""
