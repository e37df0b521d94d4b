"""What a trash is read as: records, and what is known of each."""

from __future__ import annotations

from dataclasses import dataclass

from pymon_tui.invalidation.trash_format import TrashRecord, Used


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """Records that were written at once; both offsets are bytes from the start of the file, where it is found.

    Attributes:
        home: Where it was written, by which the marks know it: elsewhere only in a file that is damaged.
        given: Of each record, what was done with its key: the end that it was given (unix ms), 0 for removed, or given
            an end that isn't known; ``trash_marks.COPIED`` for neither, ``UNPROVEN`` where nobody knows.
        found: Of each record, what undos found of its key, as ``trash_format.State``.
        used: What ``uses`` tells of each key; empty for nothing.
        uses: Seconds, or LFU counters; empty for nothing.
    """

    offset: int
    home: int
    next_offset: int
    records: tuple[TrashRecord, ...]
    given: tuple[int, ...]
    found: bytes
    used: Used
    uses: tuple[int, ...]
