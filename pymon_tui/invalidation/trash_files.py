"""The trash files of a state folder: what they are called, and which goes first where room is needed."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection
from pathlib import Path
from typing import NamedTuple

from pymon_tui.invalidation.trash_format import LONGEST_HEADER, TrashError, header_of
from pymon_tui.journal.folder import open_private
from pymon_tui.journal.ids import is_id

_SUFFIX = ".trash"


class TrashFile(NamedTuple):
    """A file of the trash: its number, its path, its size, and the size that its run said it would have."""

    number: int
    path: Path
    size: int
    holds: int

    @property
    def run(self) -> str:
        """The run, or the part of one, that it is of."""
        return self.path.stem


def trash_path(folder: Path, run: str) -> Path:
    """The file of a run in the state folder."""
    return trash_folder(folder) / f"{run}{_SUFFIX}"


def trash_folder(folder: Path) -> Path:
    """Where the files are, in the state folder."""
    return folder / "trash"


def trashed(folder: Path) -> tuple[str, ...]:
    """The runs, and the parts of runs, that have a file there."""
    return tuple(file.run for file in trash_files(folder))


def trash_size(folder: Path, of: Collection[str] | None = None) -> int:
    """Bytes of the trash files in the state folder: of all, or of these runs."""
    return sum(file.size for file in trash_files(folder) if of is None or file.run in of)


def next_number(folder: Path) -> int:
    """What a new file is numbered: the numbers tell the order of the files, whatever the clock did meanwhile."""
    return max((file.number for file in trash_files(folder)), default=0) + 1


def make_room(
    folder: Path, *, cap: int, needed: int, keep: Collection[str], before: Callable[[TrashFile], bool] | None = None
) -> tuple[str, ...]:
    """Remove the files of the oldest runs until ``needed`` bytes fit beside the others under ``cap``.

    Args:
        folder: The state folder.
        cap: Bytes that all files together may have.
        needed: Bytes that are to come.
        keep: Runs whose files stay: those that are being written or read.
        before: Called with each file just before it goes: whether it may.

    Returns:
        The runs that can no longer be undone.

    Raises:
        TrashError: If a file can't be removed.
    """
    files = trash_files(folder)
    size = sum(file.size for file in files)
    dropped: list[str] = []
    for file in files:
        if size + needed <= cap:
            break
        if file.run in keep:
            continue
        if before is not None and not before(file):
            continue
        try:
            file.path.unlink(missing_ok=True)
        except OSError as error:
            raise TrashError("can't make room in the trash, by removing", file.path, error) from None
        size -= file.size
        dropped.append(file.run)
    return tuple(dropped)


def trash_files(folder: Path) -> list[TrashFile]:
    """All of them, the oldest first; those without a number are the oldest, by name."""
    found = []
    for path in trash_folder(folder).glob(f"*{_SUFFIX}"):
        if is_id(path.stem):
            try:
                number, holds = _told_by(path)
                found.append(TrashFile(number, path, path.stat(follow_symlinks=False).st_size, holds))
            except FileNotFoundError:  # another process makes room as well
                continue
    return sorted(found)


def _told_by(path: Path) -> tuple[int, int]:
    """The number of a file, and what its run said that it would take."""
    try:
        with os.fdopen(open_private(path, os.O_RDONLY), "rb") as file:
            header = header_of(file.readline(LONGEST_HEADER))
            return header.number, header.holds
    except FileNotFoundError:
        raise
    except (OSError, ValueError):
        return 0, 0
