"""The users of ``pymon-tui acl``, made on a server by their lines."""

from __future__ import annotations

import shlex
from typing import Any

from pydantic import SecretStr
from redis.asyncio import Redis

from pymon_tui.demo.embedded import EmbeddedServer
from pymon_tui.invalidation.pattern import parse_pattern
from pymon_tui.permissions.users import PLACEHOLDER, User, users
from pymon_tui.server.connection import open_session
from pymon_tui.server.endpoint import Endpoint
from pymon_tui.server.known import known_to

PASSWORD = "a-long-password"
WATCH, KILL, INVALIDATE = range(3)


async def run(redis: Redis, *words: Any) -> Any:
    """One command, as it stands."""
    return await redis.execute_command(*words)  # type: ignore[no-untyped-call]


async def made(redis: Redis, server: EmbeddedServer, *patterns: str) -> tuple[User, ...]:
    """The three users, created on the server by their lines."""
    session, _ = await open_session(Endpoint(socket=server.socket))
    known = await known_to(session)
    await session.close()
    found = users(known, [parse_pattern(pattern).glob for pattern in patterns], [b"notifications:*"])
    for user in found:
        await run(redis, *shlex.split(user.line.replace(PLACEHOLDER, f">{PASSWORD}")))
    await run(redis, "ACL", "LOG", "RESET")
    return found


def endpoint_of(server: EmbeddedServer, user: User) -> Endpoint:
    """The server as this user."""
    return Endpoint(socket=server.socket, username=user.name, password=SecretStr(PASSWORD))
