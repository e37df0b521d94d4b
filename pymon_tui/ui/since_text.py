"""Since when a server has counted; pure."""

from __future__ import annotations

from pymon_tui.model import units
from pymon_tui.model.history import HistoryView
from pymon_tui.model.text import SafeText, safe


def since(history: HistoryView) -> SafeText:
    """``since start``, or ``since 14:03`` where the counters were reset then (CONFIG RESETSTAT).

    A reset is known where it was seen: no server tells of one.
    """
    reset = history.counted_since
    return safe("since start" if reset is None else f"since {units.clock(reset)}")
