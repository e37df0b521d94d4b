"""Reading a trash file: its records, block by block, and what was done with their keys."""

from __future__ import annotations

import errno
import os
import struct
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Self

from pymon_tui.invalidation.trash_damage import UNTOLD, Damage, Promised
from pymon_tui.invalidation.trash_format import (
    FOUND,
    HEAD,
    LONGEST_HEADER,
    NAMED,
    RECORDS,
    SPARED,
    State,
    TrashError,
    TrashRecord,
    Used,
    found,
    header_of,
    sum_of,
    unpacked,
    unpacked_closed,
)
from pymon_tui.invalidation.trash_marks import Marks
from pymon_tui.invalidation.trash_scan import Head, Scan
from pymon_tui.journal.folder import open_private
from pymon_tui.journal.ids import is_id

_FOREIGN = "it is no trash of this version; let it be, or remove it"
_OTHERS = "it is the trash of run {}, in the place of another; put the right file there, or remove it"
_MIXED = "its first line is not the one that its run began it with: nobody knows what it holds"


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
        self._last = 0  # offset of the last block that the run wrote
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
                used = RECORDS.get(head.magic)
                if used is None or (unnamed and not marks.has_unnamed(head.offset)):
                    continue
                if (data := self._scan.data(head)) is None:
                    continue
                records, uses = unpacked(data, head.count, used)
                given, found = marks.given(head.offset, head.count), marks.found(head.offset, head.count)
                yield Block(head.offset, head.following, records, given, found, used, uses)
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
        return self.marks().copied - (self.damage.unproven if self.damage is not None else 0)

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

    @property
    def has_all_marks(self) -> bool:
        """Whether each mark that was written can be read, as far as the file was read."""
        return not self.torn or self._is_torn_at_end

    def examine(self) -> None:
        """Read all of it, and find out what is lost; ``marks`` are of what can be read from here on.

        Raises:
            TrashError: If the disk fails.
        """
        marks = self._marks = self._read_marks(whole=True)
        damage = self._lost_records(marks)
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

    def _lost_records(self, marks: Marks) -> Damage | None:
        """What of the records is lost, and which of them were named; None where nothing is that was written."""
        scan, promised = self._scan, self._promised.keys
        if marks.closed is not None:
            if not scan.broken and not scan.astray and marks.is_as_closed and marks.named >= self._promised.at_least:
                return None
            marks.lack()
            return Damage(max(marks.missing, self._promised.at_least - marks.named))
        hidden = bool(scan.astray) or any(head.magic in (NAMED, SPARED) for head in scan.broken.values())
        unreadable = sum(head.count for head in scan.broken.values() if head.magic in RECORDS)
        # A run that gave an account came to the end of its file, unless it is an older version's.
        ended = promised is not None and (self.header.closes or hidden)
        least = self._promised.at_least
        if self._is_torn_at_end and not ended and marks.named >= least:
            return None  # it was killed while it wrote: what it didn't keep it didn't name
        if not hidden and not scan.broken and not ((ended or promised is None) and marks.named < least):
            return None
        proven = promised is not None and promised == marks.records
        marks.lack(every=proven)
        all_there = promised is not None and promised <= marks.named
        unproven = marks.unmarked if (hidden or ended) and not all_there else 0
        return Damage(max(unreadable, least - marks.named - unproven), hidden and promised is None, unproven)

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
        return not self._scan.broken and min(self._scan.astray, default=0) > self._last

    def _read_marks(self, *, whole: bool) -> Marks:
        """The marks; with ``whole``, the records are looked at as well, and only those that are whole count."""
        marks = Marks(every=not self.header.marks)
        try:
            for head in self._scan.heads(self._first):
                self._last = max(self._last, head.offset if head.magic != FOUND else 0)
                if head.magic in RECORDS:
                    if not whole or self._scan.data(head) is not None:
                        marks.add_records(head.offset, head.count)
                elif (data := self._scan.data(head)) is not None:
                    self._add_mark(marks, head, data)
        except OSError as error:
            raise TrashError("can't read the trash", self.path, error) from None
        self._note_tears()
        return marks

    def _add_mark(self, marks: Marks, head: Head, data: bytes) -> None:
        try:
            if head.magic == NAMED:
                marks.add_named(data, head.count)
            elif head.magic == SPARED:
                marks.add_spared(data)
            elif head.magic == FOUND:
                marks.add_found(data)
            else:
                marks.closed, line = unpacked_closed(data)
                if line not in (None, sum_of(self._line)):
                    raise TrashError("can't read the trash", self.path, _MIXED)
                self._end = head.offset
        except (ValueError, struct.error):
            self._scan.is_no_mark(head)
