"""Memory, read from INFO."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pymon_tui.model.query import Part
from pymon_tui.model.text import safe
from pymon_tui.readings.info import parse_info
from pymon_tui.readings.memory import MEMORY, Memory, parse_memory
from pymon_tui.readings.memory_use import concerns
from tests.replies import recorded

RECORDED = ("info-memory.valkey-9.resp2", "info-memory.valkey-9.resp3", "info-memory.redis-7.resp2")


def memory(**fields: object) -> Memory:
    """What is read from an INFO with these fields; ``used_memory`` is 1 unless given."""
    told = {"used_memory": 1, **fields}
    return parse_memory(parse_info("".join(f"{name}:{value}\r\n" for name, value in told.items()).encode()))


def together(**nodes: Memory) -> Memory:
    """These nodes as one, by their names."""
    assert MEMORY.beside is not None
    parts = [Part(safe(name), one, frozenset()) for name, one in nodes.items()]
    return MEMORY.beside(memory(used_memory=sum(one.used_memory or 0 for one in nodes.values())), parts)


@pytest.mark.parametrize("name", RECORDED)
def test_reads_what_servers_say(name: str) -> None:
    read = parse_memory(parse_info(recorded(name)))

    assert read.role == "primary"
    assert (read.maxmemory, read.maxmemory_policy) == (64 << 20, "allkeys-lru")
    assert read.volatile_keys == 1
    assert read.used_memory is not None
    assert 500_000 < read.used_memory < 5_000_000
    assert read.limit == 64 << 20
    assert read.share == pytest.approx(read.used_memory / (64 << 20))
    # Every field that both servers have is read.
    missing = [field for field in Memory.__slots__ if getattr(read, field) is None]
    assert missing == []


def test_without_used_memory_there_is_nothing_to_show() -> None:
    with pytest.raises(ValueError, match="used_memory"):
        parse_memory(parse_info(b"maxmemory:0\r\n"))


def test_a_server_that_says_little_leaves_the_rest_unknown() -> None:
    little = memory(used_memory=100)

    assert (little.used_memory_rss, little.limit, little.share, little.peak_share) == (None, None, None, None)
    assert not little.evicts


def test_buffers_that_do_not_count_for_eviction_are_no_part_of_the_share() -> None:
    assert memory(used_memory=100, mem_not_counted_for_evict=20, maxmemory=100).share == pytest.approx(0.8)


def test_without_maxmemory_the_share_is_that_of_the_machine() -> None:
    free = memory(used_memory=10, used_memory_rss=50, maxmemory=0, total_system_memory=100)
    assert (free.limit, free.share) == (100, 0.5)


@pytest.mark.parametrize(
    ("policy", "expires", "evicts"),
    [
        ("allkeys-lfu", 0, True),
        ("noeviction", 7, False),
        ("volatile-ttl", 7, True),
        ("volatile-ttl", 0, False),
    ],
)
def test_a_volatile_policy_evicts_only_keys_with_a_ttl(policy: str, expires: int, *, evicts: bool) -> None:
    assert memory(maxmemory_policy=policy, db0=f"keys=9,expires={expires},avg_ttl=0").evicts is evicts


@pytest.mark.parametrize("policy", ["allkeys-lru", "volatile-lru"])
def test_a_server_without_keys_has_none_to_evict(policy: str) -> None:
    told = f"used_memory:9\r\nmaxmemory_policy:{policy}\r\n".encode()
    empty, untold = (parse_memory(parse_info(b"# Memory\r\n" + told + end)) for end in (b"# Keyspace\r\n", b""))
    assert (empty.total_keys, empty.volatile_keys, empty.evicts) == (0, 0, False)
    assert (untold.total_keys, untold.volatile_keys, untold.evicts) == (None, None, True)


def test_keys_with_a_ttl_are_summed_over_databases_and_nothing_else() -> None:
    info = memory(db0="keys=9,expires=2", db7="keys=9,expires=3", dbx="expires=100")
    assert (info.total_keys, info.volatile_keys) == (18, 5)


@pytest.mark.parametrize("line", ["keys=7", "keys=7,expires=x"])
def test_keys_with_a_ttl_that_are_not_told_are_not_none(line: str) -> None:
    told = memory(db0="keys=9,expires=2", db8=line, used_memory=95, maxmemory=100, maxmemory_policy="volatile-lru")
    assert (told.total_keys, told.volatile_keys, told.evicts) == (16, None, True)
    assert concerns(told) == ()


@given(st.dictionaries(st.sampled_from([*sorted(Memory.__slots__), "db0"]), st.binary(max_size=40)))
def test_hostile_bytes_are_read_or_refused(fields: dict[str, bytes]) -> None:
    reply = b"x:1\r\n" + b"".join(name.encode() + b":" + value + b"\r\n" for name, value in fields.items())
    try:
        read = parse_memory(parse_info(reply))
    except ValueError:
        return
    assert isinstance(read.used_memory if read.used_memory is not None else read.used_memory_rss, int)
    assert read.volatile_keys is None or read.volatile_keys >= 0


def test_of_several_primaries_the_fullest_is_known_though_others_have_no_limit() -> None:
    full, half = memory(used_memory=98, maxmemory=100), memory(used_memory=500, maxmemory=1_000)
    replica = memory(used_memory=99, maxmemory=99, role="slave")
    several = together(free=memory(used_memory=9_000, maxmemory=0), half=half, full=full, copy=replica)

    assert several.fullest is not None
    assert (several.fullest.node, several.fullest.memory.share) == ("full", 0.98)
    assert (len(several.primaries), several.unlimited) == (3, 1)
    assert several.fullest.as_json() == {"node": "full", "used_memory": 98, "maxmemory": 100, "share": 0.98}
    assert together(one=full, copy=replica) == full  # what its own machine tells included
    assert together(copy=replica, other=replica).primaries == ()
    assert together(one=memory(maxmemory=0), other=memory(maxmemory=0)).fullest is None
