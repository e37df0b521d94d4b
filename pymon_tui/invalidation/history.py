"""What the journal tells of one server: which run is the last that can be undone, and why another can't be."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pymon_tui.journal.records import Record
from pymon_tui.model.text import SafeText, safe


@dataclass(frozen=True, slots=True)
class Where:
    """What a server is known by.

    Attributes:
        run_ids: Of the processes that serve its keys.
        addresses: By which it may have been named.
    """

    run_ids: frozenset[str]
    addresses: frozenset[str]

    def has(self, record: Record) -> bool:
        """Whether the run was on this server: on one of its processes, or at one of its addresses."""
        own = {record.run_id, *(part.run_id for part in record.parts)} - {""}
        return not own.isdisjoint(self.run_ids) or not {safe(one) for one in self.addresses}.isdisjoint(
            record.addresses
        )


@dataclass(frozen=True, slots=True)
class Last:
    """The newest run that can be undone.

    Attributes:
        record: That run; None where there is none.
        passed_over: Newer runs on the same server that can't be, with the reason, the newest first.
    """

    record: Record | None
    passed_over: tuple[tuple[Record, SafeText], ...]


def last_to_undo(records: Iterable[Record], where: Where) -> Last:
    """The newest run of this server that can be undone; the records come in the journal's order, the newest first."""
    passed_over: list[tuple[Record, SafeText]] = []
    newer: list[Record] = []
    for record in records:
        newer.append(record)
        if record.kind != "run" or record.dry_run or record.removed_at_most == 0 or not where.has(record):
            continue
        if record.undone:  # whoever asks twice doesn't mean the run before it
            return Last(None, (*passed_over, (record, safe("it is undone already; name another run"))))
        problem = undo_problem(record, newer)
        if problem is None:
            return Last(record, tuple(passed_over))
        passed_over.append((record, problem))
    return Last(None, tuple(passed_over))


def undo_problem(record: Record, newer: Iterable[Record]) -> SafeText | None:
    """Why a run can't be undone; None where it can, once more where it was before: what is there already stays."""
    if record.dry_run:
        return safe("it was a dry run")
    if record.state == "running":
        return safe("it is still under way; wait for its end, or end it there")
    if record.undo_path is None:
        return safe("its undo was dropped for newer ones" if record.started.get("undo") else "it kept none")
    later = next((one for one in newer if _goes_on(one, record) and one.undo_path is not None), None)
    if later is not None and not later.undone:
        return safe(f"run {later.id} went on with it; undo that one first")
    return None


def resume_problem(record: Record) -> SafeText | None:
    """Why there is nothing of a run to go on with; None where there is."""
    if record.kind != "run" or record.dry_run:
        return safe("it was a dry run" if record.dry_run else "it is an undo")
    if record.state == "done":
        return safe("it came to its end")
    return safe("it is still under way") if record.state == "running" else None


def _goes_on(later: Record, record: Record) -> bool:
    return later.kind == "run" and later.started.get("resumes") == record.run
