"""What the pane says beside its rows, without a screen."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pymon_tui.model.feed import PAYLOAD_LIMIT, Coverage, Entry, Feed, Message
from pymon_tui.model.link import Connecting, Link, Live, Lost, Trouble
from pymon_tui.model.query import PENDING, Reason, Unavailable
from pymon_tui.model.text import safe
from pymon_tui.readings.channels import Channels, Subscriptions
from pymon_tui.ui.panes.notifications.lines import (
    counts_line,
    detail_lines,
    empty_text,
    gap_lines,
    state_lines,
    subtitle,
)
from pymon_tui.ui.widgets.ink import line_width, text_of
from tests.script import ready


def message(payload: bytes, channel: bytes = b"notifications:42") -> Entry:
    feed = Feed()
    feed.add(channel, payload, 0.0)
    return feed.newest()[0]


def read(entry: Entry, width: int) -> list[str]:
    return [text_of(line) for line in detail_lines(entry, width)]


def feed_of(seen: int, dropped: int) -> Feed:
    feed = Feed()
    feed.patterns = (b"notifications:*", b"chat")
    feed.count(dropped)
    for _ in range(seen - dropped):
        feed.add(b"c", b"p", 0.0)
    return feed


def test_the_border_says_what_there_is_room_for() -> None:
    assert subtitle(feed_of(5, 0), 14.0, 36, full=False) == "14/s"
    assert subtitle(feed_of(5, 2), 14.0, 36, full=False) == "14/s  dropped 2"
    assert subtitle(feed_of(5, 0), None, 116, full=False) == "notifications:* chat  –  dropped 0"
    assert subtitle(feed_of(5, 2), 14.0, 76, full=True) == "notifications:* chat  14/s"
    assert subtitle(Feed(), 0.0, 116, full=True) == "0/s"


def test_the_counts_tell_seen_from_kept_and_dropped() -> None:
    text = text_of(counts_line(feed_of(7, 4), ready(Subscriptions(10, 1)))).split()
    assert " ".join(text) == "seen 7 kept 3 dropped 4 server 10 channels, 1 pattern"
    assert "server" not in text_of(counts_line(feed_of(7, 4), PENDING))


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (Live(0.0, 0.001), []),
        (Connecting(0.0), ["connecting"]),
        (
            Lost(Trouble.UNREACHABLE, safe("refused"), safe("start it"), 90.0, 104.0, 2),
            ["feed lost refused; start it, next try in 4s"],
        ),
        (Lost(Trouble.SILENT, safe("silent"), safe(""), 90.0, 100.1, 2), ["feed lost silent, trying now"]),
    ],
)
def test_what_keeps_messages_from_coming_is_one_line(status: Link, said: list[str]) -> None:
    feed = Feed()
    feed.status = status
    assert [text_of(line) for line in state_lines(feed, 100.0, None)] == said


@pytest.mark.parametrize(
    ("coverage", "said"),
    [
        (None, []),
        (Coverage(3, 3, safe("")), []),
        (Coverage(2, 3, safe("10.0.0.1:6379: NOPERM")), ["key events of 2 of 3 primaries  10.0.0.1:6379: NOPERM"]),
    ],
)
def test_what_is_not_heard_of_all_primaries_is_said(coverage: Coverage | None, said: list[str]) -> None:
    feed = Feed()
    feed.status, feed.coverage = Live(0.0, 0.001), coverage
    assert [text_of(line) for line in state_lines(feed, 100.0, None)] == said


def test_an_empty_feed_says_why() -> None:
    assert empty_text((b"a*", b"b"), "", "a") == "no message yet on a* b"
    assert empty_text((b"a*",), "word", "a") == "no message has that"
    assert empty_text((), "", "a") == "nothing is followed: press a"


def test_channels_that_are_denied_are_one_line() -> None:
    denied = Unavailable(Reason.DENIED, safe("NOPERM"), safe("ACL SETUSER me +pubsub|channels"))
    (line,) = gap_lines(denied, PENDING)
    assert text_of(line) == "channels not available: denied; ACL SETUSER me +pubsub|channels"
    assert gap_lines(PENDING, PENDING) == gap_lines(ready(Channels(())), PENDING) == ()
    lines = gap_lines(denied, Unavailable(Reason.DENIED, safe("NOPERM"), safe("ACL SETUSER me +scan")))
    assert text_of(lines[1]) == "recent notifications not available: denied; ACL SETUSER me +scan"


def test_what_was_kept_says_when_it_was_sent() -> None:
    at = datetime(2026, 11, 22, 9, 30, tzinfo=UTC).timestamp()
    kept = Message(-1, at, b"notifications:7", b"{}", 2)
    assert read(kept, 60)[1].split()[0] == "sent"
    assert read(replace(kept, at=0.0), 60)[1].split() == ["sent", "–"]


def test_a_message_in_full_is_pretty_printed() -> None:
    lines = read(message(b'{"level":"ok","n":{"a":[1]}}'), 60)
    assert lines[0] == "channel  notifications:42"
    assert lines[2] == "size     28 B"
    assert lines[3] == "level    ok"
    assert lines[5:] == ["{", '  "level": "ok",', '  "n": {', '    "a": [', "      1", "    ]", "  }", "}"]


def test_a_text_keeps_its_lines_and_a_long_one_is_folded() -> None:
    assert read(message(b"one\ntwo\x1b[31m"), 60)[4:] == ["one", r"two\x1b[31m"]
    assert read(message("응답".encode() * 20), 40)[4:] == ["응답" * 10] * 2


def test_a_cut_payload_says_so() -> None:
    lines = read(message(b"x" * (PAYLOAD_LIMIT + 1)), 100)
    assert lines[2] == "size     16.0 KiB, of which the first 16.0 KiB are kept"
    assert sum(map(len, lines[4:])) == PAYLOAD_LIMIT


def test_a_gap_in_full_is_all_that_is_said_of_it() -> None:
    feed = Feed()
    feed.mark(safe("not followed: a, b, c"), 0.0)
    assert "".join(read(feed.newest()[0], 12)[2:]) == "not followed: a, b, c"


@given(
    st.binary(max_size=300)
    | st.text(max_size=80).map(lambda text: f'{{"{text}":["{text}",{{}}]}}'.encode("utf-8", "replace")),
    st.binary(max_size=100),
    st.sampled_from([40, 67, 105]),
)
def test_nothing_in_a_message_is_wider_than_the_window(payload: bytes, channel: bytes, width: int) -> None:
    for line in detail_lines(message(payload, channel), width):
        assert line_width(line) <= width
        assert all(text.isprintable() for text, _ in line)


def test_a_lost_link_is_told_once_and_above() -> None:
    feed, lost = Feed(), Lost(Trouble.UNREACHABLE, safe("gone"), safe(""), 90.0, 101.0, 1)
    feed.status = lost
    assert state_lines(feed, 100.0, Live(0.0, 0.1))
    assert state_lines(feed, 100.0, lost) == ()
