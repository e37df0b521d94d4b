"""Invalidation on one server, by the rules that are set. Not imported with the settings: it brings the client."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from pymon_tui.invalidation.desk import Desk
from pymon_tui.journal.folder import state_folder
from pymon_tui.server.endpoint import Endpoint
from pymon_tui.settings.model import Settings
from pymon_tui.settings.rules import rules_by


def desk_of(endpoint: Endpoint, settings: Settings, folder: Path | None = None) -> Desk:
    """The desk of a server.

    Args:
        settings: Those of that server: where a person chose another in the app, what ``settings_of_profile`` or
            ``settings_of_url`` gave for it.
        folder: Where the journal and the trash are; by default the platform's state folder.
    """
    endpoint = endpoint if endpoint.way else replace(endpoint, way=settings.way)
    return Desk(endpoint, rules_by(settings), folder or state_folder())
