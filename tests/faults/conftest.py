"""A server to break with a line to it that breaks, and tries that follow each other at once."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

import pytest

from pymon_tui.server.endpoint import Endpoint
from tests.faults.watching import hurried
from tests.servers.kinds import binary_of
from tests.servers.node import Node
from tests.servers.ports import free_port
from tests.servers.proxy import Proxy, proxied

StartNode = Callable[[Mapping[str, str]], Node]


@pytest.fixture
def start_node(server_kind: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartNode]:
    """Starts servers on TCP, with folders that outlive them; they are gone at the end."""
    with ExitStack() as running:

        def start(config: Mapping[str, str]) -> Node:
            folder: Path = tmp_path_factory.mktemp("node")
            node = Node(folder, config, port=free_port(), binary=binary_of(server_kind))
            node.start()
            running.callback(node.stop)
            return node

        yield start


@pytest.fixture
def node(start_node: StartNode) -> Node:
    """A server that may be killed, stopped and brought back."""
    return start_node({})


@pytest.fixture
async def line(node: Node) -> AsyncIterator[Proxy]:
    """The line to that server."""
    async with proxied(node.server.socket) as proxy:
        yield proxy


PATIENCE = 1.0
"""Seconds that an answer may take: a busy machine takes its time for one, and each fault is waited out for as long."""


@pytest.fixture
def endpoint(line: Proxy) -> Endpoint:
    """Where the line begins, with little patience."""
    return Endpoint(port=line.port, connect_timeout=PATIENCE, command_timeout=PATIENCE)


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each try follows the last at once, where some faults are waited out for many seconds."""
    hurried(monkeypatch, 0.02)
