"""The list of keys, on a scripted monitor and a real server."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from redis.asyncio import Redis
from textual.widgets import Input

from pymon_tui.demo.embedded import EmbeddedServer
from pymon_tui.invalidation import browsing
from pymon_tui.server.endpoint import Endpoint
from pymon_tui.ui.screens.invalidate.form import FormScreen
from pymon_tui.ui.screens.keys.screen import KeysScreen
from pymon_tui.ui.screens.monitor import MonitorScreen
from pymon_tui.ui.screens.reader import ReaderScreen
from pymon_tui.ui.widgets.table import Table
from tests.application.keyspace_made import readings
from tests.conftest import StartServer
from tests.script import snapshot
from tests.ui.screens.invalidate.walk import Walk, walk
from tests.ui.scripted_desk import ScriptedDesk
from tests.ui.stage import until


@asynccontextmanager
async def listing(endpoint: Endpoint, folder: Path, *keys: bytes) -> AsyncIterator[Walk]:
    """On the list of the keys of the first row, of a keyspace that is told to have these keys."""
    desk = ScriptedDesk(folder, endpoint=endpoint)
    async with walk(desk, snapshot(readings(*keys or (b"feed:1",))), panes="9") as on:
        await on.press("9", "enter")
        await on.until_on(KeysScreen)
        yield on


def table_of(on: Walk) -> Table[object]:
    return on.screen.query_one(Table)


def rows(on: Walk) -> list[str]:
    table = table_of(on)
    return [text for y in range(1, table.size.height) if (text := table.render_line(y).text.strip())]


@pytest.fixture
def endpoint(server: EmbeddedServer) -> Endpoint:
    return Endpoint(socket=server.socket, name="prod-cache")


async def fill(redis: Redis, number: int) -> None:
    await redis.mset({f"feed:{index}": "x" * 100 for index in range(number)})


async def test_keys_come_with_type_time_to_live_and_size(endpoint: Endpoint, redis: Redis, tmp_path: Path) -> None:
    await redis.hset("feed:1", "a", "b")
    async with listing(endpoint, tmp_path) as on:
        await on.until_says("#state", "1 key matches · 1 of 1 looked at")
        (row,) = rows(on)
        assert row.split()[:3] == ["feed:1", "hash", "stays"]
        assert on.title(".frame") == "Keys feed:* | 1 key · db0 on prod-cache"
        await on.press("escape")
        assert isinstance(on.screen, MonitorScreen)


async def test_more_are_listed_as_one_scrolls_down(endpoint: Endpoint, redis: Redis, tmp_path: Path) -> None:
    await fill(redis, 500)
    async with listing(endpoint, tmp_path) as on:
        await on.until_says("#state", "200 keys so far")
        await on.press("G")
        await until(on.pilot, lambda: len(table_of(on).rows) == 400)
        await on.press("G")
        await on.until_says("#state", "500 keys match")


async def test_looking_stops_with_its_time_and_goes_on_when_asked(
    endpoint: Endpoint, redis: Redis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(browsing, "SECONDS", 0.0)
    await redis.mset({f"other:{index}": "x" for index in range(2_500)})
    async with listing(endpoint, tmp_path) as on:
        await on.until_says("#state", "nothing found yet")
        await on.until_says("#state", "m looks on")
        for _ in range(4):
            await on.press("m")
            await on.pilot.pause()
        await on.until_says("#state", "0 keys match")
        assert rows(on) == ["no key matches"]


async def test_what_is_known_of_a_key_is_not_its_value(endpoint: Endpoint, redis: Redis, tmp_path: Path) -> None:
    await redis.set("feed:1", "the-value-is-a-secret", ex=300)
    async with listing(endpoint, tmp_path) as on:
        await on.until_says("#state", "1 key matches")
        await on.press("enter")
        reader = await on.until_on(ReaderScreen)
        said = " ".join(text for line in reader._lines for text, _ in line)
        for fact in ("string", "embstr", "bytes", "idle"):
            assert fact in said
        assert "value" not in said
        assert re.search(r"\b4m \d+s", said)


async def test_one_goes_on_to_an_invalidation_of_the_key_or_of_all_and_comes_back(
    endpoint: Endpoint, redis: Redis, tmp_path: Path
) -> None:
    await redis.set("feed:[1]*", "x")
    async with listing(endpoint, tmp_path) as on:
        await on.until_says("#state", "1 key matches")
        for key, pattern in (("i", r"feed:\[1\]\*"), ("I", "feed:*")):
            await on.press(key)
            form = await on.until_on(FormScreen)
            assert form.query_one("#pattern", Input).value == pattern
            await on.press("escape")
            await on.until_on(KeysScreen)
        assert len(table_of(on).rows) == 1


async def test_a_session_is_listed_copied_and_told_without_its_id(
    endpoint: Endpoint, redis: Redis, tmp_path: Path
) -> None:
    secret = "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopq"
    await redis.hset(f"session:{secret}", "user_id", "7")
    async with listing(endpoint, tmp_path, b"session:x") as on:
        await on.until_says("#state", "1 key matches")
        assert rows(on)[0].split()[0] == "session:abcdef…"
        await on.press("y")
        assert on.pilot.app.clipboard == "session:abcdef…"
        await on.press("i")
        assert isinstance(on.screen, KeysScreen)
        await on.press("enter")
        reader = await on.until_on(ReaderScreen)
        assert secret not in "".join(text for line in reader._lines for text, _ in line)
        assert secret not in reader._copied


async def test_loaded_keys_are_sorted(endpoint: Endpoint, redis: Redis, tmp_path: Path) -> None:
    for number, seconds in ((1, None), (2, 500), (3, 90_000)):
        await redis.set(f"feed:{number}", "x" * 100 * number, ex=seconds)
    async with listing(endpoint, tmp_path) as on:
        await on.until_says("#state", "3 keys match")
        for by, order in (("bytes", "321"), ("ttl", "132"), ("key", "123")):
            table_of(on).sort_by(by)
            await on.pilot.pause()
            assert "".join(row[5] for row in rows(on)) == order


async def test_without_a_server_it_says_why_and_tries_again(own_server: StartServer, tmp_path: Path) -> None:
    server = own_server()
    async with listing(Endpoint(socket="/nowhere/s"), tmp_path) as on:
        await on.until_says("#state", "no socket at /nowhere/s")
        assert "r tries again" in on.text("#state")
        on.desk.endpoint = Endpoint(socket=server.socket)
        await on.press("r")
        await on.until_says("#state", "0 keys match")


async def test_what_is_refused_is_said(endpoint: Endpoint, redis: Redis, tmp_path: Path) -> None:
    await fill(redis, 3)
    await redis.acl_setuser("default", enabled=True, nopass=True, keys=["*"], commands=["+@all", "-memory", "-scan"])
    try:
        async with listing(endpoint, tmp_path) as on:
            await on.until_says("#state", "SCAN was refused")
            assert "ACL SETUSER default +scan" in on.text("#state")
            await redis.acl_setuser("default", enabled=True, nopass=True, keys=["*"], commands=["+scan"])
            await on.press("r")
            await on.until_says("#state", "memory unknown")
            assert len(rows(on)) == 3
    finally:
        await redis.acl_setuser("default", enabled=True, nopass=True, keys=["*"], commands=["+@all"])


async def test_keys_work_while_nothing_is_listed(endpoint: Endpoint, redis: Redis, tmp_path: Path) -> None:
    async with listing(endpoint, tmp_path) as on:
        await on.until_says("#state", "0 keys match")
        await on.press("enter", "y", "i", "m", "s", "G", "j")
        assert isinstance(on.screen, KeysScreen)
