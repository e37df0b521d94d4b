"""What the user has set: flags, environment, profile and configuration file, as one frozen ``Settings``."""

from __future__ import annotations

from pymon_tui.settings.load import endpoint_of_profile, endpoint_of_url, load, settings_of_profile, settings_of_url
from pymon_tui.settings.model import Profile, Settings
from pymon_tui.settings.problem import SettingsError

__all__ = [
    "Profile",
    "Settings",
    "SettingsError",
    "endpoint_of_profile",
    "endpoint_of_url",
    "load",
    "settings_of_profile",
    "settings_of_url",
]
