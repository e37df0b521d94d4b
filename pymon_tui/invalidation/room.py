"""Room for what a run is going to keep."""

from __future__ import annotations

from pathlib import Path

from pymon_tui.invalidation.order import Order
from pymon_tui.invalidation.trash import make_room, trash_folder, trash_size
from pymon_tui.journal.lock import holder


def room_for_trash(folder: Path, cap: int, order: Order) -> int:
    """Bytes that a run's trash may have, once older ones have made room for what it is estimated to need.

    Raises:
        TrashError: If a file can't be removed.
    """
    estimate = order.plan.get("undo_bytes")
    # The estimate is of a sample: half as much again is left for what that missed.
    needed = cap if estimate is None else min(cap, estimate + estimate // 2)
    known = [path.stem for path in trash_folder(folder).glob("*")]
    make_room(folder, cap=cap, needed=needed, keep=[run for run in known if holder(folder, f"run-{run}")])
    return max(0, cap - trash_size(folder))
