"""An undo on a cluster evicts no more keys than was agreed to: each node has its own room, and gets its own part."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from pymon_tui.invalidation.cluster.restore import WholeRestore
from pymon_tui.invalidation.desk import Desk
from pymon_tui.invalidation.restore_account import RestoreResult
from tests.invalidation.cluster.clusters import cache_keys, desk_at, removal_of
from tests.server.listening import until
from tests.servers.cluster import Cluster, slot_of
from tests.servers.node import Node

VALUE = Random(7).randbytes(10_000).hex()
KEYS, SIZE = 300, 20_000
ENOUGH, LITTLE = 4_000_000, 250_000
"""Room of a node: more than its part of the keys takes, and less than all do; and less than its part."""

Limited = pytest.mark.parametrize("limited", [1, 3], ids=["a limit on one", "limits on all"])


@pytest.fixture
async def desk(cluster: Cluster, tmp_path: Path) -> Desk:
    """A run has removed as many keys as there are; each node evicts keys, and has no limit yet."""
    for node in cluster.primaries():
        node.ask("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
    cluster.fill(cache_keys(KEYS), VALUE)
    desk = desk_at(cluster.primaries()[0], tmp_path)
    await (await removal_of(desk)).run()
    cluster.fill([f"live:{number}" for number in range(2 * KEYS)], VALUE)
    return desk


@pytest.fixture(autouse=True)
def _unlimited(cluster: Cluster) -> Iterator[None]:
    yield
    for node in cluster.primaries():
        node.ask("CONFIG", "SET", "maxmemory", "0")
        node.ask("CONFIG", "SET", "maxmemory-policy", "noeviction")


def limit(nodes: list[Node], room: int) -> None:
    for node in nodes:
        node.ask("CONFIG", "SET", "maxmemory", str(int(node.ask("INFO", "memory")["used_memory"]) + room))


def undo_of(desk: Desk) -> WholeRestore:
    record = next(record for record in desk.newest() if record.kind == "run")
    undo = desk.restore(record, replace=False, elsewhere=False)
    assert undo is not None
    return undo


def expected(cluster: Cluster, nodes: list[Node], room: int) -> float:
    """How many keys of these nodes have to go for what comes back there."""
    owners = list(cluster.owners(cache_keys(KEYS)).values())
    return sum(owners.count(node) - room / SIZE for node in nodes)


def evicted(cluster: Cluster) -> int:
    return sum(int(node.ask("INFO", "stats")["evicted_keys"]) for node in cluster.primaries())


def all_is_told(cluster: Cluster, result: RestoreResult) -> None:
    """What came back and was evicted for what came after it is still to come, and the account says so."""
    there = sum(cluster.owner_of(key).ask("EXISTS", key) for key in cache_keys(KEYS))
    assert result.tally.restored + result.left == KEYS
    assert 0 <= result.tally.restored - there < 5  # a server at its limit goes on evicting, for our questions as well
    assert result.outcome == ("stopped" if result.left else "done")


def number_in(text: str) -> int:
    found = re.search(r"about ([\d ]+) keys", text)
    assert found is not None, text
    return int(found[1].replace(" ", ""))


@Limited
@pytest.mark.parametrize("before", [False, True])
async def test_what_fits_on_each_node_comes_back_unasked(
    cluster: Cluster, desk: Desk, limited: int, *, before: bool
) -> None:
    nodes, count = cluster.primaries()[:limited], evicted(cluster)
    undo = undo_of(desk)
    if before:
        limit(nodes, ENOUGH)
    outlook = await undo.outlook()
    assert (outlook.warnings, outlook.evicted) == ((), 0)
    assert outlook.load.bytes > ENOUGH
    if not before:
        limit(nodes, ENOUGH)
    undo.agree(outlook, asks=False)
    result = await undo.run()
    assert (result.outcome, result.tally.restored, result.evicted) == ("done", KEYS, 0)
    assert evicted(cluster) == count


@Limited
async def test_what_does_not_fit_is_said_before_and_no_more_is_evicted(
    cluster: Cluster, desk: Desk, limited: int
) -> None:
    nodes, count = cluster.primaries()[:limited], evicted(cluster)
    limit(nodes, LITTLE)
    undo = undo_of(desk)
    outlook = await undo.outlook()
    (warning,) = outlook.warnings
    assert (f"come back to 127.0.0.1:{nodes[0].port}, and" if limited == 1 else "come back to 3 nodes, and") in warning
    assert number_in(warning) == outlook.evicted
    assert outlook.evicted == pytest.approx(expected(cluster, nodes, LITTLE), rel=0.25)
    undo.agree(outlook, asks=False)
    result = await undo.run()
    all_is_told(cluster, result)
    assert 0 < evicted(cluster) - count < 2 * outlook.evicted


@Limited
@pytest.mark.parametrize("answer", ["nobody", "no", "yes"])
async def test_where_the_nodes_have_less_room_by_now_it_holds_before_the_first_key(
    cluster: Cluster, desk: Desk, limited: int, answer: str
) -> None:
    nodes, count = cluster.primaries()[:limited], evicted(cluster)
    undo = undo_of(desk)
    undo.agree(await undo.outlook(), asks=answer != "nobody")
    limit(nodes, LITTLE)
    task = asyncio.create_task(undo.run())
    if answer != "nobody":
        await until(lambda: undo.progress.state == "asking")
        asked = undo.progress.why
        assert evicted(cluster) == count
        if answer == "no":
            undo.cancel()
        else:
            undo.go_on(asked)
    result = await task
    asked = result.why if answer == "nobody" else asked
    assert "keys would be evicted for what comes back, and none were when this was agreed to" in asked
    assert number_in(asked) == pytest.approx(expected(cluster, nodes, LITTLE), rel=0.25)
    if answer == "yes":
        all_is_told(cluster, result)
        assert 0 < evicted(cluster) - count < 2 * number_in(asked)
    else:
        assert (result.outcome, result.tally.restored) == ("cancelled" if answer == "no" else "stopped", 0)
        assert (result.evicted, evicted(cluster)) == (0, count)
        for node in nodes:
            node.ask("CONFIG", "SET", "maxmemory", "0")
        assert (await undo_of(desk).run()).tally.restored == KEYS


async def test_what_moved_since_it_was_agreed_to_is_counted_for_the_node_that_has_it_now(
    cluster: Cluster, desk: Desk
) -> None:
    first, second, _ = cluster.primaries()
    undo = undo_of(desk)
    outlook = await undo.outlook()
    moving = [key for key, node in cluster.owners(cache_keys(KEYS)).items() if node is first][:50]
    slots = {slot_of(key) for key in moving}
    await cluster.move_slots(slots, second)
    try:
        limit([first], ENOUGH)
        undo.agree(outlook, asks=False)
        result = await undo.run()
        assert (result.outcome, result.tally.restored, result.evicted) == ("done", KEYS, 0)
        coming = undo._parts[0][1]._share._load
        assert coming is not None
        assert coming.to[f"127.0.0.1:{first.port}"].keys < outlook.load.to[f"127.0.0.1:{first.port}"].keys
    finally:
        await cluster.move_slots(slots, first)
