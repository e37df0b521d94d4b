"""What the sessions pane says in words: how many there are, what isn't known, and one session in full."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pymon_tui.application.groups import DATABASE_SIZE
from pymon_tui.application.sessions import SESSION_LIVES, SESSION_SIZES, SessionKeys
from pymon_tui.model import units
from pymon_tui.model.query import Query, Unavailable
from pymon_tui.model.snapshot import Snapshot
from pymon_tui.model.text import SafeText, safe
from pymon_tui.services.session import is_id
from pymon_tui.ui.panes.sessions.columns import age, life_cell, moment, size_cell, user_cell, who
from pymon_tui.ui.panes.sessions.rows import Known, Row
from pymon_tui.ui.widgets.ink import BLANK, Line, field, label, span

_WIDTH = 17
_ODD = "not of the application's form: it is neither extended nor ended here"
_OPTIONAL: Sequence[tuple[Query[Any], str]] = ((SESSION_LIVES, "time to live"), (SESSION_SIZES, "size"))


def about(known: Known, keys: SessionKeys, snapshot: Snapshot) -> tuple[Line, ...]:
    """How many sessions and users there are, who has most, how far the walk is; and what is refused."""
    users = {user: count for user, count in known.users.items() if user is not None}
    parts: list[Line] = [
        (span(units.count(len(known.headers))), label(" sessions")),
        (span(units.count(len(users))), label(" users")),
    ]
    if users:
        most = max(users, key=lambda user: users[user])
        parts.append((label("most "), span(who(most)), label(f" {units.count(users[most])}")))
    if nobody := known.users.get(None, 0):
        parts.append((span(units.count(nobody)), label(" of nobody")))
    if unreadable := len(known.headers) - sum(known.users.values()):
        parts.append((span(units.count(unreadable), "warn"), label(" not to be read")))
    if progress := progress_text(keys, snapshot):
        parts.append((span(progress, "info"),))
    return (_joined(parts), *refused(snapshot))


def progress_text(keys: SessionKeys, snapshot: Snapshot) -> str:
    """How far the first walk through the keyspace is; that not all are listed, where there are too many."""
    if keys.whole:
        beyond = keys.met - keys.listed
        return f"{units.count(beyond)} more not listed" if beyond > 0 and keys.met > keys.listed * 1.1 else ""
    total = keyspace_keys(snapshot)
    if total is None or total < keys.seen:
        return f"{units.count(keys.seen)} keys looked at"
    return f"{units.percent(keys.seen / total)} of all keys looked at"


def total_text(known: Known, keys: SessionKeys, answered: int, snapshot: Snapshot) -> str:
    """How many sessions there are, for the frame: those that are known, of about how many."""
    count, total = len(known.headers), keyspace_keys(snapshot)
    if not keys.whole and total is not None and 0 < keys.seen < total:
        return f"{units.count(count)} of about {units.count(max(count, keys.met * total // keys.seen))}"
    return units.count(count) if answered >= keys.listed else f"{units.count(count)} of {units.count(keys.listed)}"


def keyspace_keys(snapshot: Snapshot) -> int | None:
    """How many keys the walk has to meet; None where that isn't known."""
    return snapshot.value(DATABASE_SIZE)


def refused(snapshot: Snapshot) -> tuple[Line, ...]:
    """Why a column is empty, and what to do about it."""
    found: list[Line] = []
    for query, name in _OPTIONAL:
        reading = snapshot.reading(query)
        if isinstance(reading, Unavailable):
            why = reading.remedy or reading.detail
            found.append((span(f"no {name}: {reading.reason.value}", "warn"), label(f"  {why}")))
    return tuple(found)


def detail(row: Row, at: float, now: float) -> tuple[Line, ...]:
    """One session, its id shortened. ``at`` is in monotonic seconds, ``now`` in Unix seconds by the server's clock."""
    lines: list[Line] = [field("id", _WIDTH, span(row.shown_id), label("  v in the list shows all of it"))]
    if not is_id(row.id):
        lines.append(
            field("", _WIDTH, span("not of the application's form: it is neither extended nor ended here", "warn"))
        )
    lines.append(BLANK)
    lines.append(field("user", _WIDTH, user_cell(row)))
    if row.header is not None:
        if row.header.user_id is not None:
            lines.append(field("user's sessions", _WIDTH, units.count(row.of_user)))
        for name, since in (("created", row.header.created_at), ("last activity", row.header.last_activity)):
            lines.append(field(name, _WIDTH, span(moment(since)), label(f"  {units.ago(age(since, now).text)}")))
    lines.append(field("time to live", _WIDTH, life_cell(row, at)))
    lines.append(field("size", _WIDTH, size_cell(row)))
    return (*lines, BLANK, (label("What the application keeps in it is not read."),))


def copied(row: Row, at: float) -> SafeText:
    """The session in one line, its id shortened."""
    parts = [("session", row.shown_id), ("user", user_cell(row).text)]
    if row.header is not None:
        parts += [("created", moment(row.header.created_at)), ("last activity", moment(row.header.last_activity))]
    parts += [("time to live", life_cell(row, at).text), ("size", size_cell(row).text)]
    return safe("  ".join(f"{name} {value}" for name, value in parts))


def whole_id(row: Row) -> tuple[Line, ...]:
    """The id, for somebody who asked for it."""
    user_id = row.header.user_id if row.header is not None else None
    whom = "its user" if user_id is None else who(user_id)
    return (
        (span(row.id, "strong"),),
        BLANK,
        (span(f"Whoever has it is taken for {whom}: it is worth as much as a password.", "warn"),),
    )


def _joined(parts: Sequence[Line]) -> Line:
    spans = list(parts[0])
    for part in parts[1:]:
        spans += [label(" · "), *part]
    return tuple(spans)
