"""Another client of a server, in a process of its own: ``python -m tests.benchmarks.pinger PORT``.

It sends a PING a millisecond after the answer to the last. For each line on its standard input, the beginning and the
end of a time (``monotonic`` seconds), it says what its PINGs took then: the median, the 99th percentile, the longest
(seconds), and how many there were, as JSON.
"""

from __future__ import annotations

import json
import select
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tests.benchmarks.figures import percentile

PAUSE = 0.001


@dataclass(frozen=True, slots=True)
class Felt:
    """What another client's PINGs took, in seconds."""

    median: float
    p99: float
    longest: float
    count: int


@contextmanager
def pinging(port: int) -> Iterator[Callable[[float, float], Felt]]:
    """What tells of a time that has passed what another client felt then."""
    command = [sys.executable, "-m", "tests.benchmarks.pinger", str(port)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdin is not None
        assert child.stdout is not None

        def felt(began: float, ended: float) -> Felt:
            assert child.stdin is not None
            assert child.stdout is not None
            print(began, ended, file=child.stdin, flush=True)
            return Felt(**json.loads(child.stdout.readline()))

        try:
            assert child.stdout.readline() == "ready\n"
            yield felt
        finally:
            child.stdin.close()


def _ping(port: int) -> None:
    seen: list[tuple[float, float]] = []
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        print("ready", flush=True)
        while True:
            began = time.monotonic()
            connection.sendall(b"PING\r\n")
            connection.recv(64)
            seen.append((began, time.monotonic() - began))
            if select.select([sys.stdin], [], [], PAUSE)[0]:
                line = sys.stdin.readline()
                if not line:
                    return
                print(json.dumps(_felt(seen, *map(float, line.split()))), flush=True)


def _felt(seen: list[tuple[float, float]], began: float, ended: float) -> dict[str, float]:
    took = [seconds for at, seconds in seen if began <= at <= ended]
    return {
        "median": percentile(took, 0.5),
        "p99": percentile(took, 0.99),
        "longest": max(took),
        "count": len(took),
    }


if __name__ == "__main__":
    _ping(int(sys.argv[1]))
