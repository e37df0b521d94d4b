"""The trash of a run that the journal knows, read with what the run's account tells of it."""

from __future__ import annotations

from pymon_tui.invalidation.boot import boot_id
from pymon_tui.invalidation.trash import TrashReader
from pymon_tui.invalidation.trash_damage import Promised
from pymon_tui.journal.records import Record


def reader_of(part: Record) -> TrashReader:
    """Reads the trash of a run, or of a part of one, which has one; blocks.

    Raises:
        TrashError: As ``TrashReader``.
    """
    assert part.undo_path is not None  # those that have none were left out
    return TrashReader(part.undo_path, promised=promised_by(part))


def promised_by(part: Record) -> Promised:
    """What its account promises, or the last that it told before it was killed, and the undos since."""
    noted = part.back.noted if part.back is not None else 0
    told = part.result or part.progress or {}
    removed, left_out, size = told.get("removed"), told.get("undo_left_out"), told.get("trash_bytes")
    boot = part.started.get("boot")
    is_settled = part.result is not None or not isinstance(boot, str) or boot == boot_id()
    size = size if isinstance(size, int) and part.result is None else 0
    if not isinstance(removed, int) or not isinstance(left_out, int):
        return Promised(noted=noted, size=size, is_settled=is_settled)
    kept = max(0, removed - left_out)
    if part.result is None:
        return Promised(None, kept, noted, size=size, is_settled=is_settled)
    stayed = ("already_gone", "ending_sooner", "refused", "unknown")
    every = part.state == "done" and not any(told.get(name) for name in stayed)
    return Promised(kept, kept, noted, every)
