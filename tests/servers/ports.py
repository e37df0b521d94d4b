"""TCP ports for servers: below those that systems give to clients, and apart for each process that runs tests.

A port that the system chooses can go to any client's connection before the server has it, or while the server is away.
"""

from __future__ import annotations

import os
import random
import socket
from collections.abc import Iterator

BUS = 10_000
"""What a node of a cluster adds to its port for the cluster bus."""
_FIRST, _END = 10_000, 20_000
_PROCESSES = 16
"""Processes with ports of their own; further ones share."""


def _ports() -> Iterator[int]:
    """The ports of this process, over and over, from anywhere among them: another run of the tests has the same."""
    process = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % _PROCESSES
    each = (_END - _FIRST) // _PROCESSES
    first, at = _FIRST + process * each, random.SystemRandom().randrange(each)
    while True:
        yield first + at
        at = (at + 1) % each


_next_ports = _ports()


def free_port() -> int:
    """A TCP port that nobody has, nor the one that a cluster's node at this port would take for its bus."""
    return next(port for port in _next_ports if _is_free(port) and _is_free(port + BUS))


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        # As servers do: connections that have ended don't count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
