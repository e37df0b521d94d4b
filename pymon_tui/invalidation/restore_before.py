"""What an undo is told of the run and of the undos before it, and what it tells those after it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from pymon_tui.invalidation.blocking import to_its_end
from pymon_tui.invalidation.pipe import Line
from pymon_tui.invalidation.reending import MOVED, Reending, Window
from pymon_tui.invalidation.restore_account import Mark
from pymon_tui.invalidation.returning import Returning, Settled
from pymon_tui.invalidation.trash import TrashError, TrashHeader, TrashReader
from pymon_tui.invalidation.trash_damage import Damage
from pymon_tui.journal.journal import Journal
from pymon_tui.journal.records import Record, about
from pymon_tui.model.text import SafeText, safe


@dataclass(frozen=True, slots=True)
class Before:
    """What was done before.

    Attributes:
        ends: Whether the run only gave keys an earlier end.
        window: When those ends are, for keys whose own isn't known; None where nobody knows.
        compares: Whether a key that has its former end may be as it was: given that before, or never another.
        again: Whether an undo that is gone on with may have brought it back.
        marked: Whether the trash tells which keys were given an end at all.
        mark: Where that undo was.
        here: Whether it is the process that the run was on, or an undo before.
    """

    ends: bool = False
    window: Window | None = None
    compares: bool = True
    again: bool = False
    marked: bool = True
    mark: Mark = field(default_factory=Mark)
    here: bool = False

    def returning(self, pipe: Line, *, replace: bool, elsewhere: bool, moved: bool, unnoted: bool) -> Returning:
        """How keys come back on this connection.

        Args:
            moved: Whether they may have gone from one node to another.
            unnoted: Whether notes of earlier undos are lost.
        """
        if not self.ends:
            return Returning(pipe, replace=replace, compares=self.compares, again=self.again)
        slack = MOVED if moved else 0
        return Reending(
            pipe,
            replace=replace,
            compares=self.compares,
            again=self.again,
            elsewhere=elsewhere and not self.here,
            window=self.window,
            marked=self.marked,
            unnoted=unnoted,
            slack=slack,
        )


def before_of(
    journal: Journal, header: TrashHeader, trash: Path, *, run_id: str, replace: bool, evicted: int | None
) -> Before:
    """What was done before an undo; blocks.

    Args:
        run_id: The server process that it is made on.
        replace: Whether it replaces keys that are there.
        evicted: Keys that the server has evicted since its start; None where it doesn't tell.

    Raises:
        JournalError: If the journal can't be read.
        OSError: If the trash is gone.
    """
    known = about(journal, header.run)
    run = next((record for record in known if record.kind == "run" and record.id == header.run), None)
    earlier = next((record for record in known if record.kind == "undo" and record.run == header.run), None)
    ends = header.mode == "expire" or (run is not None and run.mode == "expire")
    again = earlier is not None and _is_gone_on_with(earlier, run_id, replace=replace)
    return Before(
        ends=ends,
        window=Window.of(run, trash.stat().st_mtime) if ends else None,
        compares=earlier is not None or run is None or not run.is_settled,
        again=again,
        marked=header.marks,
        mark=_mark_of(earlier, evicted) if earlier is not None and again else Mark(),
        here=bool(run_id) and run_id in {header.run_id, *(record.run_id for record in known if record.kind == "undo")},
    )


def _is_gone_on_with(earlier: Record, run_id: str, *, replace: bool) -> bool:
    same_way = earlier.state != "done" and earlier.started.get("replace") is replace
    return same_way and bool(earlier.run_id) and earlier.run_id == run_id


def _mark_of(earlier: Record, evicted: int | None) -> Mark:
    """Where an undo was; the start, where keys were evicted since it began, which may be those that it brought back."""
    if evicted is not None and earlier.started.get("evicted_keys") not in (None, evicted):
        return Mark()
    return Mark.from_json((earlier.result or earlier.progress or {}).get("mark"))


def begun_at(journal: Journal, run: Record, *, run_id: str, replace: bool, evicted: int | None) -> Mark:
    """Where an undo goes on with one before it, as ``before_of``; the start where there is none.

    Raises:
        JournalError: If the journal can't be read.
    """
    known = about(journal, run.id)
    earlier = next((record for record in known if record.kind == "undo" and record.run == run.id), None)
    if earlier is None or not _is_gone_on_with(earlier, run_id, replace=replace):
        return Mark()
    return _mark_of(earlier, evicted)


def to_come(reader: TrashReader, *, replace: bool) -> int:
    """How many keys an undo brings back of an examined trash; one that replaces keys also those that nobody proves."""
    return reader.count() + (reader.marks().unproven if replace else 0)


def placed(mark: Mark, reader: TrashReader) -> Mark:
    """The mark; the start of an examined trash where damage since has moved what stood there."""
    return mark if reader.begins_at(mark.offset) else Mark()


def settled_unread(reader: TrashReader, mark: Mark) -> int:
    """How many keys an undo settled before this mark whose copies can't be read any more, in an examined trash."""
    return max(0, mark.tally.settled - reader.marks().named_before(mark.offset, mark.index)) if reader.damage else 0


def damage_of(reader: TrashReader, *, settled: int = 0, replaced: bool) -> Damage | None:
    """What is lost of a trash, as far as it matters to an undo.

    Args:
        settled: As ``settled_unread``.
        replaced: Whether it replaces keys that are there.
    """
    damage = reader.damage.without(settled) if reader.damage is not None else None
    return damage.where_replaced if damage is not None and replaced else damage


async def told_to_later(reader: TrashReader, settled: Settled) -> SafeText | None:
    """Write down what later undos are to know of a portion; returns why that can't be done, if it can't."""
    if settled.found:
        try:
            await to_its_end(reader.note, settled.found)
        except TrashError as error:
            return safe(str(error))
    return None
