from __future__ import annotations

import os
import zlib
from functools import partial

from redis.asyncio import Redis

from pymon_tui.demo.embedded import EmbeddedServer
from pymon_tui.invalidation.filters import Filters
from tests.invalidation.planned import plan_of, selecting


async def test_the_trash_is_estimated_by_what_dumps_compress_to(redis: Redis, server: EmbeddedServer) -> None:
    keys = {f"cache:{number}": os.urandom(500).hex() for number in range(3_000)}
    await redis.mset(keys)
    plan = await plan_of(server, selecting("cache:*"))
    dump = partial(redis.execute_command, "DUMP", NEVER_DECODE=True)
    dumps = [await dump(key) for key in keys]
    truth = len(zlib.compress(b"".join(key.encode() + dump for key, dump in zip(keys, dumps, strict=True)), 1))
    assert plan.undo_bytes is not None
    assert abs(plan.undo_bytes / truth - 1) < 0.15


async def test_each_size_shrinks_in_its_own_way(redis: Redis, server: EmbeddedServer) -> None:
    await redis.mset({f"cache:{number}": "v" for number in range(5_000)})
    await redis.mset({f"cache:random:{number}": os.urandom(20_000) for number in range(50)})
    await redis.mset({f"cache:large:{number}": os.urandom(200_000) for number in range(10)})
    plan = await plan_of(server, selecting("cache:*"))
    assert plan.undo_bytes is not None
    assert 0.95 < plan.undo_bytes / (50 * 20_000 + 10 * 200_000) < 1.35  # MEMORY USAGE of a value may be a fifth more


async def test_big_keys_are_left_out_and_never_dumped(redis: Redis, server: EmbeddedServer) -> None:
    await redis.mset({f"cache:{number}": "v" * 100 for number in range(30)})
    await redis.mset({f"cache:big:{number}": "v" * 100_000 for number in range(10)})
    plan = await plan_of(server, selecting("cache:*"), key_cap=50_000)
    assert (plan.matched, plan.oversized, plan.undo_possible) == (40, 10, True)
    assert plan.undo_bytes is not None
    assert plan.undo_bytes < 30 * 200
    statistics = await redis.info("commandstats")
    assert statistics["cmdstat_dump"]["calls"] == 30


async def test_nothing_fits_when_every_key_is_big(redis: Redis, server: EmbeddedServer) -> None:
    await redis.mset({f"cache:{number}": "v" * 1_000 for number in range(5)})
    plan = await plan_of(server, selecting("cache:*"), key_cap=100)
    assert (plan.oversized, plan.undo_bytes) == (5, 0)


async def test_keys_too_big_to_look_at_leave_the_size_unknown(redis: Redis, server: EmbeddedServer) -> None:
    await redis.set("cache:1", "v" * 200_000)
    plan = await plan_of(server, selecting("cache:*"))
    assert (plan.oversized, plan.undo_bytes, plan.undo_possible) == (0, None, True)


async def test_a_plan_for_idle_keys_leaves_them_idle(any_redis: Redis, any_server: EmbeddedServer) -> None:
    async with Redis(unix_socket_path=any_server.socket) as client:
        await client.set("source", "v")
        dump = await client.dump("source")
        for number in range(20):
            await client.restore(f"cache:{number}", 0, dump or b"", idletime=1_000)
    plan = await plan_of(any_server, selecting("cache:*", filters=Filters(idle_over=500)))
    assert (plan.matched, plan.undo_bytes, plan.undo_possible) == (20, None, True)
    assert min([await any_redis.object("IDLETIME", f"cache:{number}") for number in range(20)]) >= 1_000
