"""What the journal's records say, in lines, and which of them can be undone or resumed; pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

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


def who(record: Record) -> SafeText:
    """The user, and where from."""
    return safe(f"{record.user} from {record.ssh}") if record.ssh is not None else record.user


def keys(record: Record) -> SafeText:
    """How many keys were removed, or restored; a range where that isn't certain."""
    least, most = record.removed_at_least, record.removed_at_most
    if most is None:
        return safe(f"{units.whole(least)} or more")
    return units.whole(least) if most == least else safe(f"{units.whole(least)}–{units.whole(most)}")


def what(record: Record) -> SafeText:
    """The patterns, or the run that was undone."""
    if record.kind == "undo":
        return safe(f"undo of {record.run}")
    options = record.started.get("options")
    tried = isinstance(options, Mapping) and options.get("dry_run") is True
    return join(" ", [*([safe("dry run of")] if tried else []), *record.patterns])


def state(record: Record) -> Span:
    """How it ended."""
    return span("undone" if record.undone else record.state, "label" if record.undone else ROLES[record.state])


def details(record: Record) -> tuple[Line, ...]:
    """All that the journal knows of it."""
    facts: list[tuple[str, Span]] = [
        (record.kind, span(record.id, "strong")),
        ("state", state(record)),
        ("why", span(record.why)),
        ("started", span(when(record))),
        ("by", span(who(record))),
        ("acl user", span(record.acl_user)),
        ("server", span(f"{record.node}  {record.server}  db{record.db}")),
        ("run id", span(record.run_id)),
        ("keys", span(what(record), "strong")),
        ("mode", span(record.mode)),
        ("removed" if record.kind == "run" else "restored", span(keys(record), "strong")),
        ("undo", span(str(record.undo_path)) if record.undo_path is not None else span("not, or no longer")),
    ]
    lines: list[Line] = [(label(name.ljust(_NAME)), value) for name, value in facts if value.text]
    for part in record.parts:
        lines.append((label("at".ljust(_NAME)), span(part.node), label(f"  {keys(part)} keys  "), state(part)))
        if part.why:
            lines.append((label("".ljust(_NAME)), span(part.why, "warn")))
    for name, told in (("plan", record.plan), ("last seen", record.progress), ("account", record.result)):
        if told:
            lines += [BLANK, (span(name, "label"),), *_fields(told.items())]
    return tuple(lines)


def _fields(fields: Iterable[tuple[str, object]], depth: int = 1) -> Iterable[Line]:
    for name, value in fields:
        indent = "  " * depth
        if isinstance(value, dict):
            yield (label(f"{indent}{safe(name)}"),)
            yield from _fields(value.items(), depth + 1)
        elif isinstance(value, list):
            yield (label(f"{indent}{safe(name)}"), label(f"  {len(value)}"))
            yield from (_item(each, depth + 1) for each in value)
        else:
            yield (label(f"{indent}{safe(name)} ".ljust(2 * depth + _NAME)), span(_said(value)))


def _item(value: object, depth: int) -> Line:
    if isinstance(value, dict):
        return (span("  " * depth + "  ".join(_said(each) for each in value.values())),)
    return (span("  " * depth + _said(value)),)


def _said(value: object) -> str:
    return "–" if value is None else safe(str(value))
