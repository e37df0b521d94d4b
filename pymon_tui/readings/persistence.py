"""What is on disk and how old it is: RDB, AOF, forks, and loading at start. From INFO persistence and stats."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from pymon_tui.model.query import Part, Query
from pymon_tui.model.text import SafeText
from pymon_tui.readings.info import INFO, Info


@dataclass(frozen=True, slots=True)
class Persistence:
    """INFO's persistence fields under their own names, None where the server doesn't tell.

    Attributes:
        loading_loaded_perc: From 0 to 100; only while ``loading``.
        loading_eta_seconds: Seconds until it is loaded; only while ``loading``.
        rdb_last_save_time: Unix seconds by the server's clock. The server's start, where it hasn't saved since.
        rdb_last_bgsave_status: ``ok`` or ``err``.
        rdb_last_bgsave_time_sec: Seconds that the last save took; None if there was none.
        rdb_current_bgsave_time_sec: Seconds that the running save has taken; None if none runs.
        rdb_saves: Saves begun since the start or CONFIG RESETSTAT, whatever became of them; unknown before Redis 7.
        saved_since_start: Whether ``rdb_last_save_time`` is after the server's start; None where it tells no clock.
            Of several nodes: whether that holds for all of them.
        current_fork_perc: How far the running save or rewrite is, from 0 to 100.
        latest_fork_usec: Microseconds that the last fork stopped the server.
    """

    loading: bool | None
    async_loading: bool | None
    loading_loaded_perc: float | None
    loading_eta_seconds: int | None
    rdb_changes_since_last_save: int | None
    rdb_bgsave_in_progress: bool | None
    rdb_last_save_time: int | None
    rdb_last_bgsave_status: SafeText | None
    rdb_last_bgsave_time_sec: int | None
    rdb_current_bgsave_time_sec: int | None
    rdb_saves: int | None
    saved_since_start: bool | None
    rdb_last_cow_size: int | None
    current_fork_perc: float | None
    aof_enabled: bool | None
    aof_rewrite_in_progress: bool | None
    aof_rewrite_scheduled: bool | None
    aof_last_rewrite_time_sec: int | None
    aof_last_bgrewrite_status: SafeText | None
    aof_last_write_status: SafeText | None
    aof_current_size: int | None
    aof_base_size: int | None
    aof_delayed_fsync: int | None
    latest_fork_usec: int | None
    total_forks: int | None

    @property
    def rdb_failed(self) -> bool:
        """Whether the last save failed; by default the server then refuses writes."""
        return self.rdb_last_bgsave_status not in (None, "ok")

    @property
    def aof_failed(self) -> bool:
        """Whether the last write or rewrite of the AOF failed, where there is one."""
        return bool(self.aof_enabled) and not {self.aof_last_write_status, self.aof_last_bgrewrite_status} <= {
            None,
            "ok",
        }

    @property
    def never_saved(self) -> bool:
        """Whether it hasn't saved since its start, by the time of the last save; by their count where no clock is told.

        The count alone doesn't tell: a save that is cancelled or fails is in it.
        """
        return self.rdb_saves == 0 if self.saved_since_start is None else not self.saved_since_start


def saved_since_start(info: Info) -> bool | None:
    """Whether the last snapshot is of this process, which no reset of counters changes; None where that isn't told.

    All three are whole seconds of one clock. Where none is saved, the time is the start's or just before it. One that
    is saved within the second of the start isn't told from that.
    """
    clock, uptime, saved = (
        info.integer(name) for name in ("server_time_usec", "uptime_in_seconds", "rdb_last_save_time")
    )
    if clock is None or uptime is None or saved is None:
        return None
    return saved > clock // 1_000_000 - uptime


def parse_persistence(info: Info) -> Persistence:
    """The persistence part of INFO; every field may be missing."""
    return Persistence(
        loading=info.flag("loading"),
        async_loading=info.flag("async_loading"),
        loading_loaded_perc=info.number("loading_loaded_perc"),
        loading_eta_seconds=info.seconds("loading_eta_seconds"),
        rdb_changes_since_last_save=info.integer("rdb_changes_since_last_save"),
        rdb_bgsave_in_progress=info.flag("rdb_bgsave_in_progress"),
        rdb_last_save_time=info.integer("rdb_last_save_time"),
        rdb_last_bgsave_status=info.text("rdb_last_bgsave_status"),
        rdb_last_bgsave_time_sec=info.seconds("rdb_last_bgsave_time_sec"),
        rdb_current_bgsave_time_sec=info.seconds("rdb_current_bgsave_time_sec"),
        rdb_saves=info.integer("rdb_saves"),
        saved_since_start=saved_since_start(info),
        rdb_last_cow_size=info.integer("rdb_last_cow_size"),
        current_fork_perc=info.number("current_fork_perc"),
        aof_enabled=info.flag("aof_enabled"),
        aof_rewrite_in_progress=info.flag("aof_rewrite_in_progress"),
        aof_rewrite_scheduled=info.flag("aof_rewrite_scheduled"),
        aof_last_rewrite_time_sec=info.seconds("aof_last_rewrite_time_sec"),
        aof_last_bgrewrite_status=info.text("aof_last_bgrewrite_status"),
        aof_last_write_status=info.text("aof_last_write_status"),
        aof_current_size=info.integer("aof_current_size"),
        aof_base_size=info.integer("aof_base_size"),
        aof_delayed_fsync=info.integer("aof_delayed_fsync"),
        latest_fork_usec=info.integer("latest_fork_usec"),
        total_forks=info.integer("total_forks"),
    )


def _beside(whole: Persistence, parts: Sequence[Part[Persistence]]) -> Persistence:
    """All nodes together: each knows by its own clock and start whether it has saved."""
    told = [part.value.saved_since_start for part in parts]
    return replace(whole, saved_since_start=None if None in told and False not in told else all(told))


PERSISTENCE = Query("persistence", INFO, parse_persistence, beside=_beside)
