"""Reading a trash file: its records, block by block, and what was done with their keys."""

from __future__ import annotations

import errno
import os
import struct
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Self

from pymon_tui.invalidation.trash_block import Block
from pymon_tui.invalidation.trash_damage import UNTOLD, Damage, Promised
from pymon_tui.invalidation.trash_format import (
    CLOSED,
    FOUND,
    HEAD,
    LONGEST_HEADER,
    NAMED,
    RECORDS,
    SPARED,
    State,
    TrashError,
    found,
    header_of,
    sum_of,
    unpacked,
    unpacked_closed,
    unpacked_named,
)
from pymon_tui.invalidation.trash_homes import Homes
from pymon_tui.invalidation.trash_lost import Seen, lost_by_closed, lost_by_marks, older_copies
from pymon_tui.invalidation.trash_marks import Marks
from pymon_tui.invalidation.trash_scan import Head, Scan
from pymon_tui.journal.folder import open_private
from pymon_tui.journal.ids import is_id

_FOREIGN = "it is no trash of this version; let it be, or remove it"
_OTHERS = "it is the trash of run {}, in the place of another; put the right file there, or remove it"
_MIXED = "its first line is not the one that its run began it with: nobody knows what it holds"


class TrashReader:
    """Reads a trash file, also one that is damaged or torn. A context manager; all of it blocks.

    What is damaged is passed over. Which records were named is told twice, by marks and at the end of the file: as long
    as one of the two is there, it is known.

    Args:
        promised: What the journal tells of it.

    Raises:
        TrashError: If it can't be opened, or is none.

    Attributes:
        path: The file.
        header: Whose it is.
        torn: Whether some of what was read of it isn't whole.
        damage: What is lost by that, as ``examine`` found; None where nothing is, or only what was never written.
        lacks_notes: Whether it isn't known of all keys what undos before found, as ``examine`` found.
    """

    def __init__(self, path: Path, *, promised: Promised = UNTOLD) -> None:
        self.path = path
        self.torn = False
        self.damage: Damage | None = None
        self.lacks_notes = False
        self._promised = promised
        self._marks: Marks | None = None
        self._homes: dict[int, int] = {}  # where each block was written, by where it is
        self._begins: set[int] = set()
        self._last = 0  # offset of the last whole block that the run wrote
        self._following = 0  # the one behind it
        self._end: int | None = None  # offset of the one that it ended its file with
        try:
            self._file = os.fdopen(open_private(path, os.O_RDONLY), "rb")
        except OSError as error:
            raise TrashError("can't read the trash", path, error) from None
        try:
            self._line = self._file.readline(LONGEST_HEADER)
            self.header, self._first = header_of(self._line), self._file.tell()
        except OSError as error:
            self._file.close()
            raise TrashError("can't read the trash", path, error) from None
        except ValueError:
            self._file.close()
            raise TrashError("can't read the trash", path, _FOREIGN) from None
        if is_id(path.stem) and path.stem != self.header.run:
            self._file.close()
            raise TrashError("can't read the trash", path, _OTHERS.format(self.header.run))
        self._scan = Scan(self._file)

    def blocks(self, start: int = 0, *, unnamed: bool = False) -> Iterator[Block]:
        """The blocks from this offset on that are whole.

        Args:
            start: 0, or the ``next_offset`` of a block.
            unnamed: Whether only those with records that weren't named are wanted.

        Raises:
            TrashError: If the disk fails.
        """
        marks = self.marks()
        try:
            for head in self._scan.heads(start or self._first):
                used, home = RECORDS.get(head.magic), self._homes.get(head.offset)
                if used is None or home is None or (unnamed and not marks.has_unnamed(home)):
                    continue
                if (data := self._scan.data(head)) is None:
                    continue
                records, uses = unpacked(data, head.count, used)
                given, found = marks.given(home, head.count), marks.found(home, head.count)
                yield Block(head.offset, home, head.following, records, given, found, used, uses)
        except (ValueError, struct.error, zlib.error):
            self.torn = True
        except OSError as error:
            raise TrashError("can't read the trash", self.path, error) from None
        self._note_tears()

    def count(self) -> int:
        """How many records were named, and are therefore to come back; reads little, whatever the size.

        Raises:
            TrashError: If the disk fails.
        """
        return self.marks().named

    @property
    def copied(self) -> int:
        """Records that were only copied, as far as is known: their keys weren't removed."""
        return self.marks().copied

    @property
    def noted(self) -> int:
        """Of how many records undos have noted what they found."""
        return self.marks().noted

    def marks(self) -> Marks:
        """Which records were named; reads the heads of the blocks, and the marks.

        Raises:
            TrashError: If the disk fails.
        """
        if self._marks is None:
            self._marks = self._read_marks(whole=False)
            if self._scan.broken or self._scan.astray:
                self._marks.lack()
        return self._marks

    def begins_at(self, offset: int) -> bool:
        """Whether a block begins here, or would, as far as the file was read; or it begins or ends here."""
        return offset in self._begins

    def examine(self) -> None:
        """Read all of it, and find out what is lost; ``marks`` are of what can be read from here on.

        Raises:
            TrashError: If the disk fails.
        """
        marks = self._marks = self._read_marks(whole=True)
        if self._promised.every and (self._scan.broken or self._scan.astray):
            marks.outdate(self._older_copies())
        lost = lost_by_marks if marks.closed is None else lost_by_closed
        damage = lost(marks, self._seen(), self._promised)
        if self.header.mode == "expire" and self.header.marks:
            endless = marks.endless if damage is not None else 0
            unnoted = marks.unnoted if self._lacks_notes(marks) else 0
            if endless or unnoted:
                damage = replace(damage or Damage(), endless=endless, unnoted=unnoted)
            self.lacks_notes = bool(unnoted)
        self.damage = damage
        self.torn = self.torn or bool(damage)

    def _lacks_notes(self, marks: Marks) -> bool:
        """Whether something is lost of what undos found."""
        scan, end = self._scan, self._end
        behind = end is not None and any(offset > end for offset in scan.astray)
        broken = any(head.magic == FOUND for head in scan.broken.values())
        return behind or broken or marks.noted < self._promised.noted

    def _older_copies(self) -> list[tuple[int, int]]:
        return older_copies((block.home, [key for key, _, _ in block.records]) for block in self.blocks())

    def _seen(self) -> Seen:
        scan = self._scan
        broken = {
            home: head.count
            for head in scan.broken.values()
            if head.magic in RECORDS and (home := self._homes.get(head.offset)) is not None
        }
        hidden = bool(scan.astray) or any(head.magic in (NAMED, SPARED) for head in scan.broken.values())
        is_whole, torn_at_end, promised = not scan.broken and not scan.astray, self._is_torn_at_end, self._promised
        is_short = is_whole and self._following < promised.size
        hides = scan.hides_marks(self._tear) if torn_at_end else is_short or (is_whole and not promised.is_settled)
        return Seen(broken, is_whole, hidden, torn_at_end, is_short, hides, self.header.closes)

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

    def _note_tears(self) -> None:
        self.torn = self.torn or bool(self._scan.broken or self._scan.astray)

    @property
    def _is_torn_at_end(self) -> bool:
        """Whether all that isn't whole is behind what the run wrote."""
        return self._tear > self._last and not any(head.magic == FOUND for head in self._scan.broken.values())

    @property
    def _tear(self) -> int:
        """The offset of the first that isn't whole; 0 where all is."""
        return min((*self._scan.astray, *self._scan.broken), default=0)

    def _read_marks(self, *, whole: bool) -> Marks:
        """The marks; with ``whole``, the records are looked at as well, and only those that are whole count."""
        marks, homes, expected = Marks(every=not self.header.marks), Homes(), self._first
        self._begins = {0}
        found: list[tuple[Head, bytes]] = []
        try:
            for head in self._scan.heads(self._first):
                if head.offset != expected:
                    homes.gap()
                expected = head.following
                self._begins |= {head.offset, expected}
                if head.magic in RECORDS:
                    homes.records(head.offset, head.count, (head.checksum, head.size))
                data = self._scan.data(head) if whole or head.magic not in RECORDS else b""
                if data is None:
                    continue
                found.append((head, b"" if head.magic in RECORDS else data))
                if head.magic != FOUND:
                    self._last, self._following = head.offset, head.following
                if head.magic not in RECORDS:
                    self._add_end(marks, homes, head, data)
        except OSError as error:
            raise TrashError("can't read the trash", self.path, error) from None
        self._begins |= self._scan.astray
        self._homes = homes.settled(marks.closed)
        for head, data in found:
            if head.magic not in RECORDS:
                self._add_mark(marks, head, data)
            elif (home := self._homes.get(head.offset)) is not None:
                marks.add_records(home, head.count, head.offset)
        self._note_tears()
        return marks

    def _add_end(self, marks: Marks, homes: Homes, head: Head, data: bytes) -> None:
        """Take what tells where blocks were written."""
        try:
            if head.magic == NAMED:
                block, first, _ = unpacked_named(data, head.count)
                homes.named(block, first + head.count)
            elif head.magic == CLOSED:
                marks.closed, line = unpacked_closed(data)
                if line not in (None, sum_of(self._line)):
                    raise TrashError("can't read the trash", self.path, _MIXED)
                self._end = head.offset
        except (ValueError, struct.error):
            self._scan.is_no_mark(head)

    def _add_mark(self, marks: Marks, head: Head, data: bytes) -> None:
        try:
            if head.magic == NAMED:
                marks.add_named(data, head.count)
            elif head.magic == SPARED:
                marks.add_spared(data)
            elif head.magic == FOUND:
                marks.add_found(data)
        except (ValueError, struct.error):
            self._scan.is_no_mark(head)
