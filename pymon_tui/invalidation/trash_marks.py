"""What the marks in a trash say of its records: which were named to the server, and what undos found of them."""

from __future__ import annotations

from collections.abc import Iterable

from pymon_tui.invalidation.trash_format import HAS_FORMER, PLACE, State, unpacked_found, unpacked_named
from pymon_tui.invalidation.trash_homes import UNPLACED

COPIED, UNPROVEN = -1, -2
"""What ``Block.given`` has for a record that was only copied, and for one of which that isn't known."""


class Marks:
    """The marks of one file, in the order in which they were written. Blocks are known by where they were written.

    Args:
        every: Whether all records count as named, as in a file without marks.

    Attributes:
        records: Records in the file.
        closed: What the run ended the file with, which tells all of it; None where there is no such block.
    """

    def __init__(self, *, every: bool) -> None:
        self.records = 0
        self.closed: dict[int, tuple[int, int]] | None = None
        self._every = every
        self._blocks: dict[int, int] = {}
        self._named: dict[int, list[tuple[int, int, tuple[int, ...]]]] = {}
        self._spared: dict[int, set[int]] = {}
        self._found: dict[int, bytearray] = {}
        self._places: dict[int, int] = {}  # where the blocks are found
        self._older: dict[int, set[int]] = {}
        self._lost: dict[int, set[int]] = {}  # of blocks that can't be read, what was named
        self._count = 0
        self._lacks_some = self._has_doubts = False
        self._doubtful = -1  # a block of which alone that is so

    @property
    def named(self) -> int:
        """How many records were named, without those whose keys turned out to have stayed."""
        if self._lacks_some:
            return sum(map(self.named_in, self._blocks))
        return self.records if self._every else self._count

    @property
    def copied(self) -> int:
        """How many are known to have been only copied: their keys weren't removed."""
        return self.records - self.named - self.unproven

    @property
    def unproven(self) -> int:
        """Records of which it isn't known if they were named."""
        if not self._lacks_some:
            return 0
        return sum(self.given(*block).count(UNPROVEN) for block in self._blocks.items())

    @property
    def missing(self) -> int:
        """How many were named of those that the end of the file tells of, and that aren't there."""
        blocks = (self.closed or {}).items()
        return sum(bits.bit_count() for block, (_, bits) in blocks if block not in self._blocks)

    @property
    def unplaced(self) -> list[int]:
        """Blocks of which nobody knows where they were written."""
        return [block for block in self._blocks if block >= UNPLACED]

    def named_in(self, block: int) -> int:
        """How many were named of a block."""
        return sum(given >= 0 for given in self.given(block, self._blocks.get(block, 0)))

    @property
    def lost(self) -> dict[int, int]:
        """How many were named of each block that can't be read, by the marks alone."""
        return {block: len(some) for block, some in self._lost.items()}

    @property
    def is_as_closed(self) -> bool:
        """Whether all that the end of the file tells of is there, and nothing else."""
        closed = self.closed or {}
        named = sum(bits.bit_count() for _, bits in closed.values())
        return named == self._count and {block: count for block, (count, _) in closed.items()} == self._blocks

    @property
    def endless(self) -> int:
        """How many were given an end that isn't known."""
        return sum(self.given(*block).count(0) for block in self._blocks.items())

    @property
    def noted(self) -> int:
        """Of how many an undo has noted what it found."""
        return sum(len(states) - states.count(0) for states in self._found.values())

    @property
    def unnoted(self) -> int:
        """Of how many that were named no undo has noted anything."""
        rows = [zip(self.given(*block), self.found(*block), strict=True) for block in self._blocks.items()]
        return sum(given >= 0 and not found for row in rows for given, found in row)

    def named_before(self, offset: int, index: int) -> int:
        """How many were named before the record of this index, in the block that is found there."""
        count = 0
        for block, place in self._places.items():
            if place <= offset:
                given = self.given(block, self._blocks[block])
                count += sum(each >= 0 for each in (given[:index] if place == offset else given))
        return count

    def lack(self, *, every: bool = False, doubts: bool = False) -> None:
        """Take it that some marks, or records that they are of, are lost.

        Args:
            every: Whether it is known from elsewhere that each of the records was named.
            doubts: Whether a record that no mark tells of may have been named.
        """
        self._lacks_some = True
        self._has_doubts = self._has_doubts or doubts
        self._every = self._every or every or (self.closed is not None and self._closed_names_every)

    def doubt_last(self) -> None:
        """Take it that marks are lost from the end of the file: they named records of its last block alone.

        A run names what it has kept before it keeps more, in the order of the records.
        """
        self._lacks_some, self._doubtful = True, max(self._blocks, default=-1)

    @property
    def _closed_names_every(self) -> bool:
        return all(bits == (1 << count) - 1 for count, bits in (self.closed or {}).values())

    def outdate(self, places: Iterable[tuple[int, int]]) -> None:
        """Take these for copies alone, by block and index: their keys were copied again before they were named."""
        for block, index in places:
            self._older.setdefault(block, set()).add(index)

    def add_records(self, block: int, count: int, offset: int | None = None) -> None:
        """Count a block of records; ``offset`` is where it is found, if that isn't where it was written."""
        self.records += count
        self._blocks[block] = count
        self._places[block] = block if offset is None else offset

    def add_named(self, data: bytes, count: int) -> None:
        """Take a mark of ``trash_format.named``.

        Raises:
            ValueError, struct.error: If it is none.
        """
        block, first, ends = unpacked_named(data, count)
        if self._has(block, first + count):
            self._named.setdefault(block, []).append((first, count, ends))
            self._count += count
        else:
            self._lost.setdefault(block, set()).update(range(first, first + count))

    def add_spared(self, data: bytes) -> None:
        """Take a mark of ``trash_format.spared``; raises as ``add_named``."""
        for block, index in PLACE.iter_unpack(data):
            if self._has(block, index + 1):
                some = self._spared.setdefault(block, set())
                self._count -= index not in some
                some.add(index)
            else:
                self._lost.get(block, set()).discard(index)

    def _has(self, block: int, count: int) -> bool:
        """Whether there is this block, with so many records; it may be one that can't be read.

        Raises:
            ValueError: If it has fewer.
        """
        known = self._blocks.get(block)
        if known is not None and known < count:
            raise ValueError("no mark")
        return known is not None

    def given(self, block: int, count: int) -> tuple[int, ...]:
        """What was done with each of a block's keys, as ``Block.given``."""
        rest = 0 if self._every else UNPROVEN if self._is_doubtful(block) else COPIED
        given = [rest] * count
        for index in self._older.get(block, ()):
            given[index] = COPIED
        for first, number, ends in self._named.get(block, []):
            given[first : first + number] = ends or (0,) * number
        for index in self._spared.get(block, ()):
            given[index] = COPIED
        if self._lacks_some and self.closed is not None and block in self.closed:
            _, bits = self.closed[block]
            given = [max(0, end) if bits >> index & 1 else COPIED for index, end in enumerate(given)]
        return tuple(given)

    def _is_doubtful(self, block: int) -> bool:
        """Whether a record of this block may have been named without a mark that tells of it."""
        if not self._lacks_some:
            return False
        if self._has_doubts or block >= UNPLACED or block == self._doubtful:
            return True
        return self.closed is not None and block not in self.closed

    def add_found(self, data: bytes) -> None:
        """Take a mark of ``trash_format.found``; raises as ``add_named``.

        The newest counts, but what has been given back stays so.
        """
        block, first, states = unpacked_found(data)
        if not self._has(block, first + len(states)):
            return
        known = self._found.setdefault(block, bytearray())
        known.extend(bytes(max(0, first + len(states) - len(known))))
        for index, state in enumerate(states, start=first):
            if state and known[index] != HAS_FORMER:
                known[index] = state

    def is_news(self, place: tuple[int, int], state: State) -> bool:
        """Whether ``add_found`` would take it as something new of the record at this block and index."""
        block, index = place
        known = self._found.get(block, b"")
        return index >= len(known) or known[index] not in (HAS_FORMER, state)

    def has_unnamed(self, block: int) -> bool:
        """Whether some records of this block weren't named."""
        return min(self.given(block, self._blocks.get(block, 0)), default=0) < 0

    def found(self, block: int, count: int) -> bytes:
        """What undos found of each of a block's keys, as ``Block.found``."""
        known = bytes(self._found.get(block, b""))[:count]
        return known + bytes(count - len(known))
