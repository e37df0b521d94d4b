"""What the trash folder holds, with what the journal tells of the runs."""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import ExitStack, suppress
from pathlib import Path

from pymon_tui.invalidation.known import known
from pymon_tui.invalidation.shelf import UNKNOWN, Shelf, asked_about, shelf_of
from pymon_tui.journal import records
from pymon_tui.journal.folder import StateError, free_bytes, unwritable
from pymon_tui.journal.ids import is_id, new_id
from pymon_tui.journal.journal import Journal
from pymon_tui.journal.key_count import NONE, KeyCount
from pymon_tui.journal.lock import Locked, lock
from pymon_tui.journal.record import Record

_TRIES = 4


class Shelves:
    """Looks at the trash of a state folder; what the journal tells of a run is asked once."""

    def __init__(self, folder: Path, record: Callable[[str], Record | None]) -> None:
        """``record`` is the journal's record of a run, or of a part of one."""
        self._folder = folder
        self._record = record
        self._known: dict[str, tuple[str, KeyCount]] = {}

    def now(self, keep: Collection[str] = ()) -> Shelf:
        """What is there now; the files of the runs to ``keep`` aren't given up."""
        return shelf_of(self._folder, free_bytes(self._folder), self._whose, keep=keep)

    def unwritable(self) -> StateError | None:
        """Why a run couldn't write down what it does, as far as is known without a try; None where it could."""
        return unwritable(self._folder)

    def _whose(self, file: str) -> tuple[str, KeyCount]:
        if file not in self._known:
            try:
                self._known[file] = _coming(self._record(file), file, self._record)
            except StateError:
                return file, UNKNOWN
        return self._known[file]


def give_up(journal: Journal, file: str) -> tuple[str, KeyCount]:
    """Write down that a file of the trash is about to go, with all that it tells by now: nobody can ask it later.

    Returns:
        The run that it belongs to, and how many keys could still be brought back from it.

    Raises:
        JournalError: If it can't be written down; the file should then stay.
    """

    def find(run: str) -> Record | None:
        record = records.find(journal, run)
        return None if record is None else known(record)

    try:
        record = find(file)
        run, keys = _coming(record, file, find)
    except StateError:
        return file, UNKNOWN
    if record is not None:
        removed = {"removed_at_least": record.removed_at_least, "removed_at_most": record.removed_at_most}
        journal.append("run", "given_up", run=file, keys_at_least=keys.least, keys_at_most=keys.most, **removed)
    return run, keys


def _coming(record: Record | None, file: str, find: Callable[[str], Record | None]) -> tuple[str, KeyCount]:
    """The run of a file, and how many keys could be brought back from it; ``record`` is the file's own."""
    whole = find(record.group) if record is not None and record.group else record
    if record is None or whole is None:
        return file, UNKNOWN
    return whole.id, NONE if whole.to_come == NONE else record.to_come


def hold(folder: Path, record: Record) -> ExitStack:
    """Mark the trash of a run as in use, until it is closed or the process ends.

    Where no lock can be made none is held: an undo can't begin there either.
    """
    held = ExitStack()
    for run in filter(is_id, (record.id, *(part.id for part in record.parts))):
        for _ in range(_TRIES):
            with suppress(Locked):  # who looks whether it is in use holds the new file for an instant
                with suppress(StateError):
                    held.enter_context(lock(folder, asked_about(run, new_id()), run=run))
                break
    return held
