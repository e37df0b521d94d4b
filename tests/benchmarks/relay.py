"""A unix socket in front of a server's, which counts what each client writes."""

from __future__ import annotations

import socket
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


class Writes:
    """What one client wrote.

    Attributes:
        data: The last of it.
        count: How many writes: what arrived in one piece.
    """

    def __init__(self) -> None:
        self.data = b""
        self.count = 0


@contextmanager
def relay(path: str) -> Iterator[tuple[str, list[Writes]]]:
    """A path where the server of another path answers, and what is written by each of those who connect there."""
    clients: list[Writes] = []
    with tempfile.TemporaryDirectory(prefix="pm") as folder, socket.socket(socket.AF_UNIX) as door:
        door.bind(str(Path(folder, "s")))
        door.listen()
        threading.Thread(target=_serve, args=(door, path, clients), daemon=True).start()
        yield str(Path(folder, "s")), clients
        door.shutdown(socket.SHUT_RDWR)


def _serve(door: socket.socket, path: str, clients: list[Writes]) -> None:
    with suppress(OSError):  # the door is closed
        while True:
            client, _ = door.accept()
            server = socket.socket(socket.AF_UNIX)
            server.connect(path)
            clients.append(Writes())
            threading.Thread(target=_pass_on, args=(client, server, clients[-1]), daemon=True).start()
            threading.Thread(target=_pass_on, args=(server, client, Writes()), daemon=True).start()


def _pass_on(source: socket.socket, target: socket.socket, writes: Writes) -> None:
    with source, target, suppress(OSError):  # either end has gone
        while data := source.recv(1 << 20):
            writes.data = data
            writes.count += 1
            target.sendall(data)
