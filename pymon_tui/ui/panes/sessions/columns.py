"""What the table of sessions shows of each."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from pymon_tui.model import units
from pymon_tui.model.text import SafeText, safe
from pymon_tui.ui.panes.sessions.rows import NOBODY, Row, user_text
from pymon_tui.ui.widgets.ink import Role, Span, label, span
from pymon_tui.ui.widgets.table import Column

ENDS_SOON = 60.0
"""Seconds from which on whoever has the session is about to be logged out."""

WIDE = 100
"""Cells from which on there is room for long names."""

UNREADABLE = safe("not a session")
_UNKNOWN = Span(units.UNKNOWN, "faint")


def columns_of(at: float, now: float, *, wide: bool) -> Sequence[Column[Row]]:
    """The columns in the order shown.

    Args:
        at: The moment in monotonic seconds.
        now: The same in Unix seconds, by the server's clock.
        wide: Whether there is room for long names.
    """

    def created(row: Row) -> Span:
        return age(row.header.created_at if row.header else None, now)

    def last(row: Row) -> Span:
        return age(row.header.last_activity if row.header else None, now)

    def created_at(row: Row) -> Span:
        return Span(moment(row.header.created_at), "label") if row.header else _UNKNOWN

    def last_at(row: Row) -> Span:
        return Span(moment(row.header.last_activity), "label") if row.header else _UNKNOWN

    activity, life = ("last activity", "time to live") if wide else ("activity", "ttl")
    return (
        Column("id", "id", 7, lambda row: label(row.shown_id)),
        Column("user", "user", 24 if wide else 14, user_cell, grows=True),
        Column("sessions", "of user", 8, of_user_cell, align="right", rank=3),
        Column("created at", "created at", 19, created_at, rank=5, sortable=False),
        Column("created", "created", 8, created, align="right", rank=2, smallest_first=True),
        Column("last activity at", "last activity at", 19, last_at, rank=6, sortable=False),
        Column("last activity", activity, len(activity) + 1, last, align="right", smallest_first=True),
        Column(
            "time to live",
            life,
            max(9, len(life) + 1),
            lambda row: life_cell(row, at),
            align="right",
            smallest_first=True,
        ),
        Column("size", "size", 6, size_cell, align="right", rank=1),
    )


def user_cell(row: Row) -> Span:
    """Who is logged in, muted where nobody is; that it can't be read, where it can't."""
    if row.header is None:
        return Span(UNREADABLE, "warn")
    return Span(user_text(row.header.user_id), "value" if row.header.user_id is not None else "faint")


def of_user_cell(row: Row) -> Span:
    """How many sessions its user has; one is usual, and muted."""
    if row.header is None or row.header.user_id is None:
        return _UNKNOWN
    return Span(units.count(row.of_user), "value" if row.of_user > 1 else "faint")


def life_cell(row: Row, at: float) -> Span:
    """How long it lives on unless it is used; a session that stays for ever is worth a look."""
    if row.life is None:
        return _UNKNOWN
    left = row.life.left(at)
    if left is None:
        return span("no expiry", "warn")
    role: Role = "info" if left < ENDS_SOON else "value"
    return Span(units.duration(left), role)


def size_cell(row: Row) -> Span:
    """What it takes of the server's memory."""
    return Span(units.short_bytes(row.size), "value" if row.size else "faint")


def age(since: float | None, now: float) -> Span:
    """How long ago it was."""
    elapsed = units.elapsed(since, now)
    return _UNKNOWN if elapsed is None else span(units.duration(elapsed))


def moment(seconds: float) -> SafeText:
    """A moment in this machine's time zone."""
    try:
        return safe(datetime.fromtimestamp(seconds).astimezone().strftime("%Y-%m-%d %H:%M:%S"))
    except (OverflowError, OSError, ValueError):
        return units.UNKNOWN


def who(user_id: str | None) -> SafeText:
    """Who is logged in, in a sentence."""
    return NOBODY if user_id is None else safe(user_id, 60)
