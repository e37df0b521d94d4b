"""The application's client and cache on the run's server."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from pymon_tui.demo.embedded import EmbeddedServer
from pymon_tui.services.cache import Cache
from tests.services.application import client_of


@pytest.fixture
async def client(server: EmbeddedServer, redis: Redis) -> AsyncIterator[Redis]:
    """A client as an application has it; the server is empty."""
    async with client_of(server) as client:
        yield client


@pytest.fixture
def cache(client: Redis) -> Cache:
    """A cache on that client."""
    return Cache(client)
