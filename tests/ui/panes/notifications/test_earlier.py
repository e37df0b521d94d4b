"""What was kept before the feed began, below what comes, without doubles."""

from __future__ import annotations

from pymon_tui.application.recent import RECENT, Kept, Recent
from pymon_tui.model.feed import Entry, Feed, Mark, Message
from pymon_tui.model.query import PENDING, Reading
from pymon_tui.model.snapshot import Snapshot
from pymon_tui.services.notification import LIFE
from pymon_tui.ui.panes.notifications.earlier import RULE_SERIAL, Earlier
from tests.script import ready, snapshot
from tests.ui.panes.notifications.made import WALL, kept_of, payload_of

CHANNEL = b"notifications:7"


def recent(*kept: Kept) -> Reading[Recent]:
    return ready(Recent(frozenset(), kept))


def feed_of(*ids: str, patterns: tuple[bytes, ...] = (b"notifications:*",)) -> Feed:
    feed = Feed()
    feed.patterns = patterns
    for name in ids:
        feed.add(CHANNEL, payload_of(name), WALL)
    return feed


def at(feed: Feed, reading: Reading[Recent], later: float = 0.0) -> Snapshot:
    return snapshot({RECENT: reading}, feed=feed, at=WALL - 1_790_000_000.0 + later)


def below(earlier: Earlier, feed: Feed, reading: Reading[Recent], later: float = 0.0) -> tuple[Entry, ...]:
    return earlier.below(feed.newest(), at(feed, reading, later))


def payloads(entries: tuple[Entry, ...]) -> list[bytes]:
    return [entry.payload for entry in entries if isinstance(entry, Message)]


def test_a_line_stands_above_what_was_kept() -> None:
    entries = below(Earlier(), feed_of(), recent(kept_of("1", ago=5), kept_of("2", ago=60)))
    assert isinstance(entries[0], Mark)
    assert (entries[0].serial, entries[0].text) == (RULE_SERIAL, "live above, 2 kept before that below")
    assert payloads(entries) == [payload_of("1"), payload_of("2")]
    assert [entry.at for entry in entries[1:]] == [WALL - 5, WALL - 60]
    assert all(entry.serial < RULE_SERIAL for entry in entries[1:])


def test_without_anything_kept_there_is_no_line() -> None:
    assert below(Earlier(), feed_of("1"), PENDING) == ()
    assert below(Earlier(), feed_of("1"), recent()) == ()
    assert below(Earlier(), feed_of("1"), recent(kept_of("1", ago=5))) == ()


def test_what_came_live_isn_t_shown_twice_whichever_was_first() -> None:
    earlier, feed, reading = Earlier(), feed_of("1"), recent(kept_of("2", ago=1), kept_of("1", ago=2))
    assert payloads(below(earlier, feed, reading)) == [payload_of("2")]
    feed.add(CHANNEL, payload_of("2"), WALL)
    assert below(earlier, feed, reading) == ()


def test_the_id_tells_it_and_not_the_form() -> None:
    feed = feed_of()
    feed.add(CHANNEL, payload_of("1").replace(b",", b", "), WALL)
    feed.add(b"notifications:8", payload_of("2"), WALL)
    left = below(Earlier(), feed, recent(kept_of("1", ago=1), kept_of("2", ago=1)))
    assert payloads(left) == [payload_of("2")]  # another user's has its own ids


def test_of_what_isn_t_py_monitors_the_same_bytes_are_the_same() -> None:
    feed = feed_of()
    feed.add(CHANNEL, b"x", WALL)
    strangers = [Kept(CHANNEL, text, None, text, 1) for text in (b"x", b"y")]
    entries = below(Earlier(), feed, recent(*strangers))
    assert payloads(entries) == [b"y"]
    assert entries[1].at == 0.0


def test_after_a_day_it_is_gone() -> None:
    earlier, feed, reading = Earlier(), feed_of(), recent(kept_of("1", ago=5), kept_of("2", ago=60))
    assert len(payloads(below(earlier, feed, reading, LIFE - 60))) == 2
    assert payloads(below(earlier, feed, reading, LIFE - 30)) == [payload_of("1")]
    assert below(earlier, feed, reading, LIFE) == ()


def test_of_channels_that_aren_t_followed_nothing_is_shown() -> None:
    reading = recent(kept_of("1", ago=5))
    for patterns, shown in (((), 0), ((b"chat:*",), 0), ((b"chat", b"notifications:[67]"), 1), ((b"",), 0)):
        assert len(payloads(below(Earlier(), feed_of(patterns=patterns), reading))) == shown


def test_while_nothing_changes_it_is_the_same_and_rows_keep_their_serials() -> None:
    earlier, feed = Earlier(), feed_of()
    reading = recent(kept_of("1", ago=5), kept_of("2", ago=60))
    first = below(earlier, feed, reading)
    feed.add(CHANNEL, payload_of("9"), WALL)
    assert below(earlier, feed, reading) is first
    serials = {entry.payload: entry.serial for entry in first if isinstance(entry, Message)}
    more = recent(kept_of("3", ago=1), kept_of("1", ago=5), kept_of("2", ago=60))
    after = {entry.payload: entry.serial for entry in below(earlier, feed, more) if isinstance(entry, Message)}
    assert serials.items() < after.items()
    assert len(set(after.values())) == 3


def test_a_gap_leaves_what_was_known() -> None:
    earlier, feed = Earlier(), feed_of()
    first = below(earlier, feed, recent(kept_of("1", ago=5)))
    assert below(earlier, feed, PENDING) is first
