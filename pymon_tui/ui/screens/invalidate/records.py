"""What the journal's records say, in lines; pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.cells import cell_len

from pymon_tui.invalidation import past, wording
from pymon_tui.invalidation.freed import Freed
from pymon_tui.invalidation.history import no_more, undo_problem
from pymon_tui.invalidation.trash_damage import Damage, torn_text
from pymon_tui.journal.records import Record, State
from pymon_tui.model import units
from pymon_tui.model.text import SafeText, join, safe
from pymon_tui.ui.widgets.ink import BLANK, Line, Role, Span, label, span

_NAME = 12

ROLES: dict[State, Role] = {
    "running": "info",
    "done": "good",
    "cancelled": "warn",
    "stopped": "warn",
    "interrupted": "act",
}


def when(record: Record) -> SafeText:
    """When it began, in local time."""
    return safe(f"{record.started_at.astimezone():%Y-%m-%d %H:%M:%S}")


def minute(record: Record) -> SafeText:
    """The minute it began in, in local time, with the year's last two digits."""
    return safe(f"{record.started_at.astimezone():%y-%m-%d %H:%M}")


def server(record: Record, width: int) -> SafeText:
    """What the server is called, and its database, in at most so many cells: ``cache/0``."""
    db = f"/{record.db}"
    name = record.node
    while cell_len(name) > width - len(db):
        name = safe(name.removesuffix("…")[:-1] + "…", 2_000)
    return safe(name + db)


def who(record: Record) -> SafeText:
    """The user, and where from."""
    return safe(f"{record.user} from {record.ssh}") if record.ssh is not None else record.user


def state(record: Record) -> Span:
    """How it ended."""
    text = past.state_text(record)
    if record.undone_in_part:
        return span(text, "warn")
    return span(text, "label" if record.dry_run or record.undone else ROLES[record.state])


def details(record: Record, newer: Iterable[Record], way: Sequence[str] = ()) -> tuple[Line, ...]:
    """All that the journal knows of it.

    Args:
        newer: What it has after that, the newest first.
        way: The words of the command line that lead to the server.
    """
    problem = (undo_problem(record, newer, way) or no_more(record)) if record.kind == "run" else None
    facts: list[tuple[str, Span]] = [
        (record.kind, span(record.id, "strong")),
        ("state", Span(past.full_state(record), state(record).role)),
        ("why", span(record.why)),
        ("started", span(when(record))),
        ("by", span(who(record))),
        ("acl user", span(record.acl_user)),
        ("server", span(f"{record.node}  {record.server}  db{record.db}")),
        ("run id", span(record.run_id)),
        ("keys", span(past.what_text(record) if record.kind == "undo" else join(" ", list(record.patterns)), "strong")),
        ("mode", span(record.mode)),
        (wording.words_of(record).are, span(wording.counted(record), "strong")),
        ("undo", span(str(record.undo_path or "") if problem is None else f"none: {problem}")),
    ]
    facts += [(row.name, span(row.text, row.severity)) for row in past.back_rows(record)]
    lines: list[Line] = [(label(f"{name} ".ljust(_NAME)), value) for name, value in facts if value.text]
    for part in record.parts:
        lines.append(
            (label("at".ljust(_NAME)), span(part.node), label(f"  {wording.counted_keys(part)}  "), state(part))
        )
        if part.why:
            lines.append((label("".ljust(_NAME)), span(part.why, "warn")))
    for name, told in (("plan", record.plan), ("account", record.result or record.progress)):
        if told and (known := _known(told)):
            lines += [BLANK, (span(name, "label"),), *known]
    return tuple(lines)


_COUNTS = {
    name: name.replace("_", " ")
    for name in (
        "matched", "removed", "already_gone", "ending_sooner", "protected", "refused", "unknown", "left",
        "total", "restored", "there", "skipped", "expired", "failed",
    )
}  # fmt: skip
_BYTES = {"bytes": "memory", "bytes_estimated": "memory", "undo_bytes": "undo"}
_TABLES = {"types": "types", "expiry": "expiry"}
_LISTS = {
    "refusals": "refused by the server",
    "refused_keys": "refused keys",
    "oversized_keys": "too big for the undo",
    "failures": "failed",
}


def _known(told: Mapping[str, Any]) -> Sequence[Line]:
    """What a plan or an account says to a person; how a run finds its place again is nobody's business."""
    tally = told.get("tally")
    counts = {**(tally if isinstance(tally, Mapping) else {}), **told}
    facts: list[tuple[str, str]] = [
        (shown, units.whole(value)) for name, shown in _COUNTS.items() if isinstance(value := counts.get(name), int)
    ]
    facts += [
        (shown, _size(name, value, told))
        for name, shown in _BYTES.items()
        if isinstance(value := told.get(name), int | float) and value
    ]
    if isinstance(left_out := told.get("undo_left_out"), int) and left_out:
        facts.append(("not kept", units.whole(left_out)))
    for name, shown in _TABLES.items():
        if isinstance(table := told.get(name), Mapping):
            counted = [
                f"{each} {units.whole(count)}" for each, count in table.items() if isinstance(count, int) and count
            ]
            facts += [(shown, "  ".join(counted))] if counted else []
    lines: list[Line] = [(label(f"  {name}".ljust(_NAME + 4)), span(value)) for name, value in facts]
    if told.get("torn") is True:
        lines.append((span(f"  {torn_text(Damage.from_json(told.get('damage')))}", "warn"),))
    for name, shown in _LISTS.items():
        if isinstance(some := told.get(name), list) and some:
            lines.append((label(f"  {shown}"),))
            lines += [(span(f"    {_said(each)}"),) for each in some]
    return lines


def _size(name: str, value: float, told: Mapping[str, Any]) -> str:
    """Bytes, with what is uncertain about them."""
    if name == "bytes_estimated":
        return Freed.from_json(told).text
    if name == "bytes":
        return past.bytes_text(told) or ""
    return units.bytes_(value)


def _said(value: object) -> str:
    if isinstance(value, Mapping):
        return "  ".join(_said(each) for each in value.values())
    return units.UNKNOWN if value is None else safe(str(value))
