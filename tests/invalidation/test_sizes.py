from __future__ import annotations

from redis.asyncio import Redis

from pymon_tui.demo.embedded import EmbeddedServer
from pymon_tui.invalidation.filters import Filters
from pymon_tui.invalidation.pipe import open_pipe
from pymon_tui.invalidation.sizes import FIVE, MORE, WHOLE, Sizes
from pymon_tui.server.endpoint import Endpoint
from tests.invalidation.planned import plan_of, selecting, user_may

LARGE, SMALL = "x" * 500_000, "y" * 8_100
FRONT = 5 * 500_000 + 200 * 8_100
BACK = 5 * 8_100 + 30 * 500_000


async def skewed(redis: Redis) -> None:
    """Collections whose first elements are nothing like the others."""
    await redis.rpush("k:front", *[LARGE] * 5, *[SMALL] * 200)
    await redis.rpush("k:back", *[SMALL] * 5, *[LARGE] * 30)
    await redis.hset("k:hash", mapping={**{f"field:{number}": "v" for number in range(12)}, "blob": "x" * 5_000_000})
    await redis.sadd("k:set", *[f"member:{number}" for number in range(3_000)], "x" * 5_000_000)


async def sizes_of(endpoint: Endpoint, *keys: bytes, whole: int = WHOLE) -> list[int | None]:
    pipe = await open_pipe(endpoint)
    try:
        sizes = Sizes(pipe, whole=whole)
        return [size if isinstance(size, int) else None for size in await sizes.told(sizes.ask(keys))]
    finally:
        await pipe.close()


async def test_collections_are_measured_beyond_their_first_elements(
    any_redis: Redis, any_server: EmbeddedServer
) -> None:
    await skewed(any_redis)
    await any_redis.set("k:text", "x" * 10_000)
    keys = (b"k:front", b"k:back", b"k:hash", b"k:set", b"k:text", b"k:gone")
    front, back, hash_, set_, text, gone = await sizes_of(Endpoint(socket=any_server.socket), *keys)
    assert front is not None
    assert back is not None
    assert FRONT <= front < 1.3 * FRONT
    assert BACK <= back < 1.3 * BACK
    assert 5_000_000 <= (hash_ or 0) < 7_500_000
    assert 5_000_000 <= (set_ or 0) < 7_500_000
    assert 10_000 <= (text or 0) < 15_000
    assert gone is None


async def test_the_same_where_types_are_not_told(redis: Redis, server: EmbeddedServer) -> None:
    await skewed(redis)
    await user_may(redis, "~*", "+@all", "-type")
    front, back = await sizes_of(Endpoint(socket=server.socket, username="pymon"), b"k:front", b"k:back")
    assert FRONT <= (front or 0) < 1.3 * FRONT
    assert BACK <= (back or 0) < 1.3 * BACK
    (entry,) = await redis.acl_log()
    assert (entry["object"], entry["count"]) == ("type", 1)


async def sorted_set_with_a_large_end(redis: Redis) -> None:
    await redis.eval("for n = 1, 12000 do redis.call('zadd', 'k:zset', n, 'member:' .. n) end", 0)
    await redis.zadd("k:zset", {LARGE + str(number): 20_000 + number for number in range(30)})


async def test_what_may_be_dumped_is_seen_whole(any_redis: Redis, any_server: EmbeddedServer) -> None:
    await sorted_set_with_a_large_end(any_redis)
    (size,) = await sizes_of(Endpoint(socket=any_server.socket), b"k:zset")
    assert size == await any_redis.memory_usage("k:zset", samples=0)
    plan = await plan_of(any_server, selecting("k:*"), key_cap=10_000_000)
    assert plan.bytes is not None
    assert plan.bytes.value >= 30 * 500_000
    assert plan.oversized == 1


async def test_what_is_too_large_to_be_kept_is_not_looked_through(redis: Redis, server: EmbeddedServer) -> None:
    await redis.eval("for n = 1, 60000 do redis.call('sadd', 'k:many', 'member:' .. n) end", 0)
    truth = await redis.memory_usage("k:many", samples=0) or 0
    await redis.config_resetstat()
    (found,) = await sizes_of(Endpoint(socket=server.socket), b"k:many", whole=truth // 2)
    assert abs((found or 0) / truth - 1) < 0.2
    statistics = await redis.info("commandstats")
    assert statistics["cmdstat_memory|usage"]["calls"] == 2  # the first look, and one with more samples


async def test_a_filter_by_size_goes_by_what_keys_are(any_redis: Redis, any_server: EmbeddedServer) -> None:
    await skewed(any_redis)
    plan = await plan_of(any_server, selecting("k:*", filters=Filters(larger_than=10_000_000)))
    assert {sample.key for sample in plan.samples} == {b"k:back"}
    plan = await plan_of(any_server, selecting("k:*", filters=Filters(larger_than=4_700_000)))
    assert {sample.key for sample in plan.samples} == {b"k:back", b"k:hash", b"k:set"}


async def test_a_plan_counts_what_keys_are(any_redis: Redis, any_server: EmbeddedServer) -> None:
    await skewed(any_redis)
    plan = await plan_of(any_server, selecting("k:*"), key_cap=10_000_000)
    truth = [await any_redis.memory_usage(f"k:{name}", samples=0) or 0 for name in ("front", "back", "hash", "set")]
    assert plan.bytes is not None
    assert plan.bytes.is_exact
    assert abs(plan.bytes.value / sum(truth) - 1) < 0.02
    assert plan.oversized == 1


async def test_what_five_samples_are_enough_for(any_redis: Redis, any_server: EmbeddedServer) -> None:
    for name in map(str, await any_redis.config_get("*-max-*")):
        if any(compact in name for compact in ("listpack", "ziplist", "intset")):
            await any_redis.config_set(name, 1 if name.startswith("list") else 0)
    six = [str(number) for number in range(6)]
    await any_redis.sadd("k:set", *six)
    await any_redis.hset("k:hash", mapping=dict.fromkeys(six, ""))
    await any_redis.zadd("k:zset", dict.fromkeys(six, 0.0))
    await any_redis.rpush("k:list", *six)
    for name in ("set", "hash", "zset", "list"):
        assert (await any_redis.memory_usage(f"k:{name}") or 0) >= FIVE
    many = [str(number) for number in range(65)]
    await any_redis.sadd("k:set", *many)
    await any_redis.hset("k:hash", mapping=dict.fromkeys(many, ""))
    await any_redis.zadd("k:zset", dict.fromkeys(many, 0.0))
    await any_redis.rpush("k:list", *many)
    for name in ("set", "hash", "zset", "list"):
        assert (await any_redis.memory_usage(f"k:{name}", samples=64) or 0) >= MORE


async def test_tiny_keys_are_asked_about_once(redis: Redis, server: EmbeddedServer) -> None:
    await redis.mset({f"k:{number}": "v" for number in range(100)})
    await redis.config_resetstat()
    await sizes_of(Endpoint(socket=server.socket), *[b"k:%d" % number for number in range(100)])
    statistics = await redis.info("commandstats")
    assert statistics["cmdstat_memory|usage"]["calls"] == 100
    assert "cmdstat_type" not in statistics
