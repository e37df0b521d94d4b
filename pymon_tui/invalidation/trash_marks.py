"""What the marks in a trash say of its records: which were named to the server, and what undos found of them."""

from __future__ import annotations

from pymon_tui.invalidation.trash_format import HAS_FORMER, PLACE, State, unpacked_found, unpacked_named


class Marks:
    """The marks of one file, in the order in which they were written.

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
        self._count = 0
        self._lacks_some = False

    @property
    def named(self) -> int:
        """How many records were named, without those whose keys turned out to have stayed."""
        if self._lacks_some:
            return sum(sum(given >= 0 for given in self.given(*block)) for block in self._blocks.items())
        return self.records if self._every else self._count

    @property
    def copied(self) -> int:
        """How many were only copied: their keys weren't removed."""
        return self.records - self.named

    @property
    def unmarked(self) -> int:
        """Records of which no mark tells anything."""
        return self.copied - sum(map(len, self._spared.values()))

    @property
    def missing(self) -> int:
        """How many were named of those that the end of the file tells of, and that aren't there."""
        blocks = (self.closed or {}).items()
        return sum(bits.bit_count() for block, (_, bits) in blocks if block not in self._blocks)

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

    def named_before(self, block: int, index: int) -> int:
        """How many were named before the record at this place."""
        before = sum(sum(given >= 0 for given in self.given(*each)) for each in self._blocks.items() if each[0] < block)
        return before + sum(given >= 0 for given in self.given(block, self._blocks.get(block, 0))[:index])

    def lack(self, *, every: bool = False) -> None:
        """Take it that some marks, or records that they are of, are lost.

        Args:
            every: Whether it is known from elsewhere that each of the records was named.
        """
        self._lacks_some = True
        self._every = self._every or every

    def add_records(self, block: int, count: int) -> None:
        """Count a block of records."""
        self.records += count
        self._blocks[block] = count

    def add_named(self, data: bytes, count: int) -> None:
        """Take a mark of ``trash_format.named``.

        Raises:
            ValueError, struct.error: If it is none.
        """
        block, first, ends = unpacked_named(data, count)
        if self._has(block, first + count):
            self._named.setdefault(block, []).append((first, count, ends))
            self._count += count

    def add_spared(self, data: bytes) -> None:
        """Take a mark of ``trash_format.spared``; raises as ``add_named``."""
        for block, index in PLACE.iter_unpack(data):
            if self._has(block, index + 1):
                some = self._spared.setdefault(block, set())
                self._count -= index not in some
                some.add(index)

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
        given = [0 if self._every else -1] * count
        for first, number, ends in self._named.get(block, []):
            given[first : first + number] = ends or (0,) * number
        for index in self._spared.get(block, ()):
            given[index] = -1
        if self._lacks_some and self.closed is not None:
            _, bits = self.closed.get(block, (0, 0))
            given = [max(0, end) if bits >> index & 1 else -1 for index, end in enumerate(given)]
        return tuple(given)

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
