"""The ear of a deployment: one of its nodes is listened to, for each gets what is published on any.

But what is published to shards, and the key events of a cluster, is heard at each primary alone.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Sequence

from pydantic import SecretStr

from pymon_tui.model.feed import Feed
from pymon_tui.model.text import safe
from pymon_tui.server.endpoint import Endpoint
from pymon_tui.server.listener import Listener
from pymon_tui.state.key_events import KeyEvents, is_of_keys
from pymon_tui.state.shards import ShardNode, Shards


class Ear:
    """Fills a feed from the node that it is told of.

    Attributes:
        name: The node that is listened to; None before there is one.
    """

    def __init__(self, feed: Feed, patterns: Sequence[bytes]) -> None:
        """``patterns`` are the channels and patterns that the feed is to be filled from."""
        self.name: str | None = None
        self._shards = Shards(feed)
        self._key_events = KeyEvents(feed)
        self._nodes: Sequence[ShardNode] = ()  # of a cluster
        self._feed = feed
        self._task: asyncio.Task[None] | None = None
        self._listener: Listener | None = None
        feed.patterns = tuple(dict.fromkeys(patterns))

    @property
    def patterns(self) -> tuple[bytes, ...]:
        """The channel patterns that the feed is subscribed to."""
        return self._feed.patterns

    @property
    def tasks(self) -> tuple[asyncio.Task[None], ...]:
        """What is under way; none of it ends by itself."""
        own = () if self._task is None else (self._task,)
        return (*own, *self._shards.tasks, *self._key_events.tasks)

    def client_ids(self, node: str) -> frozenset[int]:
        """The ids of our connections to this node."""
        own = self._listener.client_id if self._listener and node == self.name else None
        ids = (own, self._shards.client_id(node), self._key_events.client_id(node))
        return frozenset(client_id for client_id in ids if client_id is not None)

    def listen(self, name: str, endpoint: Endpoint, doubt: Callable[[], None]) -> None:
        """Listen to this node, and to the one before no more; ``doubt`` is called when the connection is lost."""
        if self._task is not None:
            self._task.cancel()
            self._feed.mark(safe(f"listening to {name} now; messages in between are lost"), time.time())
        self.name = name
        self._listener = Listener(endpoint, self._feed, self._feed.patterns, doubt=doubt)
        if self._nodes:
            self._listener.leave_out(is_of_keys)
        self._task = asyncio.create_task(self._listener.run())

    def listen_in_cluster(self, nodes: Sequence[ShardNode], now: float, interval: float) -> None:
        """Listen to each of a cluster's primaries for what it alone tells, at ``now`` (monotonic seconds)."""
        if not self._nodes and self._listener is not None:
            self._listener.leave_out(is_of_keys)
        self._nodes = nodes
        self._shards.update(nodes, now, interval)
        self._key_events.update(nodes)

    async def watch(self, patterns: Collection[bytes]) -> None:
        """Subscribe the feed to these channel patterns and no others."""
        if self._listener is not None:
            await self._listener.watch(patterns)
        else:
            self._feed.patterns = tuple(dict.fromkeys(patterns))
        self._key_events.update(self._nodes)
        self._key_events.retry()

    def retry(self) -> None:
        """Connect now where the connection is lost; what was refused is asked again."""
        self._shards.retry()
        self._key_events.retry()
        if self._listener is not None:
            self._listener.retry()

    def wake(self) -> None:
        """Connect now where the connection is lost: the node is known to answer."""
        if self._listener is not None:
            self._listener.wake()

    def log_in(self, password: SecretStr) -> None:
        """Speak with this password from the next connection on."""
        if self._listener is not None:
            self._listener.log_in(password)
