"""What the settings say of invalidation, with the guard rails of every profile. It reads the file."""

from __future__ import annotations

from pymon_tui.invalidation.rules import Rules
from pymon_tui.settings.guards import guard_of_the_gone, guards_of
from pymon_tui.settings.model import Settings


def rules_by(settings: Settings) -> Rules:
    """The rules of these settings, before it is known which server answers."""
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
