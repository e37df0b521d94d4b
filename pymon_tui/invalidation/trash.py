"""The trash: one file per run with what was removed, from which an undo brings it back.

A line of JSON says whose it is. Blocks follow, each with its length and checksum and compressed for itself: what was
written before a process was killed or a disk was full can be read, and a torn end is known for one.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Lock
from typing import Self

from pymon_tui.invalidation.trash_block import Block
from pymon_tui.invalidation.trash_files import make_room, trash_folder, trash_path, trash_size
from pymon_tui.invalidation.trash_format import (
    HEAD,
    TrashError,
    TrashHeader,
    TrashRecord,
    Used,
    closed,
    header_line,
    named,
    packed,
    room_of_mark,
    room_of_row,
    spared,
    sum_of,
)
from pymon_tui.invalidation.trash_reader import TrashReader
from pymon_tui.journal.folder import open_private

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
]


def _none(_: int) -> int:
    return 0


class TrashWriter:
    """Writes a new trash file. A context manager; all of it blocks for as long as the disk takes.

    It may be called from several threads at once: each waits for the one before it.

    Args:
        path: The file, which must not exist; its folder may.
        header: Whose it is.
        cap: Bytes that the file may have.
        more: Gives bytes beyond ``cap``: as many as it is asked for, or fewer.

    Raises:
        TrashError: If it can't be made, or is there already.

    Attributes:
        bytes: Of the file, so far.
        kept: Records in it.
        named: Those of them that were named to the server, and didn't turn out to have stayed.
        block: Offset of the records that were written last.
        full: Whether a record has not fitted: nothing is kept from then on.
    """

    def __init__(self, path: Path, header: TrashHeader, *, cap: int, more: Callable[[int], int] = _none) -> None:
        self.path, self.full, self._cap, self._more = path, False, cap, more
        self.kept = self.named = self.block = 0
        self._marks, self._ends = header.marks, header.mode == "expire"
        self._closing = HEAD.size + room_of_row(0) if header.closes else 0  # bytes of the block that ends the file
        self._closes, self._blocks = header.closes, dict[int, tuple[int, int]]()
        self._lock = Lock()
        try:
            self._descriptor = open_private(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
        except OSError as error:
            raise self._error(error) from None
        self.bytes = 0
        try:
            self._append(line := header_line(header))
            self._line = sum_of(line)
        except TrashError:
            os.close(self._descriptor)
            path.unlink(missing_ok=True)
            raise

    def write(self, records: Sequence[TrashRecord], uses: Sequence[int] = (), used: Used = "") -> int:
        """Keep records, in the system's hands when this returns: a killed process loses none of them.

        Args:
            records: What is kept.
            uses: What is known of how each was used, in order; empty for nothing.
            used: What that is.

        Returns:
            How many of them were kept, from the first on; the others don't fit.

        Raises:
            TrashError: If the disk is full or fails, or what is to make room can't be removed; none of these records is
                kept then.
        """
        with self._lock:
            return self._write(records, uses, used)

    def _write(self, records: Sequence[TrashRecord], uses: Sequence[int], used: Used) -> int:
        count = 0 if self.full else len(records)
        while count:
            block = packed(records[:count], uses[:count], used if uses else "")
            mark = room_of_mark(count, ends=self._ends) if self._marks else 0
            mark += self._closing + room_of_row(count) if self._closes else 0
            beyond = self.bytes + len(block) + mark - self._cap
            if beyond > 0:
                self._cap += self._more(beyond)
            room = self._cap - self.bytes - mark
            if len(block) <= room:
                self.block = self.bytes
                self._append(block)
                self.kept += count
                self._blocks[self.block] = count, 0
                self._closing += room_of_row(count)
                break
            self.full = True
            count = min(count - 1, int(count * max(room, 0) / len(block)))
        return count

    def name(self, block: int, first: int, count: int, ends: Sequence[int]) -> None:
        """Mark records of a block as named, before their keys are; what isn't marked was only copied.

        Args:
            block: Offset of the block.
            first: Index of the first of the records.
            count: How many they are.
            ends: The end that each key is given (unix ms); empty where they are removed.

        Raises:
            TrashError: If the disk is full or fails; then none of them may be named.
        """
        with self._lock:
            self._append(named(block, first, count, ends))
            self.named += count
            of, bits = self._blocks[block]
            self._blocks[block] = of, bits | (1 << count) - 1 << first

    def spare(self, places: Sequence[tuple[int, int]]) -> None:
        """Mark records as copies alone: their keys were named, and it is known that they weren't removed.

        Args:
            places: Each record's block and index.

        Raises:
            TrashError: If the disk is full or fails.
        """
        if places:
            with self._lock:
                self._append(spared(places))
                self.named -= len(places)
                for block, index in places:
                    of, bits = self._blocks[block]
                    self._blocks[block] = of, bits & ~(1 << index)

    def close(self) -> None:
        """Have all of it on disk, and close the file.

        Raises:
            TrashError: If the disk fails.
        """
        if self._closes:
            with contextlib.suppress(TrashError):  # it repeats what is there
                self._append(closed(self._blocks, self._line))
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
