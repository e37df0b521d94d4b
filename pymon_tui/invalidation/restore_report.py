"""What there is to say of an undo once it is under way, and of the runs that can't be undone: rows as in ``report``."""

from __future__ import annotations

from collections.abc import Iterable

from pymon_tui.invalidation.report import SINCE, Row, row
from pymon_tui.invalidation.restore_account import RestoreResult, RestoreTally
from pymon_tui.invalidation.trash_damage import torn_text
from pymon_tui.invalidation.wording import dropped_text
from pymon_tui.journal.record import Record
from pymon_tui.model import units
from pymon_tui.model.text import SafeText


def restored_rows(tally: RestoreTally) -> tuple[Row, ...]:
    """What became of the keys of an undo."""
    skipped = "there by now or changed since, and left as they are" if tally.skipped else ""
    return (
        row("restored", units.whole(tally.restored), "strong"),
        row("there already", units.whole(tally.there)),
        row("skipped", units.whole(tally.skipped), remark=skipped),
        row("expired", units.whole(tally.expired)),
        row("failed", units.whole(tally.failed), "act" if tally.failed else "value"),
    )


def restore_troubles(result: RestoreResult) -> tuple[Row, ...]:
    """What keeps an undo from being all of it."""
    rows = [row("why", result.why, "warn")] if result.why else []
    if result.tally.unlinked:
        are, they = ("is", "it") if result.tally.unlinked == 1 else ("are", "they")
        count = units.whole(result.tally.unlinked)
        lack = f"{count} time series {are} back without compaction rules, if {they} had any"
        rows.append(row("links", lack, "warn"))
    if result.dropped is not None:
        rows.append(row("for good", dropped_text(result.dropped), "warn"))
    if result.copied:
        rows.append(row("copied", f"{units.keys(result.copied)} more, and never removed: left alone"))
    if result.evicted:
        rows.append(row("evicted", f"{units.keys(result.evicted)} meanwhile (maxmemory)", "warn"))
    if result.may_be_lost:
        gone = f"{units.keys(result.may_be_lost)} {SINCE}: the new primary may lack them"
        rows.append(row("may be lost", gone, "act"))
    if result.left:
        rows.append(row("left", f"{units.keys(result.left)} still to come: undo the run again", "warn"))
    if result.torn:
        rows.append(row("torn" if result.damage is None else "damaged", torn_text(result.damage), "warn"))
    if result.unrecorded is not None:
        rows.append(row("journal", f"it lacks some of this: {result.unrecorded}", "warn"))
    return tuple(rows)


def passed_rows(last: Iterable[tuple[Record, SafeText]]) -> tuple[Row, ...]:
    """Newer runs that can't be undone, and why."""
    return tuple(row("newer", f"run {record.id} can't be undone, {why}", "warn") for record, why in last)
