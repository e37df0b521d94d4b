"""What is there of an undo once all of it is sent: a server at its limit may evict what has just come back."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, replace

from pymon_tui.invalidation.outlook import memory_of
from pymon_tui.invalidation.packing import last_words, pack_each
from pymon_tui.invalidation.payload import has_ended
from pymon_tui.invalidation.pipe import Answer, Line
from pymon_tui.invalidation.portions import Astray, Copy, portions
from pymon_tui.invalidation.restore_account import Mark, RestoreTally
from pymon_tui.invalidation.restore_part import RestorePart
from pymon_tui.invalidation.trash import TrashReader
from pymon_tui.model import units
from pymon_tui.model.text import SafeText, safe

_GONE = -2  # what PTTL answers for a key that isn't there
_LIFE = ((b"PTTL",),)
_LOOKS = 5
_IN_FLIGHT = 8  # portions
_SLACK = 1_000  # milliseconds by which a key that is about to end isn't missed


class Evictions:
    """What the servers evict while an undo is under way.

    Attributes:
        keys: So many, as of the last look, of an undo that stands alone; None where it isn't told.
    """

    def __init__(self, part: RestorePart | None) -> None:
        """``part`` is what the undo is a part of; None where it stands alone."""
        self.keys: int | None = None
        self._part = part
        self._before: int | None = None

    async def begin(self, pipe: Line) -> int | None:
        """Look before anything is sent; returns the keys that were evicted since the server's start, or None.

        Raises:
            LinkError: If the link is lost.
        """
        self._before = await self._count(pipe) if self._part is None else self._part.evicted
        return self._before

    async def gone(self, undo: str, line: Line, trash: Sought, mark: Mark) -> int:
        """How many keys came back and are evicted since, as of ``gone_again``, once all parts have sent what they had.

        Args:
            undo: The one that asks.
            line: A connection to the servers that the keys are on.
            trash: What it brings back.
            mark: How far it came.

        Raises:
            LinkError: If the link is lost.
            TrashError: If the trash can't be read any more.
        """
        if self._part is not None:
            self._part.together.arrive(undo)
            await self._part.together.wait()
        before, gone = self._before, 0
        for _ in range(_LOOKS if before is not None else 0):  # a server goes on for a while with what it has begun
            now = await self._count(line)
            if self._part is None and self._before is not None and now is not None:
                self.keys = now - self._before
            if now == before:
                break
            gone = await gone_again(line, trash, mark)  # also where one of several servers is away, and can't be asked
            if now is None:
                break
            before = now
        return gone

    async def _count(self, line: Line) -> int | None:
        return (await memory_of(line)).evicted if self._part is None else await self._part.evicted_now()


@dataclass(frozen=True, slots=True, eq=False)
class Sought:
    """What an undo brings back of a trash.

    Attributes:
        reader: The trash.
        astray: As ``portions``.
        unproven: As ``portions``.
        ends: Whether the run only gave keys an end.
    """

    reader: TrashReader
    astray: Astray
    unproven: bool
    ends: bool


async def still_there(line: Line, trash: Sought, mark: Mark) -> Mark:
    """Where an undo goes on; the start, where keys that were back before are gone, whatever took them.

    Raises:
        LinkError, TrashError: As ``gone_again``.
    """
    return Mark() if mark.offset and await gone_again(line, trash, mark) else mark


async def gone_again(line: Line, trash: Sought, mark: Mark) -> int:
    """How many keys that came back, or were there already, are there no more: as many as may be, if nobody knows.

    A key that was skipped was another's, and which of those are gone isn't known: none after a run that gave keys an
    end, whose keys may have been gone by then, and else all.

    Args:
        line: A connection to the servers that the keys are on.
        trash: What it brings back.
        mark: How far the undo came, and what had become of the keys by then.

    Raises:
        LinkError: If the link is lost.
        TrashError: If the trash can't be read any more.
    """
    missing = sum([gone async for _, gone in _looked_for(line, trash, mark)])
    tally = mark.tally
    gone = missing - tally.failed - (tally.skipped if trash.ends else 0)
    return max(0, min(gone, tally.restored + tally.there))


async def there_by_now(line: Line, trash: Sought) -> Mapping[int, int]:
    """Which records of a trash are keys that are there: bits by their indexes, for each block by its offset.

    Raises:
        LinkError, TrashError: As ``gone_again``.
    """
    found = dict[int, int]()
    async for copy, gone in _looked_for(line, trash):
        if not gone:
            block, index = copy.place
            found[block] = found.get(block, 0) | 1 << index
    return found


async def _looked_for(line: Line, trash: Sought, until: Mark | None = None) -> AsyncGenerator[tuple[Copy, bool]]:
    """The keys that haven't ended, as far as the mark, and whether each isn't there."""
    answer = await line.ask_one(b"TIME")
    soon = (int(answer[0]) * 1_000 if isinstance(answer, list) else int(time.time() * 1_000)) + _SLACK
    asked = deque[tuple[list[Copy], asyncio.Future[list[Answer]]]]()
    async with aclosing(portions(trash.reader, 0, 0, trash.astray, unproven=trash.unproven)) as found:
        async for portion in found:
            if until is not None and (portion.offset, portion.index) > (until.offset, until.index):
                break
            copies = [copy for copy in portion.copies if not _ends_by(copy, soon)]
            if copies:
                packed = pack_each(_LIFE, last_words([copy.key for copy in copies]))
                asked.append((copies, line.ask(packed, len(copies))))
            if len(asked) > _IN_FLIGHT:  # the disk is read while the server answers
                copies, answers = asked.popleft()
                for pair in zip(copies, await answers, strict=True):
                    yield pair[0], pair[1] == _GONE
    for copies, answers in asked:
        for pair in zip(copies, await answers, strict=True):
            yield pair[0], pair[1] == _GONE


def _ends_by(copy: Copy, moment: int) -> bool:
    return 0 < copy.end <= moment or has_ended(copy.payload, moment)


def without(tally: RestoreTally, gone: int) -> RestoreTally:
    """The same, with so many keys to come once more."""
    again = min(gone, tally.restored)
    return replace(tally, restored=tally.restored - again, there=tally.there - (gone - again))


def why_gone(gone: int, tally: RestoreTally, *, ends: bool) -> SafeText:
    """What to do where keys that came back are gone again; ``tally`` is of all, ``ends`` as of ``Sought``."""
    are, them = ("is", "it") if gone == 1 else ("are", "them")
    bound = "" if not tally.skipped else "at least " if ends else "up to "
    keys = f"{bound}{units.keys(gone)} that came back {are} gone again"
    return safe(f"{keys}: the server has evicted {them}, or others have deleted {them}; raise maxmemory first", 400)
