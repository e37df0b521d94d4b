"""What the journal tells of one server: which run is the last that can be undone, and why another can't be."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass

from pymon_tui.invalidation.cluster.server import Server
from pymon_tui.journal.records import Record
from pymon_tui.model.text import SafeText, join, safe


@dataclass(frozen=True, slots=True)
class Last:
    """The newest run that can be undone.

    Attributes:
        record: That run; None where there is none.
        passed_over: Newer runs on the same server that can't be, with the reason, the newest first.
    """

    record: Record | None
    passed_over: tuple[tuple[Record, SafeText], ...]


def last_to_undo(records: Iterable[Record], server: Server) -> Last:
    """The newest run of this server that can be undone; the records come in the journal's order, the newest first."""
    passed_over: list[tuple[Record, SafeText]] = []
    newer: list[Record] = []
    for record in records:
        newer.append(record)
        if record.kind != "run" or record.dry_run or record.removed_at_most == 0 or not server.is_of(record):
            continue
        if record.undone:  # whoever asks twice doesn't mean the run before it
            return Last(None, (*passed_over, (record, safe("it is undone already; name another run"))))
        problem = undo_problem(record, newer)
        if problem is None:
            return Last(record, tuple(passed_over))
        passed_over.append((record, problem))
    return Last(None, tuple(passed_over))


def undo_problem(record: Record, newer: Iterable[Record]) -> SafeText | None:
    """Why a run can't be undone; None where it can, once more where it was before: what is there already stays.

    Args:
        newer: What the journal has after it, the newest first.
    """
    if record.dry_run:
        return safe("it was a dry run")
    if record.state == "running":
        return safe("it is still under way; wait for its end, or end it there")
    if record.undo_path is None:
        return safe(_dropped(record))
    later = resumed_by(newer, record)
    if later:
        order = join(", then ", [safe(f"pymon-tui undo {one.id}") for one in (*later, record)])
        return safe(f"it was resumed: undo its newest part first: {order}", 400)
    return None


def resume_problem(record: Record) -> SafeText | None:
    """Why there is nothing of a run to go on with; None where there is."""
    if record.kind != "run" or record.dry_run:
        return safe("it was a dry run" if record.dry_run else "it is an undo")
    if record.state == "done":
        return safe("it came to its end")
    return safe("it is still under way") if record.state == "running" else None


def resumed_by(records: Iterable[Record], run: Record) -> tuple[Record, ...]:
    """The runs that went on with this one, removed something, and no undo of which came to its end, the newest first.

    Args:
        records: What the journal has after the run, the newest first.
        run: The run.
    """
    every = tuple(records)
    undone = {record.run for record in every if record.kind == "undo" and record.state == "done"}
    chain, found = {run.id}, []
    for record in reversed(every):
        if record.kind == "run" and record.started.get("resumes") in chain:
            chain.add(record.id)
            if record.id not in undone and record.removed_at_most != 0 and record.undo_path is not None:
                found.append(record)
    return tuple(found[::-1])


def related(newest: Callable[[Collection[str]], Iterator[Record]], run: Record) -> tuple[Record, ...]:
    """A run, those that went on with it, and the undos of all of these, the newest first; blocks.

    Args:
        newest: The runs and undos whose begin has one of these texts, the newest first.
        run: The run.

    Raises:
        JournalError: If the journal can't be read.
    """
    known = {run.run}
    while True:
        found = tuple(newest(sorted(known)))
        more = {one.id for one in found if one.kind == "run" and one.started.get("resumes") in known} - known
        if not more:
            return found
        known |= more


def _dropped(record: Record) -> str:
    kept = record.result.get("undo") if record.result is not None else record.started.get("undo")
    if not record.started.get("undo"):
        return "it kept none"
    return "its undo was dropped for newer ones, or removed by hand" if kept else "it removed nothing that was kept"
