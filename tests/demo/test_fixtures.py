"""The shared servers of the fixtures are clean for each test, of every kind there is here."""

from __future__ import annotations

import pytest
from redis.asyncio import Redis


@pytest.mark.parametrize("turn", [1, 2])
async def test_nothing_of_the_test_before_is_left(any_redis: Redis, turn: int) -> None:
    stats = await any_redis.info("stats")
    assert (stats["keyspace_hits"], stats["total_error_replies"]) == (0, 0)
    assert await any_redis.dbsize() == 0
    assert await any_redis.slowlog_len() == 0
    assert await any_redis.acl_users() == ["default"]
    assert await any_redis.config_get("maxmemory") == {"maxmemory": "0"}

    await any_redis.config_set("slowlog-log-slower-than", 0)
    await any_redis.config_set("maxmemory", "20mb")
    await any_redis.acl_setuser(f"user-{turn}", enabled=True)
    await any_redis.set("key", turn)
    assert await any_redis.get("key") == str(turn)
