"""Nodes, services and profiles with hostile names: all of it is shown, none of it is obeyed."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest
from redis.exceptions import ResponseError

from tests.conftest import StartServer, client_of, free_port
from tests.demo.waiting import eventually
from tests.servers.cluster import Cluster
from tests.servers.node import Node
from tests.ui.eyes import Eyes, walk
from tests.ui.hostile import assert_only_ours, assert_plain
from tests.ui.hostile_nodes import (
    HUGE,
    NAMES,
    SERVICE,
    SHOWN,
    as_told,
    fill_slots,
    in_cluster,
    sentinel_of,
    with_replicas,
)
from tests.ui.pty_run import PtyRun

SMALL, LARGE = (80, 24), (140, 40)
CLUSTERS = {"nodes": in_cluster(told_by=b"NODES"), "shards": in_cluster(told_by=b"SHARDS")}


async def told(node: Node, name: str) -> bool:
    return name in str(node.ask("CLUSTER", "NODES"))


async def not_told(node: Node, name: str) -> bool:
    return not await told(node, name)


def look_around(run: PtyRun, size: tuple[int, int], together: str) -> None:
    """From the fleet through some nodes and back to all of them."""
    eyes = Eyes(run, size)
    walk(
        run,
        eyes,
        (b"", together),
        (b"f", "╭─ Fleet"),
        (b"", SHOWN),
        (b"G", SHOWN),
        (b"y", "copied"),
        (b"\x13", "saved"),
    )
    for _ in range(3):
        walk(run, eyes, (b"N", "node "))
    walk(run, eyes, (b"0", together), (b"1", "Memory "), (b"?", "esc close"))
    run.send(b"\rq")
    assert run.ended() == 0
    assert_only_ours(run.output)
    assert "PWNED" not in eyes.screen.title


@pytest.mark.parametrize(("told_by", "size"), [("nodes", SMALL), ("shards", LARGE)])
async def test_nodes_of_a_cluster(own_server: StartServer, told_by: str, size: tuple[int, int], tmp_path: Path) -> None:
    server = own_server({"cluster-enabled": "yes", "cluster-port": str(free_port())}, tcp=True)
    async with client_of(server) as redis:
        await fill_slots(redis)
    with (
        as_told(server, CLUSTERS[told_by]) as port,
        PtyRun(["-h", "127.0.0.1", "-p", str(port)], size=size, folder=tmp_path) as run,
    ):
        look_around(run, size, "nodes")
    (picture,) = tmp_path.glob("*.svg")
    assert_plain("".join(ElementTree.fromstring(picture.read_text()).itertext()).replace("\xa0", " "))


ACCEPTED = "\x9b31m\u202e\u2028\x85\u0430b"
"""What a server takes for an address and a node's name, though neither is."""
NAMED = ".".join(("a" * 63, "b" * 63, "c" * 63, "d" * 60))
"""The longest host name that a server takes."""


async def test_names_that_servers_take(cluster: Cluster, tmp_path: Path) -> None:
    size, node = LARGE, cluster.nodes[0]
    for hostile in ("\x1b]2;PWNED\x07", "[/]", "\u202eabc", "\u0430dmin"):
        with pytest.raises(ResponseError):
            node.ask("CONFIG", "SET", "cluster-announce-hostname", hostile)
    node.ask("CONFIG", "SET", "cluster-announce-human-nodename", ACCEPTED)
    node.ask("CONFIG", "SET", "cluster-announce-hostname", NAMED)
    for each in cluster.nodes:
        each.ask("CONFIG", "SET", "cluster-preferred-endpoint-type", "hostname")
    try:
        mapped = f"{NAMED}:{node.port}=127.0.0.1:{node.port}"
        arguments = ["-h", "127.0.0.1", "-p", str(cluster.nodes[1].port), "--map", mapped]
        await eventually(lambda: told(cluster.nodes[1], NAMED))
        with PtyRun(arguments, size=size, folder=tmp_path) as run:
            eyes = Eyes(run, size)
            walk(run, eyes, (b"", "all 6 nodes"), (b"f", "╭─ Fleet"), (b"", "primaries 3"))
            walk(run, eyes, (b"n", "node 1 of 6"), (b"i", "Estimate"))
            run.send(b"\x03")
            assert run.ended() == 0
        assert_only_ours(run.output)
    finally:
        node.ask("CONFIG", "SET", "cluster-announce-hostname", "")
        for each in cluster.nodes:
            each.ask("CONFIG", "SET", "cluster-preferred-endpoint-type", "ip")
        for other in cluster.nodes:
            await eventually(lambda: not_told(other, NAMED))  # noqa: B023 - awaited here


async def test_an_address_that_a_server_takes(own_server: StartServer, tmp_path: Path) -> None:
    size = SMALL
    server = own_server({"cluster-enabled": "yes", "cluster-port": str(free_port())}, tcp=True)
    async with client_of(server) as redis:
        await fill_slots(redis)
        await redis.config_set("cluster-announce-ip", ACCEPTED)
        await redis.config_set("availability-zone", "\x1b]2;PWNED\x07[/]")
    with PtyRun(["-s", server.socket], size=size, folder=tmp_path) as run:
        eyes = Eyes(run, size)
        walk(
            run,
            eyes,
            (b"", "Memory "),
            (b"2", "╭─ Server"),
            (b"f", "╭─ Fleet"),
            (b"", "primary   /tmp"),
            (b"i", "Estimate"),
        )
        walk(run, eyes, (b"key:*", "check the address"))
        run.send(b"\x03")
        assert run.ended() == 0
    assert_only_ours(run.output)
    assert "PWNED" not in eyes.screen.title


def test_replicas(own_server: StartServer, tmp_path: Path) -> None:
    size = (110, 60)
    with (
        as_told(own_server(), with_replicas) as port,
        PtyRun(["-h", "127.0.0.1", "-p", str(port)], size=size, folder=tmp_path) as run,
    ):
        look_around(run, size, "node 1 of")


def test_what_sentinels_tell(own_server: StartServer, tmp_path: Path) -> None:
    size = SMALL
    server = own_server(tcp=True)
    with as_told(server, sentinel_of(server.port)) as sentinel:
        arguments = ["--sentinel", f"127.0.0.1:{sentinel}", "--service", SERVICE]
        with PtyRun(arguments, size=size, folder=tmp_path) as run:
            look_around(run, size, "node 1 of")


def test_a_primary_that_is_no_address(own_server: StartServer) -> None:
    server = own_server()

    def look(run: PtyRun) -> None:
        eyes = Eyes(run, (110, 30))
        walk(run, eyes, (b"", "PWNED\\x07"), (b"f", "╭─ Fleet"), (b"n", "Fleet"), (b"i", "Fleet"))
        run.send(b"\x11")
        assert run.ended() == 0
        assert_only_ours(run.output, bells=1)
        assert "PWNED" not in eyes.screen.title

    for primary in (HUGE, NAMES[0]):
        with as_told(server, sentinel_of(99_999, primary)) as sentinel:
            arguments = ["--sentinel", f"127.0.0.1:{sentinel}", "--service", SERVICE]
            with PtyRun(arguments, size=(110, 30)) as run:
                look(run)


def look_at_tabs(run: PtyRun, size: tuple[int, int]) -> None:
    """From tab to tab, into the list of places, the form of invalidation and its journal."""
    eyes = Eyes(run, size)
    walk(run, eyes, (b"", "● a"), (b"", "Memory "))
    for _ in range(len(PROFILES)):
        walk(run, eyes, (b"]", "pymon"), (b"1", "Memory "))
    walk(run, eyes, (b"c", "host:port"), (b"\x1b[B", "[/]"), (b"\x1b[6~", "profile"))
    run.send(b"\x1b")
    eyes.until_not("host:port")
    walk(run, eyes, (b"]]]", "● "), (b"i", "Estimate"))
    run.send(b"\x1b")
    eyes.until_not("Estimate")
    walk(run, eyes, (b"J", "Journal"))
    run.send(b"\x11")
    assert run.ended() == 0
    assert_only_ours(run.output)
    assert "PWNED" not in eyes.screen.title


PROFILES = (
    "a",
    *(name.decode(errors="replace").replace("\0", "") for name in (*NAMES[:3], *NAMES[7:10], b"[/]", HUGE)),
)


def test_profiles(own_server: StartServer, tmp_path: Path) -> None:
    size = SMALL
    socket, config = own_server().socket, tmp_path / "config.toml"
    config.write_text(
        "".join(
            f"[profiles.{json.dumps(name)}]\nsocket = {json.dumps(socket)}\nenvironment = {json.dumps(name)}\n"
            for name in PROFILES
        )
    )
    config.chmod(0o600)
    named = [word for name in PROFILES for word in ("--profile", name)]
    with PtyRun(["--config", str(config), *named], size=size) as run:
        look_at_tabs(run, size)
