"""The pane as a person sees and uses it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
from redis.asyncio import Redis
from textual import on
from textual.app import App, ComposeResult
from textual.message import Message
from textual.pilot import Pilot
from textual.screen import Screen
from textual.widgets import Input

from pymon_tui.application.recent import RECENT, Recent
from pymon_tui.demo.embedded import EmbeddedServer
from pymon_tui.model.feed import Feed
from pymon_tui.model.link import Live, Lost, Trouble
from pymon_tui.model.query import Query, Reading, Reason, Unavailable
from pymon_tui.model.text import safe
from pymon_tui.readings.channels import CHANNELS, SUBSCRIPTIONS, Channel, Channels, Subscriptions
from pymon_tui.server.endpoint import Endpoint
from pymon_tui.settings import Settings
from pymon_tui.state.fleet import Fleet
from pymon_tui.state.monitor import Monitor
from pymon_tui.ui.app import PymonApp
from pymon_tui.ui.panes.notifications import NotificationsPane
from pymon_tui.ui.panes.pane import Pane
from pymon_tui.ui.screens.confirm import ConfirmScreen
from pymon_tui.ui.screens.prompt import PromptScreen
from pymon_tui.ui.theme import THEMES
from pymon_tui.ui.widgets.filter import FilterLine
from pymon_tui.ui.widgets.ink import text_of
from tests.script import ready, snapshot
from tests.server.fake import unrecorded
from tests.ui.panes.notifications.made import kept_of, payload_of
from tests.ui.stage import monitor_of, no_ways

DENIED = Unavailable(Reason.DENIED, safe("NOPERM no permissions"), safe("ACL SETUSER me +pubsub|channels"))
REFUSED = Unavailable(Reason.DENIED, safe("NOPERM no channel"), safe("ACL SETUSER me &notifications:*"))
LISTED = ready(Channels((Channel(b"chat:general", 3), Channel(b"notifications:1", 1))))
LOST = Lost(Trouble.UNREACHABLE, safe("refused"), safe("start it"), 0.0, 0.0, 2)


class Stage(App[None]):
    """The pane alone, which is quicker than the whole monitor; what it posts is noted."""

    def __init__(self, pane: NotificationsPane) -> None:
        super().__init__()
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = THEMES[0].name
        self.posted: list[Any] = []
        self._pane = pane

    def compose(self) -> ComposeResult:
        yield self._pane

    @on(Pane.Act)
    @on(Pane.Ask)
    def note(self, message: Message) -> None:
        self.posted.append(message)


class Seen:
    """What a person sees and does, on a feed that a test fills."""

    def __init__(self, app: App[Any], pane: NotificationsPane, pilot: Pilot[Any]) -> None:
        self.app = app
        self.pane = pane
        self.pilot = pilot

    @property
    def rows(self) -> list[str]:
        """What the messages' table says, without empty rows."""
        return [line for line in self.said("#feed-rows") if line]

    @property
    def title(self) -> str:
        return str(self.pane.border_title)

    @property
    def subtitle(self) -> str:
        return str(self.pane.border_subtitle)

    def said(self, selector: str) -> list[str]:
        widget: Any = self.pane.query_one(selector)
        return [widget.render_line(y).text.rstrip() for y in range(widget.size.height)]

    def asked(self) -> Pane.Ask:
        """The last question that the pane put."""
        assert isinstance(self.app, Stage)
        message = self.app.posted[-1]
        assert isinstance(message, Pane.Ask)
        return message

    def opened(self) -> list[str]:
        """What enter opens, line by line."""
        message = self.pane.opened()
        assert message is not None
        return [text_of(line) for line in message.lines]

    async def until(self, holds: Callable[[], bool]) -> None:
        """Let the app go on until this holds."""
        for _ in range(1_000):
            if holds():
                return
            await self.pilot.pause(0.01)
        raise AssertionError(f"never held; shown: {self.title} {self.rows} {self.subtitle}")

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.pilot.pause()

    async def resize(self, width: int, height: int, *, full: bool) -> None:
        await self.pilot.resize_terminal(width, height)
        self.pane.full = full
        for _ in range(3):  # the form is laid out after the next refresh, and drawn then
            await self.pilot.pause()

    async def answer(self, screen: type[Screen[Any]], text: str) -> None:
        await self.until(lambda: isinstance(self.app.screen, screen))
        self.app.screen.query_one(Input).value = text
        await self.press("enter")


def feed_of(*payloads: bytes) -> Feed:
    feed = Feed()
    feed.patterns = (b"notifications:*",)
    feed.status = Live(0.0, 0.001)
    for number, payload in enumerate(payloads):
        feed.add(b"notifications:%d" % number, payload, float(number))
    return feed


@asynccontextmanager
async def seen(
    feed: Feed, readings: dict[Query[Any], Reading[Any]] | None = None, *, full: bool = True, read_only: bool = False
) -> AsyncIterator[Seen]:
    """The pane with this feed, with the focus in it."""
    pane = NotificationsPane()
    app = Stage(pane)
    async with app.run_test(size=(80, 22) if full else (40, 8)) as pilot:
        pane.read_only = read_only
        pane.snapshot = snapshot(readings or {}, feed=feed)
        pane.query_one("#feed-rows").focus()
        on = Seen(app, pane, pilot)
        await on.resize(*app.size, full=full)
        yield on


@pytest.mark.parametrize(("width", "height"), [(40, 8), (120, 10), (200, 13)])
async def test_a_glance_says_when_where_and_what(width: int, height: int) -> None:
    feed = feed_of(b"first", b'{"level":"critical","title":"down"}')
    async with seen(feed, full=False) as on:
        await on.resize(width, height, full=False)
        newest, oldest = on.rows
        assert ":1 " in newest
        assert "down" in newest
        assert ("▲" if width == 40 else "critical") in newest
        assert oldest.endswith("first")
        assert ("dropped 0" in on.subtitle) is (width > 40)


async def test_in_full_there_are_counts_and_channels() -> None:
    async with seen(feed_of(b"x"), {CHANNELS: LISTED, SUBSCRIPTIONS: ready(Subscriptions(2, 1))}) as on:
        for width, height in ((80, 22), (120, 34), (200, 48)):
            await on.resize(width, height, full=True)
            assert on.rows[0].split()[:5] == ["time", "channel", "level", "size", "payload"]
            assert on.said("#feed-counts")[0].split()[:6] == ["seen", "1", "kept", "1", "dropped", "0"]
            channels = [line.split() for line in on.said("#feed-channels")[1:3]]
            assert channels == [["3", "chat:general"], ["1", "notifications:1"]]
            beside, rows = (on.pane.query_one(f"#feed-{part}").region for part in ("channels", "rows"))
            assert (beside.x > rows.right) is (width >= 120)


async def test_messages_are_drawn_as_they_come_and_the_cursor_stays_on_its_own() -> None:
    feed = feed_of(b"one", b"two")
    async with seen(feed) as on:
        feed.add(b"notifications:9", b"three", 2.0)
        await on.until(lambda: on.rows[1].endswith("three"))
        assert on.pane.copied() == "three"  # on the first row it stays on the newest
        await on.press("down")
        feed.add(b"notifications:9", b"four", 3.0)
        await on.until(lambda: on.rows[1].endswith("four"))
        assert on.pane.copied() == "two"


async def test_a_pause_holds_the_picture_and_counts_what_comes() -> None:
    feed = feed_of(b"one")
    async with seen(feed) as on:
        on.pane.paused = True
        assert on.title == "Notifications +0"
        feed.add(b"c", b"two", 1.0)
        feed.count(1_203)
        await on.until(lambda: on.title == "Notifications +1 204")
        await on.resize(100, 30, full=True)
        assert len(on.rows) == 2
        on.pane.paused = False
        await on.until(lambda: len(on.rows) == 3)
        assert on.title == "Notifications"


async def test_the_filter_narrows_what_is_there_and_what_comes() -> None:
    feed = feed_of(b"disk full", b"other")
    async with seen(feed) as on:
        await on.press("slash")
        await on.press(*"disk", "enter")
        assert [row.split()[-1] for row in on.rows[1:]] == ["full"]
        assert on.title == "Notifications 1 of 2  filter: disk"
        feed.add(b"c", b"disk empty", 2.0)
        feed.add(b"c", b"more", 2.0)
        await on.until(lambda: [row.split()[-1] for row in on.rows[1:]] == ["empty", "full"])
        on.pane.query_one(FilterLine).filter_by("nowhere")
        await on.until(lambda: on.rows[1] == "no message has that")
        await on.press("escape")
        assert len(on.rows) == 5


async def test_a_message_is_opened_in_full_and_copied() -> None:
    async with seen(feed_of(b'{"level":"ok","title":"[b]x"}')) as on:
        assert on.pane.copied() == '{"level":"ok","title":"[b]x"}'
        lines = on.opened()
        assert lines[0] == "channel  notifications:0"
        assert lines[-2:] == ['  "title": "[b]x"', "}"]


async def test_a_gap_is_shown_among_the_messages_and_opened() -> None:
    feed = feed_of(b"before")
    feed.mark(safe("gap: reconnected after 12s, messages in between are lost, and more is said of it here"), 1.0)
    async with seen(feed) as on:
        assert "───" in on.rows[1]
        assert on.opened()[-1].endswith("of it here")
        assert on.pane.copied() == feed.newest()[0].text  # type: ignore[union-attr]


async def test_an_empty_pane_opens_and_copies_nothing() -> None:
    async with seen(feed_of()) as on:
        assert on.rows[1] == "no message yet on notifications:*"
        assert on.pane.opened() is None
        assert on.pane.copied() is None


async def test_a_refused_feed_says_how_to_allow_it_and_its_keys_work() -> None:
    feed = feed_of(b"old")
    async with seen(feed) as on:
        feed.status = REFUSED
        await on.until(lambda: on.pane.has_class("-gap") and on.pane.has_focus)
        said = on.said(".gap")
        assert said[:3] == ["not available: denied", "NOPERM no channel", "ACL SETUSER me &notifications:*"]
        await on.press("a")
        assert on.asked().value == "notifications:*"
        feed.status = Live(0.0, 0.001)
        await on.until(lambda: not on.pane.has_class("-gap") and on.pane.query_one("#feed-rows").has_focus)
        assert on.rows[1].endswith("old")


async def test_denied_channels_are_a_gap_in_their_list_alone() -> None:
    async with seen(feed_of(b"here"), {CHANNELS: DENIED}) as on:
        assert on.rows[1].endswith("here")
        assert on.said("#feed-unknown") == ["channels not available: denied; ACL SETUSER me +pubsub|channels"]
        assert not on.pane.query_one("#feed-channels").display


async def test_a_lost_feed_keeps_its_messages_and_says_so() -> None:
    feed = feed_of(b"old")
    async with seen(feed, full=False) as on:
        feed.status = LOST
        await on.until(lambda: on.said("#feed-state") != [])
        assert on.said("#feed-state")[0].startswith("feed lost refused; start it")
        assert on.rows[0].endswith("old")


async def test_nothing_is_published_under_read_only() -> None:
    async with seen(feed_of(b"x"), read_only=True) as on:
        await on.press("p")
        actions = {active.binding.action for active in on.app.screen.active_bindings.values()}
        assert "patterns" in actions
        assert "publish" not in actions


async def test_what_is_published_begins_with_the_channel_under_the_cursor() -> None:
    async with seen(feed_of(b"x"), {CHANNELS: LISTED}) as on:
        await on.press("p")
        assert on.asked().value == "notifications:0 "
        on.pane.query_one("#feed-channels").focus()
        await on.press("p")
        assert on.asked().value == "chat:general "
        assert on.pane.copied() == "chat:general"


KEPT = ready(Recent(frozenset(), (kept_of("one", ago=60), kept_of("two", ago=120, user="kim.minjun"))))


async def test_in_full_what_was_kept_stands_below_what_comes() -> None:
    feed = feed_of(b"live")
    async with seen(feed, {RECENT: KEPT}) as on:
        assert [row.split()[-1] for row in on.rows[1:]] == ["live", "below", "one", "two"]
        assert "live above, 2 kept before that below" in on.rows[2]
        await on.press("end")
        assert on.opened()[1].startswith("sent     2026-09-21")
        feed.add(b"notifications:7", payload_of("one"), 2.0)
        await on.until(lambda: [row.split()[-1] for row in on.rows[1:]] == ["one", "live", "below", "two"])
        assert "title of two" in (on.pane.copied() or "") or '"id":"two"' in (on.pane.copied() or "")
        await on.resize(40, 8, full=False)
        assert [row.split()[-1] for row in on.rows] == ["one", "live"]


async def test_the_rows_are_narrowed_to_the_user_under_the_cursor_and_back() -> None:
    feed = feed_of(b"live")
    feed.add(b"notifications:kim.minjun", b"his", 2.0)
    async with seen(feed, {RECENT: KEPT}) as on:
        await on.press("end", "o")
        await on.until(lambda: [row.split()[-1] for row in on.rows[1:]] == ["his", "below", "two"])
        assert on.title == "Notifications 3 of 5  filter: user:kim.minjun"
        feed.add(b"notifications:7", b"another's", 3.0)
        feed.add(b"notifications:kim.minjun", b"newer", 3.0)
        await on.until(lambda: on.rows[1].endswith("newer"))
        assert len(on.rows) == 5
        await on.press("o")
        await on.until(lambda: len(on.rows) == 8)


async def test_without_a_user_under_the_cursor_one_types_whose_are_wished_for() -> None:
    feed = feed_of(b"x")
    feed.add(b"chat:7", b"y", 1.0)
    async with seen(feed) as on:
        await on.press("o", "0", "enter")
        await on.until(lambda: [row.split()[-1] for row in on.rows[1:]] == ["x"])
        assert "filter: user:0" in on.title


async def test_a_pause_holds_what_was_kept_as_well() -> None:
    async with seen(feed_of(b"live"), {RECENT: KEPT}) as on:
        on.pane.paused = True
        on.pane.snapshot = snapshot({RECENT: ready(Recent(frozenset(), ()))}, feed=feed_of(b"live"))
        await on.resize(90, 22, full=True)
        assert len(on.rows) == 5


async def test_recent_notifications_that_are_denied_are_said_in_one_line() -> None:
    gap = Unavailable(Reason.DENIED, safe("NOPERM"), safe("ACL SETUSER me +scan"))
    async with seen(feed_of(b"here"), {RECENT: gap}) as on:
        assert on.rows[1].endswith("here")
        assert on.said("#feed-unknown") == ["recent notifications not available: denied; ACL SETUSER me +scan"]


async def test_who_is_notified_begins_with_the_user_under_the_cursor() -> None:
    async with seen(feed_of(b"x"), {CHANNELS: LISTED, RECENT: KEPT}) as on:
        await on.press("end", "P")
        assert on.asked().value == "kim.minjun info "
        on.pane.query_one("#feed-channels").focus()
        await on.press("P")
        assert on.asked().value == ""
        assert on.asked().wrong("kim.minjun info done") is None


async def test_a_flood_is_counted_and_drawn_less_often() -> None:
    feed = feed_of()
    async with seen(feed, full=False) as on:
        table: Any = on.pane.query_one("#feed-rows")
        show, shown = table.show, []

        def noted(rows: Any) -> None:
            shown.append(len(rows))
            show(rows)

        table.show = noted
        on.pane._rows_at = float("inf")  # as if the last picture were of this very moment
        for number in range(2_000):
            feed.add(b"notifications:1", b"%d" % number, 0.0)
        feed.count(18_000)
        await on.until(lambda: "dropped 18 000" in on.subtitle)
        assert shown == []
        on.pane._rows_at = 0.0
        await on.until(lambda: on.rows[0].endswith(" 1999"))
        assert shown == [2_000]


async def test_hostile_bytes_keep_to_their_cells() -> None:
    payloads = ("한글 ✅ \u202e".encode(), b"\x1b[2J\x00\xff\xfe[bold]", b'{"title":"' + "서".encode() * 200 + b'"}')
    feed = feed_of(*payloads)
    feed.add(b"\x1b[31m\xff" + "채널".encode() * 40, b"", 0.0)
    async with seen(feed) as on:
        for full in (True, False):
            await on.resize(77, 20, full=full)
            table: Any = on.pane.query_one("#feed-rows")
            for y in range(table.size.height):
                strip = table.render_line(y)
                assert sum(segment.cell_length for segment in strip) == table.scrollable_content_region.width
                assert strip.text.isprintable()


async def test_a_real_server_from_publish_to_picture(redis: Redis, server: EmbeddedServer) -> None:
    def follow(endpoint: Endpoint, queries: Sequence[Query[Any]], feed: Feed) -> Monitor:
        return Monitor(endpoint, queries, interval=0.2, feed=feed, read_only=False, record=unrecorded)

    def source_of(endpoint: Endpoint) -> Fleet:
        return Fleet(
            endpoint,
            NotificationsPane.QUERIES,
            follow,
            patterns=[b"notifications:*"],
            read_only=False,
        )

    app = PymonApp(Settings(socket=server.socket), source_of, nowhere, no_ways)
    async with app.run_test(size=(80, 24)) as pilot:
        while not app.screen.query(NotificationsPane):
            await pilot.pause()
        on = Seen(app, app.screen.query_one(NotificationsPane), pilot)
        source = monitor_of(app).source
        await app.screen.run_action("pane('notifications')")
        await on.until(lambda: isinstance(source.feed.status, Live))
        await redis.publish("notifications:7", '{"level":"warning","title":"응답 시간 증가"}')
        await on.until(lambda: len(on.rows) == 2 and "응답 시간 증가" in on.rows[1])
        await on.press("a")
        await on.answer(PromptScreen, "notifications:* chat")
        await on.until(lambda: source.patterns == (b"notifications:*", b"chat"))
        await on.press("p")
        await on.answer(PromptScreen, "chat hello")
        await on.until(lambda: isinstance(app.screen, ConfirmScreen))
        await on.press("y")
        await on.until(lambda: len(on.rows) == 3 and on.rows[1].split()[1:] == ["chat", "5B", "hello"])


def nowhere(_: object, _present: object) -> Endpoint:
    raise AssertionError("nobody chooses a server here")
