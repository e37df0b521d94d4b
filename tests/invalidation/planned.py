"""Selections and plans for the tests, and users that may not do all."""

from __future__ import annotations

import asyncio

from redis.asyncio import Redis

from pymon_tui.demo.embedded import EmbeddedServer
from pymon_tui.invalidation.filters import Filters
from pymon_tui.invalidation.pattern import parse_pattern
from pymon_tui.invalidation.plan import Plan
from pymon_tui.invalidation.planning import Planning
from pymon_tui.invalidation.preflight import Mode
from pymon_tui.invalidation.selection import Selection
from pymon_tui.server.endpoint import Endpoint
from tests.demo.waiting import a_moment

KEY_CAP = 16 * 1024 * 1024


def selecting(
    *patterns: str, filters: Filters | None = None, protected: tuple[str, ...] = (), max_keys: int = 1_000_000
) -> Selection:
    """These patterns; all keys where they say so."""
    return Selection(
        patterns=tuple(map(parse_pattern, patterns)),
        filters=filters or Filters(),
        protected=tuple(map(parse_pattern, protected)),
        max_keys=max_keys,
        every=True,
    )


async def plan_of(
    server: EmbeddedServer | Endpoint,
    selection: Selection,
    *,
    mode: Mode = "unlink",
    undo: bool = True,
    key_cap: int = KEY_CAP,
    read: bool = True,
) -> Plan:
    """The plan of a selection on this server."""
    endpoint = Endpoint(socket=server.socket) if isinstance(server, EmbeddedServer) else server
    return await Planning(endpoint, selection, mode=mode, undo=undo, key_cap=key_cap, read=read).run()


async def user_may(redis: Redis, *rules: str) -> None:
    """Let a user called pymon, without a password, do this and nothing else."""
    await redis.execute_command("ACL", "SETUSER", "pymon", "reset", "on", "nopass", *rules)  # type: ignore[no-untyped-call]


async def only_client_left(redis: Redis) -> None:
    """Wait until the server has no other connection than this client's."""
    async with asyncio.timeout(10):
        while len(await redis.client_list()) > 1:
            await a_moment()
