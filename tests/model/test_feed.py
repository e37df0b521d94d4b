"""The feed stays in its bounds and its counts stay exact, whatever arrives."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pymon_tui.model.feed import CHANNEL_LIMIT, PAYLOAD_LIMIT, Feed, Mark, Message
from pymon_tui.model.text import safe


def test_the_newest_come_first_and_the_oldest_go() -> None:
    feed = Feed(capacity=3)
    for number in range(5):
        feed.add(b"c", b"%d" % number, float(number))
    entries = feed.newest()
    assert [(entry.serial, entry.at) for entry in entries] == [(5, 4.0), (4, 3.0), (3, 2.0)]
    assert feed.newest(2) == entries[:2]
    assert (feed.seen, feed.dropped, len(feed), feed.serial) == (5, 0, 3, 5)


def test_what_is_only_counted_is_seen_and_dropped() -> None:
    feed = Feed()
    feed.add(b"c", b"m", 1.0)
    feed.count(10)
    assert (feed.seen, feed.dropped, len(feed)) == (11, 10, 1)


def test_long_names_and_payloads_are_cut() -> None:
    feed = Feed()
    feed.add(b"c" * 10_000, b"p" * 1_000_000, 1.0)
    (message,) = feed.newest()
    assert isinstance(message, Message)
    assert (len(message.channel), len(message.payload), message.size) == (CHANNEL_LIMIT, PAYLOAD_LIMIT, 1_000_000)


def test_a_mark_takes_its_place_among_messages() -> None:
    feed = Feed(capacity=2)
    feed.add(b"c", b"1", 1.0)
    feed.mark(safe("gap"), 2.0)
    feed.add(b"c", b"2", 3.0)
    newest, mark = feed.newest()
    assert isinstance(newest, Message)
    assert isinstance(mark, Mark)
    assert mark.text == "gap"
    assert feed.seen == 2


def test_clear_forgets_the_entries_and_keeps_the_counts() -> None:
    feed = Feed(byte_capacity=10)
    feed.add(b"c", b"12345678", 1.0)
    before = feed.serial
    feed.clear()
    assert (feed.newest(), feed.seen) == ((), 1)
    assert feed.serial > before
    feed.add(b"c", b"12345678", 2.0)
    assert len(feed) == 1


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30))), st.integers(1, 5), st.integers(0, 60))
def test_is_bounded_in_number_and_in_bytes(sizes: list[tuple[int, int]], capacity: int, byte_capacity: int) -> None:
    feed = Feed(capacity=capacity, byte_capacity=byte_capacity)
    for channel, payload in sizes:
        feed.add(b"c" * channel, b"p" * payload, 0.0)
        kept = [entry for entry in feed.newest() if isinstance(entry, Message)]
        assert len(kept) <= capacity
        assert sum(len(message.channel) + len(message.payload) for message in kept) <= byte_capacity
    assert feed.seen == len(sizes)
