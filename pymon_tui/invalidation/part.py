"""What a run on one node of a cluster has in common with those on the others, which make one run together."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

from redis.crc import key_slot

from pymon_tui.invalidation.bounds import Bounds, Rate
from pymon_tui.invalidation.room import Room
from pymon_tui.invalidation.slots import Ranges
from pymon_tui.invalidation.sweep import Page


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """One of the parts.

    Attributes:
        group: The run that they make together.
        node_id: The cluster's id of the node.
        slots: What the node serves.
        only: The slots whose keys alone are to go, wherever they are on their way; None for all that are found.
        bounds: How many keys may go in all.
        rate: How fast all may go together; None for as fast as the brakes allow.
        room: What all may keep together; None where nothing is kept.
        check: Raises OrderError once another node has taken the place of this one.
        astray: Slots of keys that were found here and are served elsewhere by now, or are on their way.
    """

    group: str
    node_id: str
    slots: Ranges
    only: frozenset[int] | None
    bounds: Bounds
    rate: Rate | None
    room: Room | None
    check: Callable[[], Awaitable[None]]
    astray: set[int] = field(default_factory=set)

    def serves(self, key: bytes) -> bool:
        """Whether the key is the node's own, and not one on its way."""
        slot = key_slot(key)
        return any(first <= slot <= last for first, last in self.slots)

    def as_json(self) -> dict[str, Any]:
        """For the journal."""
        return {
            "group": self.group,
            "node_id": self.node_id,
            "slots": [list(ends) for ends in self.slots],
            "astray": self.only is not None,
        }

    def stray(self, keys: list[bytes]) -> None:
        """Note keys that are not to be had here: they are neither gone nor refused, and looked for again."""
        self.astray.update(map(key_slot, keys))


async def of_slots(pages: AsyncGenerator[Page], slots: frozenset[int]) -> AsyncGenerator[Page]:
    """The same pages with the keys of these slots alone; what is protected was counted by another pass."""
    async with aclosing(pages):
        async for page in pages:
            keys, moved = ([key for key in some if key_slot(key) in slots] for some in (page.keys, page.moved))
            yield Page(keys, 0, page.place, moved)
