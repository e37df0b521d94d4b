"""Sharded Pub/Sub of a cluster: what matches the feed's patterns is followed at the node that serves its slot."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from pymon_tui.invalidation.pattern import Pattern, PatternError, matcher
from pymon_tui.model.feed import Feed
from pymon_tui.model.query import Reading, Ready
from pymon_tui.model.text import SafeText, safe
from pymon_tui.readings.channels import Channels
from pymon_tui.server.endpoint import Endpoint
from pymon_tui.server.listener import Listener
from pymon_tui.server.slots import slot_of
from pymon_tui.state.tributary import Tributary

KEPT = 15.0
"""Seconds for which a channel is followed that nobody else follows any more, at least three ticks: when a slot moves,
others follow it in their own time. We must let go in the end, for it would be listed for ever on our account."""


@dataclass(frozen=True, slots=True, eq=False)
class ShardNode:
    """A node of a cluster, as far as shard channels go.

    Attributes:
        name: What it is followed by.
        endpoint: Where it can be reached.
        slots: The slots it serves, as first and last of each range; empty for a replica.
        channels: The shard channels with a subscriber there.
        away: Why it can't be reached; None while it can.
        doubt: To be called when a connection to it is lost.
    """

    name: str
    endpoint: Endpoint
    slots: tuple[tuple[int, int], ...]
    channels: Reading[Channels]
    away: SafeText | None = None
    doubt: Callable[[], None] = lambda: None


class Shards:
    """Keeps a feed filled from shard channels; a connection to each primary that has any that are followed."""

    def __init__(self, feed: Feed) -> None:
        """``feed`` says by its patterns what is followed."""
        self._feed = feed
        self._listening: dict[str, tuple[Listener, asyncio.Task[None], Endpoint]] = {}
        self._wanted_until: dict[bytes, float] = {}
        self._places: dict[bytes, str] = {}  # the node that each was followed at last

    @property
    def tasks(self) -> tuple[asyncio.Task[None], ...]:
        """What is under way; none of it ends by itself."""
        return tuple(task for _, task, _ in self._listening.values())

    def client_id(self, node: str) -> int | None:
        """The id of our connection to this node; None while there is none."""
        found = self._listening.get(node)
        return found[0].client_id if found is not None else None

    def update(self, nodes: Sequence[ShardNode], now: float, interval: float) -> None:
        """Follow what there is at ``now`` (monotonic seconds), where it is served now.

        Args:
            nodes: All of the deployment; outside a cluster none of them has slots.
            interval: Seconds between two ticks.
        """
        for node in nodes:
            for name, at in self._followed_by_others(node):
                until = at + max(KEPT, 3 * interval)
                self._wanted_until[name] = max(until, self._wanted_until.get(name, until))
        matches = matching(self._feed.patterns)
        self._wanted_until = {
            name: until for name, until in self._wanted_until.items() if until > now and matches(name)
        }
        owners = [node for node in nodes if node.slots]
        places = {name: found.name for name in self._wanted_until if (found := _owner(owners, name)) is not None}
        self._mark_moved(places)
        self._places = places
        for unused in self._listening.keys() - set(places.values()):
            self._listening.pop(unused)[1].cancel()
        for node in owners:
            channels = [name for name, place in places.items() if place == node.name]
            if channels:
                self._follow(node, channels)

    def retry(self) -> None:
        """Connect now where a connection is lost; what was refused is asked again."""
        for listener, _, _ in self._listening.values():
            listener.retry()

    def _mark_moved(self, places: Mapping[bytes, str]) -> None:
        moved = [name for name, place in places.items() if self._places.get(name, place) != place]
        if moved:
            what = f"{safe(moved[0], 60)} is" if len(moved) == 1 else f"{len(moved)} shard channels are"
            text = f"{what} at {places[moved[0]]} now; messages in between may be lost"
            self._feed.mark(safe(text), time.time())

    def _follow(self, node: ShardNode, channels: Sequence[bytes]) -> None:
        found = self._listening.get(node.name)
        if found is not None and found[2] != node.endpoint:  # another password
            self._listening.pop(node.name)[1].cancel()
            found = None
        if found is None:
            filled = Tributary(self._feed, f"shard channels of {node.name}")
            listener = Listener(node.endpoint, filled, channels, shards=True, doubt=node.doubt)
            found = self._listening[node.name] = (listener, asyncio.create_task(listener.run()), node.endpoint)
        if not found[0].is_refused:
            found[0].follow(channels)

    def _followed_by_others(self, node: ShardNode) -> Iterable[tuple[bytes, float]]:
        """The channels of a node that not only we follow, and when that was told."""
        if not isinstance(node.channels, Ready):
            return
        found = self._listening.get(node.name)
        ours = found[0].held_since if found is not None else {}
        at = node.channels.at
        for channel in node.channels.value.channels:
            # What was counted before we came counts nothing of ours.
            counted_us = channel.name in ours and ours[channel.name] < at
            if channel.subscribers > counted_us:
                yield channel.name, at


def _owner(nodes: Iterable[ShardNode], channel: bytes) -> ShardNode | None:
    slot = slot_of(channel)
    return next((node for node in nodes if any(first <= slot <= last for first, last in node.slots)), None)


def matching(patterns: Iterable[bytes]) -> Callable[[bytes], bool]:
    """Whether a channel is one of these, or matched by one."""
    globs = []
    for pattern in patterns:
        try:
            globs.append(Pattern(pattern))
        except PatternError:  # a channel without a name, or what servers read in different ways
            continue
    return matcher(tuple(globs))
