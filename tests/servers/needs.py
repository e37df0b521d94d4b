"""What a test needs of a server that not every kind has."""

from __future__ import annotations

import pytest
from redis.asyncio import Redis


async def needs(redis: Redis, *commands: str) -> None:
    """Skip the test where the server lacks a command, such as ``client|no-touch``.

    Before Redis 7 a subcommand is none by itself: no ACL rule can take it away, and COMMAND doesn't tell of it.
    """
    for command in commands:
        (known,) = await redis.execute_command("COMMAND INFO", command)  # type: ignore[no-untyped-call]
        if known is None:
            pytest.skip(f"the server has no {command}: nothing to test there")
