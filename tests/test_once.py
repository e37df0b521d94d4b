"""``once`` on deployments of all kinds: every node with its role, the sums, and one node alone."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from redis.asyncio import Redis

from pymon_tui import cli
from pymon_tui.demo.embedded import EmbeddedServer
from tests.conftest import StartServer, client_of
from tests.demo.waiting import wait_until
from tests.servers.cluster import Cluster
from tests.servers.fixtures import StartCluster
from tests.servers.node import Node
from tests.servers.sentinels import SERVICE, Sentinels
from tests.state.test_fleet import replicating


async def ran(*arguments: str) -> int:
    """The exit code of ``once`` with these arguments."""
    return await asyncio.to_thread(cli.run, ["once", *arguments])


@pytest.fixture
def told(capsys: pytest.CaptureFixture[str]) -> Any:
    """From arguments to the object that ``once --json`` prints."""

    async def tell(*arguments: str) -> Any:
        capsys.readouterr()
        span = () if "--span" in arguments else ("--span", "0.05")
        code = await ran("--json", *span, *arguments)
        written = capsys.readouterr()
        assert code == 0, written.err
        return json.loads(written.out)

    return tell


def roles(document: Mapping[str, Any]) -> list[str]:
    return [node["role"] for node in document["nodes"]]


def field(nodes: Sequence[Any], reading: str, name: str) -> list[Any]:
    return [node["readings"][reading][name] for node in nodes]


async def test_one_server_is_a_list_of_one_and_no_whole(
    any_redis: Redis, any_server: EmbeddedServer, told: Any
) -> None:
    document = await told("-s", any_server.socket)
    (node,) = document["nodes"]
    assert (document["schema_version"], document["kind"], document["whole"]) == (1, "single", None)
    assert (node["role"], node["primary"], node["lost"]) == ("primary", None, None)
    assert node["readings"]["server"]["role"] == "primary"


@pytest.mark.needs("latency|histogram")
async def test_latency_is_of_the_span_and_since_the_start(redis: Redis, server: EmbeddedServer, told: Any) -> None:
    for number in range(100):
        await redis.set(f"key:{number}", "v")
    (node,) = (await told("-s", server.socket))["nodes"]
    latency = node["readings"]["latency"]
    # Nobody else called anything meanwhile.
    assert (latency["last"]["calls"], latency["last"]["p99"]) == (0, None)
    assert latency["last"]["seconds"] >= 0.05
    assert latency["since_start"]["calls"] >= 100
    assert 0 < latency["since_start"]["p50"] <= latency["since_start"]["p99"] <= latency["since_start"]["max"]

    (node,) = (await told("-s", server.socket, "--span", "0"))["nodes"]
    assert (node["readings"]["latency"]["last"], node["readings"]["latency"]["long"]) == (None, None)
    assert node["readings"]["latency"]["since_start"]["calls"] >= 100


async def test_without_histograms_it_prints_a_mean_by_that_name(
    any_redis: Redis, any_server: EmbeddedServer, capsys: pytest.CaptureFixture[str]
) -> None:
    has = int((await any_redis.info("server"))["redis_version"].partition(".")[0]) >= 7
    errors = await any_redis.info("errorstats")
    await any_redis.set("key", "v")
    assert await ran("-s", any_server.socket, "--span", "0.01") == 0
    (line,) = [line for line in capsys.readouterr().out.splitlines() if "latency" in line]
    assert ("p99 ≤" in line) is has
    assert ("mean" in line) is not has
    assert await any_redis.info("errorstats") == errors


async def test_our_own_calls_are_left_out(own_server: StartServer, told: Any) -> None:
    (node,) = (await told("-s", own_server().socket))["nodes"]
    called = {each["name"] for each in node["readings"]["commands"]["statistics"] if each["calls"]}
    assert called <= {"ping", "config|get"}  # whoever started it


async def test_a_cluster_is_all_of_its_nodes_whichever_is_named(cluster: Cluster, told: Any) -> None:
    for node in cluster.primaries():
        node.ask("CONFIG", "SET", "maxmemory", "100mb")
    primaries = {node.address for node in cluster.primaries()}
    everyone = {node.address for node in cluster.nodes}
    replica = next(node for node in cluster.nodes if node.address not in primaries)
    for named in (cluster.primaries()[0], replica):
        document = await told("-h", "127.0.0.1", "-p", str(named.port))
        assert (document["kind"], document["uncovered"]) == ("cluster", [])
        assert document["nodes"][0]["address"] == named.address
        assert {node["address"] for node in document["nodes"]} == everyone
        assert {node["address"] for node in document["nodes"] if node["role"] == "primary"} == primaries
        assert {node["primary"] for node in document["nodes"] if node["role"] == "replica"} == primaries
        whole = document["whole"]
        assert (whole["nodes"], whole["answering"]) == (6, 6)
        of_primaries = [node for node in document["nodes"] if node["role"] == "primary"]
        assert whole["readings"]["memory"]["maxmemory"] == 3 * 100 * 1024**2
        assert whole["readings"]["memory"]["used_memory"] == sum(field(of_primaries, "memory", "used_memory"))
        clients = sum(field(document["nodes"], "server", "connected_clients"))
        assert whole["readings"]["server"]["connected_clients"] == clients
        assert whole["readings"]["slowlog_settings"] == document["nodes"][0]["readings"]["slowlog_settings"]
        latencies = [node["readings"]["latency"] for node in document["nodes"]]
        if "unavailable" not in latencies[0]:  # before Redis 7 nothing is asked
            since_start = sum(latency["since_start"]["calls"] for latency in latencies)
            assert whole["readings"]["latency"]["since_start"]["calls"] == since_start
        else:
            assert whole["readings"]["latency"]["unavailable"] == "unasked"


async def test_a_cluster_where_one_alone_has_a_limit_names_it(
    cluster: Cluster, told: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    limited, *others = cluster.primaries()
    for node in others:
        node.ask("CONFIG", "SET", "maxmemory", "0")
    limited.ask("CONFIG", "SET", "maxmemory", "100mb")
    memory = (await told("-h", "127.0.0.1", "-p", str(others[0].port)))["whole"]["readings"]["memory"]
    shares = {one["node"]: one["share"] for one in memory["primaries"]}
    assert {node for node, share in shares.items() if share is not None} == {limited.address}
    assert 0 < shares[limited.address] < 1
    assert await ran("-h", "127.0.0.1", "-p", str(others[0].port), "--span", "0") == 0
    (line,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith("  memory ")]
    assert f"; {limited.address} is at " in line
    assert line.endswith(f"% of its limit; {len(others)} of {len(others) + 1} have no limit")


async def test_a_cluster_without_limits_says_so(cluster: Cluster, capsys: pytest.CaptureFixture[str]) -> None:
    for node in cluster.primaries():
        node.ask("CONFIG", "SET", "maxmemory", "0")
    assert await ran("-h", "127.0.0.1", "-p", str(cluster.nodes[0].port), "--span", "0") == 0
    (line,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith("  memory ")]
    assert line.endswith(" MiB, no limit, noeviction")


@pytest.mark.parametrize(
    ("limit", "policy", "says"),
    [
        pytest.param(0, "noeviction", "", id="no limit of its own"),
        pytest.param(0.5, "noeviction", "writes fail now: noeviction, ", id="over it"),
        pytest.param(
            0.5, "volatile-lru", "writes fail now: volatile-lru, and no key has a TTL, ", id="nothing to evict"
        ),
    ],
)
async def test_memory_is_judged_as_in_its_pane(
    own_server: StartServer, capsys: pytest.CaptureFixture[str], limit: float, policy: str, says: str
) -> None:
    server = own_server()
    async with client_of(server) as client:
        await client.set("key", "v")
        used = (await client.info("memory"))["used_memory"]
        await client.config_set("maxmemory-policy", policy)
        await client.config_set("maxmemory", int(used * limit))
    assert await ran("-s", server.socket, "--span", "0") == 0
    lines = capsys.readouterr().out.splitlines()
    (memory,) = [line for line in lines if line.startswith("  memory ")]
    concerns = [line for line in lines if line.startswith(("  to act on: ", "  to look at: "))]
    if not says:
        assert (memory.endswith("iB, noeviction"), concerns) == (True, [])
        return
    share = memory.partition("(")[2].removesuffix(f" of its limit), {policy}")
    assert float(share.rstrip("%")) > 190
    assert concerns == [f"  to act on: {says}{share} of maxmemory"]


async def test_keys_and_what_reads_found(own_server: StartServer, capsys: pytest.CaptureFixture[str]) -> None:
    server = own_server()
    assert await ran("-s", server.socket, "--span", "0") == 0
    assert "  keys 0, 0 expire · nothing read, 0 evicted since start or reset" in capsys.readouterr().out.splitlines()
    async with client_of(server) as client:
        await client.set("a", "v")
        await client.set("b", "v", ex=1_000)
        for key in ("a", "b", "a", "c"):
            await client.get(key)
    assert await ran("-s", server.socket, "--span", "0") == 0
    told = capsys.readouterr().out.splitlines()
    assert "  keys 2, 1 expire · hit rate 75.0%, 0 evicted since start or reset" in told


async def test_who_may_not_see_the_cluster_sees_the_node_with_its_own_role(cluster: Cluster, told: Any) -> None:
    node = cluster.primaries()[0]
    node.ask("ACL", "SETUSER", "me", "reset", "on", "nopass", "+@all", "-cluster", "~*", "&*")
    document = await told(f"redis://me@127.0.0.1:{node.port}")
    assert (document["kind"], roles(document), document["whole"]) == ("cluster", ["primary"], None)


async def test_a_cluster_with_a_node_away_tells_of_it_and_of_the_slots_that_nobody_serves(
    own_cluster: StartCluster, told: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    cluster = own_cluster({"cluster-require-full-coverage": "no"})
    primary = cluster.primaries()[0]
    (replica,) = cluster.replicas(primary)
    replica.kill()
    primary.kill()
    other = next(node for node in cluster.primaries() if node.running)
    await asyncio.to_thread(wait_until, lambda: _failed(other))
    document = await told("-h", "127.0.0.1", "-p", str(other.port))
    assert {node["address"] for node in document["nodes"] if node["lost"]} == {primary.address, replica.address}
    assert (document["whole"]["nodes"], document["whole"]["answering"]) == (6, 4)
    (slots,) = document["uncovered"]
    assert await ran("-h", "127.0.0.1", "-p", str(other.port), "--span", "0") == 0
    assert f"  slots {slots[0]}-{slots[1]} are served by no node" in capsys.readouterr().out.splitlines()


def _failed(node: Node) -> bool:
    """Whether the others agree that a primary doesn't answer."""
    return "master,fail " in node.ask("CLUSTER", "NODES")


async def test_one_node_of_a_cluster_alone(cluster: Cluster, told: Any, capsys: pytest.CaptureFixture[str]) -> None:
    named, other = cluster.nodes[0], cluster.nodes[-1]
    for wanted in (named, other):
        document = await told("-h", "127.0.0.1", "-p", str(named.port), "--node", wanted.address)
        assert [node["address"] for node in document["nodes"]] == [wanted.address]
        assert document["whole"] is None
        # A name that stands for its address is one of its names, whichever the deployment goes by.
        by_name = await told("-h", "localhost", "-p", str(named.port), "--node", f"localhost:{wanted.port}")
        assert [node["readings"]["server"]["tcp_port"] for node in by_name["nodes"]] == [wanted.port]
    assert await ran("-h", "127.0.0.1", "-p", str(named.port), "--node", "10.9.8.7:6379") == 2
    said = capsys.readouterr().err
    assert said.startswith(f"pymon-tui: 127.0.0.1:{named.port} has no node 10.9.8.7:6379; it has ")
    assert all(node.address in said for node in cluster.nodes)


async def test_one_node_that_does_not_answer_is_no_answer(
    own_server: StartServer, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("CONNECT", "COMMAND"):
        monkeypatch.setenv(f"PYMON_{name}_TIMEOUT", "1")
    primary, replica = await replicating(own_server, replicas=1)
    os.kill(replica.pid, signal.SIGSTOP)
    try:
        named = ("-h", "127.0.0.1", "-p", str(primary.port), "--span", "0")
        assert await ran(*named) == 0  # the one that was named answers
        assert f"127.0.0.1:{replica.port}  lost: no answer" in capsys.readouterr().out
        for form in ((), ("--json",)):
            assert await ran(*named, *form, "--node", f"127.0.0.1:{replica.port}") == 3
            written = capsys.readouterr()
            assert (written.out, written.err.count("\n")) == ("", 1)
            assert "no answer" in written.err
    finally:
        os.kill(replica.pid, signal.SIGCONT)


async def test_sentinel_names_the_primary_and_its_replicas(
    sentinels: Sentinels, told: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    primary = sentinels.primary()
    at = ("--sentinel", f"127.0.0.1:{sentinels.sentinels[0].port}", "--service", SERVICE)
    document = await told(*at)
    assert (document["kind"], roles(document)) == ("sentinel", ["primary", "replica", "replica"])
    assert document["nodes"][0]["address"] == primary.address
    assert {node["primary"] for node in document["nodes"][1:]} == {primary.address}
    # Asked at a replica, without Sentinel: its primary is found, and the other replica by that.
    replica, gone = (node for node in sentinels.servers if node is not primary)
    document = await told("-h", "127.0.0.1", "-p", str(replica.port))
    assert (document["kind"], sorted(roles(document))) == ("replication", ["primary", "replica", "replica"])
    assert (document["nodes"][0]["address"], document["nodes"][0]["role"]) == (replica.address, "replica")
    # One that is away is told of, and the sums are of those that answer.
    gone.kill()
    await asyncio.to_thread(wait_until, lambda: "slave1" not in primary.ask("INFO", "replication"))
    document = await told(*at)
    (lost,) = [node for node in document["nodes"] if node["lost"]]
    assert (lost["address"], lost["readings"]) == (gone.address, {})
    assert "refuses connections" in lost["lost"]["detail"]
    assert (document["whole"]["nodes"], document["whole"]["answering"]) == (3, 2)
    assert await ran(*at, "--span", "0") == 0
    lines = capsys.readouterr().out.splitlines()
    assert "3 nodes under Sentinel" in lines[1]
    assert any(gone.address in line and "lost: " in line for line in lines)


async def test_a_sentinel_is_told_as_one(sentinels: Sentinels, capsys: pytest.CaptureFixture[str]) -> None:
    port = sentinels.sentinels[0].port
    for command in (("once",), ("once", "--json"), ("acl",)):
        code = await asyncio.to_thread(cli.run, [*command, "-h", "127.0.0.1", "-p", str(port)])
        written = capsys.readouterr()
        assert (code, written.out) == (3, "")
        assert written.err == (
            f"pymon-tui: 127.0.0.1:{port} is a Sentinel: it has no keys; "
            "--sentinel HOST:PORT --service NAME is the way to a server that it watches\n"
        )


async def test_a_primary_with_a_replica(
    own_server: StartServer, told: Any, redis: Redis, capsys: pytest.CaptureFixture[str]
) -> None:
    primary, replica = await replicating(own_server, replicas=1)
    async with Redis(unix_socket_path=primary.socket, decode_responses=True) as client:
        await client.set("key", "v")
        assert await client.wait(1, 0) == 1
    # By its socket: the replica's way back to the primary leads to the same node, which is there once.
    for named in (("-h", "127.0.0.1", "-p", str(primary.port)), ("-s", primary.socket)):
        document = await told(*named)
        assert (document["kind"], roles(document)) == ("replication", ["primary", "replica"])
        assert document["nodes"][1]["address"] == f"127.0.0.1:{replica.port}"
        databases = field(document["nodes"], "keyspace", "databases")
        assert [[database["keys"] for database in known] for known in databases] == [[1], [1]]
        assert document["whole"]["readings"]["server"]["role"] == "primary"
        assert await ran(*named, "--span", "0.01") == 0
        rates = [line.rpartition(" · ")[2] for line in capsys.readouterr().out.splitlines() if "commands/s" in line]
        assert [rate.lstrip("0123456789") for rate in rates] == [" commands/s of others"] * 3


async def test_no_server_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert await ran("-h", "127.0.0.1", "-p", "1") == 3
    written = capsys.readouterr()
    assert (written.out, written.err.count("\n")) == ("", 1)
