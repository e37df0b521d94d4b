"""The journal in words: a line for each thing that was done, and all that is known of one run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pymon_tui.invalidation import wording
from pymon_tui.invalidation.history import resume_problem, undo_problem
from pymon_tui.journal.journal import Entry
from pymon_tui.journal.records import Record
from pymon_tui.model import units
from pymon_tui.model.text import SafeText, join, safe
from pymon_tui.removing.console import fitted, padded

_OF_RUN = ("matched", "removed", "already_gone", "ending_sooner", "protected", "refused", "unknown", "left")
_COUNTS = (*_OF_RUN, "total", "restored", "there", "skipped", "expired", "failed")
_SERVER = 20  # cells of what the server is called, and its database
_EMPTY = "nothing was done from here yet"


def listing(shown: Sequence[Record | Entry]) -> list[str]:
    """A line for each, as they come."""
    if not shown:
        return [_EMPTY]
    header = _row(safe("server"), safe("run, or time (UTC)"), safe("state"), safe("keys"), safe("what"))
    return [header, *(_record(each) if isinstance(each, Record) else _action(each) for each in shown)]


def _row(server: SafeText, run: SafeText, state: SafeText, keys: SafeText, what: SafeText) -> str:
    return f"{padded(server, _SERVER)}  {run:<21} {state:<11} {keys:>9}  {what}"


def detail(record: Record, newer: Iterable[Record]) -> list[str]:
    """All that is known of a run or an undo; ``newer`` is what the journal has after it, the newest first."""
    rows = [
        ("state", record.state + (", undone" if record.undone else "") + (f": {record.why}" if record.why else "")),
        ("started", f"{record.started_at:%Y-%m-%d %H:%M:%S} UTC by {_who(record)}"),
        ("server", _server(record)),
        ("of run", record.run if record.kind == "undo" else ""),
        ("patterns", join("   ", list(record.patterns))),
        ("plan", _plan(record.plan)),
        (wording.words_of(record).are, wording.counted_keys(record)),
        ("account", _account(record.result)),
        ("undo", _undo(record, newer)),
        ("go on", _go_on(record)),
    ]
    lines = [f"{record.kind} {record.id}", *(f"  {label:<13}{text}" for label, text in rows if text)]
    return lines + [_node(part, first=part is record.parts[0]) for part in record.parts]


def _server(record: Record) -> str:
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


def _record(record: Record) -> str:
    state = "undone" if record.undone else "dry run" if record.dry_run else record.state
    what = join(" ", list(record.patterns)) if record.kind == "run" else f"undo of {record.run}"
    db = f"/{record.db}"
    server = safe(fitted(record.node, _SERVER - len(db)) + db)
    return _row(server, safe(record.id), safe(state), wording.counted(record), safe(what, 2_000))


def _action(entry: Entry) -> str:
    node, command = safe(str(entry.fields.get("node", ""))), safe(str(entry.fields.get("command", "")))
    return _row(node, safe(f"{entry.at:%Y-%m-%d %H:%M:%S}"), safe(entry.event), safe(""), command)


def _who(record: Record) -> str:
    return f"{record.user} from {record.ssh}" if record.ssh else record.user


def _where(record: Record) -> str:
    address = f" ({record.server})" if record.server != record.node else ""
    return f"{record.node}{address} db {record.db}"


def _plan(plan: Mapping[str, Any] | None) -> str:
    if plan is None or not isinstance(matched := plan.get("matched"), int):
        return ""
    size = plan.get("bytes")
    return units.keys(matched) + (f", {units.bytes_(size)}" if isinstance(size, int) else "")


def _account(result: Mapping[str, Any] | None) -> SafeText:
    told = {name: result.get(name) for name in _COUNTS} if result is not None else {}
    if not told.get("ending_sooner"):
        told.pop("ending_sooner", None)
    return safe("   ".join(f"{name.replace('_', ' ')} {value}" for name, value in told.items() if value is not None))


def _undo(record: Record, newer: Iterable[Record]) -> str:
    if record.kind == "undo":
        return ""
    problem = undo_problem(record, newer)
    return f"pymon-tui undo {record.id}" if problem is None else f"none: {problem}"


def _go_on(record: Record) -> str:
    if resume_problem(record) is not None:
        return ""
    return f"pymon-tui invalidate --resume {record.id}"
