"""What the table of nodes shows of each, and the lines above and below it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from rich.cells import cell_len

from pymon_tui.model import units
from pymon_tui.model.deployment import SLOTS, Kind
from pymon_tui.model.deployment import Role as NodeRole
from pymon_tui.model.link import Live, Lost
from pymon_tui.model.snapshot import FleetView, SentinelView
from pymon_tui.model.text import join, safe
from pymon_tui.readings.memory_use import Severity
from pymon_tui.readings.replication import SILENT_PRIMARY
from pymon_tui.ui.panes.fleet.standing import Standing, Together
from pymon_tui.ui.widgets.ink import Line, Role, Span, label, span
from pymon_tui.ui.widgets.table import Column

_FAR_BEHIND = 10 << 20
"""Bytes behind at which a replica is worth a look."""

NAMES = {
    Kind.SINGLE: "one server",
    Kind.REPLICATION: "primary with replicas",
    Kind.SENTINEL: "under Sentinel",
    Kind.CLUSTER: "cluster",
}
_NAME = 15


def columns_of(fleet: FleetView, width: int) -> Sequence[Column[Standing]]:
    """The columns for this kind of deployment, in a table of ``width`` cells: names take no more than they need."""
    longest = max((cell_len(node.snapshot.node) for node in fleet.nodes), default=0)
    named = max(_NAME, min(longest, width // 4))
    columns = [column for column in _COLUMNS if column.name != "slots" or fleet.kind is Kind.CLUSTER]
    return [replace(column, width=named) if column.name == "node" else column for column in columns]


def ordered(rows: Sequence[Standing], sort: str | None, *, descending: bool) -> Sequence[Standing]:
    """The rows by a column; in the deployment's own order where it is sorted by ``node``."""
    value = _SORTS.get(sort or "")
    if value is None:
        return rows if not descending else rows[::-1]
    known = [row for row in rows if value(row) is not None]
    return (
        *sorted(known, key=value, reverse=descending),
        *(row for row in rows if value(row) is None),
    )


def summary(fleet: FleetView, whole: Together) -> tuple[Line, ...]:
    """The deployment in two lines, below one of its Sentinels if it has any."""
    parts: list[Span] = [span(NAMES[fleet.kind], "strong"), label("  primaries "), span(str(whole.primaries))]
    parts += [label("  replicas "), span(str(whole.replicas))]
    if whole.unknown:
        parts += [label("  not known "), span(str(whole.unknown))]
    if whole.away:
        parts += [label("  away "), span(str(whole.away), "act")]
    if whole.slots is not None:
        covered = f"{SLOTS - whole.slots} of {SLOTS}" if whole.slots else "all"
        parts += [label("  slots "), span(covered, "act" if whole.slots else "value")]
    if whole.lag_bytes is not None:
        parts += [label("  lag "), span(units.bytes_(whole.lag_bytes), _lag_role(whole.lag_bytes))]
    reads = None if whole.hits is None or whole.misses is None else whole.hits + whole.misses
    # As short as in the table: the line fits into a terminal of 80 columns.
    of, rate = "together  ", " ops  hit rate "
    if whole.away:
        nodes = whole.primaries + whole.replicas + whole.unknown
        of, rate = f"{nodes - whole.away} of {nodes} nodes  ", "  hits "
    sums: list[Span] = [label(of), span(units.rate(whole.ops)), label(rate)]
    sums += [span(units.percent(whole.hits / reads if reads and whole.hits is not None else None)), label("  memory ")]
    sums += [span(units.short_bytes(whole.used_memory)), label("  keys "), span(units.short_count(whole.keys))]
    sums += [label("  clients "), span(units.short_count(whole.clients))]
    return *_sentinels(fleet.sentinels), tuple(parts), tuple(sums)


def _sentinels(view: SentinelView | None) -> tuple[Line, ...]:
    """Who watches, whether enough of them do, and what is wrong with that."""
    if view is None:
        return ()
    few = view.answering < view.known
    parts = [label("service "), Span(view.service, "strong"), label("  sentinels that answer ")]
    parts += [span(f"{view.answering} of {view.known}", "warn" if few else "value")]
    if view.quorum is not None:
        parts += [label("  quorum "), span(str(view.quorum), "act" if view.problem else "value")]
    if view.problem is not None:
        parts += [label("  "), Span(view.problem, "act")]
    elif view.away:
        parts += [label("  "), Span(join(", ", view.away), "warn")]
    return (tuple(parts),)


def timeline(fleet: FleetView, most: int, now: float) -> tuple[Line, ...]:
    """The newest changes in local time, the newest first. ``now`` is in Unix seconds."""
    return tuple(
        (label(f"{units.precise_clock(change.wall, now)}  "), span(change.text)) for change in fleet.changes[:most]
    )


def _state(one: Standing) -> Span:
    link = one.snapshot.link
    if isinstance(link, Lost):
        return span(f"lost {units.age(one.snapshot.at - link.since)}", "act")
    if not isinstance(link, Live):
        return span("connecting", "faint")
    if one.member.failing:
        return Span(one.member.failing, "act")
    if one.link_down:
        return span("link down", "act")
    return span("moving slots", "info") if one.member.moving else span("ok", "good")


def _role(one: Standing) -> Span:
    mark = {NodeRole.PRIMARY: "primary", NodeRole.REPLICA: "└ replica"}.get(one.member.role, "?")
    return span(mark, "label" if one.is_replica else "value")


def _slots(one: Standing) -> Span:
    """The range, or how many there are in how many ranges."""
    slots = one.member.slots
    if not slots:
        return span("" if one.is_replica else "none", "faint")
    if len(slots) == 1:
        return span(f"{slots[0][0]}-{slots[0][1]}")
    return span(f"{one.member.slot_count} in {len(slots)}")


def _lag_role(behind: int | None) -> Role:
    return "value" if behind is None or behind < _FAR_BEHIND else "warn"


def _hits(one: Standing) -> Span:
    return span(units.percent(one.reads.hit_rate), "value" if one.live else "faint")


def _lag(one: Standing) -> Span:
    if not one.is_replica:
        return span("")
    return Span(units.short_bytes(one.lag_bytes), _lag_role(one.lag_bytes) if one.lag_bytes and one.live else "faint")


def _heard(one: Standing) -> Span:
    if not one.is_replica:
        return span("")
    late = one.lag_seconds is not None and one.lag_seconds >= SILENT_PRIMARY
    return Span(units.age(one.lag_seconds), "warn" if late else "label")


def _memory_share(one: Standing) -> Span:
    role: Role = "label" if one.alarm is None else "act" if one.alarm is Severity.ACT else "warn"
    return Span(units.percent(one.memory_share), role)


def _number(
    name: str, title: str, value: Callable[[Standing], float | None], shown: Callable[[float | None], Any], rank: int
) -> Column[Standing]:
    def cell(one: Standing) -> Span:
        marked = name in one.skewed
        found = value(one)
        role: Role = "warn" if marked else "faint" if not one.live or not found else "value"
        return Span(shown(found), role)

    return Column(name, title, 7, cell, align="right", rank=rank)


_COLUMNS: Sequence[Column[Standing]] = (
    Column("role", "role", 9, _role, rank=1, sortable=False),
    Column("node", "node", _NAME, lambda one: Span(one.name, "strong" if one.live else "faint")),
    Column("state", "state", 9, _state, sortable=False),
    Column("slots", "slots", 11, _slots, rank=6),
    _number("ops", "ops/s", lambda one: one.ops, units.short_count, 0),
    Column("hit rate", "hits", 5, _hits, align="right", rank=3),
    _number("memory", "memory", lambda one: one.used_memory, units.short_bytes, 2),
    Column("full", "full", 5, _memory_share, align="right", rank=8),
    _number("keys", "keys", lambda one: one.keys, units.short_count, 4),
    _number("clients", "clients", lambda one: one.clients, units.short_count, 7),
    Column("lag", "lag", 6, _lag, align="right", rank=5),
    Column("heard", "heard", 5, _heard, align="right", rank=9),
    Column(
        "rtt",
        "rtt",
        7,
        lambda one: label(units.milliseconds(one.snapshot.link.rtt if isinstance(one.snapshot.link, Live) else None)),
        align="right",
        rank=10,
    ),
)

_SORTS: dict[str, Callable[[Standing], Any]] = {
    "slots": lambda one: one.member.slots or None,
    "ops": lambda one: one.ops,
    "hit rate": lambda one: one.reads.hit_rate,
    "memory": lambda one: one.used_memory,
    "full": lambda one: one.memory_share,
    "keys": lambda one: one.keys,
    "clients": lambda one: one.clients,
    "lag": lambda one: one.lag_bytes,
    "heard": lambda one: one.lag_seconds,
    "rtt": lambda one: one.snapshot.link.rtt if isinstance(one.snapshot.link, Live) else None,
}


def copied_line(one: Standing) -> str:
    """A node in one line of text."""
    announced = one.member.hostname
    parts = [
        f"{one.name} ({announced})" if announced is not None and announced not in one.name else str(one.name),
        one.member.role.value,
        str(_state(one).text),
        f"{units.rate(one.ops)} ops",
        str(units.bytes_(one.used_memory)),
        f"{units.count(one.keys)} keys",
    ]
    return safe(" · ".join(parts))
