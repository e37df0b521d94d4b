"""The INFO of several nodes as if they were one server, so that every reading of it holds for all of them.

What can be added up is; what is the same everywhere stays; what says nothing of the whole is left out, as by a server
that doesn't tell it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from hashlib import blake2b

from pymon_tui.model.traffic import SHARES, Traffic
from pymon_tui.readings.info import Info

_OF_PRIMARIES = [
    "total_commands_processed",
    "instantaneous_ops_per_sec",
    "total_error_replies",
    "total_net_input_bytes",
    "total_net_output_bytes",
    "used_cpu_sys",
    "used_cpu_user",
    "used_cpu_sys_children",
    "used_cpu_user_children",
    "expired_keys",
    "evicted_keys",
    "evicted_clients",
    "used_memory",
    "used_memory_rss",
    "used_memory_dataset",
    "used_memory_overhead",
    "used_memory_startup",
    "used_memory_lua",
    "used_memory_scripts",
    "mem_not_counted_for_evict",
    "mem_fragmentation_bytes",
    "allocator_frag_bytes",
    "allocator_rss_bytes",
    "rss_overhead_bytes",
    "mem_clients_normal",
    "mem_clients_slaves",
    "mem_replication_backlog",
    "mem_cluster_links",
    "mem_aof_buffer",
    "lazyfree_pending_objects",
    "active_defrag_running",
    "connected_slaves",
    "sync_full",
    "sync_partial_ok",
    "sync_partial_err",
    "rdb_changes_since_last_save",
    "aof_current_size",
    "aof_base_size",
    "aof_delayed_fsync",
    "total_forks",
]
"""Added up of the primaries: a replica holds the same data, and carries out the same writes once more."""

_OF_ALL = [
    "keyspace_hits",
    "keyspace_misses",
    "connected_clients",
    "blocked_clients",
    "maxclients",
    "rejected_connections",
    "total_connections_received",
]
"""Added up of replicas too: clients and reads are on one node each."""

_LEAST, _MOST = ("uptime_in_seconds", "rdb_saves"), ("server_time_usec", "latest_fork_usec")

_SAME = [
    "redis_version",
    "valkey_version",
    "keydb_version",
    "dragonfly_version",
    "garnet_version",
    "kvrocks_version",
    "pika_version",
    "server_name",
    "redis_mode",
    "server_mode",
    "os",
    "mem_allocator",
    "executable",
    "maxmemory_policy",
    "hz",
    "tcp_port",
    "aof_enabled",
    "role",
]

_STATES = ("rdb_last_bgsave_status", "aof_last_write_status", "aof_last_bgrewrite_status")
"""``ok`` only where it is so on every node."""

_UNDER_WAY = [
    "loading",
    "async_loading",
    "rdb_bgsave_in_progress",
    "aof_rewrite_in_progress",
    "aof_rewrite_scheduled",
    "master_sync_in_progress",
]
"""1 where it is so on any node."""


_MEANS = ("avg_ttl", "usec_per_call")
"""Of a database's and of a command's line: what doesn't add up."""


def merged(primaries: Sequence[Info], replicas: Sequence[Info]) -> Info:
    """One INFO of a whole deployment; ``primaries`` has at least one."""
    everyone = (*primaries, *replicas)
    fields: dict[str, str] = {}
    for names, nodes, join in (
        (_OF_PRIMARIES, primaries, math.fsum),
        (_OF_ALL, everyone, math.fsum),
        (_LEAST, everyone, min),
        (_MOST, everyone, max),
    ):
        fields |= _joined(names, nodes, join)
    fields |= _texts(primaries) | _memory(primaries) | _saved(everyone) | _prefixed("cmdstat_", primaries)
    tell_keys = all(node.tells("keyspace") for node in primaries)
    if tell_keys:
        fields |= _prefixed("db", primaries)
    for name in _UNDER_WAY:
        if flags := [flag for node in everyone if (flag := node.flag(name)) is not None]:
            fields[name] = str(int(any(flags)))
    # Another process anywhere makes it another whole: counters may have gone back.
    runs = " ".join(sorted(node.text("run_id") or "?" for node in everyone))
    fields["run_id"] = blake2b(runs.encode(), digest_size=20).hexdigest()
    return Info(fields, sections=("keyspace",) if tell_keys else (), own=_own(primaries, everyone))


def _own(primaries: Sequence[Info], everyone: Sequence[Info]) -> Traffic | None:
    """Our own share of the sums."""
    if any(node.own is None for node in everyone):
        return None
    whole, of_all = _sum(primaries), _sum(everyone)
    for field, share in SHARES.items():
        if field in _OF_ALL:
            setattr(whole, share, getattr(of_all, share))
    whole.lines = of_all.lines
    return whole


def _sum(nodes: Sequence[Info]) -> Traffic:
    whole = Traffic()
    for node in nodes:
        if node.own is not None:
            whole.add(node.own)
    return whole


def _joined(names: Sequence[str], nodes: Sequence[Info], join: Callable[[Sequence[float]], float]) -> dict[str, str]:
    """Fields that every node has, as one number each: a sum that lacks a node would be wrong without a sign of it."""
    found = {}
    for name in names:
        values = [value for node in nodes if (value := node.number(name)) is not None]
        if len(values) == len(nodes):
            found[name] = _written(join(values))
    return found


def _texts(nodes: Sequence[Info]) -> dict[str, str]:
    found = {}
    for name in _SAME:
        values = {node.text(name) for node in nodes}
        if len(values) == 1 and (value := values.pop()) is not None:
            found[name] = str(value)
    for name in _STATES:
        states = {node.text(name) for node in nodes} - {None}
        if states:
            found[name] = "ok" if states == {"ok"} else str(min(states - {"ok"}, key=str))
    return found


def _memory(nodes: Sequence[Info]) -> dict[str, str]:
    """The limit, if each node has one, and how much is held of what is used."""
    found = {}
    limits = [node.integer("maxmemory") for node in nodes]
    if None not in limits:
        found["maxmemory"] = str(sum(filter(None, limits)) if all(limits) else 0)
    sums = _joined(("used_memory", "used_memory_rss"), nodes, math.fsum)
    if len(sums) == 2 and (used := float(sums["used_memory"])):
        found["mem_fragmentation_ratio"] = f"{float(sums['used_memory_rss']) / used:.2f}"
    return found


def _saved(nodes: Sequence[Info]) -> dict[str, str]:
    """When the oldest of the last saves was. Its age is by its own node's clock, as that of all is counted from one."""
    clocks, saves = ([node.integer(name) for node in nodes] for name in ("server_time_usec", "rdb_last_save_time"))
    pairs = [(at, saved) for at, saved in zip(clocks, saves, strict=True) if at is not None and saved is not None]
    if len(pairs) == len(nodes):
        oldest = max(at - saved * 1_000_000 for at, saved in pairs)
        return {"rdb_last_save_time": str((max(at for at, _ in pairs) - oldest) // 1_000_000)}
    return _joined(("rdb_last_save_time",), nodes, min)


def _prefixed(prefix: str, nodes: Sequence[Info]) -> dict[str, str]:
    """``db0:keys=1,expires=0`` and ``cmdstat_get:calls=1,usec=2``: counts that each of the lines has, added up."""
    lines: dict[str, list[Mapping[str, str]]] = {}
    for node in nodes:
        for name, values in node.with_prefix(prefix):
            lines.setdefault(name, []).append(values)
    found = {}
    for name, told in lines.items():
        names = [field for field in told[0] if field not in _MEANS]
        counts = _joined(names, list(map(Info, told)), math.fsum)
        if counts:
            found[f"{prefix}{name}"] = ",".join(f"{field}={count}" for field, count in counts.items())
    return found


def _written(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(value)
