"""How many keys each database has."""

from __future__ import annotations

import pytest

from pymon_tui.readings.info import parse_info
from pymon_tui.readings.keyspace import Database, Keyspace, parse_keyspace
from tests.replies import recorded


def keyspace(*lines: str) -> Keyspace:
    """What is read from an INFO with these lines."""
    return parse_keyspace(parse_info("\r\n".join(("redis_version:7.0.0", "# Keyspace", *lines)).encode()))


@pytest.mark.parametrize("server", ["valkey-9", "redis-7"])
def test_reads_what_servers_say(server: str) -> None:
    read = parse_keyspace(parse_info(recorded(f"info-primary.{server}.resp2")))

    assert [(each.index, each.keys) for each in read.databases] == [(0, 550), (3, 1)]
    assert (read.keys, read.expires) == (551, 167)
    assert read.databases[0].avg_ttl is not None
    assert read.databases[1].avg_ttl is None  # 0: no key expires


def test_databases_stand_by_index_and_odd_lines_are_left_out() -> None:
    read = keyspace("db10:keys=1,expires=0", "db2:keys=5,expires=x,avg_ttl=-1", "db1:keys=many", "dbx:keys=1", "db3:7")

    assert read.databases == (Database(2, 5, None, None), Database(10, 1, 0, None))
    assert (read.keys, read.expires) == (6, None)  # of one it isn't known


def test_an_empty_server_has_no_keys() -> None:
    assert (keyspace().keys, keyspace().databases) == (0, ())


@pytest.mark.parametrize(
    "reply",
    [
        "# Server\r\nredis_version:7.0.0\r\n",
        "# Server\r\nredis_version:7.0.0\r\n# Keyspace\r\ndb0:keys=many\r\n",
        "# Server\r\npika_version:3.5.3\r\n# Keyspace\r\n# Time:1970\r\ndb0 Strings_keys=100, expires=0\r\n",
    ],
    ids=["no section", "no number", "lines of another kind"],
)
def test_keys_that_are_not_told_are_not_none(reply: str) -> None:
    with pytest.raises(ValueError, match="doesn't tell how many keys"):
        parse_keyspace(parse_info(reply.encode()))


def test_what_kvrocks_writes_before_its_keys_does_no_harm() -> None:
    read = keyspace(
        "# Last scan db time: Fri Jul 12 2024", "db0:keys=5,expires=1,avg_ttl=0,expired=0", "used_percent: 0%"
    )
    assert (read.keys, read.expires) == (5, 1)
