"""A unix socket in front of a server's, which notes what is asked and cuts the line at a command."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.servers.proxy import Proxy, proxied


@asynccontextmanager
async def cutting(server: str, cut_at: bytes, *, uncut: int, arrives: bool) -> AsyncIterator[Proxy]:
    """A line to the server at this path, cut once."""
    async with proxied(server, unix=True) as line:
        line.cut_at(cut_at, uncut=uncut, arrives=arrives)
        yield line
