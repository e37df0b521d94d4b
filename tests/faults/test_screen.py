"""What a person sees of it: the last picture dimmed, what failed and since when, and keys that answer meanwhile."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import SecretStr
from textual.pilot import Pilot
from textual.widgets import Input

from pymon_tui.server.endpoint import Endpoint
from pymon_tui.settings import Settings
from pymon_tui.ui.app import PymonApp
from pymon_tui.ui.panes.pane import Pane
from pymon_tui.ui.screens.monitor import MonitorScreen
from pymon_tui.ui.screens.password import PasswordScreen
from pymon_tui.ui.screens.reader import ReaderScreen
from tests.conftest import StartServer, client_of
from tests.faults.conftest import PATIENCE, StartNode
from tests.faults.happenings import busy
from tests.faults.watching import heard, source_of
from tests.servers.node import Node
from tests.servers.proxy import Proxy
from tests.ui.stage import no_ways, until


@asynccontextmanager
async def shown(endpoint: Endpoint) -> AsyncIterator[Pilot[int]]:
    """The app on this server."""
    app = PymonApp(Settings(host="named"), source_of, lambda *_: endpoint, no_ways, endpoint=endpoint)
    async with app.run_test(size=(120, 36)) as pilot:
        yield pilot


def text_of(pilot: Pilot[int]) -> str:
    """All that is on the screen, in one line."""
    drawn = re.sub(r"<[^>]+>", " ", pilot.app.export_screenshot().partition("</style>")[2])
    return " ".join(drawn.replace("&#160;", " ").replace("&#x27;", "'").split())


def has(pilot: Pilot[int], *words: str) -> Callable[[], bool]:
    return lambda: all(word in text_of(pilot) for word in words)


def monitor_of(pilot: Pilot[int]) -> MonitorScreen:
    return next(one for one in pilot.app.screen_stack if isinstance(one, MonitorScreen))


def is_live(pilot: Pilot[int]) -> Callable[[], bool]:
    def live() -> bool:
        newest = monitor_of(pilot).newest
        return newest is not None and heard(newest) and not monitor_of(pilot).has_class("-stale")

    return live


@pytest.mark.usefixtures("soon")
async def test_a_frozen_server_keeps_its_picture_and_holds_no_key_up(node: Node, endpoint: Endpoint) -> None:
    async with shown(endpoint) as pilot:
        await until(pilot, is_live(pilot))
        await until(pilot, has(pilot, "Memory"))
        node.pause()
        await until(pilot, has(pilot, "no answer from", f"within {PATIENCE:g} s", "away", "r tries at once"))
        assert has(pilot, "primary", "used")()  # what it was is still there
        assert all(pane.opacity < 1 for pane in monitor_of(pilot).query(Pane))
        focused = pilot.app.focused
        await pilot.press("tab")
        assert pilot.app.focused is not focused
        await pilot.press("question_mark")
        await until(pilot, lambda: isinstance(pilot.app.screen, ReaderScreen))
        await pilot.press("escape")
        node.resume()
        await until(pilot, is_live(pilot))
        assert not has(pilot, "away")()
        assert all(pane.opacity == 1 for pane in monitor_of(pilot).query(Pane))


async def test_a_reset_and_a_restart_are_told_beside_the_graph(node: Node) -> None:
    async with shown(Endpoint(socket=node.server.socket)) as pilot:
        await until(pilot, is_live(pilot))
        await pilot.press("6")
        node.ask("CONFIG", "RESETSTAT")
        await until(pilot, has(pilot, "counters reset"))
        assert not has(pilot, "restarted")()
        node.kill()
        node.start()
        await until(pilot, has(pilot, "restarted"))


async def test_one_can_leave_while_a_server_is_frozen(node: Node, endpoint: Endpoint) -> None:
    async with shown(replace(endpoint, command_timeout=60.0)) as pilot:
        await until(pilot, is_live(pilot))
        node.pause()
        await pilot.press("q")
        await until(pilot, lambda: pilot.app.return_code == 0)
        node.resume()


@pytest.mark.usefixtures("soon")
async def test_a_busy_script_is_said_with_what_ends_it(start_node: StartNode, line: Proxy) -> None:
    node = start_node({"lua-time-limit": "20"})
    async with shown(Endpoint(socket=node.server.socket, command_timeout=2.0)) as pilot:
        await until(pilot, is_live(pilot))
        async with busy(node, line):
            await until(pilot, has(pilot, "the server is busy with a script or a function", "SCRIPT KILL"))
        await until(pilot, is_live(pilot))


async def test_why_a_server_takes_no_writes_is_seen_from_afar(own_server: StartServer) -> None:
    server = own_server({"save": "3600 100000000"})
    Path(server.socket).with_name("dump.rdb").mkdir()  # where the server would put its snapshot
    async with shown(Endpoint(socket=server.socket)) as pilot, client_of(server) as client:
        await until(pilot, is_live(pilot))
        await client.bgsave()
        await until(pilot, has(pilot, "save failed"))
        await client.config_set("maxmemory", "1")
        await until(pilot, has(pilot, "writes fail now: noeviction"))
        await client.config_set("maxmemory", "0")
        await client.replicaof("127.0.0.1", "1")
        await until(pilot, has(pilot, "primary down", "replica"))


async def test_a_password_is_typed_where_the_server_wants_one(start_node: StartNode) -> None:
    node = start_node({"requirepass": "s3same-open"})
    async with shown(Endpoint(socket=node.server.socket, password=SecretStr("old"))) as pilot:
        await until(pilot, lambda: isinstance(pilot.app.screen, PasswordScreen))
        assert has(pilot, "wrong password for user default")()
        pilot.app.screen.query_one(Input).value = "s3same-open"
        await pilot.press("enter")
        await until(pilot, is_live(pilot))
        assert not has(pilot, "s3same-open")()


@pytest.mark.usefixtures("soon")
async def test_a_bad_line_leaves_every_pane_alive(node: Node, line: Proxy, endpoint: Endpoint) -> None:
    async with shown(endpoint) as pilot:
        await until(pilot, is_live(pilot))
        for number in range(8):
            line.cut()
            await pilot.press(str(2 + number % 7))
            await until(pilot, is_live(pilot))
        assert pilot.app.return_code is None
