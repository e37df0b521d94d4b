"""Where what is written goes, in each kind of deployment and state of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from pymon_tui.model.deployment import Address, Kind, Role
from pymon_tui.model.link import Lost, Trouble
from pymon_tui.model.snapshot import FleetView, Node, SentinelView
from pymon_tui.model.text import safe
from pymon_tui.server.endpoint import Endpoint, Service
from pymon_tui.state.destination import NoPrimary, destination
from tests.state.deployed import cluster, fleet, node

SEED = Endpoint(host="10.0.0.1", port=7001, name="prod", environment="production", username="me")
AWAY = Lost(Trouble.UNREACHABLE, safe("it is away"), safe(""), 0.0, 1.0, 1)
WATCHED = Endpoint(service=Service("main", (Address("s", 1),)), name="prod", username="me")


def named(one: Node) -> Node:
    """A node that goes by its address, as outside of a cluster."""
    primary = f"10.0.0.1:{one.member.primary}" if one.member.primary else None
    return replace(one, member=replace(one.member, id=str(one.member.address), primary=primary))


def replicating(*nodes: Node) -> FleetView:
    return fleet(Kind.REPLICATION, [named(one) for one in nodes])


def watched(nodes: Sequence[Node], primary: str) -> FleetView:
    view = SentinelView(safe("main"), primary, 3, 3, 2, None, ())
    return replace(fleet(Kind.SENTINEL, [named(one) for one in nodes]), sentinels=view)


def test_what_the_user_named_is_the_server_until_more_is_known() -> None:
    assert destination(SEED, None) is SEED
    alone = fleet(Kind.SINGLE, [named(node(7001, Role.PRIMARY))])
    assert destination(SEED, alone) is SEED
    assert destination(SEED, replicating(node(7001, Role.PRIMARY), node(7002, Role.REPLICA, primary=7001))) is SEED


def test_from_a_replica_it_goes_to_its_primary() -> None:
    to = destination(SEED, replicating(node(7000, Role.PRIMARY), node(7001, Role.REPLICA, primary=7000)))
    assert (to.address, to.label, to.environment, to.username) == (
        "10.0.0.1:7000",
        "10.0.0.1:7000",
        "production",
        "me",
    )


def test_after_a_failover_it_goes_to_the_one_that_is_followed() -> None:
    old, new = node(7001, Role.PRIMARY), node(7002, Role.PRIMARY)
    follower = node(7003, Role.REPLICA, primary=7002)
    assert destination(SEED, replicating(old, new, follower)).port == 7002
    with pytest.raises(NoPrimary, match=r"10\.0\.0\.1:7001 and 10\.0\.0\.1:7002 all say"):
        destination(SEED, replicating(old, new))


def test_where_nobody_says_so_the_server_says_itself_what_it_is() -> None:
    assert destination(SEED, replicating(node(7001, Role.REPLICA, primary=7000))) is SEED


def test_under_sentinel_it_goes_to_whom_that_names() -> None:
    old, new = node(7001, Role.PRIMARY), node(7002, Role.PRIMARY)
    to = destination(WATCHED, watched([old, new], "10.0.0.1:7002"))
    assert (to.address, to.service, to.username) == ("10.0.0.1:7002", None, "me")
    with pytest.raises(NoPrimary, match="no Sentinel has told yet where the primary of main is"):
        destination(WATCHED, None)
    with pytest.raises(NoPrimary, match="the primary of main isn't known"):
        destination(WATCHED, watched([node(7002, Role.REPLICA)], "10.0.0.1:7009"))


def test_in_a_cluster_it_goes_to_a_node_that_answers() -> None:
    whole = cluster()
    assert destination(SEED, whole).port == 7000
    away = [replace(one, snapshot=replace(one.snapshot, link=AWAY)) for one in whole.nodes[:2]]
    assert destination(SEED, replace(whole, nodes=(*away, *whole.nodes[2:]))).port == 7001
    only_replicas = [one for one in whole.nodes if one.member.role is Role.REPLICA]
    assert destination(SEED, replace(whole, nodes=tuple(only_replicas))).port == 7010
    all_away = [replace(one, snapshot=replace(one.snapshot, link=AWAY)) for one in whole.nodes]
    assert destination(SEED, replace(whole, nodes=tuple(all_away))) is SEED
