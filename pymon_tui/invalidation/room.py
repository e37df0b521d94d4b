"""Room for what a run keeps: older undos go only when it is needed, while it writes."""

from __future__ import annotations

from pathlib import Path
from threading import Lock

from pymon_tui.invalidation.trash import make_room, trash_size
from pymon_tui.invalidation.trash_files import trashed
from pymon_tui.journal.lock import holder

_PARTS = 64
"""Of the cap: what is made room for at once, so that the folder isn't looked through for every few keys."""


class Room:
    """The room in the trash folder, shared by the parts of a run. It may be asked from several threads at once.

    Args:
        folder: The state folder.
        cap: Bytes that all trash files together may have.
    """

    def __init__(self, folder: Path, cap: int) -> None:
        self._folder = folder
        self._cap = cap
        self._before = frozenset(trashed(folder))  # only those go: never what this run has kept itself
        self._free = cap - trash_size(folder)
        self._taken = 0
        self._lock = Lock()

    def take(self, size: int) -> int:
        """Take so many bytes of it, or as many as there are; the oldest undos that nobody uses make room.

        Raises:
            TrashError: If a file can't be removed.
        """
        with self._lock:
            if size > self._free and self._before:
                self._make(size)
            taken = max(0, min(size, self._free))
            self._free -= taken
            self._taken += taken
            return taken

    def give(self, size: int) -> None:
        """Give back what was taken and isn't used."""
        with self._lock:
            self._free += size
            self._taken -= size

    def _make(self, size: int) -> None:
        """Make room for so many bytes beside those that were taken, also where they aren't written yet."""
        folder = self._folder
        unwritten = max(0, self._taken - trash_size(folder) + trash_size(folder, self._before))
        cap = self._cap - unwritten
        used = [run for run in trashed(folder) if self._is_in_use(run)]
        make_room(folder, cap=cap, needed=min(cap, max(size, self._cap // _PARTS)), keep=used)
        self._before &= set(trashed(folder))
        self._free = cap - trash_size(folder)

    def _is_in_use(self, run: str) -> bool:
        return run not in self._before or holder(self._folder, f"run-{run}") is not None
