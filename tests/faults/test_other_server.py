"""An action goes to the server process that was shown, and to no other one that answers at its address by then."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from redis.asyncio import Redis
from textual.pilot import Pilot
from textual.widgets import Input

from pymon_tui.model.action import Attempt, NotDone
from pymon_tui.model.feed import Feed
from pymon_tui.model.query import Query
from pymon_tui.server.endpoint import Endpoint
from pymon_tui.services.sessions import Sessions
from pymon_tui.settings import Settings
from pymon_tui.state.fleet import Fleet
from pymon_tui.state.monitor import Monitor
from pymon_tui.ui.app import PymonApp
from pymon_tui.ui.screens.confirm import ConfirmScreen
from pymon_tui.ui.screens.prompt import PromptScreen
from tests.conftest import client_of
from tests.faults.test_screen import has, is_live
from tests.faults.watching import ALL
from tests.servers.node import Node
from tests.ui.stage import no_ways, until


@dataclass(frozen=True, slots=True)
class Case:
    """An action, from the keys that lead to it.

    Attributes:
        pane: The key of its pane, and what that shows when it can be done.
        keys: What is pressed there.
        typed: What its prompt wants; None where it has none.
        name: As it is called.
    """

    pane: str
    seen: str
    keys: str
    typed: str | None
    name: str


CASES = {
    "kill": Case("4", "innocent-7", "x", None, "Kill client"),
    "reset": Case("5", "slow-command", "x", None, "Reset slow log"),
    "threshold": Case("5", "slow-command", "e", "7 ms", "Change threshold"),
    "extend": Case("8", "kim.minjun", "e", "8h", "Extend session"),
    "delete": Case("8", "kim.minjun", "d", None, "Delete session"),
    "log out": Case("8", "kim.minjun", "L", None, "Log out everywhere"),
    "publish": Case("7", "Publish", "p", "notifications:7 hello", "Publish"),
    "notify": Case("7", "Notify", "P", "kim.minjun info hello", "Notify user"),
}


@asynccontextmanager
async def people(node: Node) -> AsyncIterator[None]:
    """Clients, a session and a slow command: what the actions are for. Ids and commands are the same each time."""
    async with client_of(node.server) as client:
        clients = [Redis(port=node.port, client_name=f"innocent-{number}", protocol=3) for number in range(12)]
        for each in clients:
            await each.ping()
        await client.config_set("slowlog-log-slower-than", 0)
        await client.echo("slow-command")
        await client.config_set("slowlog-log-slower-than", 10_000)
        if not await client.exists("user:sessions:kim.minjun"):
            await Sessions(client).create("kim.minjun", {})
        yield
        for each in clients:
            await each.aclose()


async def there(node: Node) -> object:
    """All that the actions would change."""
    async with client_of(node.server) as client:
        names = sorted(one["name"] for one in await client.client_list() if one["name"].startswith("innocent"))
        config = await client.config_get("slowlog-log-slower-than")
        keys = {key: await client.dump(key) for key in sorted(await client.keys())}
        lives = {key: await client.execute_command("PEXPIRETIME", key) for key in keys}  # type: ignore[no-untyped-call]
        slowest = [entry["id"] for entry in await client.slowlog_get(1_000)][-1:]  # a busy machine adds newer ones
        return names, config, slowest, keys, lives


@pytest.mark.needs("pexpiretime")
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
async def test_a_restart_under_an_open_dialog_sends_nothing(node: Node, case: Case) -> None:
    attempts: list[Attempt] = []
    endpoint = Endpoint(port=node.port)
    app = PymonApp(
        Settings(host="named"), lambda _: _source(endpoint, attempts), lambda *_: endpoint, no_ways, endpoint=endpoint
    )
    async with people(node), app.run_test(size=(80, 24)) as pilot:
        await until(pilot, is_live(pilot))
        await pilot.press(case.pane)
        await until(pilot, has(pilot, case.seen))
        await to_the_question(pilot, case)
        node.ask("SAVE")
        node.kill()
        node.start()
        async with people(node):
            before = await there(node)
            await until(pilot, is_live(pilot))
            await pilot.press("y")
            await until(pilot, lambda: bool(attempts))
            assert await there(node) == before
    (attempt,) = attempts
    assert attempt.action.name == case.name
    assert attempt.action.run_id not in (None, attempt.run_id)
    assert isinstance(attempt.outcome, NotDone)
    assert not attempt.outcome.unknown


def _source(endpoint: Endpoint, attempts: list[Attempt]) -> Fleet:
    def follow(endpoint: Endpoint, queries: Sequence[Query[Any]], feed: Feed) -> Monitor:
        return Monitor(endpoint, queries, interval=0.1, feed=feed, read_only=False, record=attempts.append)

    return Fleet(endpoint, ALL, follow, patterns=[b"notifications:*"], read_only=False)


async def to_the_question(pilot: Pilot[int], case: Case) -> None:
    """Press the keys of the action, up to its confirmation."""
    if case.name == "Kill client":
        await until(pilot, has(pilot, "innocent-0"))
        await pilot.press("j", "j", "j")
    await pilot.press(case.keys)
    if case.typed is not None:
        await until(pilot, lambda: isinstance(pilot.app.screen, PromptScreen))
        pilot.app.screen.query_one(Input).value = case.typed
        await pilot.press("enter")
    await until(pilot, lambda: isinstance(pilot.app.screen, ConfirmScreen))
