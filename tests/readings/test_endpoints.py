"""Where a node of a cluster is to be reached, in each way in which a server can announce itself."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from redis.asyncio import Redis
from redis.exceptions import MovedError, ResponseError

from pymon_tui.invalidation.cluster.primaries import find
from pymon_tui.invalidation.redirect import redirect_of
from pymon_tui.model.deployment import Address, Layout
from pymon_tui.readings.topology import deployed, parse_nodes, parse_shards, parse_slots
from pymon_tui.server.endpoint import Endpoint, Tls
from tests.conftest import StartServer
from tests.demo.waiting import eventually
from tests.servers import cluster as clusters
from tests.servers.cluster import Cluster, slot_of
from tests.servers.kinds import binary_of
from tests.servers.ports import free_port
from tests.state.test_fleet import all_live
from tests.state.test_monitor import until, watched
from tests.state.test_shards import fleet_of
from tests.ui.hostile import send

NAME = "redis-1.cluster.invalid"  # no DNS has it
ASKED = "cache.example"
TYPES = ("ip", "hostname", "unknown-endpoint")


async def replies(socket: str, protocol: int) -> tuple[Any, Any, Any]:
    """What a server answers to CLUSTER NODES, SHARDS and SLOTS, as it stands."""
    async with Redis(unix_socket_path=socket, protocol=protocol) as client:
        client.response_callbacks.clear()
        ask: Any = client.execute_command
        return await ask("CLUSTER", "NODES"), await ask("CLUSTER", "SHARDS"), await ask("CLUSTER", "SLOTS")


@pytest.mark.needs("cluster|shards")
@pytest.mark.parametrize("protocol", [2, 3])
@pytest.mark.parametrize("ip", ["127.0.0.1", "10.0.0.7", "fd00::7"])
async def test_each_way_a_server_can_announce_itself(own_server: StartServer, ip: str, protocol: int) -> None:
    server = own_server({"cluster-enabled": "yes", "cluster-port": str(free_port())}, tcp=True)
    async with Redis(unix_socket_path=server.socket) as client:
        await send(client, "CLUSTER", "ADDSLOTSRANGE", 0, 16_383)
        for preferred in TYPES:
            for name in ("", NAME):
                await client.config_set("cluster-preferred-endpoint-type", preferred)
                await client.config_set("cluster-announce-ip", ip)
                await client.config_set("cluster-announce-hostname", name)
                meant = {"ip": ip, "hostname": name or ip, "unknown-endpoint": ASKED}[preferred]

                async def told(name: str = name) -> bool:
                    return f"{ip}:{server.port}@".encode() in (nodes := (await replies(server.socket, 2))[0]) and (
                        name.encode() in nodes
                    )

                await eventually(told)
                nodes, shards, slots = await replies(server.socket, protocol)
                parsed = parse_nodes(nodes), parse_shards(shards), parse_slots(slots)
                for answered in (
                    parsed,
                    (parsed[0], parsed[1], None),
                    (None, parsed[1], None),
                    (None, None, parsed[2]),
                ):
                    layout = deployed(*answered)
                    assert layout is not None
                    (member,) = layout.reached(tls=False, host=ASKED).members
                    assert (member.address, member.ip) == (Address(meant, server.port), ip)
                    assert member.hostname in ((name or None), None if answered[0] is None else name or None)


@pytest.fixture(scope="module")
def named(server_kind: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A cluster whose nodes hear of each other's new names within two seconds, half of what they take for silence."""
    folder, config = tmp_path_factory.mktemp("named"), {"cluster-node-timeout": "4000"}
    cluster = clusters.started(folder, config, binary=binary_of(server_kind))
    yield cluster
    cluster.stop()


@pytest.mark.needs("cluster|shards")
@pytest.mark.parametrize("preferred", TYPES)
@pytest.mark.parametrize("name", ["", NAME, "localhost"])  # the last to change: all hear of each once
async def test_nodes_are_where_the_server_redirects_to(named: Cluster, preferred: str, name: str) -> None:
    if preferred == "hostname" and name == NAME:
        pytest.skip("such a cluster can't be reached by anybody")
    for node in named.nodes:
        node.ask("CONFIG", "SET", "cluster-preferred-endpoint-type", preferred)
        node.ask("CONFIG", "SET", "cluster-announce-hostname", name)
    await eventually(lambda: _is_told(named, name))
    seed, *others = named.primaries()
    found = await find(Endpoint(port=seed.port))
    reached = {one.node_id: Address(one.endpoint.host, one.endpoint.port) for one in found.primaries}
    owned = named.slots()
    for other in others:
        key = next(f"key:{n}" for n in range(1_000) if slot_of(f"key:{n}") in owned[other])
        with pytest.raises(MovedError) as moved:
            seed.ask("GET", key)
        redirect = redirect_of(ResponseError(f"MOVED {moved.value.message}"), "127.0.0.1")
        assert redirect is not None
        assert reached[other.id] == redirect.address
    async with watched(fleet_of(Endpoint(port=seed.port))) as snapshots:
        shown = await until(snapshots, lambda one: all_live(one, 6))
    assert shown.fleet is not None
    told = {node.member.id: (node.member.address, node.member.hostname) for node in shown.fleet.nodes}
    assert all(told[other.id] == (reached[other.id], name or None) for other in others)


async def _is_told(cluster: Cluster, name: str) -> bool:
    seen: list[str] = await asyncio.to_thread(lambda: [node.ask("CLUSTER", "NODES") for node in cluster.nodes])
    lines = [line.split(" ")[1] for text in seen for line in text.splitlines()]
    return all(line.partition(",")[2].partition(",")[0] == name for line in lines)


def test_a_node_without_slots_follows_the_others() -> None:
    nodes = parse_nodes(
        b"a 10.0.0.1:1@2,one.example master - 0 0 1 connected 0-16383\n"
        b"b 10.0.0.2:1@2,two.example master - 0 0 2 connected\n"
    )

    def at(slots: Any) -> list[str]:
        layout = deployed(nodes, None, parse_slots([[0, 16383, slots]]))
        assert isinstance(layout, Layout)
        return [str(one.address) for one in layout.reached(tls=False, host=ASKED).members]

    assert at([b"10.0.0.1", 1, b"a", [b"hostname", b"one.example"]]) == ["10.0.0.1:1", "10.0.0.2:1"]
    assert at([b"one.example", 1, b"a", [b"ip", b"10.0.0.1"]]) == ["one.example:1", "two.example:1"]
    assert at([None, 1, b"a", [b"ip", b"10.0.0.1"]]) == [f"{ASKED}:1", f"{ASKED}:1"]


def test_what_is_announced_beside_an_address_is_what_is_verified() -> None:
    asked = Endpoint(host="seed.example", tls=Tls(), mapped=((Address("two.example", 1), Address("localhost", 7001)),))
    one = asked.at(Address("10.0.0.1", 1), "one.example")
    assert (one.host, one.certified) == ("10.0.0.1", "one.example")
    assert one.at(Address("10.0.0.3", 1)).certified == "10.0.0.3"
    two = one.at(Address("10.0.0.2", 1), "two.example")
    assert (two.address, two.certified) == ("localhost:7001", "localhost")
    named = Endpoint(tls=Tls(server_name="given.example")).at(Address("10.0.0.1", 1), "one.example")
    assert named.certified == "given.example"
