"""The ear of a deployment: one of its nodes is listened to, for each gets what is published on any but to shards."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection, Sequence

from pydantic import SecretStr

from pymon_tui.model.feed import Feed
from pymon_tui.model.text import safe
from pymon_tui.server.endpoint import Endpoint
from pymon_tui.server.listener import Listener
from pymon_tui.state.shards import Shards


class Ear:
    """Fills a feed from the node that it is told of.

    Attributes:
        name: The node that is listened to; None before there is one.
        shards: What is published to shards, which is heard at the primary of each slot.
    """

    def __init__(self, feed: Feed, patterns: Sequence[bytes]) -> None:
        """``patterns`` are the channels and patterns that the feed is to be filled from."""
        self.name: str | None = None
        self.shards = Shards(feed)
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
        return self.shards.tasks if self._task is None else (self._task, *self.shards.tasks)

    def client_ids(self, node: str) -> frozenset[int]:
        """The ids of our connections to this node."""
        ids = (self._listener.client_id if self._listener and node == self.name else None, self.shards.client_id(node))
        return frozenset(client_id for client_id in ids if client_id is not None)

    def listen(self, name: str, endpoint: Endpoint) -> None:
        """Listen to this node, and to the one before no more."""
        if self._task is not None:
            self._task.cancel()
            self._feed.mark(safe(f"listening to {name} now; messages in between are lost"), time.time())
        self.name = name
        self._listener = Listener(endpoint, self._feed, self._feed.patterns)
        self._task = asyncio.create_task(self._listener.run())

    async def watch(self, patterns: Collection[bytes]) -> None:
        """Subscribe the feed to these channel patterns and no others."""
        if self._listener is not None:
            await self._listener.watch(patterns)
        else:
            self._feed.patterns = tuple(dict.fromkeys(patterns))

    def retry(self) -> None:
        """Connect now where the connection is lost; what was refused is asked again."""
        self.shards.retry()
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
