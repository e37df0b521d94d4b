"""The trash: one file per run with what was removed, from which an undo brings it back.

A line of JSON says whose it is. Blocks follow, each with its length and checksum and compressed for itself: what was
written before a process was killed or a disk was full can be read, and a torn end is known for one.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence
from pathlib import Path
from threading import Lock
from typing import Protocol, Self

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


_LEAST = 128
"""Bytes that no record fits into with its marks."""


class Lender(Protocol):
    """Room that several share."""

    def take(self, size: int) -> int:
        """Take so many bytes of it, or as many as there are."""

    def give(self, size: int) -> None:
        """Give back what was taken and isn't used."""


class TrashWriter:
    """Writes a new trash file. A context manager; all of it blocks for as long as the disk takes.

    It may be called from several threads at once: each waits for the one before it.

    Args:
        path: The file, which must not exist; its folder may.
        header: Whose it is.
        cap: Bytes that the file may have.
        room: Lends bytes beyond ``cap``.

    Raises:
        TrashError: If it can't be made, or is there already.

    Attributes:
        bytes: Of the file, so far.
        kept: Records in it.
        named: Those of them that were named to the server, and didn't turn out to have stayed.
        block: Offset of the records that were written last.
        full: Whether no record fits any more, however small.
    """

    def __init__(self, path: Path, header: TrashHeader, *, cap: int, room: Lender | None = None) -> None:
        self.path, self.full, self._cap, self._room = path, False, cap, room
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

    def write(self, records: Sequence[TrashRecord], uses: Sequence[int] = (), used: Used = "") -> Sequence[int]:
        """Keep records, in the system's hands when this returns: a killed process loses none of them.

        Args:
            records: What is kept.
            uses: What is known of how each was used, in order; empty for nothing.
            used: What that is.

        Returns:
            Which of them were kept, in the order in which they are in the block: of those that don't all fit, the
            smallest.

        Raises:
            TrashError: If the disk is full or fails, or what is to make room can't be removed; none of these records is
                kept then.
        """
        with self._lock:
            return self._write(records, uses, used if uses else "") if records and not self.full else ()

    def _write(self, records: Sequence[TrashRecord], uses: Sequence[int], used: Used) -> Sequence[int]:
        def packed_of(places: Sequence[int]) -> bytes:
            return packed([records[place] for place in places], [uses[place] for place in places] if used else (), used)

        kept: Sequence[int] = range(len(records))
        block = packed(records, uses, used)
        if not self._fits(block, len(kept)):
            smallest = sorted(kept, key=lambda place: sum(map(len, records[place][::2])))
            kept, block = (), b""
            low, high = 0, len(smallest)  # so many of them fit, so many don't
            while high - low > 1:
                some = smallest[: (low + high) // 2]
                if self._fits(tried := packed_of(some), len(some)):
                    kept, block, low = some, tried, len(some)
                else:
                    high = len(some)
        if kept:
            self.block = self.bytes
            self._append(block)
            self.kept += len(kept)
            self._blocks[self.block] = len(kept), 0
            self._closing += room_of_row(len(kept)) if self._closes else 0
        if len(kept) < len(records):
            left = self._cap - self.bytes - self._mark(len(kept))
            self.full = left < _LEAST
            if self._room is not None and left > 0:  # others may have use for it
                self._room.give(left)
                self._cap -= left
        return kept

    def _fits(self, block: bytes, count: int) -> bool:
        """Whether a block of so many records has room, or is given it."""
        needed = self.bytes + len(block) + self._mark(count) + (room_of_row(count) if self._closes else 0)
        if needed > self._cap and self._room is not None:
            self._cap += self._room.take(needed - self._cap)
        return needed <= self._cap

    def _mark(self, count: int) -> int:
        """Bytes that are to come for records that are written: a mark of so many, and the block that ends the file."""
        return (room_of_mark(count, ends=self._ends) if self._marks and count else 0) + self._closing

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
