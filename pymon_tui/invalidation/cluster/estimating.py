"""How many keys match, about, on all primaries side by side."""

from __future__ import annotations

import asyncio

from pymon_tui.invalidation.cluster.merging import merged_estimate
from pymon_tui.invalidation.cluster.primaries import Found
from pymon_tui.invalidation.estimate import Estimate, estimate
from pymon_tui.invalidation.selection import Selection


async def estimated(found: Found, selection: Selection, seconds: float) -> Estimate | None:
    """How many keys match, within so many seconds; None where one of them doesn't tell. As ``estimate.estimate``.

    Raises:
        LinkError: If one of them can't be reached.
    """
    tasks = [asyncio.create_task(estimate(one.endpoint, selection, seconds)) for one in found.primaries]
    try:
        parts = await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    known = [part for part in parts if part is not None]
    return merged_estimate(known) if len(known) == len(parts) else None
