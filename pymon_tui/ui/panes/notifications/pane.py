"""The notifications pane itself: which widgets it has, and when they are filled."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Container, Vertical
from textual.widget import Widget

from pymon_tui.application.recent import RECENT
from pymon_tui.model import units
from pymon_tui.model.feed import Entry, Feed, Message
from pymon_tui.model.payload import ONE_LINE
from pymon_tui.model.query import Ready, Unavailable
from pymon_tui.model.sliding_rate import SlidingRate
from pymon_tui.model.snapshot import Snapshot
from pymon_tui.model.text import SafeText, safe
from pymon_tui.readings.channels import CHANNELS, SUBSCRIPTIONS, Channel
from pymon_tui.server import clock
from pymon_tui.ui.named_keys import named_key
from pymon_tui.ui.panes.notifications import asked, lines
from pymon_tui.ui.panes.notifications.earlier import Earlier
from pymon_tui.ui.panes.notifications.rows import CHANNEL_COLUMNS, USER, Entries, Narrowed, columns
from pymon_tui.ui.panes.pane import Pane
from pymon_tui.ui.widgets.filter import FilterLine
from pymon_tui.ui.widgets.ink import Facts, Prose
from pymon_tui.ui.widgets.table import Listed, Table

DRAIN_EVERY = 0.1
FLOOD_EVERY = 0.5
"""Seconds between two drawings while each has other messages only: nobody reads faster, and the line may be slow."""

CALM_EVERY = 1.5
"""The same in the overview, and for the numbers: snapshots do it, as long as they come once a second. Rows that move on
ten times a second would be most of what the whole overview writes."""

RATE_OVER = 10.0

BROAD = 110
"""Cells from which on the channels stand beside the messages, and not below."""

_BESIDE, _READER_ROOM, _READER_EDGE = 32, 110, 5


class NotificationsPane(Pane):
    """The messages published on the channels that are followed, the newest first."""

    NAME = "notifications"
    TITLE = "Notifications"
    ABOUT = (
        "Pub/Sub messages of the channels and patterns followed, as they come. While more come than can be read, the "
        "surplus is counted as dropped. A pause holds the picture; receiving goes on. The channels' clients are those "
        "subscribed by name. In full, what Py_Monitor keeps of the last day stands below. The filter user:7 is one "
        "user's."
    )
    QUERIES = (CHANNELS, SUBSCRIPTIONS)
    DETAIL_QUERIES = (RECENT,)

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("a", "patterns", "Patterns", id="notifications.patterns", tooltip="Add and remove what is followed"),
        Binding(
            "o", "user", "User", id="notifications.user", tooltip="Only the notifications of this row's user, or all"
        ),
        Binding("p", "publish", "Publish", id="notifications.publish", tooltip="Publish a message, once confirmed"),
        Binding("P", "tell", "Notify", id="notifications.notify", tooltip="Notify a user, once confirmed"),
    ]

    UNSEEN = frozenset(("patterns", "publish", "tell"))

    DEFAULT_CSS = """
    NotificationsPane {
        & #feed-counts, & #feed-channels { display: none; }
        & #feed-parts { height: 1fr; }
        & #feed-messages { width: 1fr; height: 1fr; }
        & #feed-rows { scrollbar-size-vertical: 0; }
        &.-full #feed-rows { scrollbar-size-vertical: 1; }
        &.-full #feed-counts { display: block; margin-bottom: 1; }
        &.-full.-channels #feed-channels { display: block; height: 5; margin-top: 1; }
        &.-full.-channels.-broad #feed-parts { layout: horizontal; }
        &.-full.-channels.-broad #feed-channels { width: 30; height: 1fr; margin: 0 0 0 2; }
    }
    """

    def __init__(self) -> None:
        super().__init__()
        self.remove_class("-gap")  # messages wait for no answer
        self._filter = FilterLine()
        self._messages: Table[Entry] = Table((), follows=True, filter_line=self._filter, id="feed-rows")
        self._channels: Table[Channel] = Table(CHANNEL_COLUMNS, id="feed-channels")
        self._narrowed = Narrowed("")
        self._earlier = Earlier()
        self._rate = SlidingRate(RATE_OVER)
        self._entries: tuple[Entry, ...] = ()
        self._before: tuple[Entry, ...] = ()
        self._shown: tuple[object, ...] = ()
        self._rows_at = 0.0
        self._numbers_at = 0.0
        self._seen_before = 0

    def body(self) -> Iterable[Widget]:
        """The counts, why nothing comes if so, and the messages."""
        with Vertical():
            yield Facts(id="feed-counts")
            yield Prose(id="feed-state")
            with Container(id="feed-parts"), Vertical(id="feed-messages"):
                yield self._messages
                yield self._filter

    def details(self) -> Mapping[str, Sequence[Widget]]:
        """The channels, or why they aren't known."""
        return {"#feed-messages": (self._channels,), "#feed-parts": (Facts(id="feed-unknown"),)}

    def on_mount(self) -> None:
        """Look at the feed from now on."""
        self.set_interval(DRAIN_EVERY, self._look)

    def gap(self, snapshot: Snapshot) -> Unavailable | None:
        """Why nothing can be followed. Channels that are not told are a gap in their list alone."""
        status = snapshot.feed.status
        return status if isinstance(status, Unavailable) else None

    def redraw(self) -> None:
        """As every pane; where there are no messages to be in, the pane takes the focus, for its keys work still."""
        super().redraw()
        gap = self.has_class("-gap")
        if gap != self.can_focus:
            self.can_focus = gap
            if self.screen.focused is None or self.has_focus_within or self.has_focus:
                self.call_after_refresh(self.focus if gap else self._messages.focus)

    def draw(self, snapshot: Snapshot) -> None:
        """Fill what the form has."""
        if self.full:
            self.set_class(self.size.width >= BROAD, "-broad")
        self._messages.headed = self.full
        self._draw_channels(snapshot)
        self._draw_rows(snapshot, clock.now())
        self._draw_numbers(snapshot, clock.now())

    def opening(self) -> Callable[[], Pane.Open | None] | None:
        """The message under the cursor with its payload in full, or all that is said of a gap; of a channel, it all.

        A channel that isn't followed yet is followed from then on; one that is leaves its own messages alone.
        """
        if self._channels.has_focus:
            channel = self._channels.cursor_row
            return partial(self._follow, channel.name) if channel is not None else None
        entry = self._messages.cursor_row
        return partial(self._detailed_entry, entry) if entry is not None else None

    def _follow(self, channel: bytes) -> None:
        feed = self._feed
        if feed is not None and not asked.follows(feed.patterns, channel):
            self.post_message(self.Watch(asked.with_channel(feed.patterns, channel)))
            self.notify(safe(f"following {safe(channel, ONE_LINE)} from now on"), markup=False)
        else:
            self._filter.filter_by(channel.decode("utf-8", "replace"))
            self._messages.focus()

    def _detailed_entry(self, entry: Entry) -> Pane.Open | None:
        copied = self.copied()
        if copied is None:
            return None
        width = min(_READER_ROOM, self.app.size.width * 9 // 10) - _READER_EDGE
        title = safe("Message" if isinstance(entry, Message) else "The feed itself")
        return self.Open(title, lines.detail_lines(entry, width), copied)

    def copied(self) -> SafeText | None:
        """The payload as one line, or the channel."""
        if self._channels.has_focus:
            channel = self._channels.cursor_row
            return safe(channel.name, 4 * len(channel.name) + 1) if channel is not None else None
        entry = self._messages.cursor_row
        if isinstance(entry, Message):
            return safe(entry.payload, 4 * len(entry.payload) + 1)
        return entry.text if entry is not None else None

    def can(self, action: str) -> bool | None:
        """No key that writes under read-only; what is followed can be changed where there is a feed."""
        if action == "patterns":
            return self._feed is not None
        return not (self.read_only and action in ("publish", "tell"))

    def action_patterns(self) -> None:
        """Ask for what is to be followed."""
        if (feed := self._feed) is None:
            return
        patterns, hint = feed.patterns, "channels and patterns, with blanks between them: notifications:* chat:7"
        text, answer = asked.patterns_text(patterns), lambda text: self.Watch(asked.typed_patterns(text, patterns))
        self.post_message(self.Ask("Follow channels", hint, text, lambda _: None, answer))

    def action_publish(self) -> None:
        """Ask for a message to publish, on the channel under the cursor to begin with."""
        hint = "CHANNEL PAYLOAD: all after the first blank is the payload"
        text = asked.publish_text(self._channel)
        self.post_message(self.Ask("Publish a message", hint, text, asked.wrong_publish, asked.publish))

    def action_tell(self) -> None:
        """Ask for a notification to a user, the one under the cursor to begin with."""
        hint = f"USER LEVEL TITLE | MESSAGE; a level is {', '.join(asked.LEVELS)}"
        text = asked.notify_text(asked.user_of(self._channel or b""))
        self.post_message(self.Ask("Notify a user", hint, text, asked.wrong_notify, asked.notify_now))

    def action_user(self) -> None:
        """Narrow the rows to the user under the cursor, or drop that; without one, type whose are wished for."""
        text = asked.without_user(self._filter.text)
        if text != " ".join(self._filter.text.split()):
            self._filter.filter_by(text)
            return
        word = asked.user_word(self._channel or b"")
        self._filter.filter_by(f"{text} {word}".strip())
        if word == USER:
            self._filter.open()

    def watch_paused(self, paused: bool) -> None:  # noqa: FBT001
        """Count what comes from now on, or catch up with it."""
        if (feed := self._feed) is not None:
            self._seen_before = feed.seen
        self.draw_again()

    @on(FilterLine.Changed)
    def _narrow(self, event: FilterLine.Changed) -> None:
        event.stop()
        self._narrowed = Narrowed(event.text)
        self.draw_again()

    @property
    def _channel(self) -> bytes | None:
        """The channel under the cursor, in whichever table has it."""
        channel, entry = self._channels.cursor_row, self._messages.cursor_row
        if channel is not None and self._channels.has_focus:
            return channel.name
        return entry.channel if isinstance(entry, Message) else None

    @property
    def _feed(self) -> Feed | None:
        return self.snapshot.feed if self.snapshot is not None else None

    def _look(self) -> None:
        """Draw what changed in the feed since the last look, if somebody looks."""
        snapshot, now = self.snapshot, clock.now()
        if snapshot is None:
            return
        feed = snapshot.feed
        self._rate.sample(now, feed.seen)
        if not self.is_on_screen:
            return
        if (self.gap(snapshot) is not None) != self.has_class("-gap"):
            self.draw_again()
        elif not self.has_class("-gap"):
            if self._due(feed, now):
                self._draw_rows(snapshot, now)
            if now - self._numbers_at >= CALM_EVERY:
                self._draw_numbers(snapshot, now)

    def _due(self, feed: Feed, now: float) -> bool:
        """Whether there are other rows to draw; in a flood not at each look."""
        if self.paused or self._state_of(feed) == self._shown:
            return False
        if not self.full:
            return now - self._rows_at >= CALM_EVERY
        new = feed.serial - (self._entries[0].serial if self._entries else 0)
        return new <= self._messages.size.height or now - self._rows_at >= FLOOD_EVERY

    def _draw_rows(self, snapshot: Snapshot, now: float) -> None:
        feed = snapshot.feed
        if not self.paused:
            self._entries = feed.newest()
            self._before = self._earlier.below(self._entries, snapshot) if self.full else ()
        self._shown, self._rows_at = self._state_of(feed), now
        table, text = self._messages, self._filter.text
        table.columns = columns(self._room, feed.patterns, snapshot.wall, full=self.full)
        table.say_when_empty(lines.empty_text(feed.patterns, text, named_key(self, "notifications.patterns", "a")))
        live, before = self._entries, self._before
        if text:
            live, before = self._narrowed.of(live), self._narrowed.of_earlier(before)
        table.show(Entries(live, before))
        self.query_one("#feed-state", Facts).show(lines.state_lines(feed, now, snapshot.link))

    @property
    def _room(self) -> int:
        """The cells that the messages have in a row."""
        beside = self.full and self.has_class("-channels") and self.has_class("-broad")
        return self.size.width - (_BESIDE if beside else 0)

    def _state_of(self, feed: Feed) -> tuple[object, ...]:
        return (feed.serial, feed.patterns, type(feed.status), feed.coverage)

    def _draw_numbers(self, snapshot: Snapshot, now: float) -> None:
        self._numbers_at = now
        feed, rate = snapshot.feed, self._rate.per_second
        if self.full:
            counts = lines.counts_line(feed, snapshot.reading(SUBSCRIPTIONS))
            self.query_one("#feed-counts", Facts).show((counts,))
        self.query_one("#feed-state", Facts).show(lines.state_lines(feed, now, snapshot.link))
        self.say(self._title(feed), lines.subtitle(feed, rate, self.size.width, full=self.full))

    def _title(self, feed: Feed) -> str:
        parts = [self.TITLE]
        if self.paused:
            parts.append(f"+{units.count(feed.seen - self._seen_before)}")
        if self._filter.text:
            parts.append(
                f"{units.count(len(self._messages.rows))} of {units.count(len(self._entries) + len(self._before))}"
            )
            parts.append(f" filter: {safe(self._filter.text, ONE_LINE)}")
        return " ".join(parts)

    def _draw_channels(self, snapshot: Snapshot) -> None:
        if not self.full:
            return
        reading = snapshot.reading(CHANNELS)
        channels = reading.value.channels if isinstance(reading, Ready) else ()
        self.set_class(bool(channels), "-channels")
        self.query_one("#feed-unknown", Facts).show(lines.gap_lines(reading, snapshot.reading(RECENT)))
        self._channels.show(Listed(channels, lambda channel: channel.name))
