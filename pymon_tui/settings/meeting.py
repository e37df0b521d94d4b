"""What a server that answers is called: by its own profile, or by one that calls it production."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from pymon_tui.journal.met import Met
from pymon_tui.model.environment import is_production
from pymon_tui.server.endpoint import Endpoint
from pymon_tui.settings.guards import guards_of
from pymon_tui.settings.model import Settings


def meeting(settings: Settings, folder: Path) -> Callable[[Endpoint, str], str | None]:
    """What is told of each process that answers, and says what its server is called; it blocks for the disk.

    A profile that calls its server production has the process remembered. Another door to it, an address or a profile
    that says something else, gets that name: where it has the same address, or the process has been met there.

    Args:
        settings: Those that led to the server.
        folder: The state folder.
    """
    met = Met(folder)

    def name_of(endpoint: Endpoint, run_id: str) -> str | None:
        if is_production(settings.environment):
            if settings.name is not None:
                met.note(settings.name, [run_id])
            return settings.environment
        led = met.profiles([run_id])
        guards = (guard for guard in guards_of(settings) if guard.address == endpoint.address or guard.profile in led)
        return next((guard.environment for guard in guards), settings.environment)

    return name_of
