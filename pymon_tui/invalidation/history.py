"""What the journal tells of one server: which run is the last that can be undone, and why another can't be."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from pymon_tui.invalidation.account import all_protected
from pymon_tui.invalidation.cluster.server import Server
from pymon_tui.invalidation.trash_format import TrashError
from pymon_tui.invalidation.trash_reader import TrashReader
from pymon_tui.invalidation.wording import came_back, dropped_text, keys_between
from pymon_tui.journal.records import Back, Record
from pymon_tui.model import units
from pymon_tui.model.text import SafeText, join, safe
from pymon_tui.server.way import command

_LOOKED_AT = 100
"""Runs of a server that are looked at where no trash is left in the state folder."""


@dataclass(frozen=True, slots=True)
class Last:
    """The newest run that can be undone.

    Attributes:
        record: That run; None where there is none.
        passed_over: Newer runs on the same server that can't be, with the reason, the newest first.
        older: Where the last run is undone already, which nobody means a second time, the newest before it that can be
            undone by its name; None where there is none.
    """

    record: Record | None
    passed_over: tuple[tuple[Record, SafeText], ...]
    older: Record | None = None


def last_to_undo(
    records: Iterable[Record], server: Server, kept: Collection[str] | None = None, way: Sequence[str] = ()
) -> Last:
    """The newest run of this server that can be undone.

    Args:
        records: In the journal's order, the newest first; they are read no further than one may be found.
        server: Which one.
        kept: The runs, and the parts of runs, that have a trash in the state folder; None where that isn't known. Once
            all of these were met, some more runs are looked at, whose trash may be where the state folder was.
        way: The words of the command line that lead to the server.
    """
    unmet = None if kept is None else set(kept)
    passed_over: list[tuple[Record, SafeText]] = []
    newer: list[Record] = []
    is_over = False  # only one is looked for that can be named
    for record in records:
        if unmet is not None:
            if not unmet and len(passed_over) >= _LOOKED_AT:
                break
            unmet.difference_update((record.id, *(part.id for part in record.parts)))
        newer.append(record)
        if record.kind != "run" or record.dry_run or record.removed_at_most == 0 or not server.is_of(record):
            continue
        if record.undone:  # whoever asks twice doesn't mean the run before it
            if not is_over:
                passed_over.append((record, safe(f"it is {undone_text(record)} already")))
            is_over = True
            continue
        problem = undo_problem(record, newer, way) or unreadable(record) or no_more(record)
        if problem is None:
            return Last(None, tuple(passed_over), record) if is_over else Last(record, tuple(passed_over))
        if not is_over:
            passed_over.append((record, problem))
    return Last(None, tuple(passed_over))


def undone_text(record: Record) -> SafeText:
    """How far a run that was undone has come back: ``undone``, or ``undone in part: 6 197 of 30 000``."""
    if not record.undone_in_part or record.back is None:
        return safe("undone")
    return safe(f"undone in part: {came_back(record)}")


def undo_problem(record: Record, newer: Iterable[Record], way: Sequence[str] = ()) -> SafeText | None:
    """Why a run can't be undone; None where it can, once more where it was before: what is there already stays.

    Args:
        newer: What the journal has after it, the newest first.
        way: The words of the command line that lead to the server.
    """
    if record.dry_run:
        return safe("it was a dry run")
    if record.state == "running":
        return safe("it is still under way; wait for its end, or end it there")
    if record.undo_path is None:
        return safe(_dropped(record))
    later = resumed_by(newer, record)
    if later:
        order = join(", then ", [command(way, "undo", one.id) for one in (*later, record)])
        return safe(f"it was resumed: undo its newest part first: {order}", 2_000)
    return None


def no_more(record: Record) -> SafeText | None:
    """Why another undo brings no more of a run, of which some is missing; None where it may, or nothing is.

    A run that is named may be tried all the same: its trash may have been copied back.
    """
    back = record.back
    if back is None or record.may_come or (record.undone and not record.undone_in_part):
        return None
    why = [lost_text(back)] if back.lost or back.lost_at_least or back.torn else []
    why += [dropped_text(record.dropped)] if record.dropped is not None else []
    return safe(f"no more of it can come: {'; '.join(why)}", 800) if why else None


def lost_text(back: Back) -> SafeText:
    """What can't come back any more, or may not."""
    if back.lost:
        least = "at least " if back.lost_at_least else ""
        return safe(f"what was kept of {least}{units.keys(back.lost)} can't be read any more")
    torn, rest = "the end of its trash can't be read any more", "what can't be read of its trash may be of more keys"
    return safe(torn if back.torn else rest)


def resume_problem(record: Record) -> SafeText | None:
    """Why there is nothing of a run to go on with; None where there is."""
    if record.kind != "run" or record.dry_run:
        return safe("it was a dry run" if record.dry_run else "it is an undo")
    if record.state == "done":
        return safe("it came to its end")
    if record.state == "running":
        return safe("it is still under way")
    if _met_only_protected(record):
        return safe("all keys that it met were protected; make a new plan")
    return brought_back(record)


def _met_only_protected(record: Record) -> bool:
    keys = (record.result or {}).get("protected")
    return record.state == "stopped" and isinstance(keys, int) and keys > 0 and record.why == all_protected(keys)


def brought_back(record: Record) -> SafeText | None:
    """That an undo has brought keys back which the run would have to remove again, and what to do; else None.

    It goes on behind them: nobody would look at them any more.
    """
    back = record.back
    if back is None or not (back.keys or back.more):
        return None
    if not back.keys:
        return safe("an undo that was cut off may have brought keys of it back; plan anew")
    return safe(f"an undo has brought {units.keys(back.keys)} of it back; plan anew")


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


def unreadable(record: Record) -> SafeText | None:
    """Why its trash can't be read; None where it can, as far as its first line tells."""
    for part in record.parts or (record,):
        if part.undo_path is not None:
            try:
                TrashReader(part.undo_path).close()
            except TrashError as error:
                return safe(str(error), 400)
    return None


def _dropped(record: Record) -> str:
    kept = record.result.get("undo") if record.result is not None else record.started.get("undo")
    if not record.started.get("undo"):
        return "it kept none"
    if not kept:
        return "it removed nothing that was kept"
    keys = f" ({keys_between(*record.dropped.keys)})" if record.dropped is not None else ""
    return f"its undo was dropped for newer ones, or removed by hand{keys}"
