"""The tasks of a fleet: what stands before each begins, and that none outlives what it is for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from dataclasses import replace
from typing import Any

from pymon_tui.model.deployment import Address
from pymon_tui.model.feed import Feed
from pymon_tui.model.query import Query
from pymon_tui.model.snapshot import Snapshot
from pymon_tui.server.endpoint import Endpoint, Service
from pymon_tui.state.fleet import Fleet
from pymon_tui.state.monitor import Monitor
from tests.conftest import StartServer, client_of
from tests.server.fake import endpoint_at, unrecorded
from tests.state.test_fleet import QUERIES, address, all_live, fleet_of, replicating
from tests.state.test_monitor import INTERVAL, until, watched


class Noting(Monitor):
    """A monitor that notes what it had been told when its snapshots began."""

    begun: list[tuple[str, float, frozenset[str]]]

    async def snapshots(self) -> AsyncGenerator[Snapshot]:
        self.begun.append((self.endpoint.address, self._interval, self._wanted))
        async for one in super().snapshots():
            yield one


async def test_a_node_knows_its_interval_and_readings_before_it_begins(own_server: StartServer) -> None:
    primary, replica = await replicating(own_server, replicas=1)
    begun: list[tuple[str, float, frozenset[str]]] = []

    def follow(endpoint: Endpoint, queries: Sequence[Query[Any]], feed: Feed) -> Monitor:
        monitor = Noting(endpoint, queries, interval=INTERVAL, feed=feed, read_only=False, record=unrecorded)
        monitor.begun = begun
        return monitor

    fleet = Fleet(endpoint_at(primary.port), QUERIES, follow, patterns=[], read_only=False)
    fleet.set_interval(0.125)
    fleet.want([query.name for query in QUERIES])
    async with watched(fleet) as snapshots:
        await until(snapshots, lambda one: all_live(one, 2))
    named, found = begun
    assert (named[:2], found[:2]) == ((address(primary), 0.125), (address(replica), 0.125))
    assert {query.name for query in QUERIES} <= named[2]
    assert found[2]  # at least what it is a part of


async def test_a_node_that_is_a_member_no_more_is_let_go(own_server: StartServer) -> None:
    primary, replica = await replicating(own_server, replicas=1)
    fleet = fleet_of(endpoint_at(primary.port))
    async with watched(fleet) as snapshots:
        await until(snapshots, lambda one: all_live(one, 2))
        task = fleet._followed[address(replica)].task
        assert task is not None
        async with client_of(replica) as client:
            await client.replicaof("NO", "ONE")
        fleet._roster.members.pop(address(replica))  # type: ignore[attr-defined]
        fleet._follow_members()
        async with asyncio.timeout(10):
            await asyncio.gather(task, return_exceptions=True)
        assert task.cancelled()


async def test_a_fleet_that_is_left_at_its_first_snapshot_leaves_no_task() -> None:
    before = asyncio.all_tasks()
    nobody = Address("127.0.0.1", 1)
    fleet = fleet_of(replace(endpoint_at(0), service=Service("main", (nobody, Address("127.0.0.1", 2)))))
    async with watched(fleet) as snapshots:
        await anext(snapshots)
        assert asyncio.all_tasks() > before
    assert asyncio.all_tasks() == before
