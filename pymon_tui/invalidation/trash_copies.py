"""The keys that a run only copied: of those that it copied more than once, one copy may be of a removed key."""

from __future__ import annotations

from collections.abc import Sequence

from pymon_tui.invalidation.trash_marks import COPIED
from pymon_tui.invalidation.trash_reader import TrashReader

_MOST_REMEMBERED = 100_000


def examined(reader: TrashReader) -> int:
    """Examine a trash; returns what ``only_copied`` does of it alone.

    Raises:
        TrashError: If the disk fails.
    """
    reader.examine()
    return only_copied([reader])


def only_copied(readers: Sequence[TrashReader]) -> int:
    """Returns the number of distinct keys that were copied and never removed. A lost line has a key copied twice.

    Up to 100 000 of them are told from keys that were removed later or before, or by another of these runs; those
    beyond are counted as they are found. The readers have examined their files.

    Raises:
        TrashError: If the disk fails.
    """
    most = sum(reader.copied for reader in readers)
    if not most:
        return 0
    remembered: set[int] = set()
    beyond = 0
    for reader in readers:
        for block in reader.blocks(unnamed=True):
            for (key, _, _), given in zip(block.records, block.given, strict=True):
                if given == COPIED and (mark := hash(key)) not in remembered:
                    if len(remembered) < _MOST_REMEMBERED:
                        remembered.add(mark)
                    else:
                        beyond += 1
    for reader in readers:
        for block in reader.blocks() if remembered else ():
            removed = (hash(key) for (key, _, _), given in zip(block.records, block.given, strict=True) if given >= 0)
            remembered.difference_update(removed)
    return min(most, len(remembered) + beyond)
