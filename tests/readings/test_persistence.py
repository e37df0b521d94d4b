"""What is on disk: saves, AOF, forks and loading."""

from __future__ import annotations

import pytest

from pymon_tui.readings.info import parse_info
from pymon_tui.readings.persistence import Persistence, parse_persistence
from tests.replies import recorded


def persistence(**fields: object) -> Persistence:
    """What is read from an INFO with these fields."""
    told = {"redis_version": "7.0.0", **fields}
    return parse_persistence(parse_info("".join(f"{name}:{value}\r\n" for name, value in told.items()).encode()))


@pytest.mark.parametrize("server", ["valkey-9", "redis-7"])
def test_reads_a_save(server: str) -> None:
    read = parse_persistence(parse_info(recorded(f"info-primary.{server}.resp2")))

    assert read.loading is False
    assert (read.rdb_last_bgsave_status, read.rdb_failed) == ("ok", False)
    assert read.rdb_last_save_time is not None
    assert read.rdb_last_save_time > 1_700_000_000
    assert read.rdb_last_bgsave_time_sec is not None
    assert read.rdb_changes_since_last_save == 201
    assert read.rdb_current_bgsave_time_sec is None  # -1: none runs
    assert read.latest_fork_usec is not None
    assert read.latest_fork_usec > 0
    assert (read.aof_enabled, read.aof_failed) == (False, False)


def test_reads_how_far_loading_is() -> None:
    read = persistence(loading=1, loading_loaded_perc="53.61", loading_eta_seconds=2)

    assert (read.loading, read.loading_loaded_perc, read.loading_eta_seconds) == (True, 53.61, 2)


@pytest.mark.parametrize(
    ("fields", "rdb", "aof"),
    [
        ({"rdb_last_bgsave_status": "err"}, True, False),
        ({"aof_enabled": 1, "aof_last_write_status": "err"}, False, True),
        ({"aof_enabled": 1, "aof_last_bgrewrite_status": "err"}, False, True),
        ({"aof_enabled": 1, "aof_last_write_status": "ok"}, False, False),
        # Of an AOF that is off, the status is that of long ago.
        ({"aof_enabled": 0, "aof_last_write_status": "err"}, False, False),
        ({}, False, False),
    ],
)
def test_says_what_failed(fields: dict[str, object], rdb: bool, aof: bool) -> None:  # noqa: FBT001
    read = persistence(**fields)

    assert (read.rdb_failed, read.aof_failed) == (rdb, aof)


def test_knows_never_saved_by_the_count_of_saves_or_their_time() -> None:
    assert persistence(rdb_saves=0).never_saved
    assert not persistence(rdb_saves=1).never_saved
    # CONFIG RESETSTAT forgets how many there were, and not when the last one was.
    clock = {"server_time_usec": 1_000_000_000, "uptime_in_seconds": 100}
    assert persistence(rdb_saves=0, rdb_last_save_time=900, **clock).never_saved
    assert not persistence(rdb_saves=0, rdb_last_save_time=901, **clock).never_saved
    later = {**clock, "server_time_usec": 1_000_999_999}
    assert persistence(rdb_saves=0, rdb_last_save_time=899, **later).never_saved
    assert persistence(rdb_saves=0, rdb_last_save_time=900, **later).never_saved
    assert not persistence(rdb_saves=0, rdb_last_save_time=901, **later).never_saved
    assert not persistence(rdb_saves=0, rdb_last_save_time=940, **clock).never_saved
    # A save that was cancelled, and one that failed, are counted too.
    assert persistence(rdb_saves=1, rdb_last_save_time=900, **clock).never_saved
    assert persistence(rdb_saves=1, rdb_last_save_time=900, rdb_last_bgsave_status="err", **clock).never_saved
    assert not persistence(rdb_saves=1, rdb_last_save_time=940, **clock).never_saved
    assert not persistence().never_saved
    assert persistence(rdb_last_save_time=900, **clock).never_saved  # before Redis 7 saves aren't counted
    assert not persistence(rdb_last_save_time=940, **clock).never_saved
    assert not persistence(rdb_last_save_time=900).never_saved


def test_odd_fields_are_gaps() -> None:
    read = persistence(loading="maybe", rdb_last_save_time="soon", rdb_last_bgsave_time_sec=-7, latest_fork_usec="1e9")

    assert (read.loading, read.rdb_last_save_time) == (None, None)
    assert (read.rdb_last_bgsave_time_sec, read.latest_fork_usec) == (None, None)
