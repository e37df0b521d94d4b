"""What a restart has cost is told from what was held before and after it."""

from __future__ import annotations

import pytest

from pymon_tui.readings.info import Info, parse_info
from pymon_tui.readings.restart import Held, held, loss


def info(keys: int | None = 10, **fields: object) -> Info:
    """The INFO of a server that has run for 100 s by its clock, which says 1000."""
    told: dict[str, object] = {"server_time_usec": 1_000_000_000, "uptime_in_seconds": 100, "rdb_last_save_time": 900}
    lines = [f"{name}:{value}" for name, value in (told | fields).items()]
    lines += ["# Keyspace", *([f"db0:keys={keys},expires=0"] if keys else [])]
    return parse_info("\r\n".join(lines).encode())


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        ({}, Held(10, 1000.0, None)),  # the time of the last snapshot is that of the start
        ({"rdb_last_save_time": 940}, Held(10, 1000.0, 940)),
        ({"rdb_last_save_time": 940, "aof_enabled": 1}, Held(10, 1000.0, None)),
        ({"server_time_usec": "x", "rdb_last_save_time": 940}, Held(10, None, None)),
        ({"keys": None}, Held(0, 1000.0, None)),
        ({"loading": 1}, None),
        ({"role": "slave", "master_link_status": "down"}, None),
        ({"role": "slave", "master_link_status": "up", "master_sync_in_progress": 1}, None),
        ({"role": "slave", "master_link_status": "up"}, Held(10, 1000.0, None)),
    ],
)
def test_what_is_held_is_told_once_it_is_all_there(fields: dict[str, object], found: Held | None) -> None:
    assert held(info(**fields)) == found  # type: ignore[arg-type]


def test_a_server_that_tells_no_keyspace_holds_nobody_knows_what() -> None:
    assert held(parse_info(b"role:master\r\n")) is None


@pytest.mark.parametrize(
    ("before", "after", "text"),
    [
        (Held(38_016, 1000.0, None), 0, "38 016 → 0 keys"),
        (Held(38_016, 1000.0, 748.0), 0, "38 016 → 0 keys"),  # nothing of the snapshot is there
        (Held(38_016, 1000.0, 748.0), 37_000, "38 016 → 37 000 keys, of a snapshot 4m 12s old"),
        (Held(38_016, 1000.0, None), 37_000, "38 016 → 37 000 keys"),
        (Held(38_016, 1000.0, 4600.0), 37_000, "38 016 → 37 000 keys"),  # the server's clock was put back since
        (Held(5, 1000.0, 748.0), 5, None),
        (Held(0, 1000.0, None), 7, None),
    ],
)
def test_what_was_lost_is_told_with_the_age_of_the_snapshot(before: Held, after: int, text: str | None) -> None:
    assert loss(before, Held(after, 2000.0, None)) == text
