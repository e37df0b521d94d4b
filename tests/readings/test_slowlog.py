from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis.asyncio import Redis

from pymon_tui.demo.embedded import EmbeddedServer
from pymon_tui.model.query import Ready, Reply
from pymon_tui.readings import slowlog
from pymon_tui.readings.slowlog import (
    BURST,
    KEPT,
    MOST,
    SLOWLOG,
    SLOWLOG_GET,
    STEADY,
    Followed,
    SlowLog,
    command_line,
    decode_slowlog,
    follow,
)
from pymon_tui.server.connection import open_session
from pymon_tui.server.endpoint import Endpoint
from pymon_tui.server.greeting import Handshake
from pymon_tui.server.poller import Poller
from tests.replies import recorded

RECORDED = ("slowlog-get.valkey-9.resp", "slowlog-get.redis-7.resp")


def raw(number: int, timestamp: int = 1_790_000_000, duration: int = 12_000) -> list[Reply]:
    return [number, timestamp, duration, [b"GET", b"key:%d" % number], b"10.0.0.1:5000", b"api-web"]


def answer(ids: Iterable[int], timestamp: int = 1_790_000_000) -> Followed:
    return decode_slowlog([raw(number, timestamp) for number in sorted(ids, reverse=True)])


def ids(log: SlowLog) -> list[int]:
    return [entry.id for entry in log.entries]


class Ring:
    """A server's slow log: the newest so many entries, asked as the poller asks."""

    def __init__(self, length: int) -> None:
        self.length = length
        self.timestamp = 1_790_000_000
        self.next = 0
        self.first = 0
        self.asked: list[int] = []
        self.followed: Followed | None = None

    def log(self, entries: int) -> None:
        self.next += entries
        self.first = max(self.first, self.next - self.length)

    def tick(self) -> SlowLog:
        asked = SLOWLOG_GET.arguments(self.followed, None)
        assert isinstance(asked, tuple)
        count = int(asked[2])
        self.asked.append(count)
        newest = range(max(self.first, self.next - count), self.next)
        self.followed = SLOWLOG_GET.fold(self.followed, answer(newest, self.timestamp))
        return self.followed.log


@pytest.mark.parametrize("name", RECORDED)
def test_recorded_entries(name: str) -> None:
    entries = decode_slowlog(recorded(name)).log.entries
    assert [entry.arguments[0] for entry in entries] == [
        b"SADD",
        b"ACL",
        b"CONFIG",
        b"SET",
        b"HGETALL",
        b"SLOWLOG",
    ]
    assert [entry.id for entry in entries] == [6, 5, 4, 3, 2, 1]
    hgetall = entries[4]
    assert (hgetall.arguments, hgetall.client_name) == ((b"HGETALL", b"user:42"), "api-web")
    assert hgetall.client_address is not None
    assert hgetall.client_address.startswith("127.0.0.1:")
    assert hgetall.client_host == "127.0.0.1"
    assert hgetall.duration > 0
    assert hgetall.timestamp > 1_790_000_000
    assert not any("hunter2" in entry.command for entry in entries)
    assert entries[0].command.endswith(" 28 (+11 more)")
    assert entries[3].command.startswith("SET session:\\x1b]2;x\\x07[/]\\xff ")


def test_entries_before_redis_4_have_no_client() -> None:
    (entry,) = decode_slowlog([raw(7)[:4]]).log.entries
    assert (entry.client_address, entry.client_name, entry.client_host) == (None, None, None)


def test_a_socket_has_no_host() -> None:
    for address in (b"/run/redis.sock:0", b"[/run/valkey.sock]:0"):
        (entry,) = decode_slowlog([[*raw(1)[:4], address, b""]]).log.entries
        assert entry.client_host == "unix socket"


@pytest.mark.parametrize("reply", [None, b"OK", 3, [1], [[1, 2, 3]], [[b"1", 2, 3, []]], [[1, 2, 3, b"GET"]]])
def test_what_is_no_slow_log_is_refused(reply: Reply) -> None:
    with pytest.raises(ValueError, match="SLOWLOG GET"):
        decode_slowlog(reply)


def test_long_commands_are_cut_where_the_server_does_not() -> None:
    (entry,) = decode_slowlog([[1, 2, 3, [b"MSET", *([b"x" * 10_000] * 500)]]]).log.entries
    assert len(entry.arguments) == 32
    assert max(map(len, entry.arguments)) < 200
    assert entry.command.endswith(" (+470 more)")


@given(st.lists(st.binary(max_size=300), max_size=40), st.binary(max_size=60), st.binary(max_size=200))
def test_hostile_bytes_come_out_as_one_plain_line(arguments: list[bytes], name: bytes, address: bytes) -> None:
    (entry,) = decode_slowlog([[1, 2, 3, arguments, address, name]]).log.entries
    for shown in (entry.command, entry.client_name or "", entry.client_address or "", entry.client_host or ""):
        assert shown.isprintable() or not shown
    assert len(entry.arguments) <= 32


def test_only_what_is_new_is_asked_for() -> None:
    ring = Ring(128)
    ring.log(40)
    ring.tick()
    ring.log(3)
    log = ring.tick()
    assert ring.asked == [BURST, STEADY]
    assert ids(log) == list(range(42, -1, -1))
    assert ring.tick() is log
    assert ring.asked == [BURST, STEADY, STEADY]


def test_a_burst_is_fetched_as_far_back_as_what_is_known() -> None:
    ring = Ring(4_000)
    ring.log(20)
    ring.tick()
    ring.log(900)
    while len(ring.tick().entries) < 920:
        assert len(ring.asked) < 5
    assert ring.asked == [BURST, STEADY, BURST, MOST]
    ring.tick()
    assert ring.asked[-1] == STEADY
    assert ring.followed is not None
    assert ring.followed.log.missed == 0


def test_entries_outlive_the_ring_and_a_reset() -> None:
    ring = Ring(16)
    for _ in range(10):
        ring.log(10)
        ring.tick()
    ring.first = ring.next  # SLOWLOG RESET: the ring is empty, the numbers go on
    assert ids(ring.tick()) == list(range(99, -1, -1))
    ring.log(1)
    assert ids(ring.tick()) == list(range(100, -1, -1))


def test_what_left_the_ring_unread_is_counted() -> None:
    ring = Ring(16)
    ring.log(5)
    ring.tick()
    ring.log(50)
    ring.tick()
    log = ring.tick()
    assert log.missed == 50 - 16
    assert ids(log) == [*range(54, 38, -1), *range(4, -1, -1)]
    # What is gone is asked for once and not again.
    ring.asked.clear()
    ring.tick()
    assert ring.asked == [STEADY]


def test_a_restarted_server_begins_a_new_epoch() -> None:
    ring = Ring(128)
    ring.log(30)
    ring.tick()
    ring.next, ring.first, ring.timestamp = 2, 0, 1_790_000_500
    log = ring.tick()
    assert [entry.key for entry in log.entries[:3]] == [(1, 1), (1, 0), (0, 29)]
    assert len({entry.key for entry in log.entries}) == 32
    assert log.missed == 0


def test_a_restart_is_seen_by_an_id_of_another_time() -> None:
    ring = Ring(128)
    ring.log(3)
    ring.tick()
    # By the next tick the new life has more entries than the old one had.
    ring.next, ring.timestamp = 5, 1_790_000_500
    log = ring.tick()
    assert [entry.key for entry in log.entries] == [(1, 4), (1, 3), (1, 2), (1, 1), (1, 0), (0, 2), (0, 1), (0, 0)]


def test_entries_of_a_new_life_are_not_kept_twice() -> None:
    known = follow(follow(None, answer(range(3))), answer(range(20, 36), 1_790_000_500))
    log = follow(known, answer(range(36), 1_790_000_500)).log
    assert [entry.key for entry in log.entries] == [*((1, n) for n in range(35, -1, -1)), (0, 2), (0, 1), (0, 0)]


def test_the_newest_are_kept_within_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    ring = Ring(4_096)
    for _ in range(6):
        ring.log(1_000)
        for _ in range(3):
            ring.tick()
    log = ring.tick()
    assert len(log.entries) == KEPT >= 2_000
    assert log.entries[0].id == 5_999
    monkeypatch.setattr(slowlog, "KEPT_BYTES", 1_000)
    ring.log(1)
    assert sum(len(part) for entry in ring.tick().entries for part in entry.arguments) <= 1_000


@given(st.lists(st.tuples(st.integers(0, 60), st.booleans()), max_size=25), st.integers(1, 40))
def test_nothing_that_was_seen_is_lost_or_doubled(steps: list[tuple[int, bool]], length: int) -> None:
    ring = Ring(length)
    seen: set[tuple[int, int]] = set()
    for entries, reset in steps:
        if reset:
            ring.first = ring.next
        ring.log(entries)
        log = ring.tick()
        keys = [entry.key for entry in log.entries]
        assert keys == sorted(set(keys), reverse=True)
        assert seen <= set(keys)
        assert log.missed == (log.entries[0].id - log.entries[-1].id + 1 - len(keys) if keys else 0)
        seen = set(keys)


def test_a_line_says_how_much_was_left_out() -> None:
    assert command_line((b"SADD", b"s", b"... (11 more arguments)")) == "SADD s (+11 more)"
    assert command_line((b"SET", b"k", b"two words", b"")) == 'SET k "two words" ""'
    assert command_line(()) == ""


async def test_a_real_server_is_followed_past_its_ring(redis: Redis, server: EmbeddedServer) -> None:
    await redis.config_set("slowlog-max-len", 4)
    await redis.config_set("slowlog-log-slower-than", 0)
    session, _ = await open_session(Endpoint(socket=server.socket), Handshake.RESP3)
    try:
        poller = Poller((SLOWLOG,))
        for number in range(6):
            await redis.hgetall(f"user:{number}")
            await poller.tick(session, float(number), 1.0, {SLOWLOG.name})
        await redis.slowlog_reset()
        await poller.tick(session, 10.0, 1.0, {SLOWLOG.name})
        reading = poller.readings[SLOWLOG.name]
        assert isinstance(reading, Ready)
        commands = [entry.command for entry in reading.value.entries]
        assert [f"HGETALL user:{number}" for number in range(5, -1, -1)] == [
            command for command in commands if command.startswith("HGETALL")
        ]
    finally:
        await session.close()
