"""What is wrong with a server itself: what it waits for, and what it couldn't write. Of its other readings."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from pymon_tui.model import units
from pymon_tui.model.text import SafeText, safe
from pymon_tui.readings.memory_use import Severity
from pymon_tui.readings.persistence import Persistence
from pymon_tui.readings.replication import Replication
from pymon_tui.readings.server import Server


class What(Enum):
    """What can be wrong, the worst first."""

    LOADING = "loading"
    PAUSED = "paused"
    FAILOVER = "failover"
    COPYING = "copying"  # all of its primary's data
    LINK_DOWN = "link down"  # to its primary
    SAVE_FAILED = "save failed"
    AOF_FAILED = "aof failed"


@dataclass(frozen=True, slots=True)
class Wrong:
    """Something that is wrong, in one line."""

    what: What
    severity: Severity
    text: SafeText


def wrongs(
    server: Server | None, persistence: Persistence | None, replication: Replication | None
) -> tuple[Wrong, ...]:
    """What is wrong by these readings, the worst first. Mostly nothing."""
    found = [
        *(_held_up(server) if server is not None else ()),
        *(_apart(replication) if replication is not None else ()),
        *(_unwritten(persistence, replication) if persistence is not None else ()),
    ]
    return tuple(sorted(found, key=lambda wrong: list(What).index(wrong.what)))


def _held_up(server: Server) -> list[Wrong]:
    if server.paused_actions in (None, "none"):
        return []
    left = server.paused_timeout_milliseconds
    lasts = f" for {units.duration(left / 1000)}" if left is not None else ""
    return [Wrong(What.PAUSED, Severity.LOOK, safe(f"paused: {server.paused_actions}{lasts}"))]


def _apart(replication: Replication) -> list[Wrong]:
    """A failover under way, and a replica that lacks what its primary has."""
    found = []
    if replication.master_failover_state not in (None, "no-failover"):
        found.append(Wrong(What.FAILOVER, Severity.LOOK, safe(f"failover: {replication.master_failover_state}")))
    primary = replication.primary or "its primary"
    if replication.master_sync_in_progress:
        done = percent(replication.master_sync_perc)
        found.append(Wrong(What.COPYING, Severity.LOOK, safe(f"copying {primary}: {done}")))
    elif replication.link_down:
        since = replication.master_link_down_since_seconds
        lasts = f" for {units.duration(since)}" if since is not None else ""
        found.append(Wrong(What.LINK_DOWN, Severity.ACT, safe(f"no link to {primary}{lasts}")))
    return found


def _unwritten(persistence: Persistence, replication: Replication | None) -> list[Wrong]:
    """Loading, and what couldn't be written. Whether writes fail after a failed save, INFO doesn't tell."""
    found = []
    if persistence.loading:
        left = persistence.loading_eta_seconds
        ready = f", ready in {units.duration(left)}" if left is not None else ""
        text = safe(f"loading {percent(persistence.loading_loaded_perc)}{ready}")
        found.append(Wrong(What.LOADING, Severity.LOOK, text))
    writes = replication is None or replication.primary is None
    if persistence.rdb_failed:
        refused = ": writes fail unless stop-writes-on-bgsave-error is no, or save is empty" if writes else ""
        found.append(Wrong(What.SAVE_FAILED, Severity.ACT, safe(f"save failed{refused}")))
    if persistence.aof_failed:
        if persistence.aof_last_write_status in (None, "ok"):
            text = safe("aof rewrite failed")
        else:
            text = safe("aof write failed, and writes with it" if writes else "aof write failed")
        found.append(Wrong(What.AOF_FAILED, Severity.ACT, text))
    return found


def percent(percents: float | None) -> SafeText:
    """How far something is that the server tells from 0 to 100."""
    return units.percent(None if percents is None else percents / 100)
