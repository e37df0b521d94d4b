"""The rows of the application pane: which are shown, in what order, and what their columns say."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any, Final

from rich.cells import cell_len

from pymon_tui.application.overview import Overview, Row
from pymon_tui.model import units
from pymon_tui.model.text import SafeText, safe
from pymon_tui.ui.widgets.bar_line import bar_line
from pymon_tui.ui.widgets.ink import Role, Span, label, span
from pymon_tui.ui.widgets.rows import GAP
from pymon_tui.ui.widgets.table import Column

WIDE: Final = 150
"""Cells from which on there is room for what a family means."""

GROUP = "group"
"""The order that a person finds a group by: families first, then namespaces, each the largest first."""

_HALF = 0.5
_LEAST = 0.001
"""A share that is told; a smaller one isn't told as none."""
"""The share of keys without the end that they should have from which on somebody forgot it; fewer may be old ones."""

_LONGEST = 40  # cells of a name
_SHORTEST_BAR = 14
_REST = safe("other keys")
_ABOUT = "~"


def name_of(row: Row) -> SafeText:
    """What the row is called: the family's name, or the pattern of a namespace."""
    group = row.group
    if group is None:
        return _REST
    return safe(group.family.name) if group.family is not None else group.pattern.shown


def matching(rows: Iterable[Row], text: str) -> list[Row]:
    """The rows that hold each word of the text in name, pattern or meaning."""
    words = text.lower().split()
    return [row for row in rows if all(word in _text(row) for word in words)]


def _text(row: Row) -> str:
    group = row.group
    meaning = group.family.meaning if group is not None and group.family is not None else ""
    return f"{name_of(row)} {group.pattern.shown if group is not None else ''} {meaning}".lower()


def ordered(rows: Iterable[Row], by: str, *, descending: bool) -> list[Row]:
    """The rows by a column; what isn't known comes last in either direction, and the rest after it."""
    largest_first = sorted(rows, key=lambda row: -row.keys)
    groups = [row for row in largest_first if row.group is not None]
    if by == GROUP:
        groups.sort(key=lambda row: row.group is not None and row.group.family is None, reverse=descending)
    else:
        value = _ORDERS[by]
        known = [row for row in groups if value(row) is not None]
        known.sort(key=value, reverse=descending)
        groups = known + [row for row in groups if value(row) is None]
    return groups + [row for row in largest_first if row.group is None]


def _error(row: Row) -> float | None:
    """How far the bytes may be off, as a share of them."""
    return row.bytes.error / row.bytes.value if row.bytes is not None and row.bytes.value else None


def _hits(row: Row) -> int | None:
    return row.today.hits if row.today is not None else None


def _misses(row: Row) -> int | None:
    return row.today.misses if row.today is not None else None


_ORDERS: dict[str, Callable[[Row], Any]] = {
    "pattern": lambda row: row.group and row.group.pattern.glob,
    "keys": lambda row: row.keys,
    "bytes": lambda row: row.bytes and row.bytes.value,
    "error": _error,
    "sampled": lambda row: row.sampled,
    "no ttl": lambda row: row.without_expiry,
    "hits": _hits,
    "misses": _misses,
    "hit rate": lambda row: row.today and row.today.share,
    "life": lambda row: row.group and row.group.family and row.group.family.life,
}


def columns_of(told: Overview, width: int) -> Sequence[Column[Row]]:
    """The columns that there is something to say in, in the order shown, for a table of ``width`` cells."""
    wide = width >= WIDE
    has_families = any(row.group is not None and row.group.family is not None for row in told.rows)
    has_rates = any(row.today is not None for row in told.rows)
    about = _ABOUT if told.projected else ""

    def keys(row: Row) -> Span:
        return span(f"{about}{units.count(row.keys)}", "strong" if row.group is not None else "value")

    longest = max((cell_len(name_of(row)) for row in told.rows), default=0)
    columns: list[Column[Row]] = [
        Column(GROUP, "family" if has_families else "namespace", min(max(longest, 20), _LONGEST), _name),
        Column("keys", "keys", 8, keys, "right"),
        Column("bytes", "bytes", 9, _bytes, "right"),
        Column("error", "± 95%", 6, _error_cell, "right", rank=5),
        Column("sampled", "sampled", 8, _sampled, "right", rank=6),
        Column("no ttl", "no ttl", 7, _without_expiry, "right"),
    ]
    if has_rates:
        columns += [
            Column("hits", "hits", 6, lambda row: _count(_hits(row)), "right", rank=2),
            Column("misses", "misses", 7, lambda row: _count(_misses(row)), "right", rank=2),
            Column("hit rate", "rate", 6, _rate, "right", rank=1),
        ]
    if has_families:
        columns.insert(1, Column("pattern", "pattern", 24, _pattern, rank=4))
        columns.append(Column("life", "life", 5, _life, "right", rank=3))
    if wide and has_families:
        columns.append(Column("meaning", "meaning", 30, _meaning, rank=7, grows=True, sortable=False))
        return columns
    left = width - sum(column.width + GAP for column in columns)
    return [*columns, _share(told, left)] if left >= _SHORTEST_BAR else [replace(columns[0], grows=True), *columns[1:]]


def _share(told: Overview, width: int) -> Column[Row]:
    """A bar for the share of all keys, where there is nothing else to say."""
    return Column(
        "share",
        "share of keys",
        width,
        lambda row: bar_line(row.keys / told.keys, width, "bar")[0],
        rank=8,
        sortable=False,
    )


def _name(row: Row) -> Span:
    return span(name_of(row), "value" if row.group is not None else "label")


def _pattern(row: Row) -> Span:
    return label(row.group.pattern.shown) if row.group is not None and row.group.family is not None else label("")


def _bytes(row: Row) -> Span:
    if row.bytes is None:
        return span(units.UNKNOWN, "faint")
    return span(f"{_ABOUT if row.bytes.error else ''}{units.bytes_(row.bytes.value)}")


def _error_cell(row: Row) -> Span:
    error = _error(row)
    if error is None:
        return label("")
    if not error:
        return label("exact")
    return label(units.percent(error) if error >= _LEAST else f"<{units.percent(_LEAST)}")


def _sampled(row: Row) -> Span:
    return label(units.count(row.sampled) if row.sampled else "")


def _without_expiry(row: Row) -> Span:
    share = row.without_expiry
    if share is None:
        return span(units.UNKNOWN, "faint")
    role: Role = "faint" if not share else "label"
    if row.must_expire and share:
        role = "act" if share >= _HALF else "warn"
    return span(units.percent(share), role)


def _count(value: int | None) -> Span:
    return span(units.short_count(value), "faint" if value is None else "value")


def _rate(row: Row) -> Span:
    share = row.today.share if row.today is not None else None
    return span(units.percent(share), "faint" if share is None else "value")


def _life(row: Row) -> Span:
    family = row.group.family if row.group is not None else None
    if family is None:
        return label("")
    return label("stays") if family.life is None else label(units.age(family.life))


def _meaning(row: Row) -> Span:
    family = row.group.family if row.group is not None else None
    return label(family.meaning if family is not None else "")
