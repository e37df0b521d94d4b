"""How many keys don't fit into the room that there is for an undo, by how large they are and how many of each size."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple, TypeAlias

SizeClasses: TypeAlias = tuple[tuple[int, int], ...]
"""How many keys there are of each size or so, and bytes that all of those take in the trash."""

_STEPS = 256  # in which the keys of one size come


class Lost(NamedTuple):
    """Keys that don't fit, and bytes that they would take in the trash."""

    keys: float
    bytes: float


def lost_for_room(sizes: Iterable[tuple[int, int]], room: int, factor: float = 1.0) -> Lost:
    """What doesn't fit into so many bytes, where each key takes ``factor`` times its bytes.

    The keys of each size are spread evenly over the run. One that doesn't fit is left out, and smaller ones go on.
    """
    coming = []
    for keys, bytes_ in sizes:
        steps = min(keys, _STEPS)
        each = factor * bytes_ / max(1, keys)
        coming += [((step + 0.5) / steps, each, keys / steps) for step in range(steps)]
    left, lost, size = float(room), 0.0, 0.0
    for _, each, many in sorted(coming):
        fitting = many if many * each <= left else left // each
        left -= fitting * each
        lost += many - fitting
        size += (many - fitting) * each
    return Lost(lost, size / factor)
