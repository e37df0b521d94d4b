"""Who copies whom, and how far behind."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pymon_tui.readings.info import parse_info
from pymon_tui.readings.replication import Replication, parse_replication
from tests.replies import recorded


def replication(*lines: str) -> Replication:
    """What is read from an INFO with these lines."""
    return parse_replication(parse_info("\r\n".join(("redis_version:7.0.0", *lines)).encode()))


@pytest.mark.parametrize("server", ["valkey-9", "redis-7"])
def test_reads_a_primary(server: str) -> None:
    read = parse_replication(parse_info(recorded(f"info-primary.{server}.resp2")))

    assert (read.role, read.primary, read.link_down) == ("primary", None, False)
    assert [replica.address for replica in read.replicas] == ["127.0.0.1:6380", "127.0.0.1:6381"]
    assert (read.online, read.connected_slaves) == (2, 2)
    assert (read.lag_bytes, read.sync_full) == (0, 2)
    assert read.lag is not None
    assert read.lag <= 1
    assert {replica.type for replica in read.replicas} == {"replica" if server == "valkey-9" else None}


@pytest.mark.parametrize("server", ["valkey-9", "redis-7"])
def test_reads_a_replica(server: str) -> None:
    read = parse_replication(parse_info(recorded(f"info-replica.{server}.resp2")))

    assert (read.role, read.primary) == ("replica", "127.0.0.1:6379")
    assert (read.master_link_status, read.link_down) == ("up", False)
    assert read.master_last_io_seconds_ago is not None
    assert (read.slave_read_only, read.slave_priority, read.unapplied) == (True, 100, 0)


@pytest.mark.parametrize("server", ["valkey-9", "redis-7"])
def test_reads_a_replica_whose_primary_is_gone(server: str) -> None:
    read = parse_replication(parse_info(recorded(f"info-orphan.{server}.resp2")))

    assert read.link_down
    assert read.master_link_down_since_seconds is not None
    assert read.master_last_io_seconds_ago is None  # -1: there is no link


def test_lag_is_that_of_the_replica_furthest_behind() -> None:
    read = replication(
        "role:master",
        "master_repl_offset:1000",
        "slave0:ip=10.0.0.1,port=6379,state=online,offset=990,lag=1",
        "slave1:ip=10.0.0.2,port=6379,state=online,offset=400,lag=0",
        "slave2:ip=10.0.0.3,port=6379,state=wait_bgsave,offset=0,lag=77",
    )

    assert (read.lag, read.lag_bytes) == (1, 600)
    assert (read.online, len(read.replicas)) == (2, 3)
    assert [replica.lag_bytes for replica in read.replicas] == [10, 600, 1000]


def test_replicas_stand_in_their_order_and_other_fields_are_none() -> None:
    read = replication(
        "slave10:ip=c,port=1,state=online",
        "slave2:ip=b,port=1,state=online",
        "slave_priority:100",
        "slave_repl_offset:5",
        "slaves_x:ip=d",
    )

    assert [replica.address for replica in read.replicas] == ["b:1", "c:1"]
    assert (read.lag, read.lag_bytes) == (None, None)


def test_ipv6_addresses_stand_in_brackets() -> None:
    read = replication("master_host:2001:db8::1", "master_port:6379", "slave0:ip=::1,port=6380,state=online")

    assert (read.primary, read.replicas[0].address) == ("[2001:db8::1]:6379", "[::1]:6380")


def test_dragonflys_replica_follows_in_its_own_words() -> None:
    read = replication("role:master", "connected_slaves:1", "slave0:ip=10.0.0.1,port=6380,state=stable_sync,lag=0")

    assert (read.online, read.replicas[0].offset, read.lag_bytes) == (1, None, None)


@pytest.mark.parametrize("field", ["replicas_repl_buffer_size", "replica_full_sync_buffer_size"])
def test_reads_the_buffer_of_a_copy_by_either_name(field: str) -> None:
    assert replication(f"{field}:42").full_sync_buffer_size == 42


def test_a_link_that_never_was_up_has_no_age() -> None:
    read = replication("master_host:h", "master_link_status:down", "master_link_down_since_seconds:-1")

    assert (read.link_down, read.master_link_down_since_seconds, read.primary) == (True, None, "h")


@given(st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\r\n")))
def test_a_hostile_replica_line_is_shown_safely(odd: str) -> None:
    read = replication("master_repl_offset:9", f"slave0:ip={odd},port={odd},state={odd},offset={odd},lag={odd}")

    for replica in read.replicas:
        assert replica.address.isprintable()
        assert replica.state is None or replica.state.isprintable()


def test_a_replica_whose_state_is_not_told_is_no_bad_news() -> None:
    read = replication(
        "role:master",
        "connected_slaves:2",
        "master_repl_offset:190907920",
        "slave0:ip=10.0.0.1,port=6666,offset=190907912,lag=0",
        "slave1:ip=10.0.0.2,port=6666,offset=190907912,lag=18446744073709551607",
    )
    assert [replica.online for replica in read.replicas] == [None, None]
    assert (read.waiting, read.lag, read.lag_bytes) == (0, 0, 8)


def test_two_replicas_under_one_name_are_two() -> None:
    read = replication(
        "connected_slaves:2",
        "slave0:ip=10.0.0.1,port=1,state=online,offset=1,lag=0",
        "slave0:ip=10.0.0.2,port=2,state=online,offset=1,lag=1",
    )
    assert [replica.address for replica in read.replicas] == ["10.0.0.1:1", "10.0.0.2:2"]
    assert (read.online, read.waiting) == (2, 0)
