"""What the trash holds, in portions that are sent to the server at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Collection, Mapping
from dataclasses import dataclass, field
from typing import cast

from pymon_tui.invalidation.trash import TrashReader
from pymon_tui.invalidation.trash_format import State, Used
from pymon_tui.invalidation.trash_marks import COPIED, UNPROVEN

KEYS, BYTES = 200, 131_072
"""Of one portion, at most, unless one key has more."""

_WORDS: dict[Used, tuple[bytes, ...]] = {"": (), "idle": (b"IDLETIME",), "freq": (b"FREQ",)}


@dataclass(frozen=True, slots=True)
class Copy:
    """A key that a run removed, or gave an end.

    Attributes:
        end: When it would have ended (unix ms), 0 for never.
        payload: What DUMP gave for it.
        given: The end that the run gave it (unix ms); 0 where it was removed, or the end isn't known.
        words: The options with which RESTORE brings back how it was used; empty where that isn't known.
        place: Where it is in the trash: block and index.
        found: What undos before found of it.
    """

    key: bytes
    end: int
    payload: bytes
    given: int
    words: tuple[bytes, ...]
    place: tuple[int, int]
    found: State


@dataclass(frozen=True, slots=True, eq=False)
class Portion:
    """Keys that are sent at once, and where in the trash the next one is: a block's offset, a record's index."""

    copies: list[Copy]
    offset: int
    index: int


@dataclass(frozen=True, slots=True, eq=False)
class Astray:
    """What other parts of a run know of the keys in a trash, which were found again on another node.

    Attributes:
        passed_over: Keys that a later part named again: that one brings them back.
        ends: When keys would have ended (unix ms, 0 for never) before the first part that gave them another end.
        fewer: How many of the keys in the trash are passed over.
    """

    passed_over: Collection[bytes] = frozenset()
    ends: Mapping[bytes, int] = field(default_factory=dict)
    fewer: int = 0


async def portions(
    reader: TrashReader, offset: int, index: int, astray: Astray, *, unproven: bool = False
) -> AsyncGenerator[Portion]:
    """What was removed of what the trash holds from this record on. The disk is read in a thread.

    Args:
        unproven: Whether keys are wanted as well of which it isn't known if they were removed.

    Raises:
        TrashError: If it can't be read.
    """
    blocks = reader.blocks(offset)
    some: list[Copy] = []
    size = 0
    end = offset
    while (block := await asyncio.to_thread(next, blocks, None)) is not None:
        end = block.next_offset
        words = _WORDS[block.used]
        # Where the block to begin with can't be read any more, the one behind it comes whole.
        for place in range(index if block.offset == offset else 0, len(block.records)):
            (key, ends, payload), given = block.records[place], block.given[place]
            if given == COPIED or (given == UNPROVEN and not unproven) or key in astray.passed_over:
                continue
            length = len(key) + len(payload)
            if some and (len(some) == KEYS or size + length > BYTES):
                yield Portion(some, block.offset, place)
                some, size = [], 0
            used = (*words, b"%d" % block.uses[place]) if words else ()
            ends = astray.ends.get(key, ends) if given > 0 else ends
            found = cast(State, block.found[place])
            some.append(Copy(key, ends, payload, max(0, given), used, (block.home, place), found))
            size += length
    if some:
        yield Portion(some, end, 0)
