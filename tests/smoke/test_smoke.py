"""The program as a person runs it, in a minute: what must work on every Python before anything else is tried there."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis.asyncio import Redis

from pymon_tui.demo.embedded import EmbeddedServer
from tests.servers.kinds import EMBEDDED, binary_of
from tests.servers.node import Node
from tests.servers.ports import free_port
from tests.servers.proxy import proxied
from tests.ui.eyes import Eyes, walk
from tests.ui.pty_run import PtyRun

SIZE = (120, 36)
PANES = ("Server", "Memory", "Clients", "Slow log", "Hit rate", "Notifications", "Sessions", "Application")


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    """A server on TCP, to be killed."""
    node = Node(tmp_path / "node", {}, port=free_port(), binary=binary_of(EMBEDDED))
    node.start()
    yield node
    node.stop()


def test_the_demo_draws_every_pane_and_quits() -> None:
    with PtyRun(["demo"], size=SIZE, anew=True) as run:
        eyes = Eyes(run, SIZE)
        eyes.until("keys ")
        for number, name in enumerate(PANES, start=2):
            walk(run, eyes, (str(number).encode(), f"─ {name}"))
        run.send(b"q")
        assert run.ended() == 0


def _program(server: EmbeddedServer, *arguments: str) -> str:
    """What the program prints."""
    command = [sys.executable, "-W", "error", "-m", "pymon_tui", "-s", server.socket, *arguments]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_once_tells_what_the_server_does(server: EmbeddedServer) -> None:
    (node,) = json.loads(_program(server, "once", "--json"))["nodes"]
    assert (node["readings"]["server"]["product"], node["db"]) == ("valkey", 0)
    assert node["readings"]["memory"]["used_memory"] > 0


async def test_a_run_from_a_shell_and_its_undo(server: EmbeddedServer, redis: Redis) -> None:
    await redis.mset({f"a:{number}": f"value {number}" for number in range(500)})
    await redis.set("b:1", "stays")
    account = json.loads(_program(server, "invalidate", "a:*", "--yes", "--json"))
    assert (account["outcome"], account["removed"], await redis.dbsize()) == ("done", 500, 1)
    undone = json.loads(_program(server, "undo", "--yes", "--json"))
    assert (undone["outcome"], undone["restored"]) == ("done", 500)
    assert await redis.mget("a:0", "a:499") == ["value 0", "value 499"]


async def test_a_run_on_the_screens_and_its_undo(server: EmbeddedServer, redis: Redis) -> None:
    await redis.mset({f"a:{number}": "x" for number in range(500)})
    with PtyRun(["-s", server.socket], size=SIZE, anew=True) as run:
        eyes = Eyes(run, SIZE)
        eyes.until("valkey")
        walk(run, eyes, (b"i", "Estimate"), (b"a:*", "keys match"), (b"\r", "asks once more"))
        walk(run, eyes, (b"\r", "leave everything"), (b"y", "brings the keys back"))
        assert await redis.dbsize() == 0
        walk(run, eyes, (b"u", "bring them back"), (b"y", "were kept"))
        assert await redis.dbsize() == 500
        run.send(b"\x11")
        assert run.ended() == 0


async def test_a_line_that_is_reset_is_made_again(node: Node) -> None:
    async with proxied(node.server.socket) as line:
        with PtyRun(["-p", str(line.port)], size=SIZE, anew=True) as run:
            eyes = Eyes(run, SIZE)
            await asyncio.to_thread(eyes.until, "valkey")
            await asyncio.to_thread(run.until, lambda: node.ask("PUBSUB", "NUMPAT") > 0)
            line.cut()
            await asyncio.to_thread(eyes.until, "gap: reconnected")
            run.send(b"q")
            assert await asyncio.to_thread(run.ended) == 0


def test_a_server_that_is_killed_is_lost_and_found_again(node: Node) -> None:
    with PtyRun(["-p", str(node.port)], size=SIZE, anew=True) as run:
        eyes = Eyes(run, SIZE)
        eyes.until("valkey")
        node.kill()
        eyes.until("refuses connections")
        node.start()
        eyes.until_not("refuses connections")
        eyes.until("gap: reconnected")
        run.send(b"q")
        assert run.ended() == 0
