"""What the trash folder holds, with what the journal tells of the runs."""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path

from pymon_tui.invalidation.shelf import UNKNOWN, Shelf, shelf_of
from pymon_tui.journal.bounds import NONE, Bounds
from pymon_tui.journal.folder import StateError, free_bytes
from pymon_tui.journal.record import Record


class Shelves:
    """Looks at the trash of a state folder; what the journal tells of a run is asked once."""

    def __init__(self, folder: Path, record: Callable[[str], Record | None]) -> None:
        """``record`` is the journal's record of a run, or of a part of one."""
        self._folder = folder
        self._record = record
        self._known: dict[str, tuple[str, Bounds]] = {}

    def now(self, keep: Collection[str] = ()) -> Shelf:
        """What is there now; the files of the runs to ``keep`` aren't given up."""
        return shelf_of(self._folder, free_bytes(self._folder), self._whose, keep=keep)

    def _whose(self, file: str) -> tuple[str, Bounds]:
        if file not in self._known:
            try:
                record = self._record(file)
                whole = self._record(record.group) if record is not None and record.group else record
            except StateError:
                return file, UNKNOWN
            if record is None or whole is None:
                self._known[file] = file, UNKNOWN
            else:
                self._known[file] = whole.id, NONE if whole.to_come == NONE else record.to_come
        return self._known[file]
