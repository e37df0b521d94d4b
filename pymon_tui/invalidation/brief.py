"""Which runs are over before the brake could act."""

from __future__ import annotations

from pymon_tui.invalidation.account import Options
from pymon_tui.invalidation.memory import PLENTY
from pymon_tui.invalidation.order import Order

BRIEF = 1.0
"""Seconds of a run that doesn't wait for the idle pulse: two judgements of the brake."""

# Seconds a key, on a server and a line that are slow enough to be on the safe side.
_SCANNED = 1e-6
_NAMED = 1.5e-6
_KEPT = 6e-6


def is_brief(order: Order, options: Options) -> bool:
    """Whether a run begins at once: it is short by its plan, and the server has plenty of room, if it has a limit.

    Where there is little room, what is evicted without the run must be known before it begins.
    """
    room = order.plan.get("room")
    if options.rate is not None or (room is not None and room < PLENTY):
        return False
    each = _NAMED + (_KEPT if options.undo else 0.0)
    scan = order.scan if order.found_all is None else 0
    return scan * _SCANNED + order.planned * each <= BRIEF
