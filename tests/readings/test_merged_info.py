"""The INFO of several nodes as one: what is added up, what stays, and what is left out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from pymon_tui.model.query import Part
from pymon_tui.model.text import safe
from pymon_tui.model.traffic import Traffic
from pymon_tui.readings.hits import parse_hits
from pymon_tui.readings.info import INFO, Info, parse_info
from pymon_tui.readings.keyspace import parse_keyspace
from pymon_tui.readings.memory import parse_memory
from pymon_tui.readings.merged_info import merged
from pymon_tui.readings.metrics import METRICS
from pymon_tui.readings.persistence import PERSISTENCE, Persistence, parse_persistence
from pymon_tui.readings.queries import QUERIES
from pymon_tui.readings.server import parse_server
from tests.replies import recorded


def info(**fields: object) -> Info:
    lines = ("# Keyspace", *(f"{name}:{value}" for name, value in fields.items()))
    return parse_info("\r\n".join(lines).encode())


A = info(
    run_id="a",
    redis_version="7.2.4",
    uptime_in_seconds=100,
    used_memory=1000,
    used_memory_rss=1500,
    maxmemory=2000,
    keyspace_hits=90,
    keyspace_misses=10,
    connected_clients=5,
    total_commands_processed=1000,
    rdb_last_bgsave_status="ok",
    db0="keys=10,expires=4,avg_ttl=500",
    cmdstat_get="calls=10,usec=20,usec_per_call=2.00,rejected_calls=0,failed_calls=1",
)
B = info(
    run_id="b",
    redis_version="7.2.4",
    uptime_in_seconds=50,
    used_memory=3000,
    used_memory_rss=3500,
    maxmemory=4000,
    keyspace_hits=10,
    keyspace_misses=30,
    connected_clients=7,
    total_commands_processed=500,
    rdb_last_bgsave_status="err",
    db0="keys=20,expires=0",
    db3="keys=1,expires=1",
    cmdstat_get="calls=1,usec=5,usec_per_call=5.00,rejected_calls=2,failed_calls=0",
)
REPLICA = info(
    run_id="r", uptime_in_seconds=70, used_memory=1000, keyspace_hits=100, keyspace_misses=0, connected_clients=1
)


def test_our_own_connections_are_left_out_on_all_nodes() -> None:
    whole = merged([A.beside(Traffic(lines=2)), B.beside(Traffic(lines=1))], [REPLICA.beside(Traffic(lines=1))])
    assert (whole.integer("connected_clients"), whole.other_clients) == (13, 9)


def test_reads_and_clients_are_those_of_all_nodes_and_data_that_of_the_primaries() -> None:
    whole = merged([A, B], [REPLICA])
    hits = parse_hits(whole)
    assert (hits.keyspace_hits, hits.keyspace_misses) == (200, 40)
    assert hits.hit_rate == pytest.approx(200 / 240)
    assert whole.integer("connected_clients") == 13
    assert whole.integer("total_commands_processed") == 1500
    memory = parse_memory(whole)
    assert (memory.used_memory, memory.maxmemory, memory.mem_fragmentation_ratio) == (4000, 6000, 1.25)
    assert [(db.index, db.keys, db.expires, db.avg_ttl) for db in parse_keyspace(whole).databases] == [
        (0, 30, 4, None),
        (3, 1, 1, None),
    ]
    assert whole.statistic("get") == (11, 25)


def test_what_is_the_same_stays_and_what_differs_is_left_out() -> None:
    server = parse_server(merged([A, B], []))
    assert server.redis_version == "7.2.4"
    assert server.uptime_in_seconds == 50
    other = merged([A, info(redis_version="8.0.0")], [])
    assert other.text("redis_version") is None


def test_one_node_that_failed_to_save_is_enough() -> None:
    assert parse_persistence(merged([A, B], [])).rdb_failed
    assert not parse_persistence(merged([A, A], [])).rdb_failed


@pytest.mark.parametrize("turned", [False, True])
def test_the_oldest_save_the_youngest_process_and_the_longest_fork_stand_for_all(turned: bool) -> None:  # noqa: FBT001
    one = info(rdb_last_save_time=100, uptime_in_seconds=9, latest_fork_usec=50, server_time_usec=8)
    other = info(rdb_last_save_time=90, uptime_in_seconds=3, latest_fork_usec=70, server_time_usec=7)
    whole = merged([other, one] if turned else [one, other], [])
    saved, server = parse_persistence(whole), parse_server(whole)
    assert (saved.rdb_last_save_time, saved.latest_fork_usec) == (90, 70)
    assert (server.uptime_in_seconds, server.server_time_usec) == (3, 8)


def test_a_sum_that_lacks_a_node_is_not_told() -> None:
    assert merged([A, info(run_id="c")], []).number("used_memory") is None


def test_a_node_without_a_limit_leaves_the_whole_without_one() -> None:
    assert merged([A, info(maxmemory=0)], []).integer("maxmemory") == 0


def test_another_process_makes_another_whole() -> None:
    assert merged([A, B], []).text("run_id") == merged([B, A], []).text("run_id")
    assert merged([A, B], []).text("run_id") != merged([A, REPLICA], []).text("run_id")


def test_a_recorded_info_merged_with_itself_is_twice_as_much() -> None:
    one = parse_info(recorded("info-primary.valkey-9.resp3"))
    two = merged([one, one], [])
    assert parse_keyspace(two).keys == 2 * parse_keyspace(one).keys
    assert parse_memory(two).used_memory == 2 * (parse_memory(one).used_memory or 0)
    assert parse_server(two).version == parse_server(one).version


def test_keys_that_one_primary_does_not_tell_have_no_sum() -> None:
    silent = parse_info(b"# Server\r\nredis_version:7.2.4\r\n")
    with pytest.raises(ValueError, match="doesn't tell"):
        parse_keyspace(merged([A, silent], []))


def persistence(*nodes: Info) -> Persistence:
    """What is told of these nodes together."""
    assert PERSISTENCE.beside is not None
    parts = [Part(safe("node"), parse_persistence(node), frozenset()) for node in nodes]
    return PERSISTENCE.beside(parse_persistence(merged(nodes, [])), parts)


def saved(uptime: int, at: int, *, saves: int | None = None, clock: int = 100_000) -> Info:
    """A node that saved last at this second of its clock."""
    counted = {} if saves is None else {"rdb_saves": saves}
    return info(uptime_in_seconds=uptime, server_time_usec=clock * 1_000_000, rdb_last_save_time=at, **counted)


@pytest.mark.parametrize(
    ("nodes", "last", "never"),
    [
        ((saved(100, 99_900, saves=0), saved(10, 99_990, saves=0)), 99_900, True),
        ((saved(100, 99_995, saves=3), saved(10, 99_990, saves=0)), 99_990, True),  # one of them would lose all
        ((saved(100, 99_940, saves=3), saved(10, 99_995, saves=1)), 99_940, False),  # before the other one's start
        ((saved(50_000, 99_500), saved(60, 99_995)), 99_500, False),  # Redis 6.2 counts no saves
        ((saved(50_000, 99_500), saved(60, 99_940)), 99_500, True),
        ((saved(50_000, 99_500, saves=4), saved(60, 99_940, saves=1)), 99_500, True),  # its first save was cancelled
        ((saved(100, 99_995), saved(100, 89_990, clock=90_000)), 99_990, False),  # whose clocks differ
    ],
)
def test_a_node_that_never_saved_is_told_by_its_own_clock(nodes: tuple[Info, ...], last: int, *, never: bool) -> None:
    told = persistence(*nodes)
    assert (told.rdb_last_save_time, told.never_saved) == (last, never)


def test_whether_all_have_saved_is_not_known_where_one_tells_no_clock() -> None:
    assert persistence(saved(50, 99_990), info(rdb_last_save_time=9)).saved_since_start is None


def test_counts_that_one_node_does_not_tell_have_no_sum() -> None:
    whole = parse_keyspace(merged([A, info(db0="keys=5", db3="keys=1,expires=1")], []))
    assert [(db.index, db.keys, db.expires) for db in whole.databases] == [(0, 15, None), (3, 1, 1)]


class Recording(dict[str, str]):
    """The fields of an INFO, which notes what was asked for."""

    def __init__(self, fields: Mapping[str, str]) -> None:
        super().__init__(fields)
        self.asked: set[str] = set()

    def get(self, field: str, default: Any = None) -> Any:
        self.asked.add(field)
        return super().get(field, default)


def asked_of_info() -> set[str]:
    """The fields that readings and metrics ask of INFO, whichever server answers."""
    asked = set[str]()
    for reply in ("info-primary.valkey-9.resp2", "info-replica.valkey-9.resp2", "info-primary.redis-7.resp2"):
        lines = (line.partition(":") for line in recorded(reply).decode().split("\r\n") if ":" in line)
        fields = Recording({name: value for name, _, value in lines})
        one = Info(fields)
        for query in QUERIES:
            if query.command is INFO:
                query.parse(one)
        for metric in METRICS:
            metric.read(one)
        asked |= fields.asked
    return asked


PER_NODE = {
    "allocator_frag_ratio",
    "allocator_rss_ratio",
    "rss_overhead_ratio",
    "used_memory_peak",
    "total_system_memory",
    "current_eviction_exceeded_time",
    "total_eviction_exceeded_time",
    "aof_last_rewrite_time_sec",
    "rdb_current_bgsave_time_sec",
    "rdb_last_bgsave_time_sec",
    "rdb_last_cow_size",
    "current_fork_perc",
    "loading_eta_seconds",
    "loading_loaded_perc",
    "config_file",
    "process_id",
    "io_threads_active",
    "instantaneous_eventloop_cycles_per_sec",
    "instantaneous_eventloop_duration_usec",
    "master_host",
    "master_port",
    "master_link_status",
    "master_link_down_since_seconds",
    "master_last_io_seconds_ago",
    "master_repl_offset",
    "master_replid",
    "master_sync_left_bytes",
    "master_sync_perc",
    "master_failover_state",
    "slave_priority",
    "slave_read_only",
    "slave_read_repl_offset",
    "slave_repl_offset",
    "repl_backlog_active",
    "repl_backlog_histlen",
    "repl_backlog_size",
    "replica_full_sync_buffer_size",
    "replicas_repl_buffer_size",
    "paused_actions",
    "paused_timeout_milliseconds",
    "pubsub_channels",
    "pubsub_patterns",
    "expired_stale_perc",
}
"""What says nothing of several nodes together: shares and peaks, what one node does now, its link to another."""


def test_what_a_reading_asks_of_info_adds_up_or_is_each_nodes_own() -> None:
    asked = asked_of_info()
    one = Info(dict.fromkeys(asked, "1"))
    whole = {field for field in asked if field in merged([one, one], [one])}
    assert asked - whole == PER_NODE, "how does it add up? say so in merged_info.py"


def test_servers_of_another_make_are_told_by_their_own_version() -> None:
    one = info(redis_version="6.3.4", keydb_version="6.3.4")
    assert parse_server(merged([one, one], [])).product == parse_server(one).product != "Redis"


def test_our_own_reads_are_left_out_of_all_nodes_and_our_commands_of_the_primaries() -> None:
    primary = A.beside(Traffic(commands=100, hits=40, connections=1))
    replica = info(run_id="r", keyspace_hits=30, total_commands_processed=900).beside(
        Traffic(commands=500, hits=20, connections=1)
    )
    whole = merged([primary], [replica])
    assert (whole.others("keyspace_hits"), whole.others("total_commands_processed")) == (90 + 30 - 60, 1_000 - 100)
    assert whole.own is not None
    assert whole.own.connections == 2
    assert merged([primary], [info(run_id="s")]).own is None
