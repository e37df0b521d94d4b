"""The guard rails of every profile that calls its server production."""

from __future__ import annotations

from pymon_tui.invalidation.rules import Guard
from pymon_tui.model.environment import is_production
from pymon_tui.settings import config_file
from pymon_tui.settings.levels import Level
from pymon_tui.settings.load import checked, file_of
from pymon_tui.settings.model import Profile, Settings
from pymon_tui.settings.patterns import take_protected
from pymon_tui.settings.problem import SettingsError

_RAILS = ("max_keys", "type_above", "ping_ceiling", "rate", "read_only")


def guards_of(settings: Settings) -> tuple[Guard, ...]:
    """What each of them asks for, in the order of the file. Nothing else of a profile is judged, nor is any run."""
    guarded = [profile for profile in settings.profiles if is_production(profile.environment)]
    if not guarded:
        return ()
    file = file_of(settings, lambda _warning: None)
    return tuple(_guard(profile, file) for profile in guarded)


def _guard(profile: Profile, file: config_file.ConfigFile) -> Guard:
    try:
        levels, protected = take_protected([file.profile(profile.name, "the profiles"), file.top()])
        rails = [
            Level({name: one.values[name] for name in _RAILS if name in one.values}, one.origins) for one in levels
        ]
        told = checked(rails, Level({}, {}))
    except SettingsError:  # whoever uses the profile is told; that it is production holds all the same
        told, protected = Settings(), ()
    return Guard(
        profile=profile.name,
        address=profile.address,
        environment=profile.environment or "",
        protected=protected,
        max_keys=told.max_keys,
        type_above=told.type_above,
        ceiling=told.ping_ceiling / 1000,
        rate=told.rate,
        read_only=told.read_only,
    )
