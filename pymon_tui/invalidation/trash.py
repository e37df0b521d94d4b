"""The trash: one file per run with what was removed, from which an undo brings it back.

A line of JSON says whose it is. Blocks follow, each with its length and checksum and compressed for itself: what was
written before a process was killed or a disk was full can be read, and a torn end is known for one.
"""

from __future__ import annotations

import contextlib
import os
import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from pymon_tui.invalidation.trash_files import make_room, trash_folder, trash_path, trash_size
from pymon_tui.invalidation.trash_format import (
    HEAD,
    LONGEST_HEADER,
    MAGICS,
    NAMED,
    RECORDS,
    SPARED,
    TrashError,
    TrashHeader,
    TrashRecord,
    Used,
    header_line,
    header_of,
    is_whole,
    named,
    packed,
    room_of_mark,
    spared,
    unpacked,
)
from pymon_tui.invalidation.trash_marks import Marks
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

_FOREIGN = "it is no trash of this version; let it be, or remove it"


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """Records that were written at once; both offsets are bytes from the start of the file.

    Attributes:
        given: Of each record, what was done with its key: the end that it was given (unix ms), 0 for removed, or given
            an end that isn't known; -1 for neither: it was only copied.
        used: What ``uses`` tells of each key; empty for nothing.
        uses: Seconds, or LFU counters; empty for nothing.
    """

    offset: int
    next_offset: int
    records: tuple[TrashRecord, ...]
    given: tuple[int, ...]
    used: Used
    uses: tuple[int, ...]


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
        named: Those of them that were named to the server, and didn't turn out to have stayed.
        block: Offset of the records that were written last.
        full: Whether a record has not fitted: nothing is kept from then on.
    """

    def __init__(self, path: Path, header: TrashHeader, *, cap: int) -> None:
        self.path, self.full, self._cap = path, False, cap
        self.kept = self.named = self.block = 0
        self._marks, self._ends = header.marks, header.mode == "expire"
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

    def write(self, records: Sequence[TrashRecord], uses: Sequence[int] = (), used: Used = "") -> int:
        """Keep records, in the system's hands when this returns: a killed process loses none of them.

        Args:
            records: What is kept.
            uses: What is known of how each was used, in order; empty for nothing.
            used: What that is.

        Returns:
            How many of them were kept, from the first on; the others don't fit.

        Raises:
            TrashError: If the disk is full or fails; none of these records is kept then.
        """
        count = 0 if self.full else len(records)
        while count:
            block = packed(records[:count], uses[:count], used if uses else "")
            mark = room_of_mark(count, ends=self._ends) if self._marks else 0
            room = self._cap - self.bytes - mark
            if len(block) <= room:
                self.block = self.bytes
                self._append(block)
                self.kept += count
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
        self._append(named(block, first, count, ends))
        self.named += count

    def spare(self, places: Sequence[tuple[int, int]]) -> None:
        """Mark records as copies alone: their keys were named, and it is known that they weren't removed.

        Args:
            places: Each record's block and index.

        Raises:
            TrashError: If the disk is full or fails.
        """
        if places:
            self._append(spared(places))
            self.named -= len(places)

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
        self._marks: Marks | None = None
        try:
            self._file = os.fdopen(open_private(path, os.O_RDONLY), "rb")
        except OSError as error:
            raise TrashError("can't read the trash", path, error) from None
        try:
            self.header = header_of(self._file.readline(LONGEST_HEADER))
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
        marks = self.marks()
        try:
            for magic, offset, following, data, count in self._whole(start or self._first):
                if (used := RECORDS.get(magic)) is not None:
                    records, uses = unpacked(data, count, used)
                    yield Block(offset, following, records, marks.given(offset, count), used, uses)
        except (ValueError, struct.error, zlib.error):
            self.torn = True
        except OSError as error:
            raise TrashError("can't read the trash", self.path, error) from None

    def count(self) -> int:
        """How many records were named, and are therefore to come back; reads little, whatever the size.

        Raises:
            TrashError: If the disk fails.
        """
        return self.marks().named

    def marks(self) -> Marks:
        """Which records were named; reads the heads of the blocks, and the marks.

        Raises:
            TrashError: If the disk fails.
        """
        if self._marks is None:
            self._marks = Marks(every=not self.header.marks)
            try:
                for magic, offset, count, size, checksum in self._heads(self._first):
                    if magic in RECORDS:
                        self._marks.add_records(count)
                        continue
                    data = self._file.read(size)
                    if not is_whole(data, count, checksum):
                        self.torn = True
                        break
                    if magic == NAMED:
                        self._marks.add_named(data, count)
                    elif magic == SPARED:
                        self._marks.add_spared(data)
                    self._file.seek(offset + HEAD.size + size)
            except OSError as error:
                raise TrashError("can't read the trash", self.path, error) from None
        return self._marks

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _whole(self, start: int) -> Iterator[tuple[bytes, int, int, bytes, int]]:
        """Magic, offset, following offset, data and number of each block, up to the first that isn't whole."""
        for magic, offset, count, size, checksum in self._heads(start):
            self._file.seek(offset + HEAD.size)
            data = self._file.read(size)
            if not is_whole(data, count, checksum):
                self.torn = True
                return
            yield magic, offset, offset + HEAD.size + size, data, count

    def _heads(self, offset: int) -> Iterator[tuple[bytes, int, int, int, int]]:
        """Magic, offset, number, bytes and checksum of each block; ends at the end, and where no whole one follows."""
        while True:
            end = os.fstat(self._file.fileno()).st_size
            self._file.seek(offset)
            head = self._file.read(HEAD.size)
            if not head:
                return
            if len(head) < HEAD.size:
                break
            magic, count, size, checksum = HEAD.unpack(head)
            if magic not in MAGICS or size > end - offset - HEAD.size:
                break
            yield magic, offset, count, size, checksum
            offset += HEAD.size + size
        self.torn = True
