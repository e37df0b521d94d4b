"""Which of a cluster's slots a key or a shard channel is in."""

from __future__ import annotations

from binascii import crc_hqx
from itertools import count

from redis.crc import key_slot

from pymon_tui.model.deployment import SLOTS, Layout


def slot_of(name: bytes) -> int:
    """The slot of a name, by its hash tag if it has one (CLUSTER KEYSLOT)."""
    return key_slot(name)


class Served:
    """Which keys a node of a cluster answers about.

    Attributes:
        told: Its slots, as first and last of each range: none for a replica, which sends everybody to its primary. None
            where it doesn't tell.
    """

    def __init__(self, layout: Layout | None) -> None:
        own = None if layout is None else next((one for one in layout.members if one.id == layout.own), None)
        self.told = None if own is None or layout is None or layout.own is None else own.slots

    def has(self, key: bytes) -> bool | None:
        """Whether it answers about a key; None where it doesn't tell."""
        if self.told is None:
            return None
        slot = slot_of(key)
        return any(first <= slot <= last for first, last in self.told)


def tag_of(name: bytes) -> bytes:
    """A hash tag that tells nothing of a name and puts any other that has it, and none before, into the same slot."""
    slot = slot_of(name)
    return b"{%d}" % next(number for number in count() if crc_hqx(b"%d" % number, 0) % SLOTS == slot)
