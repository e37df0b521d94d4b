"""Key events of a real cluster in the feed: of all primaries, after a failover too, and said where it isn't all."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from pymon_tui.model.link import Live, Lost
from pymon_tui.model.snapshot import Snapshot
from tests.conftest import StartServer
from tests.server.fake import endpoint_at
from tests.server.listening import marks, messages
from tests.servers.cluster import Cluster
from tests.servers.fixtures import StartCluster
from tests.state.test_fleet import all_live
from tests.state.test_monitor import is_lost, until, watched
from tests.state.test_shards import fleet_of

SETS = b"__keyevent@0__:set"


def announcing(cluster: Cluster) -> None:
    for node in cluster.nodes:
        node.ask("CONFIG", "SET", "notify-keyspace-events", "KEA")


def heard(snapshot: Snapshot, primaries: int) -> bool:
    coverage = snapshot.feed.coverage
    return coverage is not None and (coverage.heard, coverage.primaries) == (primaries, 3)


@pytest.mark.parametrize("place", [0, -1], ids=["a primary", "a replica"])
async def test_each_key_of_a_cluster_is_told_once(cluster: Cluster, place: int) -> None:
    announcing(cluster)
    keys = [f"key:{number}" for number in range(300)]
    seed = cluster.nodes[place]
    fleet = fleet_of(endpoint_at(seed.port), SETS, b"news")
    async with watched(fleet) as snapshots:
        await until(snapshots, lambda one: all_live(one, 6) and heard(one, 3))
        cluster.fill(keys)
        seed.ask("PUBLISH", "news", "m")
        await until(snapshots, lambda _: (b"news", b"m") in messages(fleet.feed) and fleet.feed.seen >= 301)
        assert Counter(messages(fleet.feed)) == Counter([(b"news", b"m"), *((SETS, key.encode()) for key in keys)])
        assert marks(fleet.feed) == []


async def test_what_is_listened_to_may_be_changed(cluster: Cluster) -> None:
    announcing(cluster)
    fleet = fleet_of(endpoint_at(cluster.nodes[0].port), b"news")
    async with watched(fleet) as snapshots:
        await until(snapshots, lambda one: all_live(one, 6))
        assert fleet.feed.coverage is None
        await fleet.watch([b"__keyspace@0__:user:*"])
        await until(snapshots, lambda one: heard(one, 3))
        cluster.fill([f"user:{number}" for number in range(30)])
        await until(snapshots, lambda _: fleet.feed.seen == 30)
        await fleet.watch([b"news"])
        assert fleet.feed.coverage is None


async def test_a_failover_is_followed(own_cluster: StartCluster) -> None:
    cluster = own_cluster({"notify-keyspace-events": "KEA"})
    old = cluster.primaries()[0]
    (heir,) = cluster.replicas(old)
    fleet = fleet_of(endpoint_at(cluster.primaries()[1].port), SETS)
    async with watched(fleet) as snapshots:
        await until(snapshots, lambda one: all_live(one, 6) and heard(one, 3))
        await cluster.failover(heir)
        told = f"key events of {heir.address} are followed now"
        await until(snapshots, lambda one: heard(one, 3) and any(told in mark for mark in marks(fleet.feed)))
        before = fleet.feed.seen
        cluster.fill([f"key:{number}" for number in range(300)])
        await until(snapshots, lambda _: fleet.feed.seen - before >= 300)
        assert fleet.feed.seen - before == 300


async def test_a_primary_that_does_not_let_us_is_said(cluster: Cluster) -> None:
    announcing(cluster)
    shut, *_, seed = cluster.primaries()
    try:
        shut.ask("ACL", "SETUSER", "default", "resetchannels", "&news")
        fleet = fleet_of(endpoint_at(seed.port), SETS)
        async with watched(fleet) as snapshots:
            shown = await until(
                snapshots, lambda one: heard(one, 2) and bool(one.feed.coverage and one.feed.coverage.why)
            )
            assert shown.feed.coverage is not None
            assert shut.address in shown.feed.coverage.why
            assert "ACL SETUSER default &__keyevent@0__:set" in shown.feed.coverage.why
            cluster.fill([f"key:{number}" for number in range(90)])
            others = 90 - shut.ask("DBSIZE")
            await until(snapshots, lambda _: fleet.feed.seen == others)
    finally:
        shut.ask("ACL", "SETUSER", "default", "allchannels")


async def test_a_server_alone_tells_of_all_its_keys(own_server: StartServer) -> None:
    server = own_server({"notify-keyspace-events": "KEA"}, tcp=True)
    fleet = fleet_of(endpoint_at(server.port), SETS)
    async with watched(fleet) as snapshots:
        await until(snapshots, lambda one: all_live(one, 1))
        assert fleet.feed.coverage is None


async def test_what_the_feed_has_lost_is_lost_at_once_however_seldom_we_ask(own_server: StartServer) -> None:
    server = own_server(tcp=True)
    fleet = fleet_of(endpoint_at(server.port), SETS)
    async with watched(fleet) as snapshots:
        await until(snapshots, lambda one: all_live(one, 1) and isinstance(fleet.feed.status, Live))
        fleet.set_interval(60.0)
        server.stop()
        shown = await until(snapshots, is_lost)
        assert isinstance(shown.link, Lost)
        assert isinstance(fleet.feed.status, Lost)
        assert abs(shown.link.since - fleet.feed.status.since) < 10


async def test_what_the_poller_has_lost_tells_no_events(own_cluster: StartCluster) -> None:
    cluster = own_cluster({"notify-keyspace-events": "KEA", "cluster-node-timeout": "600000"})
    frozen, seed, *_ = cluster.primaries()
    fleet = fleet_of(replace(endpoint_at(seed.port), command_timeout=0.5), SETS)
    async with watched(fleet) as snapshots:
        await until(snapshots, lambda one: all_live(one, 6) and heard(one, 3))
        frozen.pause()
        try:
            shown = await until(snapshots, lambda one: not all_live(one, 6))
            assert heard(shown, 2)
            assert shown.feed.coverage is not None
            assert "no answer" in shown.feed.coverage.why
        finally:
            frozen.resume()
        await until(snapshots, lambda one: all_live(one, 6) and heard(one, 3))


@pytest.mark.parametrize(
    ("patterns", "wide"), [((b"*",), "*"), ((b"news", b"_*:set"), "_*:set"), ((b"n*", b"news"), None)]
)
async def test_a_pattern_that_hears_one_node_by_chance_is_said(
    cluster: Cluster, patterns: tuple[bytes, ...], wide: str | None
) -> None:
    fleet = fleet_of(endpoint_at(cluster.nodes[0].port), *patterns)
    async with watched(fleet) as snapshots:
        shown = await until(snapshots, lambda one: all_live(one, 6) and (wide is None or heard(one, 1)))
        coverage = shown.feed.coverage
        assert (coverage and coverage.why) == (wide and f"{wide} hears those of one node, __key* those of all")
        if wide is not None:
            await fleet.watch([*patterns, b"__key*"])
            await until(snapshots, lambda one: heard(one, 3))
