from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from pymon_tui.demo.embedded import EmbeddedServer
from pymon_tui.invalidation.account import Options
from pymon_tui.invalidation.order import Order, OrderError
from pymon_tui.invalidation.sweep import Place
from pymon_tui.model.text import safe
from tests.invalidation.planned import plan_of, selecting
from tests.invalidation.removing import populate, record_of, removed

pytestmark = pytest.mark.usefixtures("at_once")


async def test_an_order_repeats_its_plan(redis: Redis, server: EmbeddedServer) -> None:
    await populate(redis, "cache:", 50)
    plan = await plan_of(server, selecting("cache:*"))
    order = Order.of(plan, "project")
    assert (order.selection, order.run_id, order.db, order.planned) == (plan.selection, plan.run_id, 0, 50)
    assert (order.node, order.preset, order.start, order.resumes) == (plan.node, "project", Place(), None)
    assert plan.bytes is not None
    assert order.key_bytes == plan.bytes.value / 50


async def test_a_plan_that_would_be_refused_is_no_order(redis: Redis, server: EmbeddedServer) -> None:
    plan = await plan_of(server, selecting("cache:*"))
    with pytest.raises(OrderError, match="UNLINK is refused"):
        Order.of(replace(plan, removal_problem=safe("UNLINK is refused: NOPERM")), None)


async def test_only_the_server_that_was_looked_at_will_do(redis: Redis, server: EmbeddedServer) -> None:
    order = Order.of(await plan_of(server, selecting("cache:*")), None)
    order.check(order.run_id, 0, "master")
    order.check(order.run_id, 0, "")
    for run_id, db, role, why in (
        ("0" * 40, 0, "master", "another server process answers"),
        (order.run_id, 1, "master", "the plan is for database 0, and 1 is selected"),
        (order.run_id, 0, "slave", "is a replica now; connect to its primary"),
    ):
        with pytest.raises(OrderError, match=why):
            order.check(run_id, db, role)


async def test_a_run_is_taken_up_where_its_journal_ends(redis: Redis, server: EmbeddedServer, tmp_path: Path) -> None:
    await populate(redis, "cache:", 50)
    options = Options(mode="expire", expire=60.0, jitter=5.0, rate=1_000_000.0, key_cap=1_000)
    selection = selecting("cache:\\\\*", "cache:\\x00*", "cache:*", protected=("*7",), max_keys=70)
    await removed(server, selection, tmp_path, options)
    record = record_of(tmp_path)
    order, again = Order.resuming(record)
    assert again == options
    assert order.selection == selection
    assert (order.planned, order.start, order.resumes, order.run_id) == (45, Place(), record.run, record.run_id)
    told: dict[str, Any] = {"matched": 40, "pattern_index": 1, "cursor": 7}
    order, _ = Order.resuming(replace(record, progress=told))
    assert (order.planned, order.start) == (5, Place(1, 7))
    # The trash may have been dropped since; what comes is kept all the same.
    _, again = Order.resuming(replace(record, undo_path=None))
    assert again.undo
    _, again = Order.resuming(replace(record, started={**record.started, "undo": None}))
    assert not again.undo


async def test_a_run_whose_plan_is_lost_is_not_taken_up(redis: Redis, server: EmbeddedServer, tmp_path: Path) -> None:
    await populate(redis, "cache:", 5)
    await removed(server, selecting("cache:*"), tmp_path)
    record = record_of(tmp_path)
    for broken in (
        replace(record, plan=None),
        replace(record, plan={**(record.plan or {}), "selection": {"patterns": ["\\xZZ"]}}),
        replace(record, started={**record.started, "options": {"speed": 1}}),
        replace(record, progress={"cursor": "x", "pattern_index": 0}),
    ):
        with pytest.raises(OrderError, match=f"run {record.run} can't be taken up again: the journal lacks its plan"):
            Order.resuming(broken)
