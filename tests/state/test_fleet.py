"""A deployment of real servers: who is followed, what is shown, and what becomes of it when they are killed."""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from pymon_tui.demo.embedded import EmbeddedServer
from pymon_tui.model.action import Action, Done, NotDone
from pymon_tui.model.deployment import Address, Kind
from pymon_tui.model.feed import Feed, Message
from pymon_tui.model.link import Live, Lost
from pymon_tui.model.query import Query, Ready, Reason, Unavailable
from pymon_tui.model.snapshot import FleetView, Snapshot
from pymon_tui.model.text import safe
from pymon_tui.readings.hits import HIT_RATE
from pymon_tui.readings.keyspace import KEYSPACE
from pymon_tui.readings.metrics import CLIENTS
from pymon_tui.readings.slowlog_settings import SLOWLOG_SETTINGS, SlowlogSettings
from pymon_tui.readings.topology import ROLE
from pymon_tui.server.endpoint import Endpoint
from pymon_tui.server.listener import Listener
from pymon_tui.state.fleet import Fleet
from pymon_tui.state.monitor import Monitor
from tests.conftest import StartServer, client_of
from tests.demo.waiting import a_moment
from tests.server.fake import endpoint_at, unrecorded
from tests.state.test_monitor import INTERVAL, is_live, until, watched

QUERIES: tuple[Query[Any], ...] = (HIT_RATE, KEYSPACE, SLOWLOG_SETTINGS, ROLE)
FLUSH = Action(safe("Flush"), ("FLUSHALL",), safe("Everything is gone."), "flushall")


def follow(endpoint: Endpoint, queries: Sequence[Query[Any]], feed: Feed) -> Monitor:
    return Monitor(endpoint, queries, interval=INTERVAL, feed=feed, read_only=False, record=unrecorded)


def fleet_of(endpoint: Endpoint) -> Fleet:
    fleet = Fleet(endpoint, QUERIES, follow, patterns=[b"news"], read_only=False)
    fleet.want([query.name for query in QUERIES])
    return fleet


def view(snapshot: Snapshot) -> FleetView:
    assert snapshot.fleet is not None
    return snapshot.fleet


def roles(snapshot: Snapshot) -> dict[str, str]:
    return {str(node.member.id): node.member.role.value for node in view(snapshot).nodes}


def all_live(snapshot: Snapshot, nodes: int) -> bool:
    links = [node.snapshot.link for node in view(snapshot).nodes]
    return len(links) == nodes and all(isinstance(link, Live) for link in links)


def ends(snapshot: Snapshot) -> list[int]:
    """How many samples there were of each node."""
    return [node.snapshot.history.end for node in view(snapshot).nodes]


def changes(snapshot: Snapshot) -> list[str]:
    return [change.text for change in view(snapshot).changes]


async def replicating(own_server: StartServer, *, replicas: int) -> list[EmbeddedServer]:
    """A primary and its replicas, each of which follows it."""
    servers = [own_server({"repl-diskless-sync-delay": "0"}, tcp=True) for _ in range(replicas + 1)]
    for replica in servers[1:]:
        async with client_of(replica) as client:
            await client.replicaof("127.0.0.1", str(servers[0].port))
            while (await client.info("replication"))["master_link_status"] != "up":
                await a_moment()
    return servers


def address(server: EmbeddedServer) -> str:
    return f"127.0.0.1:{server.port}"


async def test_a_server_alone_is_shown_as_it_is(server: EmbeddedServer) -> None:
    async with watched(fleet_of(Endpoint(socket=server.socket))) as snapshots:
        one = await until(snapshots, is_live)
        assert (view(one).kind, view(one).chosen, len(view(one).nodes)) == (Kind.SINGLE, 0, 1)
        assert isinstance(one.reading(SLOWLOG_SETTINGS), Ready)


async def test_peaks_count_anew_when_somebody_says_so(server: EmbeddedServer) -> None:
    fleet = fleet_of(Endpoint(socket=server.socket))
    async with watched(fleet) as snapshots:
        before = (await until(snapshots, lambda one: is_live(one) and len(one.history) > 1)).history
        since = before.peaks_since
        assert since is not None
        assert before.peak(CLIENTS.name) is not None
        fleet.reset_peaks()
        after = await until(
            snapshots,
            lambda one: (one.history.peaks_since or 0.0) > since and one.history.peak(CLIENTS.name) is not None,
        )
        # The first sample after it is the first to count.
        assert after.history.peak(CLIENTS.name) == after.history.latest(CLIENTS.name)


async def test_replicas_are_found_from_the_primary_and_from_a_replica(own_server: StartServer) -> None:
    primary, first, second = await replicating(own_server, replicas=2)
    expected = {address(primary): "primary", address(first): "replica", address(second): "replica"}
    for server in (primary, second):
        async with watched(fleet_of(endpoint_at(server.port))) as snapshots:
            one = await until(snapshots, lambda snapshot: all_live(snapshot, 3))
            assert roles(one) == expected
            assert view(one).kind is Kind.REPLICATION
            chosen = view(one).chosen
            assert chosen is not None
            assert view(one).nodes[chosen].member.id == address(server)


async def test_replicas_are_found_where_info_is_hidden(own_server: StartServer) -> None:
    servers = await replicating(own_server, replicas=2)
    for server in servers:
        async with client_of(server) as client:
            await client.acl_setuser("default", enabled=True, commands=["-info"])
    expected = {address(server): "replica" for server in servers} | {address(servers[0]): "primary"}
    for server in servers[:2]:
        async with watched(fleet_of(endpoint_at(server.port))) as snapshots:
            one = await until(snapshots, lambda snapshot: all_live(snapshot, 3) and roles(snapshot) == expected)
            assert view(one).kind is Kind.REPLICATION
    async with client_of(servers[0]) as client:
        (refused,) = await client.acl_log()
    assert refused["object"] == "info"
    assert int(str(refused["count"])) <= 4  # of each connection one: to poll and to listen, and twice


async def test_the_whole_has_what_can_be_added_up_and_says_what_is_per_node(own_server: StartServer) -> None:
    primary, replica = await replicating(own_server, replicas=1)
    async with client_of(primary) as client, client_of(replica) as reader:
        await client.set("key", "value")
        fleet = fleet_of(endpoint_at(primary.port))
        async with watched(fleet) as snapshots:
            await until(snapshots, lambda snapshot: all_live(snapshot, 2))
            fleet.choose(None)
            await client.get("key")
            await reader.get("nothing")

            def is_added_up(snapshot: Snapshot) -> bool:
                hits, keys = snapshot.reading(HIT_RATE), snapshot.reading(KEYSPACE)
                return (
                    isinstance(hits, Ready)
                    and (hits.value.keyspace_hits, hits.value.keyspace_misses) == (1, 1)
                    and isinstance(keys, Ready)
                    and keys.value.keys == 1
                )

            whole = await until(snapshots, is_added_up)
            assert view(whole).chosen is None
            alike = whole.reading(SLOWLOG_SETTINGS)
            assert isinstance(alike, Ready)
            assert alike.value == SlowlogSettings(10_000, 128)
            per_node = whole.reading(ROLE)
            assert isinstance(per_node, Unavailable)
            assert per_node.reason is Reason.PER_NODE
            nodes = [node.snapshot.history.latest(CLIENTS.name) for node in view(whole).nodes]
            assert whole.history.latest(CLIENTS.name) == sum(filter(None, nodes))


async def test_each_node_and_all_together_can_be_chosen(own_server: StartServer) -> None:
    primary, replica = await replicating(own_server, replicas=1)
    fleet = fleet_of(endpoint_at(primary.port))
    async with watched(fleet) as snapshots:
        await until(snapshots, lambda snapshot: all_live(snapshot, 2))
        names = {0: address(primary), 1: address(replica), None: address(primary)}
        for place in (1, 0, None, 1):
            fleet.choose(place)
            one = await until(snapshots, lambda snapshot, place=place: view(snapshot).chosen == place)  # type: ignore[misc]
            assert one.node == names[place]


async def test_a_node_that_is_lost_holds_nobody_up_and_a_failover_is_told(own_server: StartServer) -> None:
    primary, replica = await replicating(own_server, replicas=1)
    fleet = fleet_of(endpoint_at(primary.port))
    async with watched(fleet) as snapshots, client_of(replica) as client:
        await until(snapshots, lambda snapshot: all_live(snapshot, 2))
        fleet.choose(None)
        os.kill(replica.pid, signal.SIGSTOP)
        before = ends(await anext(snapshots))
        later = await until(snapshots, lambda one: ends(one)[0] >= before[0] + 10)
        os.kill(replica.pid, signal.SIGCONT)
        assert ends(later)[1] <= before[1] + 1  # it was waited for alone
        os.kill(primary.pid, signal.SIGKILL)
        lost = await until(snapshots, lambda one: isinstance(view(one).nodes[0].snapshot.link, Lost))
        assert any("is lost" in text for text in changes(lost))
        await client.replicaof("NO", "ONE")
        one = await until(snapshots, lambda one: roles(one)[address(replica)] == "primary")
        assert f"{address(replica)} became primary" in changes(one)
        assert isinstance(one.link, Live)


async def test_a_node_that_hangs_does_not_stop_the_picture_of_all(own_server: StartServer) -> None:
    primary, replica = await replicating(own_server, replicas=1)
    fleet = fleet_of(endpoint_at(primary.port))
    async with watched(fleet) as snapshots:
        await until(snapshots, lambda snapshot: all_live(snapshot, 2))
        fleet.choose(None)
        os.kill(primary.pid, signal.SIGSTOP)
        before = await anext(snapshots)
        later = await until(snapshots, lambda one: ends(one)[1] >= ends(before)[1] + 10)
        os.kill(primary.pid, signal.SIGCONT)
        hanging, answering = (node.snapshot for node in view(later).nodes)
        assert isinstance(hanging.link, Live)  # it is still waited for
        assert later.at == answering.at > hanging.at
        assert view(later).nodes[1].member.id == address(replica)


async def test_a_lost_node_ages_by_the_clock_of_the_picture_and_one_that_answers_by_its_answer(
    own_server: StartServer,
) -> None:
    primary, replica = await replicating(own_server, replicas=1)
    fleet = fleet_of(endpoint_at(primary.port))
    async with watched(fleet) as snapshots:
        await until(snapshots, lambda snapshot: all_live(snapshot, 2))
        fleet.choose(None)
        os.kill(replica.pid, signal.SIGKILL)
        await until(snapshots, lambda one: isinstance(view(one).nodes[1].snapshot.link, Lost))
        for _ in range(3):
            one = await anext(snapshots)
            answering, lost = (node.snapshot for node in view(one).nodes)
            assert isinstance(lost.link, Lost)
            assert answering.at == one.at <= lost.at


async def test_the_feed_moves_to_a_node_that_answers(own_server: StartServer) -> None:
    primary, replica = await replicating(own_server, replicas=1)
    fleet = fleet_of(endpoint_at(primary.port))
    async with watched(fleet) as snapshots, client_of(replica) as client:
        await until(snapshots, lambda snapshot: all_live(snapshot, 2) and isinstance(fleet.feed.status, Live))
        fleet.choose(None)
        os.kill(primary.pid, signal.SIGKILL)
        await until(snapshots, lambda one: isinstance(view(one).nodes[0].snapshot.link, Lost))
        while not await client.publish("news", "hello"):
            await anext(snapshots)
        await until(snapshots, lambda _: any(isinstance(entry, Message) for entry in fleet.feed.newest()))


async def test_an_action_is_for_one_node(own_server: StartServer) -> None:
    primary, _ = await replicating(own_server, replicas=1)
    fleet = fleet_of(endpoint_at(primary.port))
    async with watched(fleet) as snapshots:
        await until(snapshots, lambda snapshot: all_live(snapshot, 2))
        fleet.choose(None)
        refused = await fleet.act(FLUSH)
        assert isinstance(refused, NotDone)
        assert "n and N" in refused.remedy
        named = Action(FLUSH.name, FLUSH.command, FLUSH.effect, FLUSH.acl, node=safe(address(primary)))
        assert await fleet.act(named) == Done(safe("OK"))


async def test_what_writes_is_not_sent_to_a_replica(own_server: StartServer) -> None:
    primary, replica = await replicating(own_server, replicas=1)
    fleet = fleet_of(endpoint_at(primary.port))
    async with watched(fleet) as snapshots:
        await until(snapshots, lambda snapshot: all_live(snapshot, 2))
        fleet.choose(1)
        refused = await fleet.act(Action(safe("End session"), ("UNLINK", "session:1"), safe("It is gone."), "unlink"))
        assert refused == NotDone(
            safe(f"End session was not sent: {address(replica)} is a replica"),
            safe(f"its primary is {address(primary)}: n and N step there"),
            unknown=False,
        )
        reset = Action(safe("Reset"), ("SLOWLOG", "RESET"), safe("It is empty."), "slowlog|reset")
        assert await fleet.act(reset) == Done(safe("OK"))


async def test_a_node_is_reached_where_its_address_is_mapped_to(own_server: StartServer) -> None:
    primary, replica = await replicating(own_server, replicas=1)
    async with client_of(replica) as client:
        await client.config_set("replica-announce-ip", "192.0.2.1")
        await client.replicaof("NO", "ONE")  # an address is announced when the link is made
        await client.replicaof("127.0.0.1", str(primary.port))
    announced = Address("192.0.2.1", replica.port)
    mapped = ((announced, Address("127.0.0.1", replica.port)),)
    fleet = fleet_of(replace(endpoint_at(primary.port), mapped=mapped))
    async with watched(fleet) as snapshots:
        one = await until(snapshots, lambda one: all_live(one, 2) and str(announced) in roles(one))
        assert roles(one)[str(announced)] == "replica"


@pytest.mark.parametrize("place", [1, None])
async def test_before_anything_is_known_there_is_nothing_to_choose(place: int | None) -> None:
    fleet = fleet_of(Endpoint(port=1))
    fleet.choose(place)
    async with watched(fleet) as snapshots:
        one = await anext(snapshots)
        assert view(one).chosen == 0


async def test_what_ends_the_listener_is_not_passed_over(
    server: EmbeddedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def run(_: Listener) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(Listener, "run", run)
    async with watched(fleet_of(Endpoint(socket=server.socket))) as snapshots:
        with pytest.raises(ZeroDivisionError):
            await until(snapshots, lambda _: False)
