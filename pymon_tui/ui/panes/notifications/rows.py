"""The rows of the feed: which are shown, and what their columns say of a message or of a gap."""

from __future__ import annotations

import json
import re
import time
from bisect import bisect_left
from collections.abc import Callable, Hashable
from functools import lru_cache
from itertools import takewhile

from pymon_tui.model import units
from pymon_tui.model.feed import Entry, Mark, Message
from pymon_tui.model.payload import summary
from pymon_tui.model.text import SafeText, safe
from pymon_tui.readings.channels import Channel
from pymon_tui.services.keys import NOTIFICATIONS_CHANNEL
from pymon_tui.ui.panes.notifications.earlier import RULE_SERIAL
from pymon_tui.ui.widgets.ink import Role, Span, label, span
from pymon_tui.ui.widgets.table import Column

MEDIUM, WIDE, WIDEST = 60, 100, 150
"""Cells from which on there is a level's name; whole channel names; and JSON as it is instead of its title."""

_LEVEL_ROLES: dict[str, Role] = {
    **dict.fromkeys(("critical", "crit", "fatal", "error", "err", "emergency", "alert"), "act"),
    **dict.fromkeys(("warning", "warn"), "warn"),
    **dict.fromkeys(("ok", "success", "resolved", "recovered"), "good"),
}
_SIGNS: dict[Role, str] = {"act": "▲", "warn": "●", "good": "✓"}
USER = "user:"
"""Begins the word of a filter that names a user."""

_SEPARATORS = (b":", b".", b"/", b"-", b"_", b"|")
_WILDCARD = re.compile(rb"[*?\[\\]")


CHANNEL_COLUMNS: tuple[Column[Channel], ...] = (
    Column(
        "clients", "clients", 7, lambda one: span(units.short_count(one.subscribers)), align="right", sortable=False
    ),
    Column("channel", "channel", 16, lambda one: span(one.name, "info"), grows=True, sortable=False),
)
"""Of the channels that there are."""


class Entries:
    """Entries of a feed, newest first, as a table's rows, and below them those that were there before it."""

    def __init__(self, live: tuple[Entry, ...], earlier: tuple[Entry, ...]) -> None:
        self._entries = (*live, *earlier)
        self._live = live

    def __len__(self) -> int:
        return len(self._entries)

    def __getitem__(self, index: int) -> Entry:
        return self._entries[index]

    def key(self, index: int) -> int:
        """The entry's serial."""
        return self._entries[index].serial

    def find(self, key: Hashable) -> int | None:
        """Where the entry with this serial stands; None once it is gone or left out."""
        if not isinstance(key, int):
            return None
        if key <= RULE_SERIAL:  # in no order of theirs
            return next((at for at, entry in enumerate(self._entries) if entry.serial == key), None)
        index = bisect_left(self._live, -key, key=lambda entry: -entry.serial)
        return index if index < len(self._live) and self._live[index].serial == key else None


class Narrowed:
    """The entries whose channel or payload holds each word of a text, a like A to z like Z; gaps always stay.

    A word ``user:7`` is that user's notifications. Each entry is looked at once, however often the feed is drawn.
    """

    def __init__(self, text: str) -> None:
        words = text.lower().split()
        self._users = [_channels(word.removeprefix(USER)) for word in words if word.startswith(USER) and word != USER]
        # Many programs write Hangul in JSON as \uXXXX: a word is looked for in both forms.
        self._words = [
            {word.encode("utf-8", "replace"), json.dumps(word)[1:-1].encode().lower()}
            for word in words
            if not word.startswith(USER)
        ]
        self._newest = 0
        self._kept: tuple[Entry, ...] = ()
        self._earlier: tuple[tuple[Entry, ...], tuple[Entry, ...]] = ((), ())

    def of(self, entries: tuple[Entry, ...]) -> tuple[Entry, ...]:
        """Those of a feed's entries, newest first, that are kept. To be given the same feed each time."""
        if not entries:
            return ()
        oldest = entries[-1].serial
        new = tuple(filter(self._holds, takewhile(lambda entry: entry.serial > self._newest, entries)))
        old = tuple(takewhile(lambda entry: entry.serial >= oldest, self._kept))
        self._newest, self._kept = entries[0].serial, new + old
        return self._kept

    def of_earlier(self, entries: tuple[Entry, ...]) -> tuple[Entry, ...]:
        """Those that are kept of entries which stay what they are until another tuple comes."""
        if entries is not self._earlier[0]:
            self._earlier = entries, tuple(filter(self._holds, entries))
        return self._earlier[1]

    def _holds(self, entry: Entry) -> bool:
        if isinstance(entry, Mark):
            return True
        if any(entry.channel.lower() not in channels for channels in self._users):
            return False
        text = entry.channel.lower() + b"\n" + entry.payload.lower()
        return all(any(form in text for form in forms) for forms in self._words)


def columns(width: int, patterns: tuple[bytes, ...], now: float, *, full: bool) -> tuple[Column[Entry], ...]:
    """What there is room for in ``width`` cells: when, where, how grave, and what was said.

    ``now`` is in Unix seconds: of what wasn't published on that day, the day is told in place of the time.
    """
    begin, end = _day_of(now)
    precise = full and width >= WIDE
    when = Column("time", "time", 12 if precise else 8, _time_within(begin, end, precise=precise), sortable=False)
    cut = _common(patterns) if width < WIDE else 0
    if width < MEDIUM:
        return (
            when,
            _channel_column(5 if cut else 10, cut),
            Column("sign", "", 1, _sign, sortable=False),
            _payload_column("telling"),
        )
    size: Column[Entry] = Column("size", "size", 5, _size, align="right", sortable=False)
    return (
        when,
        _channel_column(10 if cut else 16 if width < WIDE else 24, cut),
        Column("level", "level", 8, _level, sortable=False),
        *((size,) if full else ()),
        _payload_column("line" if width >= WIDEST else "telling"),
    )


def level_role(level: SafeText) -> Role:
    """Red where somebody should act, amber where one should look, green where it is over."""
    return _LEVEL_ROLES.get(level.lower(), "label")


def local_time(at: float) -> SafeText:
    """The local time of day to the millisecond."""
    milliseconds = int(at * 1000)
    return safe(f"{_clock(milliseconds // 1000)}.{milliseconds % 1000:03d}")


def _channels(user_id: str) -> set[bytes]:
    """The channel of a user whose id was typed as it is, or as it stands in the channel."""
    typed = user_id.encode("utf-8", "replace")
    written = f"{NOTIFICATIONS_CHANNEL.prefix}:".encode() + typed
    return {written, NOTIFICATIONS_CHANNEL.key(user_id=typed.decode()).encode().lower()}


def _common(patterns: tuple[bytes, ...]) -> int:
    """The bytes that all channels followed begin with, so that they needn't be shown; the last separator is."""
    literals = [_WILDCARD.split(name, maxsplit=1)[0] for name in patterns]
    same = takewhile(lambda column: len(set(column)) == 1, zip(*literals, strict=False))
    common = bytes(column[0] for column in same)
    return len(common) - common.endswith(_SEPARATORS)


def _channel_column(width: int, cut: int) -> Column[Entry]:
    rule = span("─" * width, "faint")

    def cell(entry: Entry) -> Span:
        return rule if isinstance(entry, Mark) else span(entry.channel[cut:] or entry.channel, "info")

    return Column("channel", "channel", width, cell, sortable=False)


def _payload_column(form: str) -> Column[Entry]:
    def said(message: Message) -> SafeText:
        found = summary(message.payload)
        return found.line if form == "line" else found.telling

    def cell(entry: Entry) -> Span:
        return label(entry.text) if isinstance(entry, Mark) else Span(said(entry), "value")

    return Column("payload", "payload", 14, cell, grows=True, sortable=False)


def _of_message(cell: Callable[[Message], Span], width: int) -> Callable[[Entry], Span]:
    """A cell that is a piece of the rule where the entry is a gap."""
    rule = span("─" * width, "faint")
    return lambda entry: rule if isinstance(entry, Mark) else cell(entry)


def _level_cell(message: Message) -> Span:
    level = summary(message.payload).level
    return span("") if level is None else Span(level, level_role(level))


def _sign_cell(message: Message) -> Span:
    level = summary(message.payload).level
    role = "label" if level is None else level_role(level)
    return span(_SIGNS.get(role, ""), role)


_level = _of_message(_level_cell, 8)
_sign = _of_message(_sign_cell, 1)
_size = _of_message(lambda message: label(units.short_bytes(message.size)), 5)


@lru_cache(maxsize=4)
def _time_within(begin: float, end: float, *, precise: bool) -> Callable[[Entry], Span]:
    """The cell of the time of day, or of the day of what lies outside of these two moments."""

    def cell(entry: Entry) -> Span:
        if not entry.at:
            return _no_time(entry, 12 if precise else 8)
        if not begin <= entry.at < end:
            return label(units.clock(entry.at, now=begin))
        return label(local_time(entry.at) if precise else _clock(int(entry.at)))

    return cell


@lru_cache(maxsize=4)
def _day(year: int, month: int, day: int) -> tuple[float, float]:
    """When a day begins and ends by the local time, in Unix seconds."""
    begin, end = (time.mktime((year, month, day + days, 0, 0, 0, 0, 0, -1)) for days in (0, 1))
    return begin, end


def _day_of(moment: float) -> tuple[float, float]:
    return _day(*time.localtime(moment)[:3])


def _no_time(entry: Entry, width: int) -> Span:
    return span("─" * width, "faint") if isinstance(entry, Mark) else label(units.UNKNOWN)


@lru_cache(maxsize=256)
def _clock(second: int) -> SafeText:
    return safe(time.strftime("%H:%M:%S", time.localtime(second)))
