"""The trash: one file per run with what was removed, from which an undo brings it back.

A line of JSON says whose it is. Blocks follow, each with its length and checksum and compressed for itself: what was
written before a process was killed or a disk was full can be read, and a torn end is known for one.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from pymon_tui.invalidation.trash_format import (
    HEAD,
    MAGIC,
    TrashHeader,
    TrashRecord,
    header_line,
    header_of,
    packed,
    unpacked,
)
from pymon_tui.journal.folder import StateError, open_private
from pymon_tui.journal.ids import is_id

__all__ = [
    "Block",
    "TrashError",
    "TrashHeader",
    "TrashReader",
    "TrashRecord",
    "TrashWriter",
    "make_room",
    "trash_folder",
    "trash_path",
    "trash_size",
    "trashed",
]

_LONGEST_HEADER = 65_536
_SUFFIX = ".trash"
_FOREIGN = "it is no trash of this version; let it be, or remove it"


class TrashError(StateError):
    """A trash file that can't be written or read."""


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """Records that were written at once; both offsets are bytes from the start of the file."""

    offset: int
    next_offset: int
    records: tuple[TrashRecord, ...]


class TrashWriter:
    """Writes a new trash file. A context manager; all of it blocks for as long as the disk takes.

    Args:
        path: The file, which must not exist; its folder may.
        header: Whose it is.
        cap: Bytes that the file may have.

    Raises:
        TrashError: If it can't be made, or is there already.

    Attributes:
        bytes: Of the file, so far.
        kept: Records in it.
        full: Whether a record has not fitted: nothing is kept from then on.
    """

    def __init__(self, path: Path, header: TrashHeader, *, cap: int) -> None:
        self.path = path
        self.kept = 0
        self.full = False
        self._cap = cap
        try:
            self._descriptor = open_private(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
        except OSError as error:
            raise self._error(error) from None
        self.bytes = 0
        try:
            self._append(header_line(header))
        except TrashError:
            os.close(self._descriptor)
            path.unlink(missing_ok=True)
            raise

    def write(self, records: Sequence[TrashRecord]) -> int:
        """Keep records, in the system's hands when this returns: a killed process loses none of them.

        Returns:
            How many of them were kept, from the first on; the others don't fit.

        Raises:
            TrashError: If the disk is full or fails; none of these records is kept then.
        """
        count = 0 if self.full else len(records)
        while count:
            block = packed(records[:count])
            room = self._cap - self.bytes
            if len(block) <= room:
                self._append(block)
                self.kept += count
                break
            self.full = True
            count = min(count - 1, int(count * max(room, 0) / len(block)))
        return count

    def close(self) -> None:
        """Have all of it on disk, and close the file.

        Raises:
            TrashError: If the disk fails.
        """
        try:
            os.fsync(self._descriptor)
        except OSError as error:
            raise self._error(error) from None
        finally:
            os.close(self._descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _append(self, data: bytes) -> None:
        left = memoryview(data)
        try:
            while left:
                left = left[os.write(self._descriptor, left) :]
        except OSError as error:
            with contextlib.suppress(OSError):  # what was written of it is known for torn otherwise
                os.ftruncate(self._descriptor, self.bytes)
                os.lseek(self._descriptor, self.bytes, os.SEEK_SET)
            raise self._error(error) from None
        self.bytes += len(data)

    def _error(self, error: OSError) -> TrashError:
        return TrashError("can't write the trash", self.path, error)


class TrashReader:
    """Reads a trash file, also one whose end is torn. A context manager; all of it blocks.

    Raises:
        TrashError: If it can't be opened, or is none.

    Attributes:
        path: The file.
        header: Whose it is.
        torn: Whether ``blocks`` has come upon a block that is not whole; nothing after it can be read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.torn = False
        try:
            self._file = os.fdopen(open_private(path, os.O_RDONLY), "rb")
        except OSError as error:
            raise TrashError("can't read the trash", path, error) from None
        try:
            self.header = header_of(self._file.readline(_LONGEST_HEADER))
            self._first = self._file.tell()
        except OSError as error:
            self._file.close()
            raise TrashError("can't read the trash", path, error) from None
        except ValueError:
            self._file.close()
            raise TrashError("can't read the trash", path, _FOREIGN) from None

    def blocks(self, start: int = 0) -> Iterator[Block]:
        """The blocks from this offset on, which is 0 or the ``next_offset`` of one; it ends where the file is torn.

        Raises:
            TrashError: If the disk fails.
        """
        offset = start or self._first
        try:
            while (found := self._count_and_size(offset)) is not None:
                count, size, checksum = found
                following = offset + HEAD.size + size
                try:
                    records = unpacked(self._file.read(size), count, checksum)
                except ValueError:
                    self.torn = True
                    return
                yield Block(offset, following, records)
                offset = following
        except OSError as error:
            raise TrashError("can't read the trash", self.path, error) from None

    def count(self) -> int:
        """How many records there are, from the blocks' own words; reads little, whatever the size.

        Raises:
            TrashError: If the disk fails.
        """
        offset, total = self._first, 0
        try:
            while (found := self._count_and_size(offset)) is not None:
                total += found[0]
                offset += HEAD.size + found[1]
        except OSError as error:
            raise TrashError("can't read the trash", self.path, error) from None
        return total

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _count_and_size(self, offset: int) -> tuple[int, int, int] | None:
        """Records, bytes and checksum of the block at this offset; None at the end, and where no whole one follows."""
        end = os.fstat(self._file.fileno()).st_size
        self._file.seek(offset)
        head = self._file.read(HEAD.size)
        if not head:
            return None
        if len(head) == HEAD.size:
            magic, count, size, checksum = HEAD.unpack(head)
            if magic == MAGIC and size <= end - offset - HEAD.size:
                return count, size, checksum
        self.torn = True
        return None


def trash_path(folder: Path, run: str) -> Path:
    """The file of a run in the state folder."""
    return trash_folder(folder) / f"{run}{_SUFFIX}"


def trash_folder(folder: Path) -> Path:
    """Where the files are, in the state folder."""
    return folder / "trash"


def trashed(folder: Path) -> tuple[str, ...]:
    """The runs, and the parts of runs, that have a file there."""
    return tuple(path.stem for path, _ in _files(folder))


def trash_size(folder: Path) -> int:
    """Bytes of all trash files in the state folder."""
    return sum(size for _, size in _files(folder))


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
    size = sum(bytes_ for _, bytes_ in files)
    dropped: list[str] = []
    for path, bytes_ in files:
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


def _files(folder: Path) -> list[tuple[Path, int]]:
    """The trash files with their sizes, the oldest run first: their names begin with the time."""
    found = []
    for path in sorted(trash_folder(folder).glob(f"*{_SUFFIX}")):
        if is_id(path.stem):
            try:
                found.append((path, path.stat(follow_symlinks=False).st_size))
            except FileNotFoundError:  # another process makes room as well
                continue
    return found
