"""The tables of the full form: what each command costs, and how far each replica is behind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pymon_tui.model import units
from pymon_tui.model.text import SafeText, safe
from pymon_tui.readings.commands import Commands, CommandStatistic, Growth
from pymon_tui.readings.replication import Replica
from pymon_tui.ui.panes.server.lines import lag_role
from pymon_tui.ui.widgets.ink import Line, Role, Span, field, label, span
from pymon_tui.ui.widgets.table import Column

_NAME = 16
_BAR = 60
"""The cells of a bar that stands for all of the time."""


@dataclass(frozen=True, slots=True)
class CommandRow:
    """A command since the start and lately.

    Attributes:
        share: Of the time that all commands took lately, or since the start where nothing else is known; 0 to 1.
    """

    statistic: CommandStatistic
    growth: Growth | None
    share: float | None


_SORTS: dict[str, Callable[[CommandRow], Any]] = {
    "command": lambda row: row.statistic.name,
    "calls/s": lambda row: row.growth.calls if row.growth else None,
    "time": lambda row: row.share,
    "now": lambda row: row.growth.usec_per_call if row.growth else None,
    "calls": lambda row: row.statistic.calls,
    "mean": lambda row: row.statistic.usec_per_call,
    "p50": lambda row: row.statistic.p50,
    "p99": lambda row: row.statistic.p99,
    "p99.9": lambda row: row.statistic.p999,
    "failed": lambda row: row.statistic.failed_calls,
    "rejected": lambda row: row.statistic.rejected_calls,
}


def command_rows(commands: Commands, sort: str | None, *, descending: bool, holding: str) -> tuple[CommandRow, ...]:
    """The commands whose name holds a text, sorted by a column; what isn't known stands last in both directions."""
    total = commands.total_growth
    lately = total.usec if total is not None else 0
    ever = sum(each.usec for each in commands.statistics)
    rows: list[CommandRow] = []
    for statistic in commands.statistics:
        if holding.lower() not in statistic.name.lower():
            continue
        growth = commands.growth(statistic.name)
        took, of = (growth.usec, lately) if growth is not None else (statistic.usec, ever)
        rows.append(CommandRow(statistic, growth, took / of if of else None))
    key = _SORTS[sort or "time"]
    # Among equals, as among the many that stood still lately, what has cost most stands first.
    rows.sort(key=lambda row: row.statistic.usec, reverse=True)
    known = sorted((row for row in rows if key(row) is not None), key=key, reverse=descending)
    return (*known, *(row for row in rows if key(row) is None))


def bar(share: float | None) -> SafeText:
    """A share of the time as a thin bar."""
    halves = round(2 * _BAR * min(share or 0.0, 1.0))
    return safe("━" * (halves // 2) + "╸" * (halves % 2))


def _number(text: SafeText, value: float | None, role: Role = "value") -> Span:
    return span(text, role if value else "faint")


def _counted(value: int | None, role: Role) -> Span:
    return _number(units.short_count(value), value, role)


def _calls_per_second(row: CommandRow) -> Span:
    calls = row.growth.calls if row.growth else None
    return _number(units.short_count(calls), calls)


def _now(row: CommandRow) -> Span:
    usec = row.growth.usec_per_call if row.growth else None
    return _number(units.microseconds(usec), usec)


COMMANDS: tuple[Column[CommandRow], ...] = (
    Column("command", "command", 16, lambda row: span(row.statistic.name)),
    Column("calls/s", "calls/s", 8, _calls_per_second, "right", 0),
    Column("time", "time", 6, lambda row: _number(units.percent(row.share), row.share), "right", 0),
    Column("now", "now", 8, _now, "right", 1),
    Column("calls", "calls", 7, lambda row: span(units.short_count(row.statistic.calls)), "right", 3),
    Column("mean", "mean", 8, lambda row: span(units.microseconds(row.statistic.usec_per_call)), "right", 4),
    Column("p50", "p50", 8, lambda row: span(units.microseconds(row.statistic.p50)), "right", 1),
    Column("p99", "p99", 8, lambda row: span(units.microseconds(row.statistic.p99)), "right", 0),
    Column("p99.9", "p99.9", 8, lambda row: span(units.microseconds(row.statistic.p999)), "right", 5),
    Column("failed", "failed", 7, lambda row: _counted(row.statistic.failed_calls, "warn"), "right", 2),
    Column("rejected", "rejected", 9, lambda row: _counted(row.statistic.rejected_calls, "warn"), "right", 6),
    Column("bar", "share of time", _BAR, lambda row: span(bar(row.share), "info"), rank=7, grows=True, sortable=False),
)


def command_lines(row: CommandRow) -> tuple[Line, ...]:
    """All that is known of one command."""
    statistic, growth = row.statistic, row.growth
    calls, usec = (growth.calls, growth.usec_per_call) if growth else (None, None)
    return (
        field("calls now", _NAME, units.rate(calls), label("of"), units.microseconds(usec)),
        field("share of time", _NAME, units.percent(row.share)),
        field("calls", _NAME, units.count(statistic.calls)),
        field("failed", _NAME, units.count(statistic.failed_calls)),
        field("rejected", _NAME, units.count(statistic.rejected_calls)),
        field("time in total", _NAME, units.milliseconds(statistic.usec / 1e6)),
        field("mean", _NAME, units.microseconds(statistic.usec_per_call)),
        field("p50", _NAME, units.microseconds(statistic.p50)),
        field("p99", _NAME, units.microseconds(statistic.p99)),
        field("p99.9", _NAME, units.microseconds(statistic.p999)),
        (label("Since the start or the last CONFIG RESETSTAT; now is the last ten seconds."),),
    )


REPLICAS: tuple[Column[Replica], ...] = (
    Column("replica", "replica", 40, lambda row: span(row.address), sortable=False),
    Column("state", "state", 14, lambda row: span(row.state or units.UNKNOWN, _state_role(row)), sortable=False),
    Column("lag", "lag", 6, lambda row: span(units.age(row.lag), lag_role(row.lag)), "right", sortable=False),
    Column("behind", "behind", 9, lambda row: span(units.bytes_(row.lag_bytes)), "right", sortable=False),
    Column("offset", "offset", 16, lambda row: span(_offset(row)), "right", rank=1, sortable=False),
)


def replica_lines(row: Replica) -> tuple[Line, ...]:
    """All that is known of one replica."""
    return (
        field("replica", _NAME, row.address),
        field("state", _NAME, span(row.state or units.UNKNOWN, _state_role(row))),
        field("connection", _NAME, row.type or units.UNKNOWN),
        field("lag", _NAME, span(units.duration(row.lag), lag_role(row.lag)), label("since it last acknowledged")),
        field("behind", _NAME, units.bytes_(row.lag_bytes)),
        field("offset", _NAME, _offset(row)),
    )


def _offset(row: Replica) -> SafeText:
    return units.UNKNOWN if row.offset is None else safe(str(row.offset))


def _state_role(row: Replica) -> Role:
    return "label" if row.online is None else "good" if row.online else "warn"
