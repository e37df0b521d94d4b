"""Which of a cluster's slots a key or a shard channel is in."""

from __future__ import annotations

from binascii import crc_hqx
from itertools import count

from redis.crc import key_slot

_SLOTS = 16_384


def slot_of(name: bytes) -> int:
    """The slot of a name, by its hash tag if it has one (CLUSTER KEYSLOT)."""
    return key_slot(name)


def tag_of(name: bytes) -> bytes:
    """A hash tag that tells nothing of a name and puts any other that has it, and none before, into the same slot."""
    slot = slot_of(name)
    return b"{%d}" % next(number for number in count() if crc_hqx(b"%d" % number, 0) % _SLOTS == slot)
