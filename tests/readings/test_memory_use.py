"""What memory is made of, and what in it asks for a person."""

from __future__ import annotations

import pytest

from pymon_tui.readings.info import parse_info
from pymon_tui.readings.memory import parse_memory
from pymon_tui.readings.memory_use import Severity, concerns, parts
from tests.readings.test_memory import RECORDED, memory, together
from tests.replies import recorded

GIB = 1 << 30
LOOK, ACT = Severity.LOOK, Severity.ACT


def severities(**fields: object) -> list[Severity]:
    return [concern.severity for concern in concerns(memory(**fields))]


@pytest.mark.parametrize("name", RECORDED)
def test_the_parts_of_a_real_server_add_up(name: str) -> None:
    read = parse_memory(parse_info(recorded(name)))
    assert sum(part.size for part in parts(read)) == read.used_memory
    assert concerns(read) == ()


def test_parts_are_never_negative() -> None:
    # Shared replication buffers can be counted twice, and a small dataset wrongly.
    odd = memory(used_memory_overhead=10, used_memory_startup=30, used_memory_dataset=-5)
    assert all(part.size >= 0 for part in parts(odd))


def test_parts_that_the_server_does_not_tell_are_left_out() -> None:
    assert [part.name for part in parts(memory(used_memory_dataset=7, mem_clients_normal=3))] == ["dataset", "clients"]


@pytest.mark.parametrize(("used", "expected"), [(899, []), (901, [LOOK]), (979, [LOOK]), (981, [ACT]), (1200, [ACT])])
def test_near_maxmemory_matters_where_nothing_is_evicted(used: int, expected: list[Severity]) -> None:
    assert severities(used_memory=used, maxmemory=1000, maxmemory_policy="noeviction") == expected


@pytest.mark.parametrize("policy", ["allkeys-lru", "allkeys-random"])
def test_a_full_cache_that_evicts_is_as_it_should_be(policy: str) -> None:
    assert severities(used_memory=1000, maxmemory=1000, maxmemory_policy=policy) == []


@pytest.mark.parametrize(
    ("policy", "keyspace", "said"),
    [("volatile-lru", "keys=9,expires=0", "no key has a TTL"), ("allkeys-lru", "keys=0,expires=0", "there is no key")],
)
def test_a_policy_without_keys_to_evict_is_none(policy: str, keyspace: str, said: str) -> None:
    full = {"used_memory": 1000, "maxmemory": 1000, "maxmemory_policy": policy}
    (concern,) = concerns(memory(**full, db0=keyspace, current_eviction_exceeded_time=9_000))
    assert concern.severity is ACT
    assert concern.text == f"writes fail now: {policy}, and {said}, 100% of maxmemory"
    assert severities(**full, db0="keys=9,expires=9") == []


def test_a_replica_leaves_the_limit_to_its_primary() -> None:
    assert severities(used_memory=1000, maxmemory=1000, maxmemory_policy="noeviction", role="slave") == []


@pytest.mark.parametrize("policy", [{}, {"maxmemory_policy": "eviction"}, {"maxmemory_policy": "cache"}])
def test_an_unknown_policy_is_no_alarm(policy: dict[str, object]) -> None:
    full = {"used_memory": 1000, "maxmemory": 1000, **policy}
    assert severities(**full, db0="keys=9,expires=0", current_eviction_exceeded_time=9_000) == []


@pytest.mark.parametrize(("rss", "expected"), [(89, []), (90, [ACT])])
def test_the_machines_memory_is_a_limit_too(rss: int, expected: list[Severity]) -> None:
    assert severities(used_memory=50, used_memory_rss=rss, total_system_memory=100) == expected


@pytest.mark.parametrize(
    ("used", "ratio", "expected"),
    [
        (GIB, 1.49, []),
        (GIB, 1.51, [LOOK]),
        (100 << 20, 6.0, []),
        ((100 << 20) + 1, 6.0, [LOOK]),
        (GIB, 0.95, []),
        (GIB, 0.89, [LOOK]),
    ],
)
def test_fragmentation_matters_above_100_mb(used: int, ratio: float, expected: list[Severity]) -> None:
    assert severities(used_memory=used, mem_fragmentation_ratio=ratio) == expected


@pytest.mark.parametrize(("milliseconds", "expected"), [(0, []), (900, []), (5_000, [LOOK])])
def test_eviction_that_does_not_keep_up_is_seen(milliseconds: int, expected: list[Severity]) -> None:
    assert severities(current_eviction_exceeded_time=milliseconds, maxmemory_policy="allkeys-lru") == expected
    assert severities(current_eviction_exceeded_time=milliseconds, maxmemory_policy="noeviction") == []


def test_it_says_for_how_long_eviction_has_not_kept_up() -> None:
    (concern,) = concerns(memory(current_eviction_exceeded_time=2_500, maxmemory_policy="allkeys-lru"))
    assert concern.text == "over maxmemory for 2.50 s: eviction lags"


def test_the_worst_comes_first() -> None:
    found = severities(
        used_memory=GIB,
        maxmemory=GIB,
        maxmemory_policy="noeviction",
        mem_fragmentation_ratio=2,
        used_memory_rss=2 * GIB,
    )
    assert found == [ACT, LOOK]


@pytest.mark.parametrize(
    ("used", "said"),
    [
        (950, "writes fail when full: noeviction, 95.0% of maxmemory"),
        (2570, "writes fail now: noeviction, 257% of maxmemory"),
    ],
)
def test_writes_that_fail_already_are_not_said_to_fail_one_day(used: int, said: str) -> None:
    (concern,) = concerns(
        memory(used_memory=used, maxmemory=1000, maxmemory_policy="noeviction", current_eviction_exceeded_time=6_018)
    )
    assert concern.text == said


def test_of_several_nodes_the_one_that_is_full_is_named_though_the_sum_looks_well() -> None:
    full = memory(used_memory=990, maxmemory=1_000, maxmemory_policy="noeviction")
    near = memory(used_memory=910, maxmemory=1_000, maxmemory_policy="noeviction")
    free = memory(used_memory=5, maxmemory=10**9, maxmemory_policy="noeviction")

    (concern,) = concerns(together(free=free, full=full))
    assert (concern.severity, concern.text) == (ACT, "full: writes fail when full: noeviction, 99.0% of maxmemory")
    (concern,) = concerns(together(near=near, full=full, none=memory(maxmemory=0)))
    assert concern.text == "full: writes fail when full: noeviction, 99.0% of maxmemory, and 1 more"
    assert concerns(together(free=free, other=free)) == ()


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"used_memory_rss": 95, "total_system_memory": 100}, "may be killed: RSS is 95.0% of the machine's memory"),
        (
            {"current_eviction_exceeded_time": 5_000, "maxmemory_policy": "allkeys-lru"},
            "over maxmemory for 5.00 s: eviction lags",
        ),
    ],
)
def test_what_one_node_of_several_or_the_only_primary_suffers_is_told(told: dict[str, object], said: str) -> None:
    one, calm, replica = memory(**told), memory(), memory(role="slave")
    for nodes, name in (({"calm": calm, "one": one}, "one: "), ({"one": one, "copy": replica}, "")):
        (concern,) = concerns(together(**nodes))
        assert concern.text == f"{name}{said}"
