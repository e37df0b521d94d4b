"""The journal in words: a line for each thing that was done, and all that is known of one run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from pymon_tui.invalidation import past, wording
from pymon_tui.invalidation.history import no_more, resume_problem, undo_problem, unreadable
from pymon_tui.journal.journal import Entry
from pymon_tui.journal.records import Record
from pymon_tui.model import units
from pymon_tui.model.text import SafeText, join, safe
from pymon_tui.removing.console import cells, exact, fitted, padded
from pymon_tui.removing.follow_up import FollowUp

_OF_RUN = (
    "matched",
    "removed",
    "already_gone",
    "ending_sooner",
    "protected",
    "refused",
    "unknown",
    "may_be_lost",
    "left",
)
_COUNTS = (*_OF_RUN, "total", "restored", "there", "skipped", "expired", "failed")
_SERVER = 20  # cells of what the server is called, and its database, at most
_NARROW = 12  # and where the rest takes more of the 80 cells that a terminal has at least
_LINE = 80
_WHAT = 8  # cells of what it was, at least
_LISTED = 20


class _Row(NamedTuple):
    """A line of the list."""

    server: SafeText
    db: SafeText
    run: SafeText
    state: SafeText
    keys: SafeText
    what: SafeText


_HEADER = _Row(*map(safe, ("server", "", "run, or time (UTC)", "state", "keys", "what")))


def listing(shown: Sequence[Record | Entry], server: SafeText | None = None) -> list[str]:
    """A line for each, as they come; ``server`` is the one that was asked for, None for all."""
    if not shown:
        return [f"nothing was done{f' to {server}' if server is not None else ''} from here yet"]
    rows = [_HEADER, *(_record(each) if isinstance(each, Record) else _action(each) for each in shown)]
    run, state, keys = (max(map(cells, column)) for column in zip(*(row[2:5] for row in rows), strict=True))
    widest = max(cells(row.server) + cells(row.db) for row in rows)
    width = min(widest, _SERVER, max(_NARROW, _LINE - _WHAT - (run + state + keys + 6)))
    lines = []
    for row in rows:
        server = padded(safe(fitted(row.server, width - cells(row.db)) + row.db), width)
        number = " " * (keys - cells(row.keys)) + row.keys
        lines.append(f"{server}  {padded(row.run, run)} {padded(row.state, state)} {number}  {row.what}".rstrip())
    return lines


def detail(record: Record, newer: Iterable[Record], after: FollowUp) -> list[str]:
    """All that is known of a run or an undo.

    Args:
        newer: What the journal has after it, the newest first.
        after: What may follow it.
    """
    rows = [
        ("state", past.full_state(record) + (f": {record.why}" if record.why else "")),
        ("started", f"{record.started_at:%Y-%m-%d %H:%M:%S} UTC by {_who(record)}"),
        ("server", _server_line(record)),
        ("of run", record.run if record.kind == "undo" else ""),
        ("patterns", join("   ", list(record.patterns))),
        ("mode", record.mode),
        ("plan", _plan(record.plan)),
        (wording.words_of(record).are, wording.counted_keys(record)),
        ("account", _account(record.result)),
        *((row.name, row.text) for row in past.back_rows(record)),
        ("", (after.remark if comes_back(record, newer) else after.unasked) or ""),
        ("undo", _undo(record, newer, after)),
        ("go on", after.resume(record.id) if resume_problem(record) is None else ""),
    ]
    lines = [f"{record.kind} {record.id}", *(f"  {label:<13}{text}" for label, text in rows if text)]
    lines += [_node(part, first=part is record.parts[0]) for part in record.parts]
    for title, keys in (("refused, and there", record.refused_keys), ("too big for the undo", record.oversized_keys)):
        lines += listed(title, keys, len(keys))
    return lines


def listed(title: str, keys: Sequence[SafeText], count: int) -> list[str]:
    """Some of ``count`` keys below their title; nothing where there is none."""
    if not keys:
        return []
    lines = [f"  {title}:", *(f"    {key}" for key in keys[:_LISTED])]
    if count > _LISTED:
        lines.append(f"    and {exact(count - _LISTED)} more")
    return lines


def _server_line(record: Record) -> str:
    run_id = f", run id {safe(record.run_id)}" if record.run_id else ""
    return f"{_where(record)}, as {record.acl_user}{run_id}"


def _node(part: Record, *, first: bool) -> str:
    """A run's part at one node of a cluster."""
    why = f": {part.why}" if part.why else ""
    return f"  {'nodes' * first:<13}{part.node:<22}{_keys(part)}  {part.state}{why}"


def _keys(part: Record) -> str:
    """How many keys, the number's end under those of the others."""
    number, word = wording.counted_keys(part).rsplit(" ", 1)
    return f"{number:>9} {word}"


def _record(record: Record) -> _Row:
    what = safe(past.what_text(record), 2_000)
    return _Row(
        record.node, safe(f"/{record.db}"), safe(record.id), past.state_text(record), past.keys_text(record), what
    )


def _action(entry: Entry) -> _Row:
    node, command = safe(str(entry.fields.get("node", ""))), safe(str(entry.fields.get("command", "")))
    nothing = safe("")
    return _Row(node, nothing, safe(f"{entry.at:%Y-%m-%d %H:%M:%S}"), safe(entry.event), nothing, command)


def _who(record: Record) -> str:
    return f"{record.user} from {record.ssh}" if record.ssh else record.user


def _where(record: Record) -> str:
    address = f" ({record.server})" if record.server != record.node else ""
    return f"{record.node}{address} db {record.db}"


def _plan(plan: Mapping[str, Any] | None) -> str:
    if plan is None or not isinstance(matched := plan.get("matched"), int):
        return ""
    size = past.bytes_text(plan)
    return units.keys(matched) + (f", {size}" if size is not None else "")


def _account(result: Mapping[str, Any] | None) -> SafeText:
    told = {name: result.get(name) for name in _COUNTS} if result is not None else {}
    for name in ("ending_sooner", "may_be_lost"):
        if not told.get(name):
            told.pop(name, None)
    return safe("   ".join(f"{name.replace('_', ' ')} {value}" for name, value in told.items() if value is not None))


def comes_back(record: Record, newer: Iterable[Record]) -> bool:
    """Whether an undo of it is offered, whoever answers."""
    return record.kind == "run" and _undo_problem(record, newer, ()) is None


def _undo_problem(record: Record, newer: Iterable[Record], way: Sequence[str]) -> SafeText | None:
    return undo_problem(record, newer, way) or unreadable(record) or no_more(record)


def _undo(record: Record, newer: Iterable[Record], after: FollowUp) -> str:
    if record.kind == "undo":
        return ""
    if (problem := _undo_problem(record, newer, after.way)) is not None:
        return f"none: {problem}"
    replaces = record.back is not None and record.back.comes_by_replacing
    # The run was not told who answered: so nobody knows who does, whether that was asked or not.
    untold = after.elsewhere is None and any(not part.run_id for part in record.parts or (record,))
    return after.undo(record.id, *["--elsewhere"] * untold, *["--replace"] * replaces)
