"""What a server holds and may evict, by its INFO."""

from __future__ import annotations

from typing import Any

import pytest

from pymon_tui.invalidation.outlook import memory_of


class Told:
    """A line to a server whose databases say this of themselves."""

    def __init__(self, databases: bytes) -> None:
        self._databases = databases

    async def ask(self, _packed: bytes, _replies: int) -> list[bytes]:
        limit = b"used_memory:90\r\nmaxmemory:100\r\nmaxmemory_policy:volatile-lru"
        return [b"# Memory\r\n" + limit, b"# Stats\r\nevicted_keys:0", b"# Keyspace\r\n" + self._databases]


@pytest.mark.parametrize(
    ("databases", "keys"),
    [
        (b"db0:keys=9,expires=4\r\ndb1:keys=1,expires=0", 4),
        (b"db0:keys=9,expires=4\r\ndb1:keys=1", 10),  # of which it isn't told: none is left out
    ],
)
async def test_a_volatile_policy_may_evict_what_is_told_to_expire(databases: bytes, keys: int) -> None:
    line: Any = Told(databases)
    assert (await memory_of(line)).keys == keys
