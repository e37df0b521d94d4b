"""Room for what a run keeps: older undos go only when it is needed, while it writes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from threading import Lock

from pymon_tui.invalidation.account import Options
from pymon_tui.invalidation.shelf import UNKNOWN, GivenUp, is_in_use, is_open
from pymon_tui.invalidation.shelves import give_up
from pymon_tui.invalidation.trash_files import TrashFile, make_room, trash_files, trashed
from pymon_tui.invalidation.way_back import Undo
from pymon_tui.journal.journal import Journal
from pymon_tui.journal.key_count import KeyCount

_PARTS = 64
"""Of the cap: what is made room for at once, so that the folder isn't looked through for every few keys."""

_UNSEEN = 1_024
"""Of the cap: what is taken beyond what the run has said, before it is looked again what others have taken."""


def room_for(journal: Journal, options: Options, undo: Undo) -> Room | None:
    """The room for a run of which so much is to be taken back; None where nothing is kept."""
    if not options.undo or options.dry_run:
        return None
    return Room(journal.folder, options.trash_cap, undo.takes, undo.gives_up, partial(give_up, journal))


class Room:
    """The room in the trash folder, shared by the parts of a run. It may be asked from several threads at once.

    What other runs that began before have said that they would take is theirs, and what this one has said is its own.
    """

    def __init__(
        self,
        folder: Path,
        cap: int,
        holds: int = 0,
        gives_up: Sequence[GivenUp] | None = None,
        give_up: Callable[[str], tuple[str, KeyCount]] | None = None,
    ) -> None:
        """Look at what is there.

        Args:
            folder: The state folder.
            cap: Bytes that all trash files together may have.
            holds: Bytes that the run will take, about.
            gives_up: Whose undos may be given up; None for all that are there by now.
            give_up: Called with each file just before it goes: tells its run, and how many keys it could still bring.
        """
        self._folder = folder
        self._cap = cap
        told = {file: (one.run, keys) for one in gives_up or () for file, keys in one.files}
        self._give_up = give_up or (lambda file: told.get(file, (file, UNKNOWN)))
        there = frozenset(trashed(folder))
        named = there if gives_up is None else there.intersection(file for one in gives_up for file, _ in one.files)
        self._before = named  # only those go: never what this run has kept itself
        self._gave_up: dict[str, GivenUp] = {}
        self._own: set[str] = set()
        self._number: int | None = None  # of the first of its own files
        self._taken = self._seen_at = 0  # bytes, and those when the folder was last looked through
        self._lock = Lock()
        self._free = self._room_now()
        beside = sum(file.size for file in trash_files(folder) if file.run in named)
        self._holds = min(holds, max(0, self._free + beside))

    @property
    def gave_up(self) -> tuple[GivenUp, ...]:
        """Whose undos were given up."""
        return tuple(self._gave_up.values())

    def own(self, run: str, number: int, share: float) -> int:
        """Take a file of this run, or a part of it, for its own; returns the bytes that ``share`` of it will take."""
        self._own.add(run)
        self._number = number if self._number is None else min(self._number, number)
        return round(self._holds * share)

    def take(self, size: int) -> int:
        """Take so many bytes of it, or as many as there are; the oldest undos that nobody uses make room.

        Raises:
            TrashError: If a file can't be removed.
        """
        with self._lock:
            beyond = self._taken + size - max(self._holds, self._seen_at)
            if size > self._free or beyond > self._cap // _UNSEEN:  # others may have come, or grown, since
                self._free = self._room_now()
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
        files = trash_files(self._folder)
        cap = self._cap - (self._claimed() - sum(file.size for file in files))
        used = [file.run for file in files if file.run not in self._before or is_in_use(self._folder, file)]
        needed = min(cap, max(size, self._cap // _PARTS))
        self._before -= frozenset(make_room(self._folder, cap=cap, needed=needed, keep=used, before=self._let_go))
        self._free = self._room_now()

    def _let_go(self, file: TrashFile) -> bool:
        run, keys = self._give_up(file.run)
        if is_in_use(self._folder, file):  # since it was looked at: a long journal takes its time
            return False
        before = self._gave_up[run].files if run in self._gave_up else ()
        self._gave_up[run] = GivenUp(run, (*before, (file.run, keys)))
        return True

    def _room_now(self) -> int:
        self._seen_at = self._taken
        return self._cap - self._claimed()

    def _claimed(self) -> int:
        """Bytes that all files have, or will have by what was taken and what those that began before hold."""
        claimed = own = 0
        for file in trash_files(self._folder):
            if file.run in self._own:
                own += file.size
            elif file.holds > file.size and self._is_earlier(file.number) and is_open(self._folder, file):
                claimed += file.holds
            else:
                claimed += file.size
        return claimed + max(own, self._taken)

    def _is_earlier(self, number: int) -> bool:
        return self._number is None or number < self._number
