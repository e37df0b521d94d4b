"""Slots move in the middle of a run: no key is lost, none counted twice, and an undo finds the node that has them."""

from __future__ import annotations

import asyncio
from functools import partial
from pathlib import Path

import pytest

from pymon_tui.invalidation.account import Result
from pymon_tui.invalidation.cluster import removal as removals
from pymon_tui.invalidation.cluster.removal import WholeRemoval
from pymon_tui.invalidation.order import OrderError
from tests.invalidation.cluster.clusters import (
    adds_up,
    dbsize_of,
    desk_at,
    errors_of,
    planned,
    removal_of,
    undone,
)
from tests.invalidation.removing import under_way
from tests.server.listening import until
from tests.servers.cluster import Cluster, slot_of
from tests.servers.fixtures import StartCluster
from tests.servers.node import Node

TAGS = [f"{{tag{number}}}" for number in range(30)]


def _tagged(cluster: Cluster) -> dict[Node, list[int]]:
    """The slots of the hash tags, by the node that serves each."""
    slots = [slot_of(tag) for tag in TAGS]
    return {node: [slot for slot in slots if cluster.owner(slot) is node] for node in cluster.primaries()}


@pytest.mark.parametrize("kept", ["kept", "unkept"])
async def test_no_key_is_lost_or_counted_twice(own_cluster: StartCluster, tmp_path: Path, kept: str) -> None:
    cluster = own_cluster()
    tagged = _tagged(cluster)
    one, other, third = cluster.primaries()
    keys = [f"cache:{number}" for number in range(3_000)] + [f"cache:{tag}:{n}" for tag in TAGS for n in range(100)]
    cluster.fill([*keys, "other:1"])
    # Held in the middle, in both directions, until after the run.
    for slot, target in ((tagged[one][0], other), (tagged[other][0], one)):
        move = cluster.move(slot, target)
        move.begin()
        assert move.take(40) == 40
    desk = desk_at(one, tmp_path, rate=5_000.0)
    removal = await removal_of(desk, undo=kept == "kept")

    async with under_way(removal) as task:
        await until(lambda: removal.progress.tally.removed > 500)
        for slot in tagged[one][1:4]:
            cluster.move(slot, third).complete()
        for slot in tagged[third][1:4]:
            cluster.move(slot, one).complete()
        begun = cluster.move(tagged[other][1], third)
        begun.begin()
        begun.take(30)
        result = await task

    assert (result.outcome, result.why, result.left) == ("done", "", 0)
    assert (result.tally.removed, result.tally.matched) == (len(keys), len(keys))
    adds_up(result)
    assert cluster.keys() == {"other:1"}
    assert "MOVED" in errors_of(cluster.nodes)
    assert "CROSSSLOT" not in errors_of(cluster.nodes)
    if kept == "kept":
        begun.complete()
        for slot in tagged[third][4:6]:
            cluster.move(slot, other).complete()
        back = await undone(desk)
        assert (back.outcome, back.total, back.tally.restored) == ("done", len(keys), len(keys))
        assert back.copied == 0  # also those that one node had copied and another removed
        assert cluster.keys() == {*keys, "other:1"}


@pytest.mark.needs("cluster|migrateslots")
async def test_slots_that_move_in_one_go_are_followed(own_cluster: StartCluster, tmp_path: Path) -> None:
    cluster = own_cluster()
    tagged = _tagged(cluster)
    one, other, third = cluster.primaries()
    keys = [f"cache:{number}" for number in range(2_000)] + [f"cache:{tag}:{n}" for tag in TAGS for n in range(100)]
    cluster.fill([*keys, "other:1"])
    desk = desk_at(one, tmp_path, rate=1_500.0)
    removal = await removal_of(desk)

    async with under_way(removal) as task:
        await until(lambda: removal.progress.tally.removed > 300)
        moves = ((one, other), (other, third), (third, one))
        for source, target in moves:
            slots = tagged[source][:3]
            ranges = [word for slot in slots for word in (slot, slot)]
            # One after the other: a node that gives and takes at once may give up one of the two.
            source.ask("CLUSTER", "MIGRATESLOTS", "SLOTSRANGE", *ranges, "NODE", target.id)
            await until(lambda slots=slots, to=target: all(cluster.owner(slot) is to for slot in slots))  # type: ignore[misc]
        result = await task

    assert (result.outcome, result.why, result.left) == ("done", "", 0)
    assert (result.tally.removed, result.tally.matched) == (len(keys), len(keys))
    adds_up(result)
    assert cluster.keys() == {"other:1"}
    back = await undone(desk)
    assert (back.outcome, back.tally.restored, cluster.keys()) == ("done", len(keys), {*keys, "other:1"})


async def test_keys_that_nobody_serves_are_named_and_not_called_done(
    own_cluster: StartCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(removals, "ROUNDS", 3)
    cluster = own_cluster()
    one, other, _ = cluster.primaries()
    slot = slot_of("{tag}")
    source, target = (one, other) if cluster.owner(slot) is one else (cluster.owner(slot), one)
    cluster.fill([f"cache:{{tag}}:{number}" for number in range(20)])
    move = cluster.move(slot, target)
    move.begin()
    assert move.take(5) == 5
    for node in (source, target):  # given up in the middle: the target has keys of a slot that it doesn't get
        node.ask("CLUSTER", "SETSLOT", slot, "STABLE")

    result = await (await removal_of(desk_at(one, tmp_path))).run()

    assert result.outcome == "stopped"
    assert result.why == f"slots {slot} are still on their way between nodes; resume when they have arrived"
    assert (result.tally.removed, result.left, dbsize_of(cluster)) == (15, 5, 5)
    adds_up(result)


async def test_a_plan_of_other_slots_is_refused(own_cluster: StartCluster, tmp_path: Path) -> None:
    cluster = own_cluster()
    cluster.fill(["cache:1"])
    desk = desk_at(cluster.primaries()[0], tmp_path)
    plan = await planned(desk)
    removal = desk.removal(plan, desk.options("unlink", expire=0, jitter=0, undo=True, dry_run=False), None)
    await cluster.move_slots([0], cluster.primaries()[1])

    with pytest.raises(OrderError, match="the cluster has other primaries than the plan was made on, or other slots"):
        await removal.run()
    assert dbsize_of(cluster) == 1
    assert list(desk.newest()) == []


def _has_given(removal: WholeRemoval, task: asyncio.Task[Result], least: int) -> bool:
    return task.done() or removal.progress.tally.removed > least


async def test_keys_that_move_while_they_are_given_ends_get_their_first_ones_back(
    own_cluster: StartCluster, tmp_path: Path
) -> None:
    cluster = own_cluster()
    one, other, third = cluster.primaries()
    tagged = _tagged(cluster)
    keys = [f"cache:{number}" for number in range(2_000)] + [f"cache:{tag}:{n}" for tag in TAGS for n in range(100)]
    cluster.fill(keys)
    desk = desk_at(one, tmp_path, rate=4_000.0)
    removal = await removal_of(desk, mode="expire", expire=500, jitter=400, undo=True)

    async with under_way(removal) as task:
        moves = [(one, other), (other, third), (third, one)]
        for step in range(4):
            least = 800 * (step + 1)
            await until(partial(_has_given, removal, task, least))
            for source, target in moves:
                cluster.move(tagged[source][step], target).complete()
        result = await task

    assert (result.outcome, result.why) == ("done", "")
    assert result.tally.matched == result.tally.removed == len(keys)
    back = await undone(desk)
    assert (back.outcome, back.tally.skipped, back.tally.failed) == ("done", 0, 0)
    ends = {key: node.ask("PTTL", key) for key, node in cluster.owners(keys).items()}
    assert set(ends.values()) == {-1}
