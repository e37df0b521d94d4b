"""How many keys a run has removed that told no end: by what it had written down, and by the marks in its trash."""

from __future__ import annotations

from dataclasses import replace

from pymon_tui.invalidation.boot import boot_id
from pymon_tui.invalidation.trash_format import TrashError
from pymon_tui.invalidation.trash_of import promised_by, reader_of
from pymon_tui.journal.key_count import added
from pymon_tui.journal.records import Record


def known(record: Record) -> Record:
    """The record, its upper bound no higher than its trash allows; reads little, and blocks.

    A key is marked in the trash before it is named, and one that isn't kept is counted in the journal before: a process
    that is killed loses neither. Where the end of the trash is missing, nobody knows who has cut it off. What a
    machine had not put on disk when it stopped may be lacking, so that the marks count as long as it hasn't been
    started again.
    """
    if record.parts:
        parts = tuple(map(known, record.parts))
        most = added(part.removed for part in parts).most
        return _within(replace(record, parts=parts), most if _is_open(record) else None)
    if not _is_open(record) or record.undo_path is None or record.started.get("boot") != (boot_id() or ""):
        return record
    unkept = (record.progress or record.started).get("unkept_up_to")
    if not isinstance(unkept, int):
        return record
    try:
        with reader_of(record) as reader:
            marked = reader.count()
            if reader.torn or marked < promised_by(record).at_least or _is_cut(record):
                return record
    except (TrashError, OSError):
        return record
    return _within(record, marked + unkept)


def _within(record: Record, most: int | None) -> Record:
    return replace(record, removed_at_most=record.removed.within(most).most)


def _is_cut(record: Record) -> bool:
    """Whether its trash is shorter than the journal says that it was."""
    told = (record.progress or {}).get("trash_bytes")
    return isinstance(told, int) and record.undo_path is not None and record.undo_path.stat().st_size < told


def _is_open(record: Record) -> bool:
    """Whether it is a run that has written down no end."""
    return record.kind == "run" and record.result is None and not record.dry_run
