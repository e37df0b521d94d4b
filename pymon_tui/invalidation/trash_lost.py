"""What of a trash's records is lost, by its marks, by the end of the file, and by what the journal tells of the run."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pymon_tui.invalidation.trash_damage import Damage, Promised
from pymon_tui.invalidation.trash_marks import Marks


@dataclass(frozen=True, slots=True)
class Seen:
    """What was seen of a file that was read to its end.

    Attributes:
        broken: Blocks of records that can't be read though their heads can: how many records, by where they were
            written.
        is_whole: Whether all of it can be read.
        hidden: Whether marks may be among what can't be read.
        torn_at_end: Whether all that isn't whole is behind what the run wrote.
        is_short: Whether the run had written more than is there.
        hides_last: Whether the marks may be missing that stood behind all that is there: they were of the last block.
        closes: Whether a run that isn't killed ends such a file with a block that tells all of it.
    """

    broken: dict[int, int]
    is_whole: bool
    hidden: bool
    torn_at_end: bool
    is_short: bool
    hides_last: bool
    closes: bool


def lost_by_closed(marks: Marks, seen: Seen, promised: Promised) -> Damage | None:
    """What is lost of a file that has its end; None where nothing is. A copy counts once, as one of the two."""
    if seen.is_whole and marks.is_as_closed and marks.named >= promised.at_least:
        return None
    marks.lack(every=promised.every)
    # What was named of blocks that nobody can place stands among what the end of the file misses.
    there = sum(marks.named_in(block) for block in marks.unplaced)
    unproven = marks.unproven
    unreadable = max(marks.missing - there, promised.at_least - marks.named) - unproven
    return Damage(max(0, unreadable), bool(unproven), unproven)


def lost_by_marks(marks: Marks, seen: Seen, promised: Promised) -> Damage | None:
    """What is lost of a file whose end is lost or was never written; None where nothing is that was written."""
    hidden, least = seen.hidden, promised.at_least
    # A run that gave an account came to the end of its file, unless it is an older version's.
    ended = promised.keys is not None and (seen.closes or hidden)
    if (seen.torn_at_end or seen.is_whole) and not ended and marks.named >= least:
        if seen.hides_last:
            marks.doubt_last()
        # What it didn't keep it didn't name, if it was killed while it wrote; bytes that were lost since tell nothing.
        unproven = marks.unproven
        return Damage(0, at_least=True, unproven=unproven) if unproven or seen.is_short else None
    if seen.is_whole and not ((ended or promised.keys is None) and marks.named < least):
        return None
    all_there = promised.keys is not None and promised.keys <= marks.named
    # As many copies as keys went are those of just these keys, where no further copies are known to be lost.
    are_these = promised.keys == marks.records and not marks.lost and not seen.broken
    marks.lack(every=promised.every or are_these, doubts=(hidden or ended) and not all_there)
    unproven = marks.unproven
    # Of a block that can't be read the marks tell how many were named; where they may be lost, it may have been all.
    lost = marks.lost
    broken = sum(max(lost.pop(block, 0), count if hidden else 0) for block, count in seen.broken.items())
    unreadable = max(broken + sum(lost.values()), least - marks.named - unproven)
    return Damage(unreadable, (hidden and promised.keys is None) or bool(unproven), unproven)


def older_copies(blocks: Iterable[tuple[int, Iterable[bytes]]]) -> list[tuple[int, int]]:
    """The places of all copies of each key but its last: its line was lost before it was named, and copied again."""
    last: dict[bytes, tuple[int, int]] = {}
    older = []
    for block, keys in blocks:
        for index, key in enumerate(keys):
            if key in last:
                older.append(last[key])
            last[key] = block, index
    return older
