"""What the marks in a trash say of its records: which were named to the server, and what undos found of them."""

from __future__ import annotations

from pymon_tui.invalidation.trash_format import HAS_FORMER, PLACE, State, unpacked_found, unpacked_named


class Marks:
    """The marks of one file, in the order in which they were written.

    Args:
        every: Whether all records count as named, as in a file without marks.

    Attributes:
        records: Records in the file.
    """

    def __init__(self, *, every: bool) -> None:
        self.records = 0
        self._every = every
        self._named: dict[int, list[tuple[int, int, tuple[int, ...]]]] = {}
        self._spared: dict[int, set[int]] = {}
        self._found: dict[int, bytearray] = {}
        self._count = 0

    @property
    def named(self) -> int:
        """How many records were named, without those whose keys turned out to have stayed."""
        return self.records if self._every else self._count

    @property
    def copied(self) -> int:
        """How many were only copied: their keys weren't removed."""
        return self.records - self.named

    def add_records(self, count: int) -> None:
        """Count a block of records."""
        self.records += count

    def add_named(self, data: bytes, count: int) -> None:
        """Take a mark of ``trash_format.named``."""
        block, first, ends = unpacked_named(data, count)
        self._named.setdefault(block, []).append((first, count, ends))
        self._count += count

    def add_spared(self, data: bytes) -> None:
        """Take a mark of ``trash_format.spared``."""
        for block, index in PLACE.iter_unpack(data):
            some = self._spared.setdefault(block, set())
            self._count -= index not in some
            some.add(index)

    def given(self, block: int, count: int) -> tuple[int, ...]:
        """What was done with each of a block's keys, as ``Block.given``."""
        if self._every:
            return (0,) * count
        given = [-1] * count
        for first, number, ends in self._named.get(block, []):
            given[first : first + number] = ends or (0,) * number
        for index in self._spared.get(block, ()):
            given[index] = -1
        return tuple(given)

    def add_found(self, data: bytes) -> None:
        """Take a mark of ``trash_format.found``: the newest counts, but what has been given back stays so."""
        block, first, states = unpacked_found(data)
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

    def found(self, block: int, count: int) -> bytes:
        """What undos found of each of a block's keys, as ``Block.found``."""
        known = bytes(self._found.get(block, b""))[:count]
        return known + bytes(count - len(known))
