"""Whatever command is lacking: a dry run says of the run what the run then does, and the run of the undo."""

from __future__ import annotations

import pytest
from redis import Redis

from pymon_tui.server.commands import SENT, Use
from tests.conftest import StartServer
from tests.removing.conftest import Command, let

KEYS = 30
NAMES = sorted({sent.name.partition("|")[0] for sent in SENT if not sent.uses.isdisjoint((Use.REMOVE, Use.UNDO))})
"""All that runs and undos send; a server that has no command has none of its subcommands either."""
WAYS = ((), ("--no-undo",), ("--expire", "100"), ("--expire", "100", "--no-undo"))


def agree(pymon: Command, db: Redis, *place: str, socket: str) -> None:
    """Hold plan, run and undo against each other, in every way that a run goes about it."""
    for way in WAYS:
        db.flushall()
        for number in range(KEYS):
            db.execute_command("SET", f"a:{number}", "v")  # type: ignore[no-untyped-call]
        dry = pymon(*place, "invalidate", "a:*", "--dry-run", "--json", *way, socket=socket)
        ran = pymon(*place, "invalidate", "a:*", "--yes", "--json", *way, socket=socket)
        assert (dry.code, ran.code) in ((0, 0), (4, 4)), (way, dry.err, ran.err)
        if ran.code == 4:
            assert db.execute_command("EXISTS", *(f"a:{number}" for number in range(KEYS))) == KEYS, way  # type: ignore[no-untyped-call]
            continue
        assert ran.told["removed"] == KEYS, way
        verdict = ran.told["verdict"]["undo"]
        assert verdict["state"] == ("none" if "--no-undo" in way else verdict["state"])
        if "--no-undo" not in way:
            elsewhere = ["--elsewhere"] if verdict["elsewhere"] else []
            undone = pymon(*place, "undo", ran.told["run"], "--yes", "--json", *elsewhere, socket=socket)
            assert (undone.code, undone.told["restored"]) == (0, KEYS), (way, undone.err)


@pytest.mark.parametrize("name", NAMES)
def test_a_command_that_the_server_lacks_is_known_before(pymon: Command, own_server: StartServer, name: str) -> None:
    server = own_server({"rename-command": f'{name} ""'})
    with Redis(unix_socket_path=server.socket) as db:
        agree(pymon, db, socket=server.socket)


@pytest.mark.parametrize("asks", [True, False], ids=["by ACL DRYRUN", "by itself"])
@pytest.mark.parametrize("name", [name for name in NAMES if name not in ("acl", "command")])
def test_a_command_that_the_user_lacks_is_known_before(pymon: Command, db: Redis, name: str, *, asks: bool) -> None:
    let(db, "~*", "&*", "+@all", f"-{name}", *([] if asks else ["-acl"]))
    socket = str(db.connection_pool.connection_kwargs["path"])
    agree(pymon, db, "--user", "pymon", socket=socket)
