"""All that is told of the server, in the overview's few lines and in the full form's groups; pure."""

from __future__ import annotations

from collections.abc import Sequence

from pymon_tui.model import deployment, units
from pymon_tui.model.deployment import Member
from pymon_tui.model.text import SafeText, safe
from pymon_tui.readings.health import What
from pymon_tui.readings.keyspace import Database
from pymon_tui.readings.metrics import CONNECTIONS
from pymon_tui.readings.persistence import Persistence
from pymon_tui.readings.replication import Replication
from pymon_tui.readings.server import Server
from pymon_tui.ui.panes.server import lines
from pymon_tui.ui.panes.server.lines import NAME
from pymon_tui.ui.panes.server.told import Told
from pymon_tui.ui.widgets.groups import Fact, Group
from pymon_tui.ui.widgets.ink import Line, Role, Span, field, label, span

ESSENTIAL = 1
"""Facts up to this rank are worth more than the groups' titles."""
_SLOW_FORK = 500_000
"""Microseconds of standstill for a fork from which on it is shown amber."""
_COUNTED = {deployment.Role.PRIMARY: "primaries", deployment.Role.REPLICA: "replicas"}


def overview(told: Told, rows: int, *, dated: bool) -> tuple[Line, ...]:
    """At most ``rows`` lines, the most important ones, in the order in which one looks for them.

    ``dated`` says whether the peak has its time, and it is said elsewhere how long peaks have counted.
    """
    replication = told.replication
    failed = any(wrong.what in (What.SAVE_FAILED, What.AOF_FAILED) for wrong in told.wrongs)
    copied = replication is not None and (replication.primary is not None or replication.connected_slaves)
    ranked = [
        *((0, line) for line in lines.trouble(told)),
        (1, lines.commands(told, dated=dated)),
        (2, lines.network(told)),
        (3, lines.latency(told)),
        *((6, line) for line in lines.lately(told)),
        (0 if failed else 4, lines.saved(told)),
        (0 if lines.urgent(replication) else 5 if copied else 8, lines.replication(told)),
        (7, lines.busy(told)),
        (9, lines.cpu(told)),
        (10, lines.keys(told)),
        (11, lines.errors(told)),
    ]
    last = sorted(rank for rank, _ in ranked)[: max(rows, 0)]
    return tuple(line for rank, line in ranked if last and rank <= last[-1])[: max(rows, 0)]


def groups(told: Told) -> tuple[Group, ...]:
    """Everything, by subject; the arrangement decides how much of it there is room for."""
    return (
        Group("server", _identity(told)),
        Group("traffic", _traffic(told)),
        Group("time in commands", _time(told)),
        Group("persistence", _persistence(told)),
        Group("replication", _replication(told)),
        Group("keyspace", _keyspace(told)),
        Group("processor", _processor(told)),
    )


def _members(told: Told) -> Sequence[Member]:
    """The nodes, where this is of all of them together."""
    fleet = told.snapshot.fleet
    return [node.member for node in fleet.nodes] if fleet and fleet.chosen is None and len(fleet.nodes) > 1 else ()


def _role(told: Told) -> Sequence[Span]:
    """Its role, or how many nodes have which where this is of all of them together."""
    members = _members(told)
    if not members:
        return (span(told.server.role or units.UNKNOWN),)
    counts = {role: sum(member.role is role for member in members) for role in _COUNTED}
    told_as = {role: role.value if count == 1 else _COUNTED[role] for role, count in counts.items()}
    return tuple(piece for role in _COUNTED for piece in (span(str(counts[role])), label(told_as[role])))


def _identity(told: Told) -> tuple[Fact, ...]:
    server = told.server
    mode = label(f"· {server.redis_mode}") if server.redis_mode else label("")
    of_youngest = "of the youngest" if _members(told) else ""
    protocol = server.redis_version if server.redis_version != server.version else None
    return (
        *(Fact(0, line) for line in lines.trouble(told)),
        Fact(0, field("version", NAME, span(server.product, "strong"), span(server.version, "strong"), mode)),
        Fact(1, field("role", NAME, *_role(told))),
        Fact(0, field("uptime", NAME, units.duration(server.uptime_in_seconds), label(of_youngest))),
        Fact(1, field("process", NAME, _number(server.process_id), *_port(server))),
        Fact(0, lines.clients(told)),
        Fact(1, lines.round_trip(told)),
        Fact(2, field("os", NAME, server.os or units.UNKNOWN)),
        *((Fact(4, field("follows", NAME, safe(f"redis {protocol}"))),) if protocol else ()),
        *((Fact(5, field("config", NAME, server.config_file)),) if server.config_file else ()),
        *((Fact(6, field("program", NAME, server.executable)),) if server.executable else ()),
        *((Fact(6, field("run id", NAME, server.run_id)),) if server.run_id else ()),
    )


def _traffic(told: Told) -> tuple[Fact, ...]:
    server = told.server
    came, went = units.bytes_(server.total_net_input_bytes), units.bytes_(server.total_net_output_bytes)
    made = units.rate(told.latest(CONNECTIONS.name))
    total = units.count(server.total_connections_received)
    own = (label(f"and {units.whole(server.own_errors)} to us"),) if server.own_errors else ()
    return (
        # The graph's caption says it too.
        Fact(2, lines.commands(told, dated=True)),
        Fact(3, field("in total", NAME, units.count(server.total_commands_processed))),
        Fact(0, lines.network(told)),
        Fact(4, field("in total", NAME, label("in"), lines.steady(came, 8), label("out"), went)),
        Fact(1, field("connects", NAME, lines.steady(made, 8), label("in total"), total)),
        Fact(1, lines.errors(told)),
        Fact(3, field("in total", NAME, units.count(server.total_error_replies), label("error replies"), *own)),
    )


def _time(told: Told) -> tuple[Fact, ...]:
    lasting = (Fact(1, line) for line in lines.lasting_latency(told))
    return (Fact(0, lines.latency(told)), *lasting, Fact(0, lines.busy(told)))


def _persistence(told: Told) -> tuple[Fact, ...]:
    persistence = told.persistence
    if persistence is None:
        return (Fact(0, lines.saved(told)),)
    facts = [Fact(0, lines.saved(told))]
    if persistence.rdb_changes_since_last_save is not None:
        changes = units.count(persistence.rdb_changes_since_last_save)
        facts.append(Fact(1, field("unsaved", NAME, changes, label("changes"))))
    if persistence.aof_enabled:
        base = (label("of"), span(units.bytes_(persistence.aof_base_size))) if persistence.aof_base_size else ()
        facts.append(Fact(1, field("aof size", NAME, units.bytes_(persistence.aof_current_size), *base)))
        facts.append(Fact(3, field("rewrite", NAME, _rewrite(persistence))))
    if persistence.rdb_last_bgsave_time_sec is not None:
        took, copied = units.duration(persistence.rdb_last_bgsave_time_sec), units.bytes_(persistence.rdb_last_cow_size)
        facts.append(Fact(3, field("save took", NAME, took, label("copied"), copied)))
    if persistence.latest_fork_usec:
        role: Role = "warn" if persistence.latest_fork_usec >= _SLOW_FORK else "value"
        fork = span(units.microseconds(persistence.latest_fork_usec), role)
        count = (label("the last of"), span(units.count(persistence.total_forks))) if persistence.total_forks else ()
        facts.append(Fact(2, field("fork", NAME, fork, *count)))
    return tuple(facts)


def _replication(told: Told) -> tuple[Fact, ...]:
    replication = told.replication
    first = Fact(0, lines.replication(told))
    if replication is None:
        return (first,)
    full, partial, denied = (
        units.short_count(each)
        for each in (replication.sync_full, replication.sync_partial_ok, replication.sync_partial_err)
    )
    held = units.bytes_(replication.repl_backlog_histlen)
    backlog = field("backlog", NAME, held, label("of"), units.bytes_(replication.repl_backlog_size))
    return (
        first,
        *_upstream(replication),
        *((Fact(3, backlog),) if replication.repl_backlog_active else ()),
        Fact(4, field("offset", NAME, _number(replication.master_repl_offset))),
        Fact(4, field("syncs", NAME, full, label("full"), partial, label("partial"), denied, label("denied"))),
    )


def _upstream(replication: Replication) -> tuple[Fact, ...]:
    """What only a replica tells: how fresh its link is and how far it has applied what came."""
    if replication.primary is None:
        return ()
    silent = replication.master_last_io_seconds_ago
    heard = units.UNKNOWN if silent is None else safe(f"{units.duration(silent)} ago")
    left = units.bytes_(replication.master_sync_left_bytes)
    writes = "read only" if replication.slave_read_only else "writable"
    priority = units.count(replication.slave_priority)
    return (
        Fact(0, field("heard", NAME, heard, label("to apply"), units.bytes_(replication.unapplied))),
        *((Fact(0, field("copy", NAME, left, label("to come"))),) if replication.master_sync_in_progress else ()),
        *(
            (Fact(2, field("buffered", NAME, units.bytes_(replication.full_sync_buffer_size))),)
            if replication.full_sync_buffer_size
            else ()
        ),
        Fact(3, field("replica", NAME, writes, label("· priority"), priority)),
    )


def _keyspace(told: Told) -> tuple[Fact, ...]:
    databases = told.keyspace.databases if told.keyspace is not None else ()
    return (
        Fact(0, lines.keys(told)),
        *(Fact(min(2 + place // 2, 6), _database(each)) for place, each in enumerate(databases)),
    )


def _database(database: Database) -> Line:
    expiring: tuple[Span, ...] = ()
    if database.expires and database.keys:
        share = units.percent(database.expires / database.keys)
        ttl = units.age(None if database.avg_ttl is None else database.avg_ttl / 1000)
        expiring = (span(share), label("with ttl"), span(ttl))
    return field(f"db{database.index}", NAME, lines.steady(units.count(database.keys), 7), *expiring)


def _processor(told: Told) -> tuple[Fact, ...]:
    server = told.server
    system, user = units.duration(server.used_cpu_sys), units.duration(server.used_cpu_user)
    forked = [value for value in (server.used_cpu_sys_children, server.used_cpu_user_children) if value is not None]
    cycles = units.rate(server.instantaneous_eventloop_cycles_per_sec)
    cycle = units.microseconds(server.instantaneous_eventloop_duration_usec)
    threads = server.io_threads_active
    return (
        Fact(0, lines.cpu(told)),
        Fact(3, field("in total", NAME, user, label("user"), system, label("system"))),
        *((Fact(5, field("forks", NAME, units.duration(sum(forked)))),) if forked else ()),
        *(
            (Fact(2, field("loop", NAME, lines.steady(cycles, 8), label("each"), cycle)),)
            if server.instantaneous_eventloop_cycles_per_sec is not None
            else ()
        ),
        *((Fact(5, field("io", NAME, units.count(threads), label("threads active"))),) if threads else ()),
    )


def _rewrite(persistence: Persistence) -> Span:
    if persistence.aof_rewrite_in_progress:
        return span("running", "info")
    return label("scheduled" if persistence.aof_rewrite_scheduled else "not running")


def _number(value: int | None) -> SafeText:
    return units.UNKNOWN if value is None else safe(str(value))


def _port(server: Server) -> tuple[Span, ...]:
    if server.tcp_port is None:
        return ()
    return (label("· socket only"),) if server.tcp_port == 0 else (label("· port"), span(str(server.tcp_port)))
