"""Where the blocks of a trash were written: by that the marks know them, wherever damage has moved them since."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping

UNPLACED = 1 << 63
"""Added to where a block is found, where nobody knows any more where it was written: no mark tells of such a place."""


class Homes:
    """Is told of the blocks of records and of the marks that name some, in the order in which they are found.

    What a run writes stands one after the other, so that whole blocks without a gap between them have all been moved
    by as much; and the first mark behind a block names records of that block.
    """

    def __init__(self) -> None:
        self._counts: dict[int, int] = {}  # of records, by where a block is found
        self._contents: dict[int, tuple[int, int]] = {}
        self._homes: dict[int, int] = {}
        self._at: dict[int, int] = {}
        self._proven: set[int] = set()
        self._told: set[tuple[int, int]] = set()
        self._moved: int | None = 0  # bytes by which blocks are behind where they were written; None behind a gap
        self._waiting: list[int] = []  # blocks behind a gap that no mark has told of
        self._last: int | None = None

    def gap(self) -> None:
        """What follows may have been moved."""
        self._moved = self._last = None
        self._waiting.clear()

    def records(self, offset: int, count: int, content: tuple[int, int]) -> None:
        """A block of so many records is found here; ``content`` is what it is known by, its checksum and size."""
        self._counts[offset] = count
        self._contents[offset] = content
        self._last = offset
        if self._moved is None:
            self._waiting.append(offset)
        else:
            self._place(offset, offset - self._moved)

    def named(self, block: int, end: int) -> None:
        """A mark names records of the block that was written there, the last of which has an index below ``end``."""
        last, is_second = self._last, (block, end) in self._told
        self._told.add((block, end))
        if last is None or last in self._proven:
            return
        if self._homes.get(last) == block:
            self._proven.add(last)
            self._waiting.clear()
        elif block in self._at:
            first = self._at[block]
            if is_second or self._contents[first] == self._contents[last]:  # what stands here is there a second time
                self._proven.add(first)
                for offset in self._waiting or [last]:
                    self._leave(offset)
                self._waiting.clear()
        elif self._counts[last] >= end:
            self._moved = last - block
            for offset in self._waiting or [last]:
                self._place(offset, offset - self._moved)
            self._proven.add(last)
            self._waiting.clear()

    def settled(self, closed: Mapping[int, tuple[int, int]] | None) -> dict[int, int]:
        """Where each block was written, by where it is found; without those that are there a second time.

        Args:
            closed: What the run ended the file with; None where there is no such block. What isn't told there is no
                place, and a block alone between two others was written where just one of its size is told of.
        """
        if closed is not None:
            for offset, home in list(self._homes.items()):
                if self._counts[offset] != closed.get(home, (0, 0))[0]:
                    del self._homes[offset]
            self._fill(closed)
        known = {self._contents[offset] for offset in self._proven if offset in self._homes}
        settled = {}
        for found, content in self._contents.items():
            place = self._homes.get(found, UNPLACED | found)
            if content not in known or (place < UNPLACED and (found in self._proven or place in (closed or ()))):
                settled[found] = place
                known.add(content)
        return settled

    def _place(self, offset: int, home: int) -> None:
        self._leave(offset)
        if home > 0 and home not in self._at:
            self._homes[offset], self._at[home] = home, offset

    def _leave(self, offset: int) -> None:
        self._at.pop(self._homes.pop(offset, -1), None)

    def _fill(self, closed: Mapping[int, tuple[int, int]]) -> None:
        """Place blocks of which no mark tells, where their neighbours and their sizes leave no doubt."""
        rows, first, lost = sorted(closed), 0, list[int]()
        for offset in (*self._counts, None):
            if offset is not None and offset not in self._homes:
                lost.append(offset)
                continue
            last = self._homes[offset] if offset is not None else UNPLACED
            between = rows[bisect_right(rows, first) : bisect_left(rows, last)] if lost else []
            for one in lost:
                fitting = [home for home in between if closed[home][0] == self._counts[one]]
                if len(lost) == len(fitting) == 1:
                    self._homes[one] = fitting[0]
            first, lost = last, []
