"""A run that follows its plan at once names the keys that the plan found, and looks for none of them again."""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from pathlib import Path

import pytest
from redis.asyncio import Redis

from pymon_tui.demo.embedded import EmbeddedServer
from pymon_tui.invalidation import planning
from pymon_tui.invalidation.account import Options, Result
from pymon_tui.invalidation.cluster.orders import protecting
from pymon_tui.invalidation.filters import Filters
from pymon_tui.invalidation.found_keys import FoundKeys, Recall
from pymon_tui.invalidation.order import Order
from pymon_tui.invalidation.passage import Passage
from pymon_tui.invalidation.pattern import parse_pattern
from pymon_tui.invalidation.removal import Removal
from pymon_tui.invalidation.selection import Selection
from pymon_tui.invalidation.sweep import Page, Place
from pymon_tui.journal.journal import Journal
from pymon_tui.server.endpoint import Endpoint
from tests.invalidation.planned import plan_of, selecting
from tests.invalidation.removing import PLAIN, names, populate

pytestmark = pytest.mark.usefixtures("at_once")

KEPT = Options(undo=True)


async def order_of(server: EmbeddedServer, selection: Selection, options: Options = PLAIN) -> Order:
    return Order.of(await plan_of(server, selection, mode=options.mode, undo=options.undo, read=False), None)


async def carried_out(server: EmbeddedServer, order: Order, folder: Path, options: Options = PLAIN) -> Result:
    endpoint = Endpoint(socket=server.socket)
    return await Removal(endpoint, order, options, Journal(folder), read_only=False).run()


async def scans(redis: Redis) -> int:
    told = (await redis.info("commandstats")).get("cmdstat_scan", {})
    return int(told.get("calls", 0))


@pytest.mark.parametrize(
    "options", [PLAIN, KEPT, Options(mode="expire", expire=1_000, undo=True)], ids=["unkept", "kept", "expire"]
)
async def test_the_server_is_asked_for_the_keys_once(
    redis: Redis, server: EmbeddedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: Options
) -> None:
    scanned: list[int] = []

    async def left(passage: Passage) -> int:
        scanned.append(await scans(redis))
        return await look(passage)

    look = Passage.left
    monkeypatch.setattr(Passage, "left", left)
    await populate(redis, "cache:", 8_000)
    await populate(redis, "other:", 8_000)
    order = await order_of(server, selecting("cache:*", "cache:1*"), options)
    await redis.config_resetstat()
    result = await carried_out(server, order, tmp_path, options)
    tally = result.tally
    assert (result.outcome, result.left, tally.matched, tally.removed) == ("done", 0, 8_000, 8_000)
    assert scanned == [0], "the last look alone asks for keys"


async def test_what_went_meanwhile_is_told_apart_and_what_came_is_left(
    redis: Redis, server: EmbeddedServer, tmp_path: Path
) -> None:
    await populate(redis, "cache:", 100)
    order = await order_of(server, selecting("cache:*"))
    await redis.unlink("cache:7", "cache:8")
    await redis.set("cache:new", "v")
    result = await carried_out(server, order, tmp_path)
    assert (result.tally.matched, result.tally.removed, result.tally.already_gone, result.left) == (100, 98, 2, 1)
    assert await names(redis) == {b"cache:new"}


async def test_what_is_protected_since_is_looked_for_again_and_stays(
    redis: Redis, server: EmbeddedServer, tmp_path: Path
) -> None:
    await populate(redis, "cache:", 100)
    order = protecting(await order_of(server, selecting("cache:*")), [parse_pattern("cache:1*")])
    assert order.found_all is None
    result = await carried_out(server, order, tmp_path)
    assert (result.tally.removed, result.tally.protected, result.left) == (88, 12, 0)
    assert all(name.startswith(b"cache:1") for name in await names(redis))


@pytest.mark.parametrize(
    "filters", [Filters(type="string"), Filters(expiry="none"), Filters(larger_than=1), Filters(idle_over=0)]
)
async def test_a_key_is_asked_again_what_a_filter_asks(server: EmbeddedServer, redis: Redis, filters: Filters) -> None:
    await populate(redis, "cache:", 10)
    assert (await order_of(server, selecting("cache:*", filters=filters))).found_all is None


async def test_a_plan_that_a_person_reads_holds_no_keys(server: EmbeddedServer, redis: Redis) -> None:
    await populate(redis, "cache:", 10)
    assert Order.of(await plan_of(server, selecting("cache:*")), None).found_all is None


async def test_more_names_than_are_held_are_looked_for_again(
    redis: Redis, server: EmbeddedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(planning, "MOST", 50_000)
    await populate(redis, "cache:", 2_000)
    order = await order_of(server, selecting("cache:*"))
    assert order.found_all is None
    assert (await carried_out(server, order, tmp_path)).tally.removed == 2_000


async def test_a_resumed_run_looks_for_what_is_left(redis: Redis, server: EmbeddedServer, tmp_path: Path) -> None:
    await populate(redis, "cache:", 100)
    order = await order_of(server, selecting("cache:*"))
    assert (await carried_out(server, order, tmp_path)).tally.removed == 100
    await populate(redis, "cache:", 10)
    assert order.found_all is None, "they are handed out once"
    assert (await carried_out(server, replace(order, found=None), tmp_path)).tally.removed == 10


async def test_pages_are_handed_out_once_and_as_they_were_found() -> None:
    held = FoundKeys(selecting("*"))
    pages = [Page([b"1", b"2", b"3", b"4", b"5"], 3, Place(0, 7)), Page([b"6"], 0, Place(1, 0))]
    for page in pages:
        held.add(page)
    recall = Recall(held.take(), scan=2_000)
    assert held.take() == deque()
    assert [page async for page in recall.pages()] == pages
    assert recall.scanned == 2_000


async def test_no_more_keys_are_named_at_once_than_the_brake_allows(
    redis: Redis, server: EmbeddedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await populate(redis, "cache:", 3_000)
    order = await order_of(server, selecting("cache:*"))
    await redis.config_resetstat()
    monkeypatch.setattr(Passage, "_page", 250)
    assert (await carried_out(server, order, tmp_path)).tally.removed == 3_000
    calls = (await redis.info("commandstats"))["cmdstat_unlink"]["calls"]
    assert calls >= 3_000 / 250
