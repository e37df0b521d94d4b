"""Who copies whom, and how far behind: roles, replicas, the link to the primary. From INFO replication and stats."""

from __future__ import annotations

from dataclasses import dataclass

from pymon_tui.model.deployment import Role
from pymon_tui.model.query import Query
from pymon_tui.model.text import SafeText, safe
from pymon_tui.readings.info import INFO, Info

# INFO keeps the old names of the roles for old clients.
SILENT_PRIMARY = 20
"""Seconds without a sign of a primary from which on something is wrong: it pings its replicas every ten."""

_ROLES = {"master": Role.PRIMARY, "slave": Role.REPLICA}
# Dragonfly says stable_sync where the others say online.
_ONLINE = frozenset({"online", "stable_sync"})


@dataclass(frozen=True, slots=True)
class Replica:
    """One ``slaveN`` line of a primary's INFO.

    Attributes:
        address: ``host:port``, an IPv6 address in brackets.
        state: ``online``, or how far the first copy is: ``wait_bgsave``, ``send_bulk``, ...
        type: ``replica``, or which half of a dual-channel copy this connection is (Valkey 8).
        offset: Bytes of the replication stream that it has acknowledged.
        lag: Seconds since its last acknowledgement, which it sends each second.
        lag_bytes: Bytes of the stream that it hasn't acknowledged.
    """

    address: SafeText
    state: SafeText | None
    type: SafeText | None
    offset: int | None
    lag: int | None
    lag_bytes: int | None

    @property
    def online(self) -> bool | None:
        """Whether it follows; otherwise it waits for its first copy or receives it. None where its state isn't told."""
        return None if self.state is None else self.state in _ONLINE


@dataclass(frozen=True, slots=True)
class Replication:
    """INFO's replication fields under their own names, None where the server doesn't tell.

    Attributes:
        role: ``primary`` or ``replica``; KeyDB also has ``active-replica``.
        primary: A replica's primary as ``host:port``, from ``master_host`` and ``master_port``.
        master_link_status: ``up`` or ``down``.
        master_link_down_since_seconds: None also where the server doesn't know it (-1): it never was up.
        master_last_io_seconds_ago: None also where there is no link (-1).
        master_sync_perc: How far the copy from the primary is, from 0 to 100; None if its size is unknown.
        master_replid: Names the stream that its offsets are places in; a server that never copied has one of its own.
        full_sync_buffer_size: Bytes of the stream that a replica holds back during its copy:
            ``replicas_repl_buffer_size`` (Valkey) or ``replica_full_sync_buffer_size`` (Redis).
    """

    role: SafeText | None
    replicas: tuple[Replica, ...]
    connected_slaves: int | None
    primary: SafeText | None
    master_link_status: SafeText | None
    master_link_down_since_seconds: int | None
    master_last_io_seconds_ago: int | None
    master_sync_in_progress: bool | None
    master_sync_perc: float | None
    master_sync_left_bytes: int | None
    master_failover_state: SafeText | None
    master_replid: SafeText | None
    master_repl_offset: int | None
    slave_repl_offset: int | None
    slave_read_repl_offset: int | None
    slave_read_only: bool | None
    slave_priority: int | None
    full_sync_buffer_size: int | None
    repl_backlog_active: bool | None
    repl_backlog_size: int | None
    repl_backlog_histlen: int | None
    sync_full: int | None
    sync_partial_ok: int | None
    sync_partial_err: int | None

    @property
    def link_down(self) -> bool:
        """Whether this is a replica that doesn't hear its primary."""
        return self.master_link_status not in (None, "up")

    @property
    def online(self) -> int:
        """Replicas that follow, as far as it is told."""
        return sum(replica.online is True for replica in self.replicas)

    @property
    def waiting(self) -> int:
        """Replicas that don't follow yet."""
        return sum(replica.online is False for replica in self.replicas)

    @property
    def lag(self) -> int | None:
        """The longest silence of a replica that follows, in seconds."""
        known = (each.lag for each in self.replicas if each.online is not False)
        return max((lag for lag in known if lag is not None), default=None)

    @property
    def lag_bytes(self) -> int | None:
        """What the replica furthest behind lacks, in bytes."""
        known = (each.lag_bytes for each in self.replicas if each.online is not False)
        return max((behind for behind in known if behind is not None), default=None)

    @property
    def unapplied(self) -> int | None:
        """Bytes that a replica has read from its primary and not yet carried out."""
        if self.slave_read_repl_offset is None or self.slave_repl_offset is None:
            return None
        return max(0, self.slave_read_repl_offset - self.slave_repl_offset)


def parse_replication(info: Info) -> Replication:
    """The replication part of INFO; every field may be missing."""
    return Replication(
        role=role_of(info),
        replicas=_replicas(info),
        connected_slaves=info.integer("connected_slaves"),
        primary=_address(info, "master_host", "master_port"),
        master_link_status=info.text("master_link_status"),
        master_link_down_since_seconds=info.seconds("master_link_down_since_seconds"),
        master_last_io_seconds_ago=info.seconds("master_last_io_seconds_ago"),
        master_sync_in_progress=info.flag("master_sync_in_progress"),
        master_sync_perc=info.number("master_sync_perc"),
        master_sync_left_bytes=info.integer("master_sync_left_bytes"),
        master_failover_state=info.text("master_failover_state"),
        master_replid=info.text("master_replid"),
        master_repl_offset=info.integer("master_repl_offset"),
        slave_repl_offset=info.integer("slave_repl_offset"),
        slave_read_repl_offset=info.integer("slave_read_repl_offset"),
        slave_read_only=info.flag("slave_read_only"),
        slave_priority=info.integer("slave_priority"),
        full_sync_buffer_size=_first(info, "replicas_repl_buffer_size", "replica_full_sync_buffer_size"),
        repl_backlog_active=info.flag("repl_backlog_active"),
        repl_backlog_size=info.integer("repl_backlog_size"),
        repl_backlog_histlen=info.integer("repl_backlog_histlen"),
        sync_full=info.integer("sync_full"),
        sync_partial_ok=info.integer("sync_partial_ok"),
        sync_partial_err=info.integer("sync_partial_err"),
    )


def role_of(info: Info) -> SafeText | None:
    """``primary``, ``replica``, or what else the server calls its role."""
    role = node_role(info)
    return info.text("role") if role is Role.UNKNOWN else safe(role.value)


def node_role(info: Info) -> Role:
    """Whether it is a primary or a replica, by its own word."""
    return _ROLES.get(info.text("role") or "", Role.UNKNOWN)


def _replicas(info: Info) -> tuple[Replica, ...]:
    head = info.integer("master_repl_offset")
    found: list[tuple[int, Replica]] = []
    for number, values in info.with_prefix("slave"):
        # Beside slave0, slave1, ... there are fields such as slave_priority.
        if not (number.isascii() and number.isdecimal() and len(number) < 10):
            continue
        line = Info(values)
        offset = line.integer("offset")
        behind = None if head is None or offset is None else max(0, head - offset)
        replica = Replica(
            address=_address(line, "ip", "port") or safe("unknown address"),
            state=line.text("state"),
            type=line.text("type"),
            offset=offset,
            lag=line.seconds("lag"),
            lag_bytes=behind,
        )
        found.append((int(number), replica))
    return tuple(replica for _, replica in sorted(found, key=lambda each: each[0]))


def _address(info: Info, host_field: str, port_field: str) -> SafeText | None:
    host, port = info.text(host_field), info.integer(port_field)
    if host is None:
        return None
    shown = f"[{host}]" if ":" in host else host
    return safe(f"{shown}:{port}" if port is not None else shown)


def _first(info: Info, *fields: str) -> int | None:
    return next((value for field in fields if (value := info.integer(field)) is not None), None)


REPLICATION = Query("replication", INFO, parse_replication)
