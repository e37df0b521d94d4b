"""What the application pane says in words: how far the walk is, what is missing, and why."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pymon_tui.application.overview import Overview, Row
from pymon_tui.model import units
from pymon_tui.model.query import Reading, Unavailable
from pymon_tui.model.text import SafeText, join, safe
from pymon_tui.ui.panes.application.rows import name_of
from pymon_tui.ui.widgets.ink import Line, label, span


def facts(told: Overview, missing: Mapping[str, Reading[Any]]) -> tuple[Line, ...]:
    """How far the walk is; then what is unknown and why, a line each, by what the reading is of."""
    return (
        _walk(told),
        *(_gap(name, reading) for name, reading in missing.items() if isinstance(reading, Unavailable)),
    )


def _walk(told: Overview) -> Line:
    seen = span(units.count(told.seen))
    if told.complete and not told.projected:
        return (label("counted "), seen, label(" keys, and goes on counting; bytes and no ttl by samples"))
    if told.complete:
        now = span(units.count(told.total))
        return (label("counted "), seen, label(" keys, but by now there are "), now, label("; numbers are projected"))
    if told.total is None:
        return (label("walking: "), seen, label(" keys met so far, of how many is not known"))
    done = span(units.percent(told.progress))
    of = f" of {units.count(told.total)} keys met, "
    return (label("walking: "), seen, label(of), done, label("; numbers are projected"))


def _gap(name: str, reading: Unavailable) -> Line:
    return (
        span(f"{name} not available: {reading.reason.value}", "warn"),
        *((span("  "), span(reading.remedy)) if reading.remedy else (label(f"  {reading.detail}"),)),
    )


def absent(told: Overview) -> tuple[Line, ...]:
    """One line with the families that have no key; nothing where all have one."""
    if not told.absent:
        return ()
    return ((span("no keys  ", "faint"), span(", ".join(told.absent), "faint")),)


def subtitle(told: Overview) -> str:
    """The number that matters: keys in families and their share, or how many keys there are and what they take."""
    about = "~" if told.projected else ""
    if not told.of_families:
        bytes_ = sum(row.bytes.value for row in told.rows if row.bytes is not None)
        size = f", ~{units.bytes_(bytes_)}" if bytes_ else ""
        return f"{about}{units.count(told.keys)} keys{size}" if told.keys else ""
    return (
        f"{about}{units.count(told.of_families)} keys in families, {units.percent(told.of_families / told.keys)} of all"
    )


def copied(row: Row) -> SafeText:
    """The row in one line."""
    parts = [name_of(row)]
    if row.group is not None and row.group.family is not None:
        parts.append(row.group.pattern.shown)
    parts.append(safe(f"{units.count(row.keys)} keys"))
    if row.bytes is not None:
        parts.append(safe(f"{'~' if row.bytes.error else ''}{units.bytes_(row.bytes.value)}"))
    return join("  ", parts)
