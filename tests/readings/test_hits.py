"""The hit rate: read from INFO, and over windows of the history."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import aclosing

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis.asyncio import Redis

from pymon_tui.demo.embedded import EmbeddedServer
from pymon_tui.model.feed import Feed
from pymon_tui.model.history import History
from pymon_tui.model.query import Ready
from pymon_tui.readings.hits import HIT_RATE, hit_rate, hit_rates, parse_hits, windows
from pymon_tui.readings.info import parse_info
from pymon_tui.readings.metrics import HITS, METRICS, MISSES
from pymon_tui.server.endpoint import Endpoint
from pymon_tui.state.monitor import Monitor
from tests.replies import recorded
from tests.server.fake import unrecorded

RECORDED = ("info-memory.valkey-9.resp2", "info-memory.valkey-9.resp3", "info-memory.redis-7.resp2")


def history(samples: Iterable[tuple[float, float | None, float | None]]) -> History:
    """What came of INFOs at these times with these counts of hits and misses."""
    made = History(METRICS)
    for at, hits, misses in samples:
        made.record(at, {HITS.name: hits, MISSES.name: misses}, {})
    return made


def steady(seconds: int) -> History:
    """Nine hits and a miss each second."""
    return history((float(at), 9.0 * at, 1.0 * at) for at in range(seconds + 1))


@pytest.mark.parametrize("name", RECORDED)
def test_reads_what_servers_say(name: str) -> None:
    hits = parse_hits(parse_info(recorded(name)))

    assert (hits.keyspace_hits, hits.keyspace_misses) == (2, 1)
    assert (hits.expired_keys, hits.evicted_keys) == (0, 0)
    assert hits.hit_rate == pytest.approx(2 / 3)


def test_a_server_that_counts_no_reads_has_no_hit_rate() -> None:
    with pytest.raises(ValueError, match="keyspace_hits"):
        parse_hits(parse_info(b"keyspace_hits:4\r\n"))


def test_nothing_read_is_no_rate() -> None:
    assert parse_hits(parse_info(b"keyspace_hits:0\r\nkeyspace_misses:0\r\n")).hit_rate is None


@given(st.binary(max_size=40), st.binary(max_size=40))
def test_hostile_bytes_are_read_or_refused(hits: bytes, misses: bytes) -> None:
    info = parse_info(b"used_memory:1\r\nkeyspace_hits:%s\r\nkeyspace_misses:%s\r\n" % (hits, misses))
    try:
        read = parse_hits(info)
    except ValueError:
        return
    assert isinstance(read.keyspace_hits, int)


@given(st.one_of(st.none(), st.floats(0, 1e12)), st.one_of(st.none(), st.floats(0, 1e12)))
def test_a_hit_rate_is_a_share_or_not_known(hits: float | None, misses: float | None) -> None:
    rate = hit_rate(hits, misses)
    assert rate is None or 0 <= rate <= 1
    assert (rate is None) == (hits is None or misses is None or hits + misses == 0)


def test_columns_without_reads_are_holes() -> None:
    assert hit_rates([9.0, None, 0.0, 0.0], [1.0, 1.0, 0.0, 5.0]) == (0.9, None, None, 0.0)


def test_windows_look_back_as_far_as_they_say() -> None:
    ten, minute = windows(steady(100).view(), (10.0, 60.0))

    assert (ten.covered, minute.covered) == (10.0, 60.0)
    assert (ten.named, minute.named) == (10.0, 60.0)
    assert ten.rates[:2] == (9.0, 1.0)
    assert minute.hit_rate == pytest.approx(0.9)


def test_a_window_that_is_not_filled_is_named_by_what_it_has() -> None:
    ten, minute, five = windows(steady(42).view(), (10.0, 60.0, 300.0))

    assert (ten.named, minute.named) == (10.0, 42.0)
    # The longest has nothing to tell that the minute doesn't.
    assert (five.named, five.covered, five.hit_rate) == (300.0, 0.0, None)


def test_without_history_no_window_has_anything() -> None:
    (ten,) = windows(History(METRICS).view(), (10.0,))
    assert (ten.covered, ten.named, ten.hit_rate, ten.hits) == (0.0, 10.0, None, None)


def test_a_long_interval_names_the_shortest_window_by_its_length() -> None:
    (ten,) = windows(history((60.0 * n, 9.0 * n, 1.0 * n) for n in range(5)).view(), (10.0,))
    assert ten.named == 60.0


def test_a_restart_is_left_out_of_both_growth_and_time() -> None:
    before = [(float(at), 9_000.0 * at, 1_000.0 * at) for at in range(1, 31)]
    after = [(float(at), 9.0 * (at - 30), 1.0 * (at - 30)) for at in range(31, 36)]

    (minute,) = windows(history(before + after).view(), (60.0,))

    # 29 seconds before, four after; the one in which it happened tells nothing.
    assert minute.covered == 33.0
    assert minute.hits == pytest.approx((29 * 9_000 + 4 * 9) / 33)
    assert minute.hit_rate == pytest.approx(0.9)


def test_a_window_in_which_nothing_was_read_has_rates_but_no_hit_rate() -> None:
    (ten,) = windows(history((float(at), 5.0, 5.0) for at in range(20)).view(), (10.0,))
    assert (ten.hits, ten.misses, ten.hit_rate) == (0.0, 0.0, None)


async def test_a_real_servers_reads_are_followed(server: EmbeddedServer, redis: Redis) -> None:
    await redis.set("here", "1")
    monitor = Monitor(
        Endpoint(socket=server.socket), [HIT_RATE], interval=0.1, feed=Feed(), read_only=True, record=unrecorded
    )
    async with aclosing(monitor.snapshots()) as snapshots:
        async for snapshot in snapshots:
            (ten,) = windows(snapshot.history, (10.0,))
            if ten.hit_rate is not None:
                break
            if isinstance(snapshot.reading(HIT_RATE), Ready):
                for key in ("here", "here", "here", "nowhere"):
                    await redis.get(key)
                monitor.poke()

    # Whatever the number of ticks it took: each saw three hits and a miss, or some of them.
    reading = snapshot.reading(HIT_RATE)
    assert isinstance(reading, Ready)
    assert reading.value.hit_rate == pytest.approx(0.75)
