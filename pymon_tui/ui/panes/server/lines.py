"""The lines that the overview and the full form share; pure."""

from __future__ import annotations

from pymon_tui.model import units
from pymon_tui.model.text import SafeText, safe
from pymon_tui.readings.health import What, percent
from pymon_tui.readings.latency import Calls
from pymon_tui.readings.metrics import COMMANDS, CPU, ERRORS, NET_INPUT, NET_OUTPUT
from pymon_tui.readings.persistence import Persistence
from pymon_tui.readings.replication import SILENT_PRIMARY, Replication
from pymon_tui.ui.panes.server.told import Told
from pymon_tui.ui.since_text import now
from pymon_tui.ui.widgets.ink import Line, Role, Span, field, label, span

NAME = 10
_ALARMING = (What.LOADING, What.COPYING, What.LINK_DOWN, What.SAVE_FAILED, What.AOF_FAILED)
_SILENT_REPLICA = 10
"""Seconds without an acknowledgement, of which a replica sends one each second, from which on a lag is shown amber."""
_BUSY = 0.8
"""The share of the time in commands from which on callers wait for each other."""


def steady(text: SafeText, width: int) -> Span:
    """A value in at least so many cells, so that what follows it doesn't move."""
    return span(text.ljust(width))


def thin_rate(value: float | None) -> SafeText:
    """Bytes per second in at most eight cells: ``3.10M/s``."""
    return safe(units.byte_rate(value).replace(" ", "").replace("iB", ""))


def commands(told: Told, *, dated: bool) -> Line:
    """How many commands a second, and the most: with its time if ``dated``, else with how long peaks have counted."""
    history = told.snapshot.history
    peak, when = (
        units.short_count(history.peak(COMMANDS.name)),
        units.clock(history.peaked(COMMANDS.name), now(history)),
    )
    if not dated:
        when = safe(f"in {units.age(history.peaks_cover)}")
    return field("commands", NAME, span(units.rate(told.rate).ljust(8), "strong"), label("peak"), peak, label(when))


def network(told: Told) -> Line:
    """Bytes per second in and out."""
    came, went = (thin_rate(told.latest(metric.name)) for metric in (NET_INPUT, NET_OUTPUT))
    return field("network", NAME, label("in"), steady(came, 8), label("out"), went)


def latency(told: Told) -> Line:
    """How long half and 99 in 100 of the calls of the last seconds took at most; their mean where that isn't told."""
    last = told.latency.last if told.latency is not None else None
    if last is not None:
        if not last.calls.calls:
            return field("latency", NAME, label(_none_of(last)), units.duration(last.seconds))
        p50, p99 = (_at_most(last, share) for share in (0.5, 0.99))
        return field("latency", NAME, label("p50"), steady(p50, 7), label("p99"), p99)
    if told.commands is None or not told.commands.told:
        return field("latency", NAME, label("not told by this server"))
    if told.commands.usec_per_call is None:
        return field("latency", NAME, label("no calls yet"))  # after a start or a reset
    growth = told.commands.total_growth
    if growth is not None and growth.usec_per_call is not None:
        mean, span_ = units.microseconds(growth.usec_per_call), units.duration(told.commands.growth_seconds)
        return field("latency", NAME, label("mean"), mean, label(safe(f"of {span_}")))
    mean = units.microseconds(told.commands.usec_per_call)
    return field("latency", NAME, label("mean"), mean, label("of all calls"))


def lasting_latency(told: Told) -> tuple[Line, ...]:
    """The same of the last minutes, with the longest call, as far back as is known; no line where it isn't."""
    long = told.latency.long if told.latency is not None else None
    if long is None or not long.calls.calls:
        return lately(told)
    longest = (span(" "), label("max"), span(" "), span(_at_most(long, 1.0)))
    return tuple((*line, *longest) for line in lately(told))


def lately(told: Told) -> tuple[Line, ...]:
    """How long half and 99 in 100 of the calls of the last minutes took at most; no line where that isn't known."""
    long = told.latency.long if told.latency is not None else None
    if long is None:
        return ()
    name = f"in {units.duration(long.seconds)}"
    if not long.calls.calls:
        return (field(name, NAME, label(_none_of(long).removesuffix(" in"))),)
    p50, p99 = (_at_most(long, share) for share in (0.5, 0.99))
    return (field(name, NAME, label("p50"), steady(p50, 7), label("p99"), steady(p99, 7)),)


def _none_of(calls: Calls) -> str:
    return "only calls like ours in" if calls.like_ours else "no calls in"


def _at_most(calls: Calls, share: float) -> SafeText:
    """A bucket's upper end: what is known is that the share took no longer."""
    end = calls.calls.percentile(share)
    return units.UNKNOWN if end is None else safe(f"≤{units.microseconds(end)}")


def busy(told: Told) -> Line:
    """The share of the last seconds that went into commands, and the mean duration of one."""
    growth = told.commands.total_growth if told.commands else None
    if growth is None:
        return field("busy", NAME, units.UNKNOWN)
    share = growth.usec / 1e6
    shown = span(units.percent(share).ljust(6), "warn" if share >= _BUSY else "value")
    return field("busy", NAME, shown, units.microseconds(growth.usec_per_call), label("a call"))


def cpu(told: Told) -> Line:
    """The processor's time that the server takes, of one core, and our own round trip."""
    share = units.percent(told.latest(CPU.name))
    return field("cpu", NAME, steady(share, 6), label("of a core"))


def round_trip(told: Told) -> Line:
    """What the network between us adds to each command."""
    return field("rtt", NAME, units.milliseconds(told.rtt), label("from here"))


def errors(told: Told) -> Line:
    """Error replies per second, and connections refused since the start."""
    rejected = units.count(told.server.rejected_connections)
    rate = units.rate(told.latest(ERRORS.name))
    return field("errors", NAME, steady(rate, 8), label("refused"), rejected)


def keys(told: Told) -> Line:
    """Keys, and those of them that expire."""
    if told.keyspace is None:
        return field("keys", NAME, units.UNKNOWN)
    count, expires = units.count(told.keyspace.keys), units.count(told.keyspace.expires)
    return field("keys", NAME, steady(count, 8), label("expire"), expires)


def clients(told: Told) -> Line:
    """Connected clients but us, of those allowed with us, and those that wait in a blocking command."""
    server = told.server
    crowded = server.maxclients and server.connected_clients and server.connected_clients > 0.9 * server.maxclients
    count = span(units.count(server.other_clients), "warn" if crowded else "value")
    most = (label("of"), span(units.count(server.maxclients))) if server.maxclients else ()
    return field("clients", NAME, count, *most, label(" blocked"), units.count(server.blocked_clients))


def trouble(told: Told) -> tuple[Line, ...]:
    """What holds everything else up: loading, a pause, a failover. Nothing while all is well."""
    lines: list[Line] = []
    persistence, server, replication = told.persistence, told.server, told.replication
    found = {wrong.what for wrong in told.wrongs}
    if persistence is not None and What.LOADING in found:
        share = percent(persistence.loading_loaded_perc)
        left = units.duration(persistence.loading_eta_seconds)
        lines.append(field("loading", NAME, span(share, "warn"), label("ready in"), left))
    if What.PAUSED in found:
        paused = server.paused_timeout_milliseconds
        left = units.duration(None if paused is None else paused / 1000)
        lines.append(field("paused", NAME, span(server.paused_actions or "", "warn"), label("for"), left))
    if replication is not None and What.FAILOVER in found:
        lines.append(field("failover", NAME, span(replication.master_failover_state or "", "warn")))
    return tuple(lines)


def alarm(told: Told) -> Span | None:
    """The worst that is to be said of the server, in two or three words; None while all is well."""
    persistence, replication = told.persistence, told.replication
    worst = next((wrong for wrong in told.wrongs if wrong.what in _ALARMING), None)
    if worst is None:
        return None
    if persistence is not None and worst.what is What.LOADING:
        return span(f"loading {percent(persistence.loading_loaded_perc)}", "warn")
    if replication is not None and worst.what in (What.COPYING, What.LINK_DOWN):
        text, role = link_state(replication)
        return span(f"primary {text}", role)
    return span(worst.what.value, "act")


def saved(told: Told) -> Line:
    """When the data was last saved, with what result, and whether there is an AOF."""
    persistence = told.persistence
    if persistence is None or persistence.rdb_last_save_time is None:
        return field("saved", NAME, label("not told by this server"))
    if persistence.rdb_failed and persistence.aof_failed:
        return field("saved", NAME, span("failed", "act"), label("·"), aof(persistence))
    ago = units.ago(units.age(units.elapsed(persistence.rdb_last_save_time, told.server_time)))
    if persistence.rdb_failed:
        before = label("never before") if persistence.never_saved else label(f"last good {ago}")
        return field("saved", NAME, span("failed", "act"), before)
    if persistence.rdb_bgsave_in_progress:
        running = f"running {percent(persistence.current_fork_perc)}"
        return field("saved", NAME, span(running, "info"), label("·"), aof(persistence))
    if persistence.never_saved:
        return field("saved", NAME, label("not since start ·"), aof(persistence))
    result = span(persistence.rdb_last_bgsave_status or units.UNKNOWN)
    return field("saved", NAME, ago, result, label("·"), aof(persistence))


def aof(persistence: Persistence) -> Span:
    """Whether there is an AOF, and whether it can be written."""
    if persistence.aof_enabled is None:
        return label("aof not known")
    if persistence.aof_failed:
        return span("aof failed", "act")
    return span("aof on") if persistence.aof_enabled else label("aof off")


def replication(told: Told) -> Line:
    """A primary's replicas and their lag, or a replica's link to its primary."""
    replication = told.replication
    if replication is None:
        return field("replicas", NAME, units.UNKNOWN)
    return _primary(replication) if replication.primary is not None else _replicas(replication)


def urgent(replication: Replication | None) -> bool:
    """Whether the replication is something to look at now."""
    if replication is None:
        return False
    copying = bool(replication.master_sync_in_progress)
    return replication.link_down or copying or replication.waiting > 0


def lag_role(seconds: int | None) -> Role:
    """How a replica's silence is shown."""
    return "warn" if seconds is not None and seconds >= _SILENT_REPLICA else "value"


def link_state(replication: Replication) -> Span:
    """The state of a replica's link, and since when it is down."""
    if replication.master_sync_in_progress:
        return span(f"copying {percent(replication.master_sync_perc)}", "warn")
    if replication.link_down:
        since = replication.master_link_down_since_seconds
        return span("down" if since is None else f"down {units.duration(since)}", "act")
    silent = replication.master_last_io_seconds_ago
    if silent is not None and silent >= SILENT_PRIMARY:
        return span(f"silent {units.duration(silent)}", "warn")
    return span(replication.master_link_status or units.UNKNOWN, "good")


def _primary(replication: Replication) -> Line:
    return field("primary", NAME, link_state(replication), label("·"), replication.primary or units.UNKNOWN)


def _replicas(replication: Replication) -> Line:
    known, online = len(replication.replicas), replication.online
    if known == 0:
        # A managed service may tell how many there are, and not which.
        count = replication.connected_slaves
        return field("replicas", NAME, label("none") if count == 0 else units.count(count))
    total = max(known, replication.connected_slaves or 0)
    if replication.waiting:
        count_of = span(f"{online}/{total} online", "warn")
    elif known < total:
        count_of = span(f"{known} of {total} told")
    else:
        count_of = span(f"{online} online" if online == known else str(known))
    lag = span(units.age(replication.lag), lag_role(replication.lag))
    return field("replicas", NAME, count_of, label("lag"), lag, units.short_bytes(replication.lag_bytes))
