"""Sharded Pub/Sub: the shard channels of one node of a cluster, and how many clients follow each there."""

from __future__ import annotations

import heapq

from pymon_tui.model.query import Argument, Command, Query, Reply, itself
from pymon_tui.readings.channels import Channels, decode_numsub
from pymon_tui.readings.info import INFO, Info
from pymon_tui.readings.topology import is_cluster

MOST = 1_000
"""Shard channels of a node whose subscribers are asked for, the first by name; there can be a million of them."""


def decode_shardchannels(reply: Reply) -> tuple[bytes, ...]:
    """The first ``MOST`` shard channels by name, of PUBSUB SHARDCHANNELS.

    Raises:
        ValueError: If the reply is not a list of names.
    """
    if not isinstance(reply, list | set) or not all(isinstance(name, bytes) for name in reply):
        raise ValueError("PUBSUB SHARDCHANNELS answered with something other than names")
    return tuple(heapq.nsmallest(MOST, reply))


def _shardchannels(_own: object, info: Info | None) -> tuple[Argument, ...]:
    return ("PUBSUB", "SHARDCHANNELS") if info is not None and is_cluster(info) else ()


def _shardnumsub(_own: object, names: tuple[bytes, ...] | None) -> tuple[Argument, ...]:
    # Asked without a name too: its empty answer says that the channels are gone.
    return () if names is None else ("PUBSUB", "SHARDNUMSUB", *names)


PUBSUB_SHARDCHANNELS: Command[tuple[bytes, ...]] = Command(
    "pubsub|shardchannels", _shardchannels, decode_shardchannels, every=5.0, given=INFO
)
PUBSUB_SHARDNUMSUB: Command[Channels] = Command(
    "pubsub|shardnumsub", _shardnumsub, decode_numsub, every=5.0, given=PUBSUB_SHARDCHANNELS
)

SHARD_CHANNELS: Query[Channels] = Query("shard_channels", PUBSUB_SHARDNUMSUB, itself)
"""Asked in a cluster alone. A subscriber is counted on the node that it is connected to, be that a replica."""
