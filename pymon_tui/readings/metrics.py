"""The numbers that are followed over time: fields of INFO, and the round trip that it took."""

from __future__ import annotations

from pymon_tui.model.metric import Kind, Metric
from pymon_tui.readings.info import Info


def _field(name: str, kind: Kind, *fields: str) -> Metric[Info]:
    def read(info: Info) -> float | None:
        values = [info.number(field) for field in fields]
        return None if None in values else sum(value for value in values if value is not None)

    return Metric(name, kind, read, fields)


COMMANDS = _field("commands", Kind.COUNTER, "total_commands_processed")
CONNECTIONS = _field("connections", Kind.COUNTER, "total_connections_received")
NET_INPUT = _field("net_input_bytes", Kind.COUNTER, "total_net_input_bytes")
NET_OUTPUT = _field("net_output_bytes", Kind.COUNTER, "total_net_output_bytes")
CPU = _field("cpu_seconds", Kind.COUNTER, "used_cpu_sys", "used_cpu_user")
HITS = _field("keyspace_hits", Kind.COUNTER, "keyspace_hits")
MISSES = _field("keyspace_misses", Kind.COUNTER, "keyspace_misses")
EXPIRED = _field("expired_keys", Kind.COUNTER, "expired_keys")
EVICTED = _field("evicted_keys", Kind.COUNTER, "evicted_keys")
ERRORS = _field("error_replies", Kind.COUNTER, "total_error_replies")
USED_MEMORY = _field("used_memory", Kind.GAUGE, "used_memory")
RSS = _field("used_memory_rss", Kind.GAUGE, "used_memory_rss")
CLIENTS: Metric[Info] = Metric("connected_clients", Kind.GAUGE, lambda info: info.other_clients, ("connected_clients",))
"""Without our own connections."""

RTT: Metric[float] = Metric("rtt", Kind.GAUGE, lambda seconds: seconds)
"""Seconds of a tick's round trip, without the server's own time: measured, and no field of INFO."""

METRICS = (
    COMMANDS,
    CONNECTIONS,
    NET_INPUT,
    NET_OUTPUT,
    CPU,
    HITS,
    MISSES,
    EXPIRED,
    EVICTED,
    ERRORS,
    USED_MEMORY,
    RSS,
    CLIENTS,
)
