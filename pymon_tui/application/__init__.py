"""What the application's keys tell, by the families that ``services.keys`` declares."""

from __future__ import annotations

from typing import Any

from pymon_tui.application.groups import DATABASE_SIZE, KEY_GROUPS
from pymon_tui.application.recent import RECENT
from pymon_tui.application.samples import KEY_BYTES, KEY_LIVES
from pymon_tui.application.sessions import OF_SESSIONS
from pymon_tui.application.statistics import APPLICATION_DAYS, APPLICATION_TODAY
from pymon_tui.model.query import Query

QUERIES: tuple[Query[Any], ...] = (
    APPLICATION_TODAY,
    APPLICATION_DAYS,
    RECENT,
    KEY_GROUPS,
    KEY_BYTES,
    KEY_LIVES,
    DATABASE_SIZE,
    *OF_SESSIONS,
)
"""Every reading of the application's keys. ``once`` has none of them: they need a walk through the keyspace."""
