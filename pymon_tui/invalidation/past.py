"""What there is to say of a run of the journal: how it stands by now, and what doesn't come back of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pymon_tui.invalidation.history import Last, lost_text, undone_text
from pymon_tui.invalidation.report import Row, row
from pymon_tui.invalidation.wording import came_back, counted, dropped_text
from pymon_tui.journal.record import Record
from pymon_tui.model import units
from pymon_tui.model.text import SafeText, join, safe


def state_text(record: Record) -> SafeText:
    """How it stands, in a word or a few: ``done``, ``dry run``, ``undone``, ``undone in part``."""
    if record.dry_run:
        return safe("dry run")
    if record.undone_in_part:
        return safe("undone in part")
    return safe("undone" if record.undone else record.state)


def keys_text(record: Record) -> SafeText:
    """How many keys it was about; of a run that was undone in part, how many of them came back."""
    if record.undone_in_part and record.back is not None:
        return came_back(record, "≥")
    return counted(record)


def what_text(record: Record) -> SafeText:
    """The patterns, behind a word where keys only got an end; or the run that was undone."""
    if record.kind == "undo":
        return safe(f"undo of {record.run}")
    patterns = join(" ", list(record.patterns))
    return safe(f"expire {patterns}", 2_000) if record.mode == "expire" else patterns


def bytes_text(plan: Mapping[str, Any]) -> SafeText | None:
    """What the keys of a plan took, as the journal has it; None where it has nothing of that."""
    size = plan.get("bytes")
    if not isinstance(size, int | float):
        return None
    # An older version doesn't tell whether it is the sum of all keys.
    is_exact = plan.get("bytes_exact")
    how = "about " if is_exact is None else "" if is_exact else "at least "
    return safe(f"{how}{units.bytes_(size)}")


def full_state(record: Record) -> SafeText:
    """How it ended, and how far it was undone."""
    is_back = record.undone or record.undone_in_part
    return safe(f"{record.state}, {undone_text(record)}") if is_back else safe(record.state)


def back_rows(record: Record) -> tuple[Row, ...]:
    """What came back of a run, and what didn't and why."""
    rows, back = [], record.back
    if back is not None:
        how = "by an undo that didn't come to its end" if back.more or back.left else ""
        rows.append(row("brought back", f"{came_back(record)} keys", remark=how))
        if back.changed:
            left = "there by then or changed since, and left as they are"
            rows.append(row("skipped", f"{units.keys(back.changed)} {left}", "warn"))
        if back.expired:
            rows.append(row("expired", f"{units.keys(back.expired)} would have ended by then"))
        if back.lost or back.lost_at_least:
            rows.append(row("lost", f"{lost_text(back)}{'; gone for good' if back.lost else ''}", "warn"))
        if back.unproven:
            why = "since nobody knows any more if the run removed"
            them = "them" if back.unproven > 1 else "it"
            rows.append(row("unproven", f"{units.keys(back.unproven)} left alone, {why} {them}", "warn"))
        if back.failed:
            rows.append(row("failed", f"{units.keys(back.failed)} were refused by the server", "warn"))
    # Of a run that is left as it was, what has become of its undo tells it.
    tells = back is not None or record.undo_path is not None or record.kind == "undo"
    if record.dropped is not None and tells:
        rows.append(row("for good", dropped_text(record.dropped), "warn"))
    return (*rows, *unkept_rows(record))


def unkept_rows(record: Record) -> tuple[Row, ...]:
    """What no undo of a run brings back."""
    if not record.not_kept:
        return ()
    return (row("not kept", f"{units.keys(record.not_kept)}: too big, or no room for it; gone for good", "warn"),)


def nothing_to_undo(last: Last, place: str, how: Callable[[Record], str]) -> SafeText:
    """Why no run of a server is undone without being named, and which one can be.

    Args:
        last: Has no run to undo, and at least one that can't be.
        place: What the server is called.
        how: How to come to that run.
    """
    if last.older is None:
        record, why = last.passed_over[0]
        return safe(
            f"no run on {place} can be undone; of the last one, {record.id}: {why}{_others(record, how)}", 2_000
        )
    record, why = last.passed_over[-1]
    older = f"run {last.older.id} can be: {how(last.older)}"
    return safe(f"of the last run on {place}, {record.id}: {why}{_others(record, how)}; {older}", 2_000)


def _others(record: Record, how: Callable[[Record], str]) -> str:
    """How to try the keys once more that an undo in part has left, as far as they can come."""
    may_come = record.undone_in_part and record.may_come
    return f", the others may still come: {how(record)}" if may_come else ""
