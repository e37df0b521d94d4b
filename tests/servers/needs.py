"""What a test needs of a server that not every kind has: ``@pytest.mark.needs("client|no-touch")``.

Before Redis 7 a subcommand is none by itself: no ACL rule can take it away, and neither COMMAND nor INFO tells of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pytest
from redis import Redis

from pymon_tui.demo.embedded import EmbeddedServer


@pytest.fixture(autouse=True)
def skipped_where_it_cannot_be(request: pytest.FixtureRequest) -> None:
    """Skip a test on a kind of server that lacks a command or a directive of its marker `needs`."""
    needed = [name for marker in request.node.iter_markers("needs") for name in marker.args]
    if needed:
        start_once: Callable[[str], EmbeddedServer] = request.getfixturevalue("start_once")
        kind: str = request.getfixturevalue("server_kind")
        missing = list(_missing(start_once(kind), needed))
        if missing:
            pytest.skip(f"{kind} has no {', '.join(missing)}: nothing to test there")


def _missing(server: EmbeddedServer, names: Iterable[str]) -> Iterable[str]:
    with Redis(unix_socket_path=server.socket, protocol=2) as client:
        client.response_callbacks.clear()  # redis-py's own can't read that a command is unknown
        for name in names:
            told = client.execute_command("COMMAND", "INFO", name)
            if told == [None] and not client.execute_command("CONFIG", "GET", name):
                yield name
