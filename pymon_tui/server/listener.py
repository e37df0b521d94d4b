"""Follows Pub/Sub channels on a connection of its own and fills a feed."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence

from pymon_tui.model.feed import Feed
from pymon_tui.server.endpoint import Endpoint


class Listener:
    def __init__(self, endpoint: Endpoint, feed: Feed, patterns: Sequence[bytes]) -> None:
        self.client_id: int | None = None
        self._patterns = tuple(patterns)

    @property
    def patterns(self) -> tuple[bytes, ...]:
        return self._patterns

    async def run(self) -> None:
        await asyncio.Event().wait()

    async def watch(self, patterns: Collection[bytes]) -> None:
        self._patterns = tuple(patterns)
