"""The cluster of the fixtures is one, and does what tests of clusters need."""

from __future__ import annotations

import pytest

from tests.servers.cluster import Cluster, slot_of
from tests.servers.fixtures import StartCluster

KEYS = {f"key:{number}" for number in range(300)}


@pytest.mark.parametrize("turn", [1, 2])
async def test_three_primaries_share_the_slots_and_nothing_of_the_test_before_is_left(
    cluster: Cluster, turn: int
) -> None:
    primaries = cluster.primaries()
    assert (len(primaries), [len(cluster.replicas(primary)) for primary in primaries]) == (3, [1, 1, 1])
    assert [cluster.owner(slot) for slot in (0, 8_000, 16_383)] == primaries
    assert cluster.keys() == set()

    cluster.fill(KEYS)

    assert cluster.keys() == KEYS
    assert all(node.ask("DBSIZE") for node in primaries)
    assert cluster.owner_of("{a}b") is cluster.owner(slot_of("a"))


async def test_a_slot_moves_step_by_step(own_cluster: StartCluster) -> None:
    cluster = own_cluster()
    cluster.fill(f"{{tag}}:{number}" for number in range(10))
    source = cluster.owner_of("{tag}")
    target = next(primary for primary in cluster.primaries() if primary is not source)
    move = cluster.move(slot_of("{tag}"), target)

    move.begin()
    taken = move.take(4)

    assert (taken, source.ask("DBSIZE"), target.ask("DBSIZE")) == (4, 6, 4)
    assert cluster.owner_of("{tag}") is source
    move.complete()
    await cluster.settled()
    assert cluster.owner_of("{tag}") is target
    assert target.ask("DBSIZE") == 10
