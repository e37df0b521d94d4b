"""The whole way on a real server: type, plan, confirm, watch, done, and back by an undo."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from redis.asyncio import Redis
from textual.pilot import Pilot
from textual.widgets import Input

from pymon_tui import cli
from pymon_tui.demo.embedded import EmbeddedServer
from pymon_tui.invalidation.pattern import parse_pattern
from pymon_tui.settings import Settings
from pymon_tui.ui.app import PymonApp
from pymon_tui.ui.screens.invalidate.form import FormScreen
from pymon_tui.ui.screens.invalidate.journal import JournalScreen
from pymon_tui.ui.screens.invalidate.plan import PlanScreen
from pymon_tui.ui.screens.invalidate.question import QuestionScreen
from pymon_tui.ui.screens.invalidate.run import RunScreen
from pymon_tui.ui.screens.invalidate.undo import UndoScreen
from pymon_tui.ui.screens.monitor import MonitorScreen
from pymon_tui.ui.widgets.ink import Facts
from pymon_tui.ui.widgets.table import Table
from tests.demo.waiting import eventually
from tests.ui.stage import until

KEYS = 3_000


@asynccontextmanager
async def monitoring(settings: Settings) -> AsyncIterator[Pilot[Any]]:
    """The real app on a real server, once it has answered."""
    app = PymonApp(settings, *cli._ways_to_servers(settings))
    async with app.run_test(size=(80, 24)) as pilot:

        def answered() -> bool:
            screen = app.screen
            return isinstance(screen, MonitorScreen) and screen.newest is not None and screen.newest.readings_known

        await until(pilot, answered)
        yield pilot


def on(pilot: Pilot[Any], kind: type[object]) -> bool:
    return isinstance(pilot.app.screen, kind)


def says(pilot: Pilot[Any], selector: str, text: str) -> bool:
    widgets = list(pilot.app.screen.query(selector).results(Facts))
    shown = (widget.render_line(y).text for widget in widgets for y in range(widget.size.height))
    return text in " ".join(" ".join(shown).split())


async def fill(redis: Redis) -> None:
    async with redis.pipeline(transaction=False) as pipe:
        for number in range(KEYS):
            pipe.set(f"user:cache:{number}", "x" * 50, ex=3_600)
            pipe.set(f"session:{number}", "s")
        pipe.set("user:cache:\x1b]2;PWNED\x07", "strange")
        pipe.set("user:cache:kept", "protected")
        await pipe.execute()


async def to_plan(pilot: Pilot[Any], pattern: str) -> None:
    await pilot.press("i")
    await until(pilot, lambda: on(pilot, FormScreen))
    pilot.app.screen.query_one("#pattern", Input).value = pattern
    await until(pilot, lambda: says(pilot, "#estimate", "match"))
    await pilot.press("enter")
    await until(pilot, lambda: on(pilot, PlanScreen) and pilot.app.screen.has_class("-ready"))


async def to_end_of_run(pilot: Pilot[Any]) -> RunScreen:
    await pilot.press("enter")
    await until(pilot, lambda: on(pilot, QuestionScreen))
    await pilot.press("y")
    await until(pilot, lambda: on(pilot, RunScreen))
    screen = pilot.app.screen
    assert isinstance(screen, RunScreen)
    await until(pilot, lambda: screen.result is not None)
    return screen


async def test_from_a_pattern_to_its_undo(server: EmbeddedServer, redis: Redis, home: Path) -> None:
    await fill(redis)
    settings = Settings(socket=server.socket, protected=(parse_pattern("*:kept"),), interval=0.2)
    async with monitoring(settings) as pilot:
        await to_plan(pilot, "user:cache:*")
        await until(pilot, lambda: says(pilot, "#facts", "matches 3 001 keys"))
        assert says(pilot, "#facts", "protected 1")
        run = await to_end_of_run(pilot)
        assert run.result is not None
        assert (run.result.outcome, run.result.tally.removed, run.result.left) == ("done", KEYS + 1, 0)
        assert await redis.dbsize() == KEYS + 1
        monitor = pilot.app.screen_stack[0]
        assert isinstance(monitor, MonitorScreen)
        await until(pilot, lambda: monitor.newest is not None and len(monitor.newest.history.events()) == 2)
        await pilot.press("u")
        await until(pilot, lambda: on(pilot, UndoScreen))
        await pilot.press("y")
        await until(pilot, lambda: says(pilot, "#lines", "restored 3 001"))
        assert await redis.dbsize() == 2 * KEYS + 2
        assert 0 < await redis.ttl("user:cache:7") <= 3_600
        await pilot.press("escape")
        await until(pilot, lambda: on(pilot, MonitorScreen))
        await pilot.press("J")
        await until(pilot, lambda: on(pilot, JournalScreen))
    lines = (home / ".local/state/pymon-tui/journal.jsonl").read_text().splitlines()
    events = [(entry["kind"], entry["event"]) for entry in map(json.loads, lines)]
    assert events[0] == ("run", "started")
    assert ("run", "ended") in events
    assert events[-1] == ("undo", "ended")


async def test_leaving_the_program_is_written_down_and_the_run_can_be_resumed(
    server: EmbeddedServer, redis: Redis, home: Path
) -> None:
    await fill(redis)
    settings = Settings(socket=server.socket, rate=1_000, interval=0.2)
    async with monitoring(settings) as pilot:
        await to_plan(pilot, "session:*")
        await pilot.press("enter", "y")
        await until(pilot, lambda: on(pilot, RunScreen))
        await until(pilot, lambda: says(pilot, "#progress", "of 3 000") and not says(pilot, "#progress", "pulse"))
        await pilot.press("ctrl+q")
    journal = home / ".local/state/pymon-tui/journal.jsonl"

    async def ended() -> bool:
        return '"event":"ended"' in journal.read_text().splitlines()[-1]

    await eventually(ended)
    last = json.loads(journal.read_text().splitlines()[-1])
    assert (last["kind"], last["outcome"]) == ("run", "interrupted")
    left = await redis.dbsize()
    assert last["removed"] <= 2 * KEYS + 2 - left <= last["removed"] + last["unknown"]
    async with monitoring(Settings(socket=server.socket, interval=0.2)) as pilot:
        await pilot.press("J")
        await until(pilot, lambda: on(pilot, JournalScreen) and len(pilot.app.screen.query_one(Table).rows) == 1)
        await pilot.press("r")
        await until(pilot, lambda: on(pilot, QuestionScreen))
        await pilot.press("y")
        await until(pilot, lambda: on(pilot, RunScreen))
        run = pilot.app.screen
        assert isinstance(run, RunScreen)
        await until(pilot, lambda: run.result is not None)
        assert run.result is not None
        assert run.result.outcome == "done"
    assert await redis.dbsize() == KEYS + 2


async def test_read_only_nothing_is_removed(server: EmbeddedServer, redis: Redis) -> None:
    await fill(redis)
    async with monitoring(Settings(socket=server.socket, read_only=True)) as pilot:
        await to_plan(pilot, "user:cache:*")
        await pilot.press("enter", "y")
        await until(pilot, lambda: says(pilot, "#troubles", "this is read-only"))
        assert on(pilot, PlanScreen)
    assert await redis.dbsize() == 2 * KEYS + 2
