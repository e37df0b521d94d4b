"""TCP ports that nobody has at this moment; another process may take one before it is used."""

from __future__ import annotations

import socket

BUS = 10_000
"""What a node of a cluster adds to its port for the cluster bus."""
LAST_WITH_BUS = 65_535 - BUS


def free_port() -> int:
    """A TCP port that nobody has at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def free_cluster_port() -> int:
    """A port that nobody has, nor that of the cluster bus that belongs to it."""
    while True:
        port = free_port()
        if port <= LAST_WITH_BUS:
            with socket.socket() as bus:
                try:
                    bus.bind(("127.0.0.1", port + BUS))
                except OSError:
                    continue
            return port
