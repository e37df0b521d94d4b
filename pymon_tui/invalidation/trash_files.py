"""The trash files of a state folder: what they are called, and which goes first where room is needed."""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path

from pymon_tui.invalidation.trash_format import LONGEST_HEADER, TrashError, header_of
from pymon_tui.journal.folder import open_private
from pymon_tui.journal.ids import is_id

_SUFFIX = ".trash"


def trash_path(folder: Path, run: str) -> Path:
    """The file of a run in the state folder."""
    return trash_folder(folder) / f"{run}{_SUFFIX}"


def trash_folder(folder: Path) -> Path:
    """Where the files are, in the state folder."""
    return folder / "trash"


def trashed(folder: Path) -> tuple[str, ...]:
    """The runs, and the parts of runs, that have a file there."""
    return tuple(path.stem for _, path, _ in _files(folder))


def trash_size(folder: Path, of: Collection[str] | None = None) -> int:
    """Bytes of the trash files in the state folder: of all, or of these runs."""
    return sum(size for _, path, size in _files(folder) if of is None or path.stem in of)


def next_number(folder: Path) -> int:
    """What a new file is numbered: the numbers tell the order of the files, whatever the clock did meanwhile."""
    return max((number for number, _, _ in _files(folder)), default=0) + 1


def make_room(folder: Path, *, cap: int, needed: int, keep: Collection[str]) -> tuple[str, ...]:
    """Remove the files of the oldest runs until ``needed`` bytes fit beside the others under ``cap``.

    Args:
        folder: The state folder.
        cap: Bytes that all files together may have.
        needed: Bytes that are to come.
        keep: Runs whose files stay: those that are being written or read.

    Returns:
        The runs that can no longer be undone.

    Raises:
        TrashError: If a file can't be removed.
    """
    files = _files(folder)
    size = sum(bytes_ for _, _, bytes_ in files)
    dropped: list[str] = []
    for _, path, bytes_ in files:
        if size + needed <= cap:
            break
        if path.stem in keep:
            continue
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise TrashError("can't make room in the trash, by removing", path, error) from None
        size -= bytes_
        dropped.append(path.stem)
    return tuple(dropped)


def _files(folder: Path) -> list[tuple[int, Path, int]]:
    """Number, path and size of each trash file, the oldest first; those without a number are the oldest, by name."""
    found = []
    for path in trash_folder(folder).glob(f"*{_SUFFIX}"):
        if is_id(path.stem):
            try:
                found.append((_number(path), path, path.stat(follow_symlinks=False).st_size))
            except FileNotFoundError:  # another process makes room as well
                continue
    return sorted(found)


def _number(path: Path) -> int:
    try:
        with os.fdopen(open_private(path, os.O_RDONLY), "rb") as file:
            return header_of(file.readline(LONGEST_HEADER)).number
    except FileNotFoundError:
        raise
    except (OSError, ValueError):
        return 0
