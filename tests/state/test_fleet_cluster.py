"""A real cluster as a fleet: all of it at first, its failovers and its moves."""

from __future__ import annotations

from pymon_tui.model.deployment import Kind, Role
from pymon_tui.model.link import Live
from pymon_tui.model.query import Ready
from pymon_tui.model.snapshot import Snapshot
from pymon_tui.readings.keyspace import KEYSPACE
from tests.server.fake import endpoint_at
from tests.servers.cluster import Cluster
from tests.servers.fixtures import StartCluster
from tests.state.test_fleet import all_live, changes, fleet_of, view
from tests.state.test_monitor import until, watched


def by_address(snapshot: Snapshot) -> dict[str, Role]:
    return {str(node.member.address): node.member.role for node in view(snapshot).nodes}


async def test_all_nodes_are_found_from_any_and_shown_together(cluster: Cluster) -> None:
    cluster.fill(f"key:{number}" for number in range(300))
    for seed in (cluster.nodes[0], cluster.nodes[-1]):
        async with watched(fleet_of(endpoint_at(seed.port))) as snapshots:

            def has_all_keys(snapshot: Snapshot) -> bool:
                keys = snapshot.reading(KEYSPACE)
                return all_live(snapshot, 6) and isinstance(keys, Ready) and keys.value.keys == 300

            one = await until(snapshots, has_all_keys)
            assert view(one).kind is Kind.CLUSTER
            assert view(one).chosen is None
            assert view(one).uncovered == ()
            primaries = {address for address, role in by_address(one).items() if role is Role.PRIMARY}
            assert primaries == {node.address for node in cluster.primaries()}
            assert sum(node.member.slot_count for node in view(one).nodes) == 16_384


async def test_a_failover_and_the_return_of_the_old_primary_are_told(own_cluster: StartCluster) -> None:
    cluster = own_cluster()
    old, seed = cluster.primaries()[0], cluster.primaries()[1]
    (replica,) = cluster.replicas(old)
    async with watched(fleet_of(endpoint_at(seed.port))) as snapshots:
        await until(snapshots, lambda one: all_live(one, 6))
        old.kill()
        one = await until(
            snapshots,
            lambda one: by_address(one).get(replica.address) is Role.PRIMARY and not view(one).uncovered,
        )
        assert f"{replica.address} became primary" in changes(one)
        assert any(text.startswith(f"{old.address} is lost") for text in changes(one))
        assert isinstance(one.link, Live)
        old.start()
        one = await until(snapshots, lambda one: by_address(one)[old.address] is Role.REPLICA and all_live(one, 6))
        assert f"{old.address} became replica" in changes(one)


async def test_nodes_that_join_and_leave_and_slots_that_move_are_told(own_cluster: StartCluster) -> None:
    cluster = own_cluster()
    first, second = cluster.primaries()[:2]
    async with watched(fleet_of(endpoint_at(second.port))) as snapshots:
        await until(snapshots, lambda one: all_live(one, 6))
        joined = await cluster.add_node()
        one = await until(snapshots, lambda one: all_live(one, 7))
        assert f"{joined.address} joined as primary" in changes(one)
        await cluster.move_slots([0, 1], second)
        one = await until(snapshots, lambda one: sum(" slots now" in text for text in changes(one)) >= 2)
        assert any(text.startswith(f"{first.address} has") for text in changes(one))
        await cluster.forget(joined)
        one = await until(snapshots, lambda one: joined.address not in by_address(one))
        assert f"{joined.address} left" in changes(one)
        assert all_live(one, 6)
