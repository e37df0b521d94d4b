"""A server that is far away, in a process of its own: ``python -m tests.benchmarks.distance PORT SECONDS``.

It says at which port of 127.0.0.1 the server at that port answers as if it were SECONDS away, there and back. What is
written passes in order, each piece after half of that, and as many of them at a time as there are.
"""

from __future__ import annotations

import select
import socket
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

PIECE = 262_144


@contextmanager
def far_away(port: int, seconds: float) -> Iterator[int]:
    """A port where the server of another port answers later by so many seconds."""
    command = [sys.executable, "-m", "tests.benchmarks.distance", str(port), str(seconds)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        try:
            yield int(child.stdout.readline())
        finally:
            child.stdin.close()


class _Way:
    """From one socket to another; what is on it, and when each piece of that arrives."""

    def __init__(self, source: socket.socket, target: socket.socket, seconds: float) -> None:
        self.source = source
        self.target = target
        self.pieces: deque[tuple[float, memoryview]] = deque()
        self._seconds = seconds

    def take(self) -> bool:
        """Take what is there; False at the end."""
        try:
            data = self.source.recv(PIECE)
        except ConnectionError:  # given up at that end
            data = b""
        self.pieces.append((time.monotonic() + self._seconds, memoryview(data)))
        return bool(data)

    def deliver(self) -> None:
        """Hand on what has arrived, as much as the other side takes."""
        while self.pieces and self.pieces[0][0] <= time.monotonic():
            due, piece = self.pieces.popleft()
            try:
                if not piece:
                    self.target.shutdown(socket.SHUT_WR)
                    return
                sent = self.target.send(piece)
            except BlockingIOError:
                sent = 0
            except OSError:  # given up at that end
                self.pieces.clear()
                return
            if sent < len(piece):
                self.pieces.appendleft((due, piece[sent:]))
                return


def _serve(port: int, seconds: float) -> None:
    ways: list[_Way] = []
    with socket.create_server(("127.0.0.1", 0)) as door:
        print(door.getsockname()[1], flush=True)
        while True:
            now = time.monotonic()
            due = [way.pieces[0][0] for way in ways if way.pieces]
            full = [way.target for way in ways if way.pieces and way.pieces[0][0] <= now]
            later = [at - now for at in due if at > now]
            sources = [way.source for way in ways]
            ready = select.select([sys.stdin, door, *sources], full, [], min(later) if later else None)[0]
            if sys.stdin in ready:
                return
            if door in ready:
                ways += _between(door.accept()[0], socket.create_connection(("127.0.0.1", port)), seconds)
            for way in [way for way in ways if way.source in ready]:
                if not way.take():
                    way.deliver()
                    ways.remove(way)
            for way in ways:
                way.deliver()


def _between(client: socket.socket, server: socket.socket, seconds: float) -> list[_Way]:
    for end in (client, server):
        end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        end.setblocking(False)
    return [_Way(client, server, seconds / 2), _Way(server, client, seconds / 2)]


if __name__ == "__main__":
    _serve(int(sys.argv[1]), float(sys.argv[2]))
