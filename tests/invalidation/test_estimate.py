from __future__ import annotations

import asyncio
from random import Random

import pytest
from redis.asyncio import Redis

from pymon_tui.demo.embedded import EmbeddedServer
from pymon_tui.invalidation.estimate import Estimate, estimate, extrapolate, share_per_key_of
from pymon_tui.invalidation.selection import SelectionError
from pymon_tui.server.endpoint import Endpoint
from tests.demo.waiting import a_moment
from tests.invalidation.planned import only_client_left, selecting, user_may


async def test_a_small_database_is_counted_whole(redis: Redis, server: EmbeddedServer) -> None:
    await redis.mset({f"user:{number}": "v" for number in range(300)} | {f"x:{number}": "v" for number in range(700)})
    found = await estimate(Endpoint(socket=server.socket), selecting("user:*", "*:1*", protected=("user:2",)), 30)
    # 299 users, and x:1, x:10 to x:19, x:100 to x:199.
    assert found == Estimate(410, 410, 410, 410, 1_000, 1_000, complete=True)


async def test_an_empty_database(redis: Redis, server: EmbeddedServer) -> None:
    found = await estimate(Endpoint(socket=server.socket), selecting("user:*"), 30)
    assert found == Estimate(0, 0, 0, 0, 0, 0, complete=True)


async def test_a_part_of_the_database_bounds_the_rest(redis: Redis, server: EmbeddedServer) -> None:
    for begin in range(0, 200_000, 20_000):
        names = range(begin, begin + 20_000)
        await redis.mset({f"user:{number}" if number % 4 == 0 else f"x:{number}": "v" for number in names})
    endpoint = Endpoint(socket=server.socket)
    # However little is looked at in that time, more time than that would be a whole count.
    for seconds in (0.001, 0.01, 0.05):
        found = await estimate(endpoint, selecting("user:*"), seconds)
        assert found is not None
        assert found.total == 200_000
        assert found.found <= found.matched_low <= found.matched <= found.matched_high <= 200_000 or not found.scanned
        width = (found.matched_high - found.matched_low) / 2
        assert abs(found.matched - 50_000) <= 4 * width + 1


async def test_who_types_on_cancels_it(redis: Redis, server: EmbeddedServer) -> None:
    await redis.mset({f"user:{number}": "v" for number in range(100_000)})
    running = asyncio.create_task(estimate(Endpoint(socket=server.socket), selecting("user:*"), 30))
    async with asyncio.timeout(10):
        while "cmdstat_scan" not in await redis.info("commandstats"):
            await a_moment()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    await only_client_left(redis)


async def test_a_selection_that_may_not_run_is_refused() -> None:
    with pytest.raises(SelectionError):
        await estimate(Endpoint(), selecting(), 0.3)


async def test_without_dbsize_there_is_no_estimate(redis: Redis, server: EmbeddedServer) -> None:
    await user_may(redis, "~*", "+@all", "-dbsize")
    assert await estimate(Endpoint(socket=server.socket, username="pymon"), selecting("user:*"), 0.3) is None


def test_the_bounds_hold_nineteen_times_in_twenty() -> None:
    chance = Random(11)
    for matching, share, total in ((5_000, 0.05, 10_000), (40, 0.1, 100_000), (3_000, 0.9, 10_000)):
        held = 0
        for _ in range(300):
            found = extrapolate(sum(chance.random() < share for _ in range(matching)), share, total)
            held += found.matched_low <= matching <= found.matched_high
        assert held >= 275


def test_nothing_found_is_not_nothing_there() -> None:
    none = extrapolate(0, 0.01, 100_000)
    assert (none.matched, none.matched_low) == (0, 0)
    assert 300 < none.matched_high < 500
    assert extrapolate(0, 0.0, 100) == Estimate(0, 0, 0, 100, 0, 100, complete=False)
    assert extrapolate(7, 1.0, 100) == Estimate(7, 7, 7, 7, 100, 100, complete=False)


def test_the_cursor_says_how_much_of_the_table_was_passed() -> None:
    # One of eight buckets passed, with 100 of 800 keys.
    assert share_per_key_of(0b100, 100, 800) == 1 / 800
    assert share_per_key_of(0b011, 700, 800) == 6 / 8 / 700
    # A sparse table: of 1 000 counted keys there were 125.
    assert share_per_key_of(0b100, 1_000, 1_000) == 1 / 8_000
    # A cursor that is no place in a table.
    assert share_per_key_of(1, 100, 800) == 1 / 800
