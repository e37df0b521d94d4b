"""The program as a user who may do nothing at all: it lives, says so pane by pane, and asks nothing twice."""

from __future__ import annotations

from functools import partial

import pytest
from redis import Redis

from pymon_tui.demo.embedded import EmbeddedServer
from tests.ui.pty_run import PtyRun
from tests.ui.replay import Terminal

CONNECTIONS = 2  # one is polled, one listens


@pytest.fixture
def db(server: EmbeddedServer) -> Redis:
    """A client of the run's server, where a user called nobody may do nothing."""
    client = Redis(unix_socket_path=server.socket)
    client.execute_command("ACL", "SETUSER", "nobody", "reset", "on", "nopass", "-@all")  # type: ignore[no-untyped-call]
    client.acl_log_reset()
    return client


def test_who_may_do_nothing_is_told_what_to_ask_for(server: EmbeddedServer, db: Redis) -> None:
    width, height = 120, 36
    with PtyRun([f"unix://nobody@{server.socket}"], size=(width, height)) as run:

        def shows(text: str) -> bool:
            terminal = Terminal(width, height)
            terminal.feed(run.output.decode("utf-8", "ignore"))
            return text in "\n".join(terminal.screen.display)

        run.until(lambda: shows("ACL SETUSER nobody +info"))
        for key, named in ((b"4", "+client|list"), (b"5", "+slowlog|get"), (b"9", "+scan"), (b"2", "+info")):
            run.send(key)
            run.until(partial(shows, f"ACL SETUSER nobody {named}"))
        run.send(b"q")
        assert run.ended() == 0
    asked = {str(entry["object"]): int(str(entry["count"])) for entry in db.acl_log() if entry["username"] == "nobody"}
    assert "info" in asked
    assert max(asked.values()) <= CONNECTIONS
    db.acl_deluser("nobody")
    db.close()
