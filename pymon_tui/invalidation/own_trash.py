"""The file of the trash that a run begins for itself."""

from __future__ import annotations

import time
from pathlib import Path

from pymon_tui.invalidation.account import Options
from pymon_tui.invalidation.identity import Identity
from pymon_tui.invalidation.order import Order
from pymon_tui.invalidation.part import Part
from pymon_tui.invalidation.room import Room
from pymon_tui.invalidation.trash import TrashHeader, TrashWriter, trash_path
from pymon_tui.invalidation.trash_files import next_number


def opened(
    folder: Path, run: str, who: Identity, order: Order, options: Options, part: Part | None, room: Room | None
) -> TrashWriter:
    """Begin the file of a run, or of a ``part`` of one, which shares the room of the whole.

    Raises:
        TrashError: If it can't be made.
    """
    room = (part.room if part is not None else room) or Room(folder, options.trash_cap)
    share = order.planned / part.bounds.planned if part is not None and part.bounds.planned else 1.0
    number = next_number(folder)
    holds = room.own(run, number, min(1.0, share))
    whose = run, who.run_id, order.db, order.node, time.time()
    header = TrashHeader(*whose, mode=options.mode, marks=True, number=number, closes=True, holds=holds)
    return TrashWriter(trash_path(folder, run), header, cap=0, room=room)
