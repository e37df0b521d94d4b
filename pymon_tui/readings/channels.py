"""Pub/Sub: how many channels and patterns are subscribed to, which channels, and by how many clients."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass

from pymon_tui.model.query import Argument, Command, Part, Query, Reply, fixed, itself
from pymon_tui.readings.info import INFO, Info

MOST = 200
"""Channels whose subscribers are asked for; a server can have a million of them."""


@dataclass(frozen=True, slots=True)
class Subscriptions:
    """What INFO stats counts: channels with a subscriber, and different patterns; None where it doesn't tell."""

    pubsub_channels: int | None
    pubsub_patterns: int | None


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel and the clients subscribed to it by name, ourselves included; subscribers by pattern don't count."""

    name: bytes
    subscribers: int


@dataclass(frozen=True, slots=True, eq=False)
class Channels:
    """The channels with a subscriber, at most ``MOST`` of them (the first by name), most subscribers first."""

    channels: tuple[Channel, ...]


def parse_subscriptions(info: Info) -> Subscriptions:
    """The Pub/Sub part of INFO stats."""
    return Subscriptions(info.integer("pubsub_channels"), info.integer("pubsub_patterns"))


def decode_channels(reply: Reply) -> tuple[bytes, ...]:
    """The first ``MOST`` channels by name, of PUBSUB CHANNELS.

    Raises:
        ValueError: If the reply is not a list of names.
    """
    if not isinstance(reply, list | set) or not all(isinstance(name, bytes) for name in reply):
        raise ValueError("PUBSUB CHANNELS answered with something other than names")
    return tuple(heapq.nsmallest(MOST, reply))


def decode_numsub(reply: Reply) -> Channels:
    """Channels with their subscribers, of PUBSUB NUMSUB: a flat list of names and numbers, or a map.

    A channel whose last subscriber left between the two commands is left out.

    Raises:
        ValueError: If the reply is neither.
    """
    if not isinstance(reply, dict) and not (isinstance(reply, list) and len(reply) % 2 == 0):
        raise ValueError("PUBSUB NUMSUB answered with something other than pairs")
    pairs = reply.items() if isinstance(reply, dict) else zip(reply[::2], reply[1::2], strict=True)
    channels = [_channel(name, subscribers) for name, subscribers in pairs]
    followed = (channel for channel in channels if channel.subscribers)
    return Channels(tuple(sorted(followed, key=lambda channel: (-channel.subscribers, channel.name))))


def _channel(name: Reply, subscribers: Reply) -> Channel:
    if not isinstance(name, bytes) or not isinstance(subscribers, int):
        raise ValueError("PUBSUB NUMSUB answered with something other than names and numbers")
    return Channel(name, subscribers)


def _numsub(_known: Channels | None, names: tuple[bytes, ...] | None) -> tuple[Argument, ...]:
    # Asked without a name too: its empty answer says that the channels are gone.
    return () if names is None else ("PUBSUB", "NUMSUB", *names)


PUBSUB_CHANNELS: Command[tuple[bytes, ...]] = Command(
    "pubsub|channels", fixed("PUBSUB", "CHANNELS"), decode_channels, every=5.0
)
PUBSUB_NUMSUB: Command[Channels] = Command("pubsub|numsub", _numsub, decode_numsub, every=5.0, given=PUBSUB_CHANNELS)


def _of_nodes(parts: Sequence[Part[Channels]]) -> Channels:
    """The channels of all nodes, each with its subscribers on any of them."""
    counts: dict[bytes, int] = {}
    for part in parts:
        for channel in part.value.channels:
            counts[channel.name] = counts.get(channel.name, 0) + channel.subscribers
    channels = (Channel(name, subscribers) for name, subscribers in counts.items())
    return Channels(tuple(sorted(channels, key=lambda channel: (-channel.subscribers, channel.name)))[:MOST])


SUBSCRIPTIONS: Query[Subscriptions] = Query("subscriptions", INFO, parse_subscriptions)
CHANNELS: Query[Channels] = Query("channels", PUBSUB_NUMSUB, itself, merge=_of_nodes)
