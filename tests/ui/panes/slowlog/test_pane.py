from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from redis.asyncio import Redis
from textual import on
from textual.app import App, ComposeResult
from textual.message import Message
from textual.pilot import Pilot
from textual.widgets import Input

from pymon_tui.demo.embedded import EmbeddedServer
from pymon_tui.model.action import Action
from pymon_tui.model.feed import Feed
from pymon_tui.model.query import Query, Reading, Ready, Reason, Unavailable
from pymon_tui.model.text import safe
from pymon_tui.readings.info import parse_info
from pymon_tui.readings.server import SERVER, parse_server
from pymon_tui.readings.slowlog import SLOWLOG, SlowEntry, SlowLog
from pymon_tui.readings.slowlog_settings import SLOWLOG_SETTINGS, SlowlogSettings
from pymon_tui.server.endpoint import CLIENT_NAME, Endpoint
from pymon_tui.state.monitor import Monitor
from pymon_tui.ui.panes.pane import Pane
from pymon_tui.ui.panes.slowlog import SlowLogPane
from pymon_tui.ui.screens.confirm import ConfirmScreen
from pymon_tui.ui.screens.prompt import PromptScreen
from pymon_tui.ui.theme import THEMES
from pymon_tui.ui.widgets.ink import Facts
from tests.script import WALL, Script, ready, snapshot
from tests.server.fake import unrecorded
from tests.ui.stage import app_of, monitor_of

DENIED = Unavailable(Reason.DENIED, safe("NOPERM no permissions"), safe("ACL SETUSER me +slowlog|get"))
SETTINGS = ready(SlowlogSettings(10_000, 128))


def entry(number: int, command: str, duration: int, client: str = "api-web") -> SlowEntry:
    arguments = tuple(word.encode() for word in command.split())
    at = int(WALL) + 40 + number
    return SlowEntry(0, number, at, duration, arguments, safe("10.0.0.1:5000"), safe(client))


LOG = SlowLog(
    (
        entry(5, "HGETALL user:5", 412_000),
        entry(4, "KEYS session:*", 88_000, "celery"),
        entry(3, "HGETALL user:3", 41_000, "celery"),
        entry(2, "SCAN 0", 15_000, CLIENT_NAME),
        entry(1, "GET [/]", 11_000),
    ),
    0,
)


class Stage(App[None]):
    """The pane alone, with a note of what it posts."""

    def __init__(self, *, read_only: bool) -> None:
        super().__init__()
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = THEMES[0].name
        self.posted: list[Message] = []
        self.pane = SlowLogPane()
        self.pane.read_only = read_only

    def compose(self) -> ComposeResult:
        yield self.pane

    @on(Pane.Act)
    @on(Pane.Ask)
    def note(self, message: Message) -> None:
        self.posted.append(message)


@dataclass
class Seen:
    """What a person sees and does."""

    app: Stage
    pilot: Pilot[None]

    @property
    def pane(self) -> SlowLogPane:
        return self.app.pane

    @property
    def rows(self) -> list[str]:
        """What the table that is shown says: the header, then the rows."""
        table: Any = self.pane.query_one("#shapes" if self.pane.by_shape else "#entries")
        lines = [table.render_line(y).text.rstrip() for y in range(table.size.height)]
        return [line for line in lines if line]

    @property
    def title(self) -> str:
        return str(self.pane.border_title)

    async def play(self, readings: dict[Query[Any], Reading[Any]]) -> None:
        self.pane.snapshot = snapshot(readings)
        await self.pilot.pause()

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.pilot.pause()

    async def open(self) -> None:
        """The pane in full, with the focus in it."""
        self.pane.full = True
        self.pane.query_one("#entries").focus()
        await self.pilot.pause()
        await self.pilot.pause()


@asynccontextmanager
async def stage(width: int = 120, height: int = 36, *, read_only: bool = False) -> AsyncIterator[Seen]:
    app = Stage(read_only=read_only)
    async with app.run_test(size=(width, height)) as pilot:
        yield Seen(app, pilot)


def first_words(rows: list[str], word: int) -> list[str]:
    return [row.split()[word] for row in rows[1:]]


@pytest.mark.parametrize(("width", "height"), [(38, 6), (62, 16)])
async def test_a_glance_says_what_was_slow(width: int, height: int) -> None:
    async with stage(width, height) as on:
        await on.play({SLOWLOG: ready(LOG), SLOWLOG_SETTINGS: SETTINGS})
        assert on.title == "Slow log 4"
        assert str(on.pane.border_subtitle) == "> 10 ms"
        assert on.rows[0].split() == ["ago↑", "took", "command", "client"][: 3 if width < 60 else 4]
        assert on.rows[1].split()[:5] == ["55s", "412", "ms", "HGETALL", "user:5"]


@pytest.mark.parametrize(("width", "columns"), [(80, 5), (120, 7)])
async def test_in_full_there_is_more(width: int, columns: int) -> None:
    async with stage(width, 24) as on:
        await on.play({SLOWLOG: ready(LOG), SLOWLOG_SETTINGS: SETTINGS})
        await on.open()
        assert on.rows[0].split() == ["when", "ago↑", "took", "command", "client", "address", "id"][:columns]
        facts = on.pane.query_one("#facts", Facts).render_line(0).text
        assert "threshold > 10 ms   ring 128   kept 4   worst 412 ms   our own, left out 1" in facts


async def test_ages_are_by_the_servers_clock() -> None:
    info = parse_info(b"# Server\r\nredis_version:7.0.15\r\nserver_time_usec:%d\r\n" % ((WALL + 3_645) * 1e6))
    async with stage() as on:
        await on.play({SLOWLOG: ready(LOG), SLOWLOG_SETTINGS: SETTINGS, SERVER: ready(parse_server(info))})
        assert on.rows[1].split()[0] == "1h"


async def test_gaps_are_said_and_the_rest_is_shown() -> None:
    async with stage() as on:
        await on.play({SLOWLOG: DENIED})
        gap = on.pane.query_one(".gap", Facts)
        assert "ACL SETUSER me +slowlog|get" in [gap.render_line(y).text.rstrip() for y in range(gap.size.height)]
        await on.play({SLOWLOG: ready(LOG), SLOWLOG_SETTINGS: DENIED})
        assert str(on.pane.border_subtitle) == "threshold unknown"
        assert len(on.rows) == 5
        await on.play({SLOWLOG: ready(SlowLog((), 0)), SLOWLOG_SETTINGS: SETTINGS})
        assert on.title == "Slow log 0"
        assert on.rows[1] == "nothing slower than 10 ms yet"


async def test_sort_group_and_go_into_a_shape() -> None:
    async with stage() as on:
        await on.play({SLOWLOG: ready(LOG), SLOWLOG_SETTINGS: SETTINGS})
        await on.open()
        await on.press("s")
        assert "took↓" in on.rows[0]
        await on.press("S")
        assert first_words(on.rows, 2) == ["11.0", "41.0", "88.0", "412"]
        await on.press("g")
        assert on.title == "Slow log 3 shapes"
        assert on.rows[1].split()[:8] == ["HGETALL", "user:*", "2", "453", "ms", "412", "ms", "226"]
        assert on.pane.copied() == "HGETALL user:*"
        assert on.pane.opened() is None
        await on.pilot.pause()
        assert on.title == "Slow log 2 of 4  HGETALL user:*"
        assert first_words(on.rows, 2) == ["41.0", "412"]
        await on.press("g")
        assert on.title == "Slow log 3 shapes"
        await on.press("g")
        assert on.title == "Slow log 4"


async def test_a_filter_narrows_entries_and_shapes() -> None:
    async with stage() as on:
        await on.play({SLOWLOG: ready(LOG), SLOWLOG_SETTINGS: SETTINGS})
        await on.open()
        await on.press("slash", *"celery", "enter")
        assert on.title == "Slow log 2 of 4  filter: celery"
        await on.press("g")
        assert on.title == "Slow log 2 shapes  filter: celery"
        await on.press("g", "slash", *"-no", "enter")
        assert on.rows[1] == "no entry has that"
        await on.press("escape")
        assert on.title == "Slow log 4"
        assert on.pane.full


async def test_new_entries_do_not_move_the_cursor_from_its_row() -> None:
    async with stage() as on:
        await on.play({SLOWLOG: ready(LOG), SLOWLOG_SETTINGS: SETTINGS})
        await on.open()
        await on.press("down", "down")
        assert on.pane.copied() == "HGETALL user:3"
        more = SlowLog((entry(6, "SMEMBERS online_users", 30_000), *LOG.entries), 0)
        await on.play({SLOWLOG: ready(more), SLOWLOG_SETTINGS: SETTINGS})
        assert len(on.rows) == 6
        assert on.pane.copied() == "HGETALL user:3"


async def test_an_entry_opens_in_full() -> None:
    async with stage() as on:
        assert on.pane.opened() is None
        await on.play({SLOWLOG: ready(LOG), SLOWLOG_SETTINGS: SETTINGS})
        opened = on.pane.opened()
        assert opened is not None
        assert opened.title == "Slow command, 412 ms"
        assert opened.copied == "HGETALL user:5"
        assert "".join(text for text, _ in opened.lines[-1]) == "1        user:5"


async def test_writes_are_posted_and_not_done() -> None:
    async with stage() as on:
        await on.play({SLOWLOG: ready(LOG), SLOWLOG_SETTINGS: SETTINGS})
        await on.open()
        await on.press("x", "e")
        act, ask = on.app.posted
        assert isinstance(act, Pane.Act)
        assert act.action.command == ("SLOWLOG", "RESET")
        assert isinstance(ask, Pane.Ask)
        assert ask.value == "10 ms"
        assert "write a time" in (ask.wrong("fast") or "")
        assert ask.wrong(ask.value) is None
        wanted = ask.answer("2ms")
        assert isinstance(wanted, Action)
        assert wanted.command == ("CONFIG", "SET", "slowlog-log-slower-than", 2_000)


async def test_read_only_has_no_keys_that_write() -> None:
    async with stage(read_only=True) as on:
        await on.play({SLOWLOG: ready(LOG), SLOWLOG_SETTINGS: SETTINGS})
        await on.open()
        keys = {active.binding.key for active in on.app.screen.active_bindings.values()}
        assert {"g", "s"} <= keys
        assert not keys & {"x", "e"}
        await on.press("x", "e")
        assert on.app.posted == []


async def test_the_monitor_opens_prompts_confirms_and_sends() -> None:
    script = Script(snapshot({SLOWLOG: ready(LOG), SLOWLOG_SETTINGS: SETTINGS}))
    app = app_of(script)
    async with app.run_test(size=(80, 24)) as pilot:
        while not app.screen.query(SlowLogPane) or not app.screen.query_one(SlowLogPane).snapshot:
            await pilot.pause()
        await app.screen.run_action("pane('slowlog')")
        await pilot.press("g", "enter", "e")
        while not isinstance(app.screen, PromptScreen):
            await pilot.pause()
        app.screen.query_one(Input).value = "2ms"
        await pilot.press("enter")
        while not isinstance(app.screen, ConfirmScreen):
            await pilot.pause()
        assert "CONFIG SET slowlog-log-slower-than 2000" in app.screen.query_one(Facts).render_line(0).text
        await pilot.press("y")
        while not script.acts:
            await pilot.pause()
        assert script.acts[0].command == ("CONFIG", "SET", "slowlog-log-slower-than", 2_000)
        assert str(monitor_of(app).query_one(SlowLogPane).border_title) == "Slow log 2 of 4  HGETALL user:*"


async def test_a_real_server_through_the_monitor(redis: Redis, server: EmbeddedServer) -> None:
    await redis.config_set("slowlog-log-slower-than", 0)
    await redis.hgetall("user:42")
    await redis.config_set("slowlog-log-slower-than", 10_000)
    queries = (SERVER, *SlowLogPane.QUERIES)
    monitor = Monitor(
        Endpoint(socket=server.socket),
        tuple(dict.fromkeys(queries)),
        interval=0.05,
        feed=Feed(),
        read_only=True,
        record=unrecorded,
    )
    monitor.want([query.name for query in queries])
    log, settings = await both(monitor)
    assert "HGETALL user:42" in [one.command for one in log.entries]
    assert settings.slowlog_log_slower_than == 10_000


async def both(monitor: Monitor) -> tuple[SlowLog, SlowlogSettings]:
    """The first values of the pane's two readings."""
    async with aclosing(monitor.snapshots()) as snapshots:
        async for taken in snapshots:
            log, settings = taken.reading(SLOWLOG), taken.reading(SLOWLOG_SETTINGS)
            if isinstance(log, Ready) and isinstance(settings, Ready):
                return log.value, settings.value
    raise AssertionError("a monitor goes on for ever")
