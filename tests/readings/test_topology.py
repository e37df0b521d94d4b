"""The nodes of a deployment, as CLUSTER NODES, SHARDS and SLOTS and INFO tell of them."""

from __future__ import annotations

from typing import Any

import pytest

from pymon_tui.model.deployment import Address, Kind, Layout, Role
from pymon_tui.readings.info import parse_info
from pymon_tui.readings.topology import (
    CLUSTER_NODES,
    is_cluster,
    parse_nodes,
    parse_role,
    parse_shards,
    parse_slots,
    replication_layout,
)

A, B, C, D = (letter * 40 for letter in "abcd")

NODES = f"""\
{B} 10.0.0.2:6379@16379,redis-b.example myself,master - 0 1700000000000 2 connected 5461-10922 [5461->-{A}]
{C} 10.0.0.3:6379@16379 slave {A} 0 1700000000000 1 connected
{A} 10.0.0.1:6379@16379,,tls-port=0,shard-id=x master - 0 0 1 connected 0-5000 5002 5004-5460
{D} :0@0 slave,noaddr,fail {B} 0 0 2 disconnected
""".encode()


def shard(first: int, last: int, *nodes: dict[bytes, Any]) -> dict[bytes, Any]:
    return {b"slots": [first, last], b"nodes": list(nodes)}


def node(name: str, role: bytes, host: bytes, **more: Any) -> dict[bytes, Any]:
    known = {b"id": name.encode(), b"port": 6379, b"ip": host, b"endpoint": host, b"role": role, b"health": b"online"}
    return known | {field.replace("_", "-").encode(): value for field, value in more.items()}


def test_nodes_come_with_roles_slots_and_troubles() -> None:
    layout = parse_nodes(NODES)
    assert layout.kind is Kind.CLUSTER
    assert layout.own == B
    assert [member.id for member in layout.members] == [A, C, B, D]
    a, c, b, d = layout.members
    assert a.address == Address("10.0.0.1", 6379)
    assert a.slots == ((0, 5000), (5002, 5002), (5004, 5460))
    assert a.slot_count == 5459
    assert (b.address, b.moving, b.epoch) == (Address("10.0.0.2", 6379), 1, 2)
    assert (b.ip, b.hostname) == ("10.0.0.2", "redis-b.example")
    assert (c.role, c.primary) == (Role.REPLICA, A)
    assert (d.address, d.failing) == (None, "fail")
    assert layout.primaries == (a, b)


@pytest.mark.parametrize("name", ["a\u2028b", "a\x85b", "a\x0bb", "a\x1cb"])
def test_a_name_does_not_end_a_line(name: str) -> None:
    layout = parse_nodes(NODES.replace(b"redis-b.example", name.encode()))
    assert len(layout.members) == 4
    assert name in {member.hostname for member in layout.members}


def test_slots_that_nobody_serves_are_told() -> None:
    assert parse_nodes(NODES).uncovered == ((5001, 5001), (5003, 5003), (10923, 16383))
    assert Layout(Kind.SINGLE, (), None).uncovered == ()


@pytest.mark.parametrize("flat", [False, True])
def test_shards(flat: bool) -> None:  # noqa: FBT001
    reply: Any = [
        shard(0, 8191, node(A, b"master", b"10.0.0.1"), node(C, b"replica", b"10.0.0.3", health=b"loading")),
        shard(8192, 16383, node(B, b"master", b"10.0.0.2", hostname=b"redis-b.example", tls_port=6380)),
    ]
    if flat:
        reply = [[word for pair in _flattened(one).items() for word in pair] for one in reply]
    layout = parse_shards(reply)
    a, c, b = layout.members
    assert (a.slots, a.failing) == (((0, 8191),), None)
    assert (c.role, c.primary, c.failing, c.slots) == (Role.REPLICA, A, "loading", ())
    assert (b.address, b.hostname) == (Address("10.0.0.2", 6379), "redis-b.example")
    assert layout.uncovered == ()


def test_shards_tell_both_ports_and_each_is_reached_as_we_speak() -> None:
    both = node(A, b"master", b"10.0.0.1", tls_port=6380)
    tls_alone = {
        name: value for name, value in node(B, b"master", b"10.0.0.2", tls_port=6381).items() if name != b"port"
    }
    layout = parse_shards([shard(0, 8191, both), shard(8192, 16383, tls_alone)])
    assert [member.address for member in layout.members] == [Address("10.0.0.1", 6379), Address("10.0.0.2", 6381)]
    over_tls = layout.reached(tls=True, host="10.0.0.9")
    assert [member.address for member in over_tls.members] == [Address("10.0.0.1", 6380), Address("10.0.0.2", 6381)]
    assert over_tls.reached(tls=True, host=None) == over_tls
    assert layout.reached(tls=False, host=None) == layout


def _flattened(one: dict[bytes, Any]) -> dict[bytes, Any]:
    return one | {b"nodes": [[word for pair in each.items() for word in pair] for each in one[b"nodes"]]}


def test_slots() -> None:
    first, second, replica = [b"10.0.0.1", 1, A.encode()], [b"10.0.0.2", 2, B.encode()], [b"10.0.0.3", 3, C.encode()]
    layout = parse_slots([[0, 100, first, replica], [200, 16383, second], [101, 199, first, replica]])
    a, c, b = layout.members
    assert a.slots == ((0, 100), (101, 199))
    assert (c.primary, c.slots) == (A, ())
    assert b.slot_count == 16184
    assert layout.uncovered == ()


def test_a_node_without_an_endpoint_is_at_the_host_that_tells() -> None:
    layout = parse_slots([[0, 16383, [None, 1, A.encode(), [b"ip", b"10.0.0.1"]]]])
    assert layout.reached(tls=False, host="cache.example").members[0].address == Address("cache.example", 1)
    assert layout.reached(tls=False, host=None).members[0].address == Address("10.0.0.1", 1)
    unknown = parse_slots([[0, 16383, [None, 1, A.encode()]]])
    assert unknown.reached(tls=False, host=None).members[0].address is None


@pytest.mark.parametrize("parse", [parse_nodes, parse_shards, parse_slots])
@pytest.mark.parametrize("reply", [None, 1, b"too few words", [[1]], [[b"a", 2, 3]], [{b"nodes": []}]])
def test_another_reply_is_unreadable(parse: Any, reply: Any) -> None:
    with pytest.raises(ValueError, match="answered with"):
        parse(reply)


def test_a_primary_tells_of_its_replicas_and_a_replica_of_its_primary() -> None:
    primary = parse_info(b"role:master\r\nslave0:ip=10.0.0.3,port=6379,state=online\r\nslave_priority:100\r\n")
    layout = replication_layout(primary)
    assert [(one.role, str(one.address)) for one in layout.members] == [(Role.REPLICA, "10.0.0.3:6379")]
    replica = parse_info(b"role:slave\r\nmaster_host:fd00::1\r\nmaster_port:6379\r\n")
    (member,) = replication_layout(replica).members
    assert (member.role, str(member.address)) == (Role.PRIMARY, "[fd00::1]:6379")
    assert replication_layout(parse_info(b"role:master\r\n")) == Layout(Kind.SINGLE, (), None)


def test_only_a_node_of_a_cluster_is_asked_for_its_nodes() -> None:
    arguments = CLUSTER_NODES.command.arguments
    alone, member = parse_info(b"cluster_enabled:0\r\n"), parse_info(b"cluster_enabled:1\r\n")
    assert arguments(None, None) == ()
    assert arguments(None, alone) == ()
    assert arguments(None, member) == ("CLUSTER", "NODES")
    assert is_cluster(parse_info(b"redis_mode:cluster\r\n"))


def test_a_role_is_what_info_tells_of_replication() -> None:
    primary = parse_role([b"master", 3_129, [[b"10.0.0.2", b"6379", b"3129"], [b"::1", b"6380", b"3129"]]])
    assert primary.text("role") == "master"
    assert [(str(one.address), one.role) for one in replication_layout(primary).members] == [
        ("10.0.0.2:6379", Role.REPLICA),
        ("[::1]:6380", Role.REPLICA),
    ]
    replica = parse_role([b"slave", b"10.0.0.1", 6379, b"connected", 3_129])
    assert replica.text("role") == "slave"
    assert [(str(one.address), one.role) for one in replication_layout(replica).members] == [
        ("10.0.0.1:6379", Role.PRIMARY)
    ]


@pytest.mark.parametrize("reply", [b"master", [], [b"sentinel", [b"main"]], [b"slave", None, 1], [b"master", 1, b"x"]])
def test_what_is_no_role_is_said_to_be_none(reply: Any) -> None:
    with pytest.raises(ValueError, match="ROLE answered with neither"):
        parse_role(reply)


def test_replicas_of_a_role_that_make_no_sense_are_left_out() -> None:
    assert replication_layout(parse_role([b"master", 1, [b"x", [1, 2, 3], [b"a"], [b"h", b"x", b"0"]]])).members == ()
