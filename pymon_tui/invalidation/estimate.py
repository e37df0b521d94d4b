"""How many keys a selection means, about, while it is being typed: a look at a part of the database."""

from __future__ import annotations

import asyncio
import math
from contextlib import aclosing
from dataclasses import dataclass, replace

from pymon_tui.invalidation.counting import Count
from pymon_tui.invalidation.pipe import Pipe, open_pipe
from pymon_tui.invalidation.selection import Selection, check
from pymon_tui.invalidation.sweep import Sweep
from pymon_tui.server.endpoint import Endpoint

_PAGE = 500
_NORMAL_95 = 1.96
_CURSOR_BITS = 64
# A page ends after COUNT keys and the rest of a bucket, or after 10 * COUNT buckets, however few keys they hold.
_MOST_TIMES, _FEWEST_TIMES = 2, 1 / 12


@dataclass(frozen=True, slots=True)
class Estimate:
    """How many keys match, from those that were looked at.

    Attributes:
        found: Matching keys among those looked at: there are at least so many.
        matched: The most likely number of matching keys.
        matched_low: With ``matched_high`` the bounds that hold in 95 of 100 cases.
        scanned: Keys looked at, about.
        total: Keys in the database.
        complete: Whether all were looked at: then all four counts are the same.
    """

    found: int
    matched: int
    matched_low: int
    matched_high: int
    scanned: int
    total: int
    complete: bool


async def estimate(endpoint: Endpoint, selection: Selection, seconds: float) -> Estimate | None:
    """Look for about ``seconds``, one small page after another, and extrapolate; None where DBSIZE isn't told.

    SCAN goes through a table that hashes have shuffled, so its first pages are as good as any sample. Each pattern has
    its share of the time. A caller who has something newer to ask cancels it; the connection is closed then.

    Raises:
        SelectionError: If the selection is not one to run.
        LinkError: If there is no connection, or it is lost.
        Refused: If the server refuses SCAN, or a command that a filter needs.
    """
    check(selection)
    pipe = await open_pipe(endpoint)
    try:
        total = await pipe.ask_one(b"DBSIZE")
        if not isinstance(total, int):
            return None
        share = seconds / len(selection.patterns)
        parts = [await _look(pipe, selection, index, total, share) for index in range(len(selection.patterns))]
        return _sum(parts)
    finally:
        await pipe.close()


async def _look(pipe: Pipe, selection: Selection, index: int, total: int, seconds: float) -> Estimate:
    """One pattern alone, without the keys that an earlier one matches."""
    earlier = [pattern.matcher for pattern in selection.patterns[:index]]
    sweep = Sweep(pipe, replace(selection, patterns=(selection.patterns[index],)), page=_PAGE)
    count = Count()
    share_per_key = 1 / max(1, total)
    try:
        async with asyncio.timeout(seconds), aclosing(sweep.pages()) as pages:
            async for page in pages:
                count.add([key for key in page.keys if not any(matches(key) for matches in earlier)], total)
                if page.place.cursor:
                    share_per_key = share_per_key_of(page.place.cursor, sweep.scanned - _PAGE, total)
    except TimeoutError:
        # The page that was asked for last, and not waited for, told nothing.
        share = max(0, sweep.scanned - _PAGE) * share_per_key
        return extrapolate(count.matched, min(share, 1.0), total)
    return Estimate(count.matched, count.matched, count.matched, count.matched, total, total, complete=True)


def share_per_key_of(cursor: int, scanned: int, total: int) -> float:
    """Which share of the table one key of COUNT stands for: pages hold more than was asked for, or fewer.

    SCAN counts with the bits of its cursor reversed, so they say how much of the table lies behind it. A cursor that
    says something impossible comes from a server that counts otherwise; then COUNT is taken at its word.
    """
    expected = 1 / max(1, total)
    passed = int(f"{cursor % 2**_CURSOR_BITS:0{_CURSOR_BITS}b}"[::-1], 2) / 2**_CURSOR_BITS
    measured = passed / max(1, scanned)
    return measured if _FEWEST_TIMES < measured / expected < _MOST_TIMES else expected


def extrapolate(found: int, share: float, total: int) -> Estimate:
    """What ``found`` matches in ``share`` of the table (from 0 to 1) say of a database of ``total`` keys.

    Each matching key had the chance ``share`` of being found: the bounds are those numbers of keys for which finding
    just so many is not too unlikely (a score interval). They meet when the share is 1.
    """
    scanned = round(share * total)
    if share <= 0:
        return Estimate(found, found, found, total, scanned, total, complete=False)
    chance = _NORMAL_95**2 * (1 - share) / 2
    spread = math.sqrt(2 * chance * found + chance**2)
    return Estimate(
        found=found,
        matched=min(total, round(found / share)),
        matched_low=min(total, max(found, math.floor((found + chance - spread) / share))),
        matched_high=min(total, math.ceil((found + chance + spread) / share)),
        scanned=scanned,
        total=total,
        complete=False,
    )


def _sum(parts: list[Estimate]) -> Estimate:
    total = parts[0].total
    return Estimate(
        found=sum(part.found for part in parts),
        matched=min(total, sum(part.matched for part in parts)),
        matched_low=min(total, sum(part.matched_low for part in parts)),
        matched_high=min(total, sum(part.matched_high for part in parts)),
        scanned=min(part.scanned for part in parts),
        total=total,
        complete=all(part.complete for part in parts),
    )
