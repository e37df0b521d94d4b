"""The blocks of a trash file, one after the other, also behind what is damaged: the next whole one is looked for."""

from __future__ import annotations

import os
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

from pymon_tui.invalidation.trash_format import CLOSED, FOUND, HEAD, MAGICS, RECORDS, is_whole

_CHUNK = 2**20
_DENSEST = 65  # records in a byte: of each there are 16 bytes before they are compressed
_MAGIC = b"PYM"  # what all of them begin with
_HEADER = re.compile(rb'\{"version": \d, "run": "[-0-9a-f]{16,32}", ')  # of another file, which was appended to this
_OVERLAP = 64  # bytes, as long as the longest of these two


@dataclass(frozen=True, slots=True)
class Head:
    """What a block begins with, and where: ``offset`` is of the block, ``size`` of what follows its head."""

    magic: bytes
    offset: int
    count: int
    size: int
    checksum: int

    @property
    def following(self) -> int:
        """The offset behind the block."""
        return self.offset + HEAD.size + self.size


class Scan:
    """Goes through a file, as often as is asked for.

    Attributes:
        broken: Blocks that aren't whole, by their offset.
        astray: Offsets at which there is no block, though one should be: what was there is unknown.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self.broken: dict[int, Head] = {}
        self.astray: set[int] = set()
        self._file = file

    def heads(self, offset: int) -> Iterator[Head]:
        """The heads of the blocks from this one on; one that no other follows, nor the end, is read as a whole."""
        while True:
            head = self._head(offset)
            if head is not None and (self._is_last_or_followed(head) or self._is_whole(head)):
                yield head
                offset = head.following
                continue
            if head is None and offset >= self._end:
                return
            self.astray.add(offset)
            if (following := self._next(offset)) is None:
                return
            offset = following

    def data(self, head: Head) -> bytes | None:
        """What follows the head; None where that isn't what was written, which is noted."""
        self._file.seek(head.offset + HEAD.size)
        data = self._file.read(head.size)
        if is_whole(data, head.count, head.checksum) and (head.magic not in RECORDS or _may_be_records(data)):
            return data
        self.broken[head.offset] = head
        return None

    def hides_marks(self, offset: int) -> bool:
        """Whether what is torn here may be, or be followed by, marks of the block before.

        The run had named all that it was to name of that one when it wrote another, or its end; an undo came later.
        """
        self._file.seek(offset)
        return self._file.read(len(CLOSED)) not in (*RECORDS, CLOSED, FOUND)

    def is_no_mark(self, head: Head) -> None:
        """Note that it is whole, and yet no mark."""
        self.astray.add(head.offset)

    @property
    def _end(self) -> int:
        return os.fstat(self._file.fileno()).st_size

    def _is_last_or_followed(self, head: Head) -> bool:
        return head.following == self._end or self._head(head.following) is not None

    def _head(self, offset: int) -> Head | None:
        self._file.seek(offset)
        head = self._file.read(HEAD.size)
        if len(head) < HEAD.size:
            return None
        magic, count, size, checksum = HEAD.unpack(head)
        if magic not in MAGICS or size > self._end - offset - HEAD.size:
            return None
        if magic in RECORDS and count > _DENSEST * size:
            return None
        return Head(magic, offset, count, size, checksum)

    def _next(self, offset: int) -> int | None:
        """Where the next whole block begins, of this file; None where there is none."""
        while offset < self._end:
            self._file.seek(offset)
            chunk = self._file.read(_CHUNK)
            other = _HEADER.search(chunk)
            place = chunk.find(_MAGIC, 0, other.start() if other is not None else None)
            while place >= 0:
                head = self._head(offset + place)
                if head is not None and self._is_whole(head):
                    return head.offset
                place = chunk.find(_MAGIC, place + 1, other.start() if other is not None else None)
            if other is not None:
                return None
            offset += max(1, len(chunk) - _OVERLAP)
        return None

    def _is_whole(self, head: Head) -> bool:
        self._file.seek(head.offset + HEAD.size)
        return is_whole(self._file.read(head.size), head.count, head.checksum)


def _may_be_records(data: bytes) -> bool:
    """Whether it is compressed, as records are; no mark is, and one bit makes another magic of it."""
    try:
        zlib.decompressobj().decompress(data, 64)
    except zlib.error:
        return False
    return True
