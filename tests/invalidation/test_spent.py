from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from redis.asyncio import Redis

from pymon_tui.demo.embedded import EmbeddedServer
from pymon_tui.invalidation.account import Options, Result
from pymon_tui.invalidation.cluster.primaries import find
from pymon_tui.invalidation.copies import NO_COPIES, Sent, Weighed
from pymon_tui.invalidation.freed import Freed, added
from pymon_tui.invalidation.naming import Account, Batch
from pymon_tui.invalidation.order import Order
from pymon_tui.invalidation.pipe import open_pipe
from pymon_tui.invalidation.planning import Planning
from pymon_tui.invalidation.removal import Removal
from pymon_tui.invalidation.report import freed_row
from pymon_tui.invalidation.spent import Spent
from pymon_tui.invalidation.trash import TrashReader
from pymon_tui.journal.journal import Journal
from pymon_tui.removing.account_text import run_lines
from pymon_tui.removing.follow_up import FollowUp
from pymon_tui.server import clock
from pymon_tui.server.endpoint import Endpoint
from tests.invalidation.planned import plan_of, selecting
from tests.invalidation.removing import PLAIN, fill, populate, record_of, removal_of, removed, under_way
from tests.server.listening import until
from tests.ui.scripted_desk import result_of

pytestmark = pytest.mark.usefixtures("at_once")


async def spent_of(server: EmbeddedServer, order: Order) -> Spent:
    pipe = await open_pipe(Endpoint(socket=server.socket))
    try:
        spent = Spent(order)
        await spent.begin(pipe)
        await spent.end(pipe)
        return spent
    finally:
        await pipe.close()


async def test_what_is_freed_is_the_plans_sum(redis: Redis, server: EmbeddedServer, tmp_path: Path) -> None:
    await fill(redis, [f"cache:{number}" for number in range(500)], "x" * 3_000)
    await redis.set("cache:large", "x" * 500_000)
    plan = await plan_of(server, selecting("cache:*"))
    assert plan.bytes is not None
    result = await removed(server, selecting("cache:*"), tmp_path)
    assert (result.tally.removed, result.freed, result.evicted) == (501, Freed(plan.bytes.value, "plan"), 0)


async def test_no_more_is_freed_than_the_server_held(redis: Redis, server: EmbeddedServer) -> None:
    await fill(redis, [f"cache:{number}" for number in range(50)])
    order = Order.of(await plan_of(server, selecting("cache:*")), None)
    spent = await spent_of(server, replace(order, key_bytes=10.0**9, plan={}))
    held = (await redis.info("memory"))["used_memory"]
    assert 0 < (spent.freed(50).bytes or 0) < 2 * held
    assert spent.evicted == 0


async def test_a_part_is_told_unless_a_few_keys_hold_most(redis: Redis, server: EmbeddedServer) -> None:
    await fill(redis, [f"cache:{number}" for number in range(100)], "x" * 1_000)
    even = Order.of(await plan_of(server, selecting("cache:*")), None)
    spent = await spent_of(server, even)
    assert spent.freed(50) == Freed(round((even.key_bytes or 0) * 50), "plan")
    await redis.set("cache:large", "x" * 1_000_000)
    skewed = Order.of(await plan_of(server, selecting("cache:*")), None)
    spent = await spent_of(server, skewed)
    assert spent.freed(50) == Freed()
    assert (spent.freed(101).bytes or 0) > 1_000_000
    assert Spent(replace(skewed, key_bytes=None)).freed(101) == Freed()


async def test_values_that_grew_since_the_plan_are_weighed_as_they_went(
    redis: Redis, server: EmbeddedServer, tmp_path: Path
) -> None:
    await fill(redis, [f"cache:{number}" for number in range(50)])
    removal = await removal_of(server, selecting("cache:*"), tmp_path, Options(undo=True))
    await fill(redis, [f"cache:{number}" for number in range(50)], "x" * 20_000)
    result = await removal.run()
    assert (result.tally.removed, result.freed.by, result.freed.at_least) == (50, "run", False)
    assert 50 * 20_000 < (result.freed.bytes or 0) < 50 * 30_000


async def test_what_nobody_weighed_is_told_as_the_plans(redis: Redis, server: EmbeddedServer, tmp_path: Path) -> None:
    await fill(redis, [f"cache:{number}" for number in range(50)])
    removal = await removal_of(server, selecting("cache:*"), tmp_path, Options(undo=False))
    await fill(redis, [f"cache:{number}" for number in range(50)], "x" * 20_000)
    result = await removal.run()
    assert result.freed.by == "plan"
    assert freed_row(result, "unlink").text.endswith(" by the plan")


async def test_where_some_were_not_weighed_it_is_at_least_what_the_others_took(
    redis: Redis, server: EmbeddedServer
) -> None:
    await fill(redis, [f"cache:{number}" for number in range(50)])
    spent = await spent_of(server, Order.of(await plan_of(server, selecting("cache:*")), None))
    assert spent.freed(50, Weighed(30, 4_000)) == Freed(4_000, "run", at_least=True)
    assert spent.freed(50, Weighed(50, 4_000)) == Freed(4_000, "run")
    assert freed_row(result_of(freed=Freed(2_048, "run", at_least=True)), "unlink").text == "at least 2.00 KiB"


async def test_of_a_batch_of_which_some_were_gone_the_smallest_are_weighed() -> None:
    keys = [b"a", b"b", b"c"]
    sent = Sent(Batch(keys, asyncio.get_running_loop().create_future()), NO_COPIES, True, None, [5, 900, 7])
    weighed = Weighed()
    sent.weigh(Account(removed=2, already_gone=1), weighed)
    assert weighed == Weighed(0, 12)
    sent.weigh(Account(removed=3), weighed)
    assert weighed == Weighed(3, 924)


async def test_only_those_are_listed_as_too_big_that_are_known_to_be_gone() -> None:
    keys, big = [b"a", b"b", b"c"], frozenset((b"b", b"c"))
    batch = Batch(keys, asyncio.get_running_loop().create_future())
    sent = Sent(batch, NO_COPIES, True, None, (), big)
    assert sent.oversized_gone(Account(removed=3)) == [b"b", b"c"]
    assert sent.oversized_gone(Account(removed=2, refused=[b"b"])) == [b"c"]
    assert sent.oversized_gone(Account(removed=1, untouched=[b"a"], moved=[b"c"])) == [b"b"]
    assert sent.oversized_gone(Account(removed=2, already_gone=1)) == []  # of one of them it isn't so
    assert sent.oversized_gone(Account(untouched=keys)) == []


def test_what_is_added_is_no_more_certain_than_its_parts() -> None:
    run, least, plan = Freed(5, "run"), Freed(3, "run", at_least=True), Freed(2, "plan")
    assert added([run, least]) == Freed(8, "run", at_least=True)
    assert added([run, plan, run]) == Freed(12, "plan")
    assert added([run, Freed()]) == Freed()
    for one in (run, least, plan, Freed()):
        assert Freed.from_json(one.as_json()) == one
    assert Freed.from_json({"bytes_estimated": 7}).text == "about 7 B by the plan"  # of an older version


async def test_what_is_kept_is_decided_by_what_keys_are(
    any_redis: Redis, any_server: EmbeddedServer, tmp_path: Path
) -> None:
    await any_redis.rpush("l:front", *["x" * 500_000] * 5, *["y" * 8_100] * 200)
    await any_redis.rpush("l:back", *["y" * 8_100] * 5, *["x" * 500_000] * 30)
    held = (await any_redis.info("memory"))["used_memory"]
    await any_redis.config_resetstat()
    result = await removed(any_server, selecting("l:*"), tmp_path, Options(undo=True, key_cap=8_000_000))
    assert (result.outcome, result.tally.removed, result.undo_left_out) == ("done", 2, 1)
    assert result.oversized_keys == (b"l:back",)
    assert result.freed.bytes is not None
    assert FRONT_AND_BACK <= result.freed.bytes <= held
    assert (await any_redis.info("commandstats"))["cmdstat_dump"]["calls"] == 1
    assert result.undo is not None
    with TrashReader(result.undo) as reader:
        assert [key for block in reader.blocks() for key, _, _ in block.records] == [b"l:front"]


FRONT_AND_BACK = 5 * 500_000 + 200 * 8_100 + 5 * 8_100 + 30 * 500_000


async def test_evictions_while_it_goes_on_are_told(redis: Redis, server: EmbeddedServer, tmp_path: Path) -> None:
    await populate(redis, "cache:", 6_000)
    await fill(redis, [f"live:{number}" for number in range(200)], "x" * 10_000)
    removal = await removal_of(server, selecting("cache:*"), tmp_path, replace(PLAIN, rate=10_000))
    async with under_way(removal) as task:
        await until(lambda: removal.progress.tally.removed > 0)
        await redis.config_set("maxmemory-policy", "allkeys-random")
        used = (await redis.info("memory"))["used_memory"]
        await redis.config_set("maxmemory", used - 500_000)
        async with redis.client() as other:
            while not (await other.info("stats"))["evicted_keys"]:
                await other.ping()
        await redis.config_set("maxmemory", 0)
        evicted = (await redis.info("stats"))["evicted_keys"]
        result = await task
    assert (result.outcome, result.evicted) == ("done", evicted)
    assert result.as_json()["evicted"] == evicted


def test_evictions_are_in_the_account() -> None:
    def told(result: Result) -> str:
        return "\n".join(run_lines(result, "unlink", FollowUp()))

    assert "  evicted         1 234 keys meanwhile: the server is at maxmemory" in told(result_of(evicted=1_234))
    assert "evicted" not in told(result_of(evicted=0))
    assert "evicted" not in told(result_of(evicted=None))


async def evict(redis: Redis) -> int:
    """Have some keys evicted; how many in all by now."""
    before = (await redis.info("stats"))["evicted_keys"]
    await redis.config_set("maxmemory-policy", "allkeys-random")
    await redis.config_set("maxmemory", (await redis.info("memory"))["used_memory"] - 100_000)
    while (await redis.info("stats"))["evicted_keys"] == before:
        await redis.ping()
    await redis.config_set("maxmemory", 0)
    return int((await redis.info("stats"))["evicted_keys"])


async def test_what_goes_between_a_plan_and_its_run_is_told_where_nobody_was_asked(
    redis: Redis, server: EmbeddedServer
) -> None:
    """The connections in between are the run's; what goes while a person thinks is not."""
    await fill(redis, [f"live:{number}" for number in range(200)], "x" * 10_000)
    before = await evict(redis)
    plan = await plan_of(server, selecting("live:*"))
    assert plan.evicted_at is not None
    assert plan.evicted_at[0] == before
    now = await evict(redis)
    order = Order.of(replace(plan, evicted=3), None)
    spent = await spent_of(server, replace(order, evicted_at=(before, clock.now() - 1.0)))
    assert spent.evicted == now - before + 3
    spent = await spent_of(server, replace(order, evicted_at=(before, clock.now() - 60.0)))
    assert spent.evicted == 3
    spent = await spent_of(server, replace(order, evicted_at=(now + 1, clock.now())))
    assert spent.evicted == 3  # the counter was reset in between


async def test_what_went_for_the_plan_is_told_from_the_look_at_its_server_on(
    redis: Redis, server: EmbeddedServer, tmp_path: Path
) -> None:
    await fill(redis, [f"live:{number}" for number in range(200)], "x" * 10_000)
    endpoint = Endpoint(socket=server.socket)
    (primary,) = (await find(endpoint)).primaries
    assert primary.evicted == 0
    now = await evict(redis)
    await redis.config_set("maxmemory", 10**9)
    plan = await Planning(
        endpoint, selecting("live:*"), mode="unlink", undo=True, key_cap=10**6, evicted=primary.evicted
    ).run()
    assert plan.evicted == now
    result = await Removal(endpoint, Order.of(plan, None), PLAIN, Journal(tmp_path), read_only=False).run()
    assert result.evicted == now
    order, _ = Order.resuming(record_of(tmp_path))
    assert (order.evicted, order.evicted_at) == (0, None)  # the first run told of them
