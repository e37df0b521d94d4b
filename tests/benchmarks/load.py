"""Load on a server, from a process of its own: ``python -m tests.benchmarks.load SOCKET clients|messages NUMBER``.

It says ``ready`` when the load is on, and ends with its standard input.
"""

from __future__ import annotations

import resource
import select
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

BATCHES = 100
"""Pipelines of messages in a second."""
PAYLOAD = b'{"id":1,"user_id":7,"level":"info","title":"Load","message":"' + b"y" * 120 + b'"}'


@contextmanager
def load(path: str, kind: str, number: int) -> Iterator[None]:
    """That many idle clients, or messages a second on ``notifications:N``, for as long as the block runs."""
    command = [sys.executable, "-m", "tests.benchmarks.load", path, kind, str(number)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        try:
            assert child.stdout.readline() == "ready\n"
            yield
        finally:
            child.stdin.close()


def raise_open_files() -> None:
    """Let this process, and servers that it starts, have as many connections as the system allows."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _clients(path: str, number: int) -> None:
    connections = []
    for client in range(number):
        connections.append(_connected(path))
        connections[-1].sendall(b"CLIENT SETNAME idle-%d\r\n" % client)
        assert connections[-1].recv(16) == b"+OK\r\n"
    print("ready", flush=True)
    sys.stdin.read()


def _messages(path: str, rate: int) -> None:
    connection = _connected(path)
    connection.settimeout(10.0)
    publish = (_packed(b"PUBLISH", b"notifications:%d" % (number % 50), PAYLOAD) for number in range(rate // BATCHES))
    batch = b"".join(publish)
    print("ready", flush=True)
    began, sent = time.monotonic(), 0
    while not select.select([sys.stdin], [], [], max(0.0, began + sent / BATCHES - time.monotonic()))[0]:
        connection.sendall(batch)
        sent += 1
        replies = 0
        while replies < rate // BATCHES:
            replies += connection.recv(65_536).count(b"\n")


def _packed(*words: bytes) -> bytes:
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in words)


def _connected(path: str) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(path)
    return connection


if __name__ == "__main__":
    raise_open_files()
    _, server_path, load_kind, amount = sys.argv
    {"clients": _clients, "messages": _messages}[load_kind](server_path, int(amount))
