"""Every reading there is."""

from __future__ import annotations

from typing import Any

from pymon_tui.model.query import Query
from pymon_tui.readings.channels import CHANNELS, SUBSCRIPTIONS
from pymon_tui.readings.clients import CLIENTS
from pymon_tui.readings.commands import COMMANDSTATS
from pymon_tui.readings.hits import HIT_RATE
from pymon_tui.readings.keyspace import KEYSPACE
from pymon_tui.readings.latency import LATENCY
from pymon_tui.readings.memory import MEMORY
from pymon_tui.readings.persistence import PERSISTENCE
from pymon_tui.readings.replication import REPLICATION
from pymon_tui.readings.server import SERVER
from pymon_tui.readings.slowlog import SLOWLOG
from pymon_tui.readings.slowlog_settings import SLOWLOG_SETTINGS

QUERIES: tuple[Query[Any], ...] = (
    SERVER,
    COMMANDSTATS,
    LATENCY,
    PERSISTENCE,
    REPLICATION,
    KEYSPACE,
    MEMORY,
    CLIENTS,
    SLOWLOG,
    SLOWLOG_SETTINGS,
    HIT_RATE,
    CHANNELS,
    SUBSCRIPTIONS,
)
"""Every reading there is, in the order that ``once`` prints them. INFO comes first: the rest is measured by it."""
