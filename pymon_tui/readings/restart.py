"""What a restart of a server has cost: keys before and after, and how old the snapshot was. From INFO."""

from __future__ import annotations

from dataclasses import dataclass

from pymon_tui.model import units
from pymon_tui.model.text import SafeText, safe
from pymon_tui.readings.info import Info
from pymon_tui.readings.keyspace import parse_keyspace

_SAME = 1.0
"""Seconds by which the time of the last snapshot may differ from the server's start where it has saved none."""


@dataclass(frozen=True, slots=True)
class Held:
    """What a server process holds.

    Attributes:
        keys: In all databases.
        at: Unix seconds by the server's clock; None where it tells none.
        saved_at: When it saved its last snapshot, by the same clock; None where it has saved none since its start,
            and where it loads its append-only file instead.
    """

    keys: int
    at: float | None
    saved_at: float | None


def held(info: Info) -> Held | None:
    """What a process holds by its INFO; None where that isn't told, and while it isn't all there yet.

    That is while it loads, and while a replica hasn't got its primary's data.
    """
    is_behind = info.text("role") == "slave" and info.text("master_link_status") != "up"
    if info.flag("loading") or info.flag("master_sync_in_progress") or is_behind:
        return None
    try:
        keys = parse_keyspace(info).keys
    except ValueError:
        return None
    clock, uptime, saved = (
        info.integer(name) for name in ("server_time_usec", "uptime_in_seconds", "rdb_last_save_time")
    )
    at = None if clock is None else clock / 1e6
    has_saved = at is not None and uptime is not None and saved is not None and saved > at - uptime + _SAME
    return Held(keys, at, saved if has_saved and not info.flag("aof_enabled") else None)


def loss(before: Held, after: Held) -> SafeText | None:
    """What is told of a process that holds fewer keys than the one before it did; None where it doesn't."""
    if after.keys >= before.keys:
        return None
    keys = f"{units.count(before.keys)} → {units.count(after.keys)} keys"
    if after.keys and before.saved_at is not None and before.at is not None:
        return safe(f"{keys}, of a snapshot {units.duration(max(0.0, before.at - before.saved_at))} old")
    return safe(keys)
