"""The rows of the feed, without a screen."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from pymon_tui.model.feed import Entry, Feed, Message
from pymon_tui.model.text import SafeText, safe
from pymon_tui.ui.panes.notifications.rows import Entries, Narrowed, columns
from pymon_tui.ui.widgets.ink import Span

PATTERNS = (b"notifications:*",)


def feed_of(*payloads: bytes, channel: bytes = b"notifications:42") -> Feed:
    feed = Feed()
    for payload in payloads:
        feed.add(channel, payload, 0.0)
    return feed


def cells(entry: Entry, width: int, *, full: bool = False, patterns: tuple[bytes, ...] = PATTERNS) -> dict[str, Span]:
    return {column.name: column.cell(entry) for column in columns(width, patterns, entry.at, full=full)}


def newest(feed: Feed) -> Entry:
    return feed.newest(1)[0]


def test_a_row_is_found_by_its_serial_until_it_is_gone() -> None:
    rows = Entries(feed_of(b"a", b"b", b"c").newest(), ())
    assert [rows.key(index) for index in range(len(rows))] == [3, 2, 1]
    assert [rows.find(serial) for serial in (3, 2, 1)] == [0, 1, 2]
    assert [rows.find(gone) for gone in (0, 4, "3")] == [None, None, None]
    kept = tuple(Message(serial, 0.0, b"c", b"", 0) for serial in (-5, -2, -9))
    rows = Entries(feed_of(b"a", b"b").newest(), kept)
    assert [rows.key(index) for index in range(len(rows))] == [2, 1, -5, -2, -9]
    assert [rows.find(serial) for serial in (2, -2, -9, -1, 3)] == [0, 3, 4, None, None]


@pytest.mark.parametrize(
    ("level", "sign", "role"),
    [
        ("critical", "▲", "act"),
        ("Warning", "●", "warn"),
        ("ok", "✓", "good"),
        ("info", "", "label"),
        (None, "", "label"),
    ],
)
def test_the_level_is_a_sign_where_it_is_narrow_and_a_word_where_not(level: str | None, sign: str, role: str) -> None:
    entry = newest(feed_of(b'{"level":"%s","title":"t"}' % level.encode() if level else b"{}"))
    assert cells(entry, 36)["sign"] == (sign, role)
    assert cells(entry, 80)["level"] == ((level, role) if level else ("", "value"))


@pytest.mark.parametrize(
    ("width", "full", "names"),
    [
        (36, False, ["time", "channel", "sign", "payload"]),
        (76, True, ["time", "channel", "level", "size", "payload"]),
        (116, False, ["time", "channel", "level", "payload"]),
    ],
)
def test_more_room_has_more_columns_and_all_fit(width: int, full: bool, names: list[str]) -> None:  # noqa: FBT001
    found = columns(width, PATTERNS, 0.0, full=full)
    assert [column.name for column in found] == names
    assert sum(column.width + 1 for column in found) - 1 <= width


def test_json_is_told_where_it_is_narrow_and_shown_where_there_is_room() -> None:
    entry = newest(feed_of(b'{"title": "down", "id": 1}'))
    assert cells(entry, 116)["payload"].text == "down"
    assert cells(entry, 196)["payload"].text == '{"title":"down","id":1}'


@pytest.mark.parametrize(
    ("patterns", "channel", "shown"),
    [
        ((b"notifications:*",), b"notifications:42", ":42"),
        ((b"notifications:*", b"notifications:admin"), b"notifications:admin", ":admin"),
        ((b"notifications:*", b"chat:*"), b"chat:7", "chat:7"),
        ((b"user*",), b"user12", "12"),
        ((b"news",), b"news", "news"),
        ((b"*",), b"news", "news"),
        ((), b"news", "news"),
    ],
)
def test_what_all_channels_begin_with_is_left_out(patterns: tuple[bytes, ...], channel: bytes, shown: str) -> None:
    entry = newest(feed_of(b"x", channel=channel))
    assert cells(entry, 36, patterns=patterns)["channel"].text == shown
    assert cells(entry, 116, patterns=patterns)["channel"].text == safe(channel)


def test_a_gap_is_a_line_across() -> None:
    feed = feed_of(b"x")
    feed.mark(safe("gap: reconnected"), 0.0)
    found = cells(newest(feed), 76, full=True)
    assert found["payload"] == ("gap: reconnected", "label")
    assert all(set(found[name].text) == {"─"} for name in ("channel", "level", "size"))


def test_the_filter_finds_words_in_channel_and_payload_in_either_form() -> None:
    feed = feed_of(b"Disk FULL", rb'{"title":"\uc751\ub2f5"}', "응답".encode(), b"other")
    feed.mark(safe("gap"), 0.0)

    def found(text: str) -> list[bytes]:
        return [entry.payload for entry in Narrowed(text).of(feed.newest()) if isinstance(entry, Message)]

    assert found("full disk") == [b"Disk FULL"]
    assert found("응답") == ["응답".encode(), rb'{"title":"\uc751\ub2f5"}']
    assert found("NOTIFICATIONS:42 other") == [b"other"]
    assert found("nowhere") == []
    assert len(Narrowed("nowhere").of(feed.newest())) == 1  # the gap stays


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("user:7", [b"notifications:7"]),
        ("USER:Kim.Minjun", [b"notifications:kim.minjun"]),
        ("user:a:b", [b"notifications:a%3Ab"]),
        ("user:a%3Ab", [b"notifications:a%3Ab"]),
        ("user:7 user:77", []),
        ("user:7 x", [b"notifications:7"]),
        ("user:7 y", []),
        ("user:", [b"notifications:a%3Ab", b"notifications:kim.minjun", b"notifications:77", b"notifications:7"]),
    ],
)
def test_the_filter_of_a_user_is_that_user_s_alone(text: str, shown: list[bytes]) -> None:
    feed = Feed()
    for channel in (b"notifications:7", b"notifications:77", b"notifications:kim.minjun", b"notifications:a%3Ab"):
        feed.add(channel, b"x", 0.0)
    narrowed = Narrowed(text)
    for keep in (narrowed.of, narrowed.of_earlier):
        assert [entry.channel for entry in keep(feed.newest()) if isinstance(entry, Message)] == shown


@given(st.lists(st.lists(st.sampled_from([b"a", b"b", b"ab"]), max_size=4), max_size=8))
def test_a_filter_that_goes_on_finds_what_a_new_one_would(batches: list[list[bytes]]) -> None:
    feed, going = Feed(capacity=5), Narrowed("a")
    for batch in batches:
        for payload in batch:
            feed.add(b"c", payload, 0.0)
        assert going.of(feed.newest()) == Narrowed("a").of(feed.newest())


@given(st.binary(max_size=60), st.binary(max_size=60))
def test_any_bytes_are_safe_in_every_column(channel: bytes, payload: bytes) -> None:
    entry = newest(feed_of(payload, channel=channel))
    for width in (36, 76, 120, 200):
        for text, _ in cells(entry, width, full=True).values():
            assert isinstance(text, SafeText)
            assert text.isprintable()
            assert cell_len(text) == sum(map(cell_len, text))


@pytest.mark.parametrize(("later", "said"), [(1, "14:13:20"), (86_400, "21 Sep"), (10 * 86_400, "21 Sep")])
@pytest.mark.usefixtures("utc")
def test_what_was_published_on_another_day_tells_the_day(later: int, said: str) -> None:
    then = replace(newest(feed_of(b"{}")), at=1_790_000_000.0)
    for width in (36, 116):
        time, *_ = columns(width, PATTERNS, then.at + later, full=True)
        assert time.cell(then).text.startswith(said)
