"""What a restart of a server has cost: keys before and after, and how old the snapshot was. From INFO."""

from __future__ import annotations

from dataclasses import dataclass

from pymon_tui.model import units
from pymon_tui.model.deployment import Role
from pymon_tui.model.text import SafeText, safe
from pymon_tui.readings.info import Info
from pymon_tui.readings.keyspace import keyspace_of
from pymon_tui.readings.persistence import saved_since_start
from pymon_tui.readings.replication import node_role


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
    is_behind = node_role(info) is Role.REPLICA and info.text("master_link_status") != "up"
    if info.flag("loading") or info.flag("master_sync_in_progress") or is_behind:
        return None
    if (keyspace := keyspace_of(info)) is None:
        return None
    clock = info.integer("server_time_usec")
    saved_at = info.integer("rdb_last_save_time") if saved_since_start(info) and not info.flag("aof_enabled") else None
    return Held(keyspace.keys, None if clock is None else clock / 1e6, saved_at)


def loss(before: Held, after: Held) -> SafeText | None:
    """What is told of a process that holds fewer keys than the one before it did; None where it doesn't."""
    if after.keys >= before.keys:
        return None
    keys = f"{units.count(before.keys)} → {units.count(after.keys)} keys"
    age = None if before.at is None else units.elapsed(before.saved_at, before.at)
    return safe(f"{keys}, of a snapshot {units.duration(age)} old" if after.keys and age is not None else keys)
