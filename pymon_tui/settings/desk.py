"""Invalidation on one server, by the rules that are set. Not imported with the settings: it brings the client."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from pymon_tui.invalidation.desk import Desk
from pymon_tui.invalidation.rules import Rules
from pymon_tui.journal.folder import state_folder
from pymon_tui.server.endpoint import Endpoint
from pymon_tui.settings.guards import guard_of_the_gone, guards_of
from pymon_tui.settings.model import Settings


def desk_of(endpoint: Endpoint, settings: Settings, folder: Path | None = None) -> Desk:
    """The desk of a server.

    Args:
        settings: Those of that server: where a person chose another in the app, what ``settings_of_profile`` or
            ``settings_of_url`` gave for it.
        folder: Where the journal and the trash are; by default the platform's state folder.
    """
    endpoint = endpoint if endpoint.way else replace(endpoint, way=settings.way)
    return Desk(endpoint, _rules(settings), folder or state_folder())


def _rules(settings: Settings) -> Rules:
    return Rules(
        protected=settings.protected,
        protected_from=settings.protected_from,
        presets=settings.presets,
        max_keys=settings.max_keys,
        type_above=settings.type_above,
        ceiling=settings.ping_ceiling / 1000,
        rate=settings.rate,
        trash_cap=settings.trash_size,
        key_cap=settings.trash_key_size,
        journal_keep=settings.journal_keep,
        read_only=settings.read_only,
        environment=settings.environment,
        named_by=_named_by(settings),
        guards=guards_of(settings),
        profiles=frozenset(profile.name for profile in settings.profiles),
        gone=guard_of_the_gone(settings),
    )


def _named_by(settings: Settings) -> str | None:
    """The profile that calls the server what it is called; None where something else does."""
    of = (one.name for one in settings.profiles if (one.name, one.environment) == (settings.name, settings.environment))
    return next(of, None)
