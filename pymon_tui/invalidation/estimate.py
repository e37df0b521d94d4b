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
    complete = False
    try:
        async with asyncio.timeout(seconds), aclosing(sweep.pages()) as pages:
            async for page in pages:
                count.add([key for key in page.keys if not any(matches(key) for matches in earlier)], total)
            complete = True
    except TimeoutError:
        pass
    # The page that was asked for last, and not waited for, told nothing.
    scanned = total if complete else min(max(0, sweep.scanned - _PAGE), total)
    return extrapolate(count.matched, scanned, total, complete=complete)


def extrapolate(found: int, scanned: int, total: int, *, complete: bool) -> Estimate:
    """What ``found`` matches among ``scanned`` of ``total`` keys say of all of them.

    Wilson's interval for the share of matches, widened for the chance in the keys that weren't looked at, applied to
    those alone: what was found is certain.
    """
    scanned = max(scanned, found)
    rest = 0 if complete else max(0, total - scanned)
    if not rest:
        return Estimate(found, found, found, found, scanned, total, complete=complete)
    if not scanned:
        return Estimate(0, 0, 0, total, 0, total, complete=False)
    share = found / scanned
    size = scanned * rest / (scanned + rest)
    z2 = _NORMAL_95**2
    middle = (share + z2 / (2 * size)) / (1 + z2 / size)
    half = _NORMAL_95 / (1 + z2 / size) * math.sqrt(share * (1 - share) / size + z2 / (4 * size**2))
    low, high = max(0.0, middle - half), min(1.0, middle + half)
    return Estimate(
        found=found,
        matched=found + round(share * rest),
        matched_low=found + math.floor(low * rest),
        matched_high=found + math.ceil(high * rest),
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
