"""What a plan says of a server near its memory limit: what a run there would be like, and what else is possible."""

from __future__ import annotations

from pymon_tui.invalidation.fruitless import PORTION
from pymon_tui.invalidation.key_bytes import Total
from pymon_tui.invalidation.memory import Memory
from pymon_tui.invalidation.preflight import Mode
from pymon_tui.model import units
from pymon_tui.model.text import SafeText, safe

_END = 64  # bytes that the end of a key takes, with its place in the table


def room_warnings(
    memory: Memory, total: Total, keys: int, *, mode: Mode, undo: bool, evicted: int | None
) -> tuple[SafeText, ...]:
    """What to know before ``keys`` keys go, of which these were measured; nothing where there is room.

    ``evicted`` keys were evicted while the plan was made.
    """
    room = memory.room
    if room is None:
        return ()
    how = f"{memory.policy} evicts keys beyond it" if memory.evicts else "writes are refused beyond it"
    left = f"{units.bytes_(max(0, room))} of room are left until maxmemory, and {how}"
    warnings = []
    if evicted:
        warnings.append(f"{units.keys(evicted)} evicted while the plan was made, for its replies or for other clients")
    if undo and total.largest_kept > memory.spare:
        size = units.bytes_(total.largest_kept)
        warnings.append(f"{left}: the largest key's undo takes {size}, and the run stops there unless there is room")
    elif undo and room < PORTION:
        warnings.append(f"{left}: the undo is kept in tiny portions, which is slower; without an undo it is quicker")
    if mode == "expire" and keys * _END > room:
        ends = units.bytes_(keys * _END)
        warnings.append(f"{left}: the ends of {units.keys(keys)} take about {ends} there, until the keys end")
    return tuple(safe(warning, 300) for warning in warnings)
