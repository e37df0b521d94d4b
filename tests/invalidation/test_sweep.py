from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from redis.asyncio import Redis

from pymon_tui.demo.embedded import EmbeddedServer
from pymon_tui.invalidation.filters import Filters
from pymon_tui.invalidation.pipe import open_pipe
from pymon_tui.invalidation.selection import Selection
from pymon_tui.invalidation.sweep import Page, Place, Refused, Sweep
from pymon_tui.server.endpoint import Endpoint
from tests.invalidation.planned import selecting, user_may
from tests.invalidation.removing import fill, populate


@asynccontextmanager
async def sweeping(
    server: EmbeddedServer,
    selection: Selection,
    *,
    page: int = 100,
    start: Place | None = None,
    user: str | None = None,
) -> AsyncIterator[Sweep]:
    pipe = await open_pipe(Endpoint(socket=server.socket, username=user))
    try:
        yield Sweep(pipe, selection, page=page, start=start)
    finally:
        await pipe.close()


async def all_pages(server: EmbeddedServer, selection: Selection, *, user: str | None = None) -> list[Page]:
    async with sweeping(server, selection, user=user) as sweep:
        return [page async for page in sweep.pages()]


def keys_of(pages: list[Page]) -> list[bytes]:
    return [key for page in pages for key in page.keys]


async def test_each_key_is_found_and_protected_ones_are_counted(any_redis: Redis, any_server: EmbeddedServer) -> None:
    await populate(any_redis, "cache:", 1_000)
    await populate(any_redis, "other:", 1_000)
    pages = await all_pages(any_server, selecting("cache:*", "*:7*", protected=("*99", "cache:100")))
    everything = [b"cache:%d" % number for number in range(1, 1_001)]
    everything += [b"other:%d" % number for number in range(1, 1_001) if str(number).startswith("7")]
    spared = [key for key in everything if key.endswith(b"99") or key == b"cache:100"]
    assert sorted(keys_of(pages)) == sorted(set(everything) - set(spared))
    assert sum(page.protected for page in pages) == len(spared)


async def test_pages_without_a_key_are_handed_out_too(redis: Redis, server: EmbeddedServer) -> None:
    await populate(redis, "other:", 5_000)
    pages = await all_pages(server, selecting("cache:*"))
    assert keys_of(pages) == []
    assert len(pages) > 20


async def test_a_pass_goes_on_where_another_one_was(redis: Redis, server: EmbeddedServer) -> None:
    await populate(redis, "cache:", 1_000)
    await populate(redis, "other:", 1_000)
    pages = await all_pages(server, selecting("cache:*", "other:*"))
    for cut in (3, len(pages) // 2, len(pages) - 1):
        async with sweeping(server, selecting("cache:*", "other:*"), start=pages[cut - 1].place) as sweep:
            rest = [page async for page in sweep.pages()]
        assert keys_of(rest) == keys_of(pages[cut:])
    async with sweeping(server, selecting("cache:*"), start=Place(1, 0)) as sweep:
        assert [page async for page in sweep.pages()] == []


@pytest.mark.parametrize("page", [3, 7, 100])
async def test_what_is_shown_again_while_the_table_shrinks_is_found_once(
    any_redis: Redis, any_server: EmbeddedServer, page: int
) -> None:
    await populate(any_redis, "cache:", 2_000)
    await populate(any_redis, "other:", 4_000)
    shown: list[bytes] = []
    async with sweeping(any_server, selecting("cache:*"), page=page) as sweep:
        async for some in sweep.pages():
            shown += some.keys
            if len(shown) < 500:
                continue
            if await any_redis.exists("other:1"):
                pipeline = any_redis.pipeline(transaction=False)
                for number in range(1, 4_001):
                    pipeline.delete(f"other:{number}")
                for key in shown[:400]:
                    pipeline.delete(key)
                await pipeline.execute()
    assert len(shown) == len(set(shown)) == 2_000


async def test_the_same_key_of_another_pattern_or_pass_is_found_again(redis: Redis, server: EmbeddedServer) -> None:
    await populate(redis, "cache:", 300)
    async with sweeping(server, selecting("cache:*")) as sweep:
        for _ in range(2):
            assert len([key async for page in sweep.pages() for key in page.keys]) == 300


async def test_the_page_may_change_on_the_way(redis: Redis, server: EmbeddedServer) -> None:
    await populate(redis, "cache:", 5_000)
    sizes = []
    async with sweeping(server, selecting("cache:*"), page=100) as sweep:
        async for page in sweep.pages():
            sizes.append(len(page.keys))
            sweep.page = 1_000
        assert sweep.scanned >= 5_000
    assert sum(sizes) == 5_000
    assert max(sizes[:2]) < 300 < max(sizes)


async def test_filters_decide_by_what_the_server_says_of_each_key(redis: Redis, server: EmbeddedServer) -> None:
    await fill(redis, [f"k:{number}" for number in range(50)])
    await fill(redis, ["k:big"], "x" * 10_000)
    await redis.hset("k:hash", "f", "v")
    await redis.set("k:soon", "v", ex=50)
    await redis.set("k:late", "v", ex=5_000)
    for filters, expected in (
        (Filters(type="hash"), {b"k:hash"}),
        (Filters(larger_than=5_000), {b"k:big"}),
        (Filters(expiry="within", expiry_seconds=100), {b"k:soon"}),
        (Filters(expiry="later", expiry_seconds=100), {b"k:late"}),
        (Filters(expiry="none", larger_than=5_000, type="string"), {b"k:big"}),
        (Filters(idle_over=1_000_000), set()),
    ):
        assert set(keys_of(await all_pages(server, selecting("k:*", filters=filters)))) == expected


async def test_a_key_that_may_not_be_looked_at_is_left_out(redis: Redis, server: EmbeddedServer) -> None:
    await fill(redis, ["a:1", "b:1"])
    await user_may(redis, "~a:*", "+@all")
    assert sorted(keys_of(await all_pages(server, selecting("*"), user="pymon"))) == [b"a:1", b"b:1"]
    filtered = selecting("*", filters=Filters(expiry="none"))
    assert keys_of(await all_pages(server, filtered, user="pymon")) == [b"a:1"]


async def test_what_is_refused_is_said_with_its_remedy(redis: Redis, server: EmbeddedServer) -> None:
    await fill(redis, ["a:1"])
    await user_may(redis, "~*", "+@all", "-scan")
    with pytest.raises(Refused, match=r"SCAN was refused: NOPERM .*; ACL SETUSER pymon \+scan"):
        await all_pages(server, selecting("*"), user="pymon")
    await user_may(redis, "~*", "+@all", "-pttl")
    with pytest.raises(Refused, match=r"PTTL was refused: NOPERM .*; ACL SETUSER pymon \+pttl"):
        await all_pages(server, selecting("*", filters=Filters(expiry="none")), user="pymon")
    await redis.config_set("maxmemory-policy", "allkeys-lfu")
    with pytest.raises(Refused, match="OBJECT IDLETIME was refused: ERR"):
        await all_pages(server, selecting("*", filters=Filters(idle_over=1)))


async def test_a_type_that_the_server_does_not_know_is_told_with_those_it_knows(
    redis: Redis, server: EmbeddedServer
) -> None:
    await redis.set("a", "v")
    with pytest.raises(Refused, match=r"SCAN was refused: .*unknown type name.*; types are string, list, set, zset, "):
        await all_pages(server, selecting("a*", filters=Filters(type="strng")))
