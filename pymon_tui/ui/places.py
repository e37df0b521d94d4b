"""Where a person can go from here."""

from __future__ import annotations

from collections.abc import Iterable

from pymon_tui.model.text import safe
from pymon_tui.settings import Profile
from pymon_tui.settings.recent import recent
from pymon_tui.ui.screens.connect import DEMO, Choice


def places(profiles: Iterable[Profile]) -> tuple[Choice, ...]:
    """The profiles, the servers looked at last, and the demo."""
    named = [
        Choice("profile", profile.name, safe(" ".join(filter(None, (profile.address, profile.environment)))))
        for profile in profiles
    ]
    return (*named, *(Choice("recent", address, safe("")) for address in recent()), DEMO)
