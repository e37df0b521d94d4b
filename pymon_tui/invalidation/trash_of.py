"""The trash of a run that the journal knows, read with what the run's account tells of it."""

from __future__ import annotations

from pymon_tui.invalidation.trash import TrashReader
from pymon_tui.journal.records import Record


def reader_of(part: Record) -> TrashReader:
    """Reads the trash of a run, or of a part of one, which has one; blocks.

    Raises:
        TrashError: As ``TrashReader``.
    """
    assert part.undo_path is not None  # those that have none were left out
    return TrashReader(part.undo_path, promised=promised_by(part))


def promised_by(part: Record) -> int | None:
    """How many keys it removed that it had kept, by its account; None where it gave none."""
    told = part.result or {}
    removed, left_out = told.get("removed"), told.get("undo_left_out")
    if not isinstance(removed, int) or not isinstance(left_out, int):
        return None
    return removed - left_out
