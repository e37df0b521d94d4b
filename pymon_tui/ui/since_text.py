"""Since when a server, or its peaks, have counted; pure."""

from __future__ import annotations

import math

from pymon_tui.model import units
from pymon_tui.model.history import HistoryView
from pymon_tui.model.text import SafeText, safe


def since(history: HistoryView) -> SafeText:
    """``since start``, or ``since 14:03`` (``since 29 Nov``) where the counters were reset then (CONFIG RESETSTAT).

    ``since reset`` where that was before anybody looked: when it was, no server tells.
    """
    reset = history.counted_since
    if reset is None:
        return safe("since start")
    return safe("since reset" if math.isinf(reset) else f"since {units.clock(reset, now(history))}")


def peaks_since(history: HistoryView) -> SafeText:
    """``peaks since 14:03``; ``peaks of 3d`` where a time of day would be another day's; nothing before the first."""
    since, seconds = history.peaks_since, history.peaks_cover
    if since is None:
        return safe("")
    is_today = units.is_today(since, now(history))
    return safe(f"peaks since {units.clock(since, since)}" if is_today else f"peaks of {units.age(seconds)}")


def now(history: HistoryView) -> float:
    """When the newest sample was taken, in Unix seconds."""
    return (history.peaks_since or 0.0) + history.peaks_cover
