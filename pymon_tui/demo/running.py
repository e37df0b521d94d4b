"""The demo as a whole: a server with Py_Monitor at work on it, each a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from pymon_tui.demo.embedded import EmbeddedServer
from pymon_tui.server.inherited import without_secrets

STOP_SECONDS = 2.0

# A cache that is full, and a slow log that notes what takes longer than 1.5 ms.
CONFIG = {
    "maxmemory": "64mb",
    "maxmemory-policy": "allkeys-lru",
    "maxmemory-samples": "10",
    "slowlog-log-slower-than": "1500",
    "slowlog-max-len": "256",
    "latency-monitor-threshold": "5",
}


@contextmanager
def running_demo(*, seed: int, rate: int) -> Iterator[EmbeddedServer]:
    """A server under Py_Monitor's load; yields the server, whose `socket` is where to connect.

    Both end with the block, and with this process whatever ends it.

    Args:
        seed: Decides what the workload sends.
        rate: Commands per second, about.

    Raises:
        NoServer: No server could be found or started.
    """
    with EmbeddedServer(CONFIG) as server, _workload(server.socket, seed=seed, rate=rate):
        yield server


@contextmanager
def _workload(socket: str, *, seed: int, rate: int) -> Iterator[None]:
    """The workload in a process of its own: the monitor's event loop stays free, and its CPU its own."""
    # -P: a file named redis.py in the working directory is not what we mean.
    command = [sys.executable, "-P", "-m", "pymon_tui.demo.workload", socket]
    with subprocess.Popen(
        [*command, "--seed", str(seed), "--rate", str(rate)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=without_secrets(os.environ),
        start_new_session=True,  # Ctrl+C and a hang-up of the terminal are meant for the monitor alone
    ) as process:
        try:
            yield
        finally:
            assert process.stdin is not None
            process.stdin.close()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
