"""What strangers send, on a real server and a real terminal: all of it is shown, none of it is obeyed."""

from __future__ import annotations

import pytest
from redis.asyncio import Redis

from pymon_tui.demo.embedded import EmbeddedServer
from pymon_tui.ui.panes import PANES_BY_KEY
from tests.conftest import StartServer, client_of
from tests.demo.waiting import eventually
from tests.ui.eyes import Eyes, walk
from tests.ui.hostile import COMMANDS, assert_only_ours, send, spoil, spoil_application
from tests.ui.pty_run import PtyRun


@pytest.mark.parametrize("size", [(80, 24), (200, 50)])
async def test_nothing_hostile_reaches_the_terminal(
    redis: Redis, server: EmbeddedServer, size: tuple[int, int]
) -> None:
    await spoil(redis)
    with PtyRun(["-s", server.socket, "--channels", "*"], size=size) as run:
        eyes = Eyes(run, size)
        eyes.until("Notifications")
        eyes.until("valkey", "redis")
        while not await redis.pubsub_numpat():
            eyes.see("")
        for hostile in COMMANDS.values():
            await send(redis, "PUBLISH", b"notifications:" + hostile[:200], hostile)
        eyes.until("한글")
        for key, pane in PANES_BY_KEY.items():
            run.send(key.encode())
            eyes.until_not("Memory " if pane.NAME != "memory" else "Server ")
            if pane.NAME in ("server", "clients", "slowlog", "notifications"):
                run.send(b"j")
                run.send(b"\r")
                eyes.until("esc close")
                run.send(b"y")
                eyes.until("copied")
                run.send(b"\r")
                eyes.until_not("esc close")
            run.send(b"1")
            eyes.until("Memory ")
        run.send(b"q")
        assert run.ended() == 0
    assert_only_ours(run.output)
    assert "PWNED" not in eyes.screen.title


@pytest.mark.parametrize("size", [(80, 24), (200, 50)])
async def test_nothing_hostile_comes_out_of_an_invalidation(
    redis: Redis, server: EmbeddedServer, size: tuple[int, int]
) -> None:
    await spoil(redis)
    with PtyRun(["-s", server.socket], size=size) as run:
        eyes = Eyes(run, size)
        eyes.until("valkey", "redis")
        run.send(b"i")
        eyes.until("Estimate")
        run.send(b"key:*")
        eyes.until("keys match")
        run.send(b"\r")
        eyes.until("escaped")
        run.send(b"G")
        run.send(b"\r")
        eyes.until("leave everything")
        run.send(b"y")
        eyes.until("brings the keys back")
        run.send(b"\r")
        eyes.until("esc close")
        run.send(b"\r")
        eyes.until_not("esc close")
        run.send(b"j")
        eyes.until("1 run or undo")
        run.send(b"\r")
        eyes.until("esc close")
        run.send(b"G")
        run.send(b"y")
        eyes.until("copied")
        run.send(b"\r")
        eyes.until_not("esc close")
        run.send(b"u")
        eyes.until("bring them back")
        run.send(b"y")
        eyes.until("were kept")
        run.send(b"\x11")
        assert run.ended() == 0
    assert await redis.dbsize() == len(COMMANDS)
    assert_only_ours(run.output, bells=1)
    assert "PWNED" not in eyes.screen.title


PASTED = b"\x1b[200~a \xc2\x9b31mb\xe2\x80\xae\x07\x00c\x1b[201~"

TURNED = b"\x1b[200~\xe2\x80\xaeb\x1b[201~"


async def test_nothing_hostile_comes_out_of_the_application(redis: Redis, server: EmbeddedServer) -> None:
    await spoil(redis)
    await spoil_application(redis)
    size = (110, 30)
    with PtyRun(["-s", server.socket, "--channels", "*"], size=size) as run:
        eyes = Eyes(run, size)
        eyes.until("valkey")
        walk(run, eyes, (b"6", "application today"), (b"8", "\\x1b]2;PWNED\\x07"), (b"j", "Whole id"))
        for keys, title in ((b"\r", "Session "), (b"v", "Session "), (b"d", "Delete session?"), (b"L", "Log out")):
            run.send(keys)
            eyes.until(f"╭─ {title}")
            run.send(b"y" if keys in b"\rv" else b"")
            run.send(b"\x1b")
            eyes.until_not(f"╭─ {title}")
        walk(run, eyes, (b"9", "cache:\\x1b"), (b"j\r", "keys match"), (b"\r", "encoding"), (b"y", "copied"))
        run.send(b"\x1b")
        eyes.until_not("encoding")
        walk(run, eyes, (b"\x1b", "Application"), (b"7", "kept before"), (b"jjj\r", "╭─ Message"), (b"y", "copied"))
        run.send(b"\r")
        eyes.until_not("╭─ Message")
        for key, typed, prompt, question in (
            (b"p", b"", "Publish", "Publish?"),
            (b"P", b"u info ", "Notify a user", "Notify user?"),
        ):
            walk(run, eyes, (key, f"╭─ {prompt}"), (typed + PASTED + b"\r", question))
            run.send(b"n")
            eyes.until_not(question)
        walk(run, eyes, (b"o", "/ user:"))
        run.send(b"\x1b")
        eyes.until_not("/ user:")
        walk(run, eyes, (b"4", "x Kill"), (b"x", "╭─ Kill"), (b"n", "x Kill"), (b"/", "esc Clear"), (TURNED, "\ufffd"))
        run.send(b"\x1b")
        eyes.until_not("\ufffd")
        walk(run, eyes, (b"c", "host:port"), (PASTED, "\ufffd"), (b"\r", "an address has no"))
        run.send(b"\x11")
        assert run.ended() == 0
    assert_only_ours(run.output)
    assert "PWNED" not in eyes.screen.title


async def test_nothing_hostile_comes_of_the_names_that_nodes_announce(own_server: StartServer) -> None:
    primary, replica = own_server({"repl-diskless-sync-delay": "0"}, tcp=True), own_server(tcp=True)
    announced = "\x1b]2;PWNED\x07\x9b31m\u202e[/]\u0430b"
    async with client_of(primary) as there, client_of(replica) as here:
        await here.config_set("replica-announce-ip", announced)
        await here.replicaof("127.0.0.1", str(primary.port))

        async def is_announced() -> bool:
            return "slave0" in await there.info("replication")

        await eventually(is_announced)
    size = (140, 30)
    with PtyRun(["-h", "127.0.0.1", "-p", str(primary.port)], size=size) as run:
        eyes = Eyes(run, size)
        walk(run, eyes, (b"", "node 1 of 2"), (b"f", "PWNED\\x07"), (b"n", "node 2 of 2"))
        run.send(b"\x11")
        assert run.ended() == 0
    assert_only_ours(run.output)
    assert "PWNED" not in eyes.screen.title
