"""Reading a trash file: its records, block by block, and what was done with their keys."""

from __future__ import annotations

import errno
import os
import struct
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Self

from pymon_tui.invalidation.trash_format import (
    FOUND,
    HEAD,
    LONGEST_HEADER,
    MAGICS,
    NAMED,
    RECORDS,
    SPARED,
    State,
    TrashError,
    TrashRecord,
    Used,
    found,
    header_of,
    is_whole,
    unpacked,
)
from pymon_tui.invalidation.trash_marks import Marks
from pymon_tui.journal.folder import open_private

_FOREIGN = "it is no trash of this version; let it be, or remove it"


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """Records that were written at once; both offsets are bytes from the start of the file.

    Attributes:
        given: Of each record, what was done with its key: the end that it was given (unix ms), 0 for removed, or given
            an end that isn't known; -1 for neither: it was only copied.
        found: Of each record, what undos found of its key, as ``trash_format.State``.
        used: What ``uses`` tells of each key; empty for nothing.
        uses: Seconds, or LFU counters; empty for nothing.
    """

    offset: int
    next_offset: int
    records: tuple[TrashRecord, ...]
    given: tuple[int, ...]
    found: bytes
    used: Used
    uses: tuple[int, ...]


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
                    given, seen = marks.given(offset, count), marks.found(offset, count)
                    yield Block(offset, following, records, given, seen, used, uses)
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
                    elif magic == FOUND:
                        self._marks.add_found(data)
                    self._file.seek(offset + HEAD.size + size)
            except OSError as error:
                raise TrashError("can't read the trash", self.path, error) from None
        return self._marks

    def note(self, states: Mapping[tuple[int, int], State]) -> None:
        """Write down what an undo found, by block and index of the records: later undos go by it.

        Raises:
            TrashError: If it can't be written; what is read from here on tells it all the same.
        """
        marks, blocks = self.marks(), []
        new = sorted(place for place, state in states.items() if marks.is_news(place, state))
        for block, places in groupby(new, key=itemgetter(0)):
            indexes = [index for _, index in places]
            between = range(indexes[0], indexes[-1] + 1)
            blocks.append(found(block, indexes[0], [states.get((block, index), 0) for index in between]))
            marks.add_found(blocks[-1][HEAD.size :])
        data = b"".join(blocks)
        if not data:
            return
        try:
            before = os.fstat(self._file.fileno())
            descriptor = open_private(self.path, os.O_WRONLY | os.O_APPEND)
            try:
                if os.write(descriptor, data) < len(data):
                    os.ftruncate(descriptor, before.st_size)
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                # That of the file tells when the run was there last.
                os.utime(descriptor, ns=(before.st_atime_ns, before.st_mtime_ns))
            finally:
                os.close(descriptor)
        except OSError as error:
            raise TrashError("can't write the trash", self.path, error) from None

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
