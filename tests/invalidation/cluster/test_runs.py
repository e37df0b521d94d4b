"""Plans, runs and undos on a whole cluster: what is told is what is there."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from pymon_tui.invalidation.cluster.removal import WholeRemoval
from pymon_tui.invalidation.order import OrderError
from pymon_tui.invalidation.sweep import Refused
from pymon_tui.journal.journal import Journal
from pymon_tui.journal.lock import Locked
from tests.invalidation.cluster.clusters import (
    CACHE,
    adds_up,
    cache_keys,
    connections_of,
    dbsize_of,
    desk_at,
    errors_of,
    planned,
    removal_of,
    undone,
)
from tests.invalidation.planned import selecting
from tests.invalidation.removing import under_way
from tests.server.listening import until
from tests.servers.cluster import Cluster

HOSTILE: list[str | bytes] = [
    b"cache:a b", b"cache:'\"", b"cache:\n\r\t", b"cache:\xff\xfe", b"cache:\x1b[2J", b"cache:*", b"cache:{}",
    b"cache:[red]x[/]", "cache:안녕".encode(), b"cache:" + b"k" * 10_000, b"cache:\x00", b"cache:\\", b"cache:{a}{b}",
    b"cache:}{",
]  # fmt: skip
OTHERS = ["other:{a}", "cach", "Cache:1", "xcache:1"]


async def test_the_plan_is_that_of_all_primaries(cluster: Cluster, tmp_path: Path) -> None:
    cluster.fill([*cache_keys(3_000), "cache:keep:1", "cache:keep:2", *OTHERS])
    (replica,) = cluster.replicas(cluster.primaries()[1])
    selection = selecting("cache:*", protected=("cache:keep:*",))

    plan = await planned(desk_at(replica, tmp_path), selection)

    there = {node.address: len(node.ask("KEYS", "cache:*")) for node in cluster.primaries()}
    assert {part.node: part.matched + part.protected for part in plan.parts} == there
    assert (plan.matched, plan.protected, plan.about, plan.capped) == (3_000, 2, False, False)
    assert (plan.dbsize, plan.undo_possible, plan.removal_problem) == (3_002 + len(OTHERS), True, None)
    assert sum(count for _, count in plan.namespaces) == 3_000
    assert (len(plan.samples), dict(plan.types), plan.note) == (2_000, {"string": 3_000}, None)
    assert plan.bytes is not None
    assert plan.bytes.value > 3_000 * 20
    assert [node["matched"] for node in plan.as_json()["nodes"]] == [part.matched for part in plan.parts]


async def test_the_cap_is_that_of_all_together(cluster: Cluster, tmp_path: Path) -> None:
    cluster.fill(cache_keys(300))
    desk = desk_at(cluster.primaries()[0], tmp_path)

    plan = await planned(desk, selecting("cache:*", max_keys=200))

    assert plan.capped
    assert max(part.matched for part in plan.parts) <= 200
    with pytest.raises(OrderError, match="more than 200 keys match"):
        desk.removal(plan, desk.options("unlink", expire=0, jitter=0, undo=True, dry_run=False), None)


async def test_an_estimate_is_of_all_primaries(cluster: Cluster, tmp_path: Path) -> None:
    cluster.fill([*cache_keys(600), *OTHERS])

    found = await desk_at(cluster.primaries()[2], tmp_path).estimate(CACHE)

    assert found is not None
    assert (found.found, found.matched, found.matched_low, found.matched_high) == (600, 600, 600, 600)
    assert (found.total, found.complete) == (600 + len(OTHERS), True)


async def test_all_that_matches_goes_and_nothing_else(cluster: Cluster, tmp_path: Path) -> None:
    keys = [*cache_keys(30_000), *HOSTILE]
    cluster.fill([*keys, *OTHERS])
    replicas = [replica for primary in cluster.primaries() for replica in cluster.replicas(primary)]
    desk = desk_at(cluster.primaries()[0], tmp_path)
    before = connections_of(replicas)
    version = str(cluster.nodes[0].ask("INFO", "server")["redis_version"])
    errors = {"ERR"} if version.startswith("6.") else set()  # it has no ACL DRYRUN, by which a plan learns its rights

    result = await (await removal_of(desk)).run()

    assert (result.outcome, result.why, result.left) == ("done", "", 0)
    assert (result.tally.matched, result.tally.removed) == (len(keys), len(keys))
    assert {each.node for each in result.nodes} == {node.address for node in cluster.primaries()}
    adds_up(result)
    assert cluster.keys() == set(OTHERS)
    assert errors_of(cluster.nodes) == errors
    assert connections_of(replicas) == before

    (record,) = desk.newest()
    assert (record.id, record.state, record.removed_at_least, record.removed_at_most) == (
        result.run, "done", len(keys), len(keys)
    )  # fmt: skip
    assert {part.node for part in record.parts} == {node.address for node in cluster.primaries()}
    assert cluster.replicas(cluster.primaries()[0])[0].address in record.addresses

    back = await undone(desk)

    assert (back.outcome, back.total, back.tally.restored, back.left) == ("done", len(keys), len(keys), 0)
    assert dbsize_of(cluster) == len(keys) + len(OTHERS)
    assert errors_of(cluster.nodes) == errors
    assert connections_of(replicas) == before
    undo, run = desk.newest()
    assert (undo.kind, undo.state, undo.removed_at_least, run.undone) == ("undo", "done", len(keys), True)
    assert sum(entry.event == "started" for entry in Journal(tmp_path).entries()) == 8


async def test_a_newer_key_stays_and_lives_go_on(cluster: Cluster, tmp_path: Path) -> None:
    cluster.fill(cache_keys(60))
    owner = cluster.owner_of("cache:1")
    owner.ask("PEXPIRE", "cache:1", 500_000)
    desk = desk_at(owner, tmp_path)
    await (await removal_of(desk)).run()
    cluster.fill(["cache:2"], "newer")

    back = await undone(desk)

    assert (back.tally.restored, back.tally.skipped, back.total) == (59, 1, 60)
    assert cluster.owner_of("cache:2").ask("GET", "cache:2") == "newer"
    assert 400_000 < owner.ask("PTTL", "cache:1") <= 500_000


async def test_ends_that_were_given_are_taken_back(cluster: Cluster, tmp_path: Path) -> None:
    cluster.fill(cache_keys(300))
    owner = cluster.owner_of("cache:1")
    owner.ask("PEXPIREAT", "cache:1", 4_000_000_000_123)
    desk = desk_at(owner, tmp_path)
    result = await (await removal_of(desk, mode="expire", expire=500.0, jitter=100.0)).run()
    assert (result.outcome, result.tally.removed) == ("done", 300)
    cluster.owner_of("cache:2").ask("APPEND", "cache:2", "in place")
    cluster.fill(["cache:3"], "newer")

    back = await undone(desk)

    assert (back.outcome, back.total, back.tally.restored, back.tally.skipped) == ("done", 300, 299, 1)
    others = cluster.owners(key for key in cache_keys(300) if key != "cache:1")
    assert {node.ask("PTTL", key) for key, node in others.items()} == {-1}
    assert owner.ask("PTTL", "cache:1") > 600_000
    again = await undone(desk)
    assert (again.tally.restored, again.tally.there, again.tally.skipped) == (0, 299, 1)


async def test_a_dry_run_removes_nothing(cluster: Cluster, tmp_path: Path) -> None:
    cluster.fill([*cache_keys(600), *OTHERS])

    result = await (await removal_of(desk_at(cluster.primaries()[0], tmp_path), dry_run=True)).run()

    assert (result.outcome, result.tally.matched, result.tally.removed, result.left) == ("done", 600, 0, 600)
    assert result.freed.bytes is not None
    smallest = min(node.ask("MEMORY", "USAGE", key) for key, node in cluster.owners(cache_keys(600)).items())
    assert result.freed.bytes >= 600 * smallest
    assert dbsize_of(cluster) == 600 + len(OTHERS)
    assert list(tmp_path.iterdir()) == []  # no journal, no lock, no trash


async def test_a_cancelled_run_tells_the_truth_and_goes_on(cluster: Cluster, tmp_path: Path) -> None:
    cluster.fill([*cache_keys(6_000), *OTHERS])
    desk = desk_at(cluster.primaries()[0], tmp_path, rate=6_000.0)
    removal = await removal_of(desk)
    async with under_way(removal) as task:
        await until(lambda: removal.progress.tally.removed > 300)
        assert removal.progress.keys_per_second < 20_000
        removal.pause()
        await until(lambda: removal.progress.state == "paused")
        removal.cancel()
        result = await task

    gone = 6_000 + len(OTHERS) - dbsize_of(cluster)
    assert (result.outcome, result.tally.removed, result.left) == ("cancelled", gone, None)
    assert 0 < gone < 6_000
    adds_up(result)
    assert next(desk.newest()).removed_at_most == gone

    rest = await (await desk_at(cluster.primaries()[1], tmp_path).resumed(next(desk.newest()))).run()

    assert (rest.outcome, rest.tally.removed, rest.left) == ("done", 6_000 - gone, 0)
    assert cluster.keys() == set(OTHERS)


async def test_keys_may_be_made_to_end_and_live_on_again(cluster: Cluster, tmp_path: Path) -> None:
    cluster.fill([*cache_keys(300), *OTHERS])
    desk = desk_at(cluster.primaries()[0], tmp_path)

    result = await (await removal_of(desk, mode="expire", expire=500.0, jitter=100.0)).run()

    lives = [node.ask("PTTL", key) for node in cluster.primaries() for key in node.ask("KEYS", "cache:*")]
    assert (result.outcome, result.tally.removed, result.left) == ("done", 300, 0)
    assert len(lives) == 300
    assert all(400_000 < life <= 600_000 for life in lives)

    back = await undone(desk)

    lives = [node.ask("PTTL", key) for node in cluster.primaries() for key in node.ask("KEYS", "cache:*")]
    assert (back.outcome, back.tally.restored, set(lives)) == ("done", 300, {-1})


async def test_an_expiry_that_was_cut_off_is_gone_on_with_unasked(cluster: Cluster, tmp_path: Path) -> None:
    """Each node is looked through again: keys that have their end by now are no more than the plan said."""
    cluster.fill([*cache_keys(3_000), *OTHERS])
    desk = desk_at(cluster.primaries()[0], tmp_path, rate=1_500.0)
    first = await removal_of(desk, mode="expire", expire=5_000.0, jitter=0.0)
    given = await _cut_off(first, 1_600)
    given += await _cut_off(await desk.resumed(next(desk.newest())), 100)
    last = await desk.resumed(next(desk.newest()))
    assert (last.order.planned, last.order.again) == (3_000 - given, given)
    async with under_way(last) as task:
        await until(lambda: last.progress.state in ("asking", "ended"))
        assert not last.progress.why
        rest = await task
    assert (rest.outcome, rest.tally.removed, rest.tally.ending_sooner) == ("done", 3_000 - given, given)
    lives = [node.ask("PTTL", key) for node in cluster.primaries() for key in node.ask("KEYS", "cache:*")]
    assert (len(lives), min(lives) > 0) == (3_000, True)


async def _cut_off(removal: WholeRemoval, least: int) -> int:
    """Cancel a run once it has given so many keys an end; returns how many it has."""
    async with under_way(removal) as task:
        await until(lambda: removal.progress.tally.removed > least)
        removal.cancel()
        result = await task
    assert result.outcome == "cancelled"
    return result.tally.removed


async def test_one_question_is_asked_for_all_that_came_since_the_plan(cluster: Cluster, tmp_path: Path) -> None:
    cluster.fill(cache_keys(300))
    removal = await removal_of(desk_at(cluster.primaries()[0], tmp_path))
    cluster.fill([f"cache:more:{number}" for number in range(900)])
    async with under_way(removal) as task:
        await until(lambda: {node.progress.state for node in removal.progress.nodes} == {"asking"})
        assert removal.progress.why == "1 200 keys match by now, and the plan said 300: go on, up to 2 400?"
        assert dbsize_of(cluster) == 1_200
        removal.go_on(removal.progress.why)
        result = await task
    assert (result.outcome, result.tally.removed, result.left) == ("done", 1_200, 0)


async def test_what_a_user_may_not_touch_is_refused_on_every_node(cluster: Cluster, tmp_path: Path) -> None:
    cluster.fill([f"cache:a:{number}" for number in range(60)])
    cluster.fill([f"cache:b:{number}" for number in range(60)])
    for node in cluster.primaries():
        node.ask("ACL", "SETUSER", "pymon", "reset", "on", "nopass", "+@all", "~cache:a:*")
    desk = desk_at(cluster.primaries()[0], tmp_path, username="pymon")

    result = await (await removal_of(desk, undo=False)).run()

    assert (result.outcome, result.tally.removed, result.tally.refused, result.left) == ("done", 60, 60, 60)
    assert len(result.refused_keys) == 60
    adds_up(result)


async def test_a_run_that_is_cut_off_leaves_how_far_it_came(cluster: Cluster, tmp_path: Path) -> None:
    cluster.fill([*cache_keys(6_000), *OTHERS])
    desk = desk_at(cluster.primaries()[0], tmp_path, rate=6_000.0)
    removal = await removal_of(desk)
    async with under_way(removal) as task:
        await until(lambda: removal.progress.tally.removed > 300)
        assert next(desk.newest()).state == "running"
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    gone = 6_000 + len(OTHERS) - dbsize_of(cluster)
    (record,) = desk.newest()
    assert (record.state, {part.state for part in record.parts}) == ("interrupted", {"interrupted"})
    assert record.removed_at_most is not None
    assert record.removed_at_least <= gone <= record.removed_at_most

    rest = await (await desk.resumed(record)).run()
    assert (rest.outcome, rest.left) == ("done", 0)
    assert cluster.keys() == set(OTHERS)


async def test_what_is_left_is_counted_on_nodes_whose_part_was_done(cluster: Cluster, tmp_path: Path) -> None:
    first, *others = cluster.primaries()
    owners = cluster.owners(cache_keys(6_000))
    names = [name for name, owner in owners.items() if owner is first]
    few = [next(name for name, owner in owners.items() if owner is node) for node in others]
    cluster.fill([*names, *few])
    desk = desk_at(first, tmp_path, rate=2_000.0)
    removal = await removal_of(desk)
    async with under_way(removal) as task:
        await until(lambda: [node.progress.state for node in removal.progress.nodes].count("ended") == len(others))
        removal.cancel()
        assert (await task).outcome == "cancelled"
    assert sorted(part.state for part in next(desk.newest()).parts) == ["cancelled", "done", "done"]
    back = [f"{name}:{{{name}}}" for name in few]  # on the same nodes
    cluster.fill(back)

    again = await desk_at(others[0], tmp_path).resumed(next(desk.newest()))
    rest = await again.run()

    assert (rest.outcome, rest.left) == ("done", 2)
    assert cluster.keys() >= set(back)


async def test_two_runs_at_once_are_refused(cluster: Cluster, tmp_path: Path) -> None:
    cluster.fill(cache_keys(6_000))
    first = await removal_of(desk_at(cluster.primaries()[0], tmp_path, rate=6_000.0))
    second = await removal_of(desk_at(cluster.primaries()[1], tmp_path))
    async with under_way(first):
        await until(lambda: first.progress.tally.removed > 0)
        with pytest.raises(Locked):
            await second.run()


@pytest.mark.needs("cluster|nodes")
@pytest.mark.parametrize("denied", [["nodes"], ["nodes", "shards"]])
async def test_the_nodes_are_learned_in_another_way_where_one_is_denied(
    cluster: Cluster, tmp_path: Path, denied: list[str]
) -> None:
    cluster.fill(cache_keys(300))
    for node in cluster.primaries():
        without = [f"-cluster|{name}" for name in denied]
        node.ask("ACL", "SETUSER", "pymon", "reset", "on", "nopass", "+@all", "~*", *without)

    plan = await planned(desk_at(cluster.primaries()[1], tmp_path, username="pymon"))

    assert (plan.matched, len(plan.parts)) == (300, 3)


async def test_who_may_not_know_the_nodes_is_told_what_it_takes(cluster: Cluster, tmp_path: Path) -> None:
    for node in cluster.primaries():
        node.ask("ACL", "SETUSER", "pymon", "reset", "on", "nopass", "+@all", "~*", "-cluster")

    with pytest.raises(Refused) as refused:
        await planned(desk_at(cluster.primaries()[0], tmp_path, username="pymon"))

    assert refused.value.remedy == "ACL SETUSER pymon +cluster|nodes"
