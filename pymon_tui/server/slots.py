"""Which of a cluster's slots a key or a shard channel is in."""

from __future__ import annotations

from redis.crc import key_slot


def slot_of(name: bytes) -> int:
    """The slot of a name, by its hash tag if it has one (CLUSTER KEYSLOT)."""
    return key_slot(name)
