"""A plan's pages fit the server's room and hold nobody up, whatever the names are."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis.asyncio import Redis

from pymon_tui.demo.embedded import EmbeddedServer
from pymon_tui.invalidation.memory import FEWEST, Memory
from pymon_tui.invalidation.plan_pages import PlanPages
from tests.conftest import StartServer, client_of
from tests.invalidation.planned import plan_of, selecting

FULL = Memory(limit=100 * 2**20, held=98 * 2**20, counted=98 * 2**20, policy="allkeys-lru")


def tight() -> PlanPages:
    pages = PlanPages(1_000)
    pages.memory = FULL
    return pages


@given(st.lists(st.integers(1, 20_000), min_size=1, max_size=30))
def test_what_the_next_page_tells_fits_once_names_are_known(sizes: list[int]) -> None:
    pages, page = tight(), FEWEST
    for size in sizes:
        page = pages.next(page, 0.0001, [b"n" * size])
        assert page == FEWEST or page * max(sizes[: sizes.index(size) + 1]) <= 2 * 2**20 / 2


def test_without_a_match_pages_grow_slowly_where_there_is_little_room() -> None:
    pages, page, seen = tight(), FEWEST, list[int]()
    for _ in range(10):
        page = pages.next(page, 0.0001, [])
        seen.append(page)
    assert seen[:3] == [2 * FEWEST, 4 * FEWEST, 8 * FEWEST]
    assert max(seen) * 1_024 <= 2 * 2**20 / 2


def test_long_names_make_pages_short_on_any_server() -> None:
    pages = PlanPages(1_000)
    assert pages.next(1_000, 0.0001, [b"short"]) == 1_500
    assert pages.next(1_500, 0.0001, [b"n" * 8_000]) == 32
    assert pages.next(32, 0.0001, [b"short"]) == 32


@pytest.mark.parametrize("size", [2_000, 8_000])
async def test_a_plan_on_a_full_server_costs_nobody_a_key(own_server: StartServer, size: int) -> None:
    server: EmbeddedServer = own_server({"maxmemory-policy": "allkeys-lru"})
    async with client_of(server) as redis:
        await _fill(redis, size)
        memory = await redis.info("memory")
        counted = memory["used_memory"] - memory["mem_not_counted_for_evict"]
        await redis.config_set("maxmemory", counted + 2 * 2**20)
        await redis.config_resetstat()
        plan = await plan_of(server, selecting("c:*"), read=False)
        assert (plan.matched, plan.evicted) == (1_500, 0)
        assert plan.name is not None
        assert plan.name >= size
        assert (await redis.info("stats"))["evicted_keys"] == 0


async def _fill(redis: Redis, size: int) -> None:
    script = "local n = string.rep('n', ARGV[1]) for i = 1, 1500 do redis.call('set', KEYS[1] .. n .. i, n) end"
    for prefix in ("c:", "o:"):
        await redis.eval(script, 1, prefix, str(size))
