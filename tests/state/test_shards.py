"""Sharded Pub/Sub of a real cluster in the feed: slots move, others come and go, and we may be refused."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace

import pytest
from pydantic import SecretStr
from redis.asyncio import Redis

from pymon_tui.demo.embedded import EmbeddedServer
from pymon_tui.model.feed import Feed
from pymon_tui.model.query import PENDING, Ready
from pymon_tui.model.snapshot import Snapshot
from pymon_tui.readings.channels import Channel, Channels
from pymon_tui.server.connection import open_session
from pymon_tui.server.endpoint import Endpoint
from pymon_tui.server.greeting import Handshake
from pymon_tui.state.fleet import Fleet
from pymon_tui.state.shards import KEPT, ShardNode, Shards
from tests.demo.waiting import eventually
from tests.server.fake import endpoint_at
from tests.server.listening import marks, messages, until
from tests.servers.cluster import Cluster, slot_of
from tests.servers.fixtures import StartCluster
from tests.servers.node import Node
from tests.state.test_fleet import all_live, follow
from tests.state.test_monitor import Snapshots, watched
from tests.state.test_monitor import until as until_shown


def fleet_of(endpoint: Endpoint, *patterns: bytes) -> Fleet:
    return Fleet(endpoint, (), follow, patterns=patterns, read_only=True)


@asynccontextmanager
async def subscribed(*where: tuple[Node, str]) -> AsyncIterator[set[int | None]]:
    """Others who follow these shard channels, each at a node of its slot; by the ids of their connections."""
    ids = set()
    async with AsyncExitStack() as stack:
        for node, channel in where:
            session, _ = await open_session(endpoint_at(node.port), Handshake.RESP2)
            stack.push_async_callback(session.close)
            await session.ask([("SSUBSCRIBE", channel)])
            ids.add(session.client_id)
        yield ids


async def heard(fleet: Fleet, snapshots: Snapshots, node: Node, channel: str) -> None:
    """Publish at this node until the feed has it."""

    def has_come(_: Snapshot) -> bool:
        if (channel.encode(), b"m") in messages(fleet.feed):
            return True
        node.ask("SPUBLISH", channel, "m")
        return False

    await until_shown(snapshots, has_come)


def one_of_each(cluster: Cluster) -> dict[Node, str]:
    """A channel of a slot of each primary."""
    return {node: name for name, node in cluster.owners(f"orders:{number}" for number in range(50)).items()}


@pytest.mark.needs("ssubscribe")
async def test_what_matches_is_heard_from_every_primary(cluster: Cluster) -> None:
    channels = one_of_each(cluster)
    first, *others = channels
    replica = cluster.replicas(first)[0]
    there = [(replica, channels[first]), *((node, channels[node]) for node in others), (first, "else:{orders:1}")]
    there[-1] = (cluster.owner_of("else:1"), "else:1")
    fleet = fleet_of(endpoint_at(cluster.nodes[-1].port), b"orders:*", b"\xff", b"[a-\xff]")
    async with subscribed(*there), watched(fleet) as snapshots:
        await until_shown(snapshots, lambda one: all_live(one, 6))
        for node, channel in channels.items():
            await heard(fleet, snapshots, node, channel)
        assert cluster.owner_of("else:1").ask("SPUBLISH", "else:1", "m") == 1
        assert {channel for channel, _ in messages(fleet.feed)} == {name.encode() for name in channels.values()}


@pytest.mark.needs("ssubscribe")
async def test_our_own_connections_are_known_for_ours(cluster: Cluster) -> None:
    (node, channel), *_ = one_of_each(cluster).items()
    fleet = fleet_of(endpoint_at(node.port), b"orders:*")
    async with subscribed((node, channel)) as others, watched(fleet) as snapshots:
        await heard(fleet, snapshots, node, channel)
        listed = [line.split() for line in node.ask("CLIENT", "LIST", "TYPE", "PUBSUB").splitlines()]
        ids = {int(words[0].removeprefix("id=")) for words in listed if "ssub=1" in words}
        (ours,) = ids - others

        def is_known(one: Snapshot) -> bool:
            assert one.fleet is not None
            return any(
                str(each.member.address) == node.address and ours in each.snapshot.own_ids for each in one.fleet.nodes
            )

        await until_shown(snapshots, is_known)


@pytest.mark.needs("ssubscribe")
async def test_a_slot_that_moves_is_followed(own_cluster: StartCluster) -> None:
    cluster = own_cluster()
    (source, channel), (target, _), *_ = one_of_each(cluster).items()
    fleet = fleet_of(endpoint_at(source.port), b"orders:*")
    async with subscribed((source, channel)), watched(fleet) as snapshots:
        await heard(fleet, snapshots, source, channel)
        fleet.feed.clear()
        await cluster.move_slots([slot_of(channel)], target)
        await heard(fleet, snapshots, target, channel)
        assert f"{channel} is at {target.address} now; messages in between may be lost" in marks(fleet.feed)


@pytest.mark.needs("ssubscribe")
async def test_what_is_refused_is_asked_once_and_told(own_cluster: StartCluster) -> None:
    cluster = own_cluster()
    (node, channel), *_ = one_of_each(cluster).items()
    for each in cluster.nodes:
        each.ask("ACL", "SETUSER", "me", "on", ">pw", "+@all", "~*", "&*", "-ssubscribe")
    endpoint = replace(endpoint_at(node.port), username="me", password=SecretStr("pw"))
    fleet = fleet_of(endpoint, b"orders:*")
    async with subscribed((node, channel)), watched(fleet) as snapshots:
        await until_shown(snapshots, lambda _: any("not followed" in text for text in marks(fleet.feed)))
        for _ in range(20):
            await anext(snapshots)
        (mark,) = [text for text in marks(fleet.feed) if "not followed" in text]
        assert "ACL SETUSER me +ssubscribe" in mark
        (entry,) = node.ask("ACL", "LOG")
        assert int(entry[1]) == 1


@pytest.mark.needs("ssubscribe")
async def test_it_lets_go_of_what_nobody_else_follows(redis: Redis, server: EmbeddedServer) -> None:
    feed = Feed()
    feed.patterns = (b"orders:*",)
    shards = Shards(feed)

    def told(subscribers: int, at: float) -> ShardNode:
        channels = Channels((Channel(b"orders:1", subscribers),)) if subscribers else Channels(())
        return ShardNode("here", Endpoint(socket=server.socket), ((0, 16_383),), Ready(channels, at))

    async def has_followers(expected: int) -> bool:
        (_, count) = await redis.execute_command("PUBSUB", "SHARDNUMSUB", "orders:1")  # type: ignore[no-untyped-call]
        return int(count) == expected

    shards.update([told(1, 0.0)], 0.0, 1.0)
    await eventually(lambda: has_followers(1))
    await until(lambda: shards.client_id("here") is not None)
    (listener, _, _) = shards._listening["here"]
    await until(lambda: b"orders:1" in listener.held_since)
    since = listener.held_since[b"orders:1"]
    shards.update([told(1, since)], since, 1.0)
    assert shards.tasks  # what was counted before we came is somebody else
    shards.update([told(2, since + 1)], since + 1, 1.0)
    shards.update([told(1, since + 6)], since + KEPT, 1.0)
    assert shards.tasks
    shards.update([told(1, since + 11)], since + KEPT + 2, 1.0)
    assert not shards.tasks
    await eventually(lambda: has_followers(0))


@pytest.mark.parametrize(("interval", "kept"), [(1.0, KEPT), (10.0, 30.0)])
async def test_it_holds_on_for_three_ticks_however_far_apart_they_are(
    server: EmbeddedServer, interval: float, kept: float
) -> None:
    feed = Feed()
    feed.patterns = (b"orders:*",)
    shards = Shards(feed)

    def at(now: float, *channels: Channel) -> bool:
        told = Ready(Channels(channels), now)
        shards.update([ShardNode("here", Endpoint(socket=server.socket), ((0, 16_383),), told)], now, interval)
        return bool(shards.tasks)

    assert at(100.0, Channel(b"orders:1", 1))
    assert at(100.0 + kept - 0.1)
    assert not at(100.0 + kept)


async def test_a_node_that_tells_nothing_is_no_trouble(server: EmbeddedServer) -> None:
    shards = Shards(Feed())
    shards.update([ShardNode("here", Endpoint(socket=server.socket), ((0, 16_383),), PENDING)], 0.0, 1.0)
    assert not shards.tasks
