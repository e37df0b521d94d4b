"""Percentiles come from differences of histograms, and are what a merge by hand of the server's own output gives."""

from __future__ import annotations

import asyncio
import math
import shutil
import subprocess
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from itertools import takewhile

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis.asyncio import Redis

from pymon_tui.demo.embedded import EmbeddedServer
from pymon_tui.model.query import Answers, Part, Ready
from pymon_tui.model.text import safe
from pymon_tui.readings.latency import LATENCY, Histogram, Latency, decode_histograms, remember
from pymon_tui.readings.queries import QUERIES
from pymon_tui.server.connection import open_session
from pymon_tui.server.endpoint import Endpoint
from pymon_tui.server.poller import Poller
from pymon_tui.server.session import Session
from tests.conftest import StartServer

TIMES = st.lists(st.integers(1, 100_000), max_size=200)


def bucketed(times: list[int]) -> Histogram:
    """These microseconds in buckets that double."""
    return Histogram(Counter(1 << (time - 1).bit_length() for time in times))


def reply(**commands: list[int]) -> list[object]:
    """What RESP2 has of these commands' times: counts up to each end."""
    told: list[object] = []
    for name, times in commands.items():
        own, below, pairs = bucketed(times).buckets, 0, list[int]()
        for end in sorted(own):
            below += own[end]
            pairs += [end, below]
        told += [name.encode(), [b"calls", len(times), b"histogram_usec", pairs]]
    return told


@given(TIMES, TIMES, st.sampled_from([0.5, 0.99, 0.999]))
def test_a_percentile_is_that_of_all_calls_to_a_bucket(one: list[int], other: list[int], share: float) -> None:
    both = bucketed(one).plus(bucketed(other))
    times = sorted(one + other)
    assert both.calls == len(times)
    if not times:
        assert both.percentile(share) is both.highest is None
        return
    found = both.percentile(share)
    assert found is not None
    exact = next(time for place, time in enumerate(times, 1) if place >= share * len(times))
    assert found // 2 < exact <= found
    assert both.highest == 1 << (times[-1] - 1).bit_length()


@given(TIMES, TIMES)
def test_what_came_since_is_what_came(before: list[int], after: list[int]) -> None:
    then, now = bucketed(before), bucketed(before + after)
    came = now.since(then)
    assert came is not None
    assert {end: calls for end, calls in came.buckets.items() if calls} == dict(bucketed(after).buckets)
    assert (then.since(now) is None) == bool(after)


def test_both_protocols_tell_the_same() -> None:
    flat = reply(get=[1, 2, 3], set=[900])
    mapped = {
        b"get": {b"calls": 3, b"histogram_usec": {1: 1, 2: 2, 4: 3}},
        b"set": {b"calls": 1, b"histogram_usec": {1024: 1}},
    }
    one, other = (decode_histograms(answers(each)).since_start for each in (flat, mapped))
    assert one is not None
    assert other is not None
    assert dict(one.buckets) == dict(other.buckets) == {1: 1, 2: 1, 4: 1, 1024: 1}


@pytest.mark.parametrize("odd", [b"x", [b"get"], [b"get", [b"histogram_usec", [b"x", 1]]], [7, []], 7])
def test_another_form_is_not_read(odd: object) -> None:
    with pytest.raises(ValueError, match="LATENCY HISTOGRAM"):
        decode_histograms(answers(odd))


def answers(told: object, at: float = 0.0, own: Mapping[str, int] | None = None) -> Answers:
    """This reply of the server's."""
    return Answers([(("LATENCY", "HISTOGRAM"), told)], (), at, own or {})


def asked(now: float, own: Mapping[str, int] | None = None, **commands: list[int]) -> Latency:
    """What is known when the server tells this for the first time."""
    return decode_histograms(answers(reply(**commands), now, own))


def test_an_incident_is_in_the_last_interval_and_not_in_the_mean_of_all_time() -> None:
    calm, slow = [4] * 10_000, [9_000] * 50
    first = asked(0.0, get=calm)
    second = remember(first, asked(5.0, get=calm + [4] * 100))
    third = remember(second, asked(10.0, get=calm + [4] * 150, sort=slow))
    assert (first.last, first.long) == (None, None)
    assert second.as_json()["last"] == {
        "seconds": 5.0,
        "calls": 100,
        "p50": 4,
        "p99": 4,
        "p99.9": 4,
        "max": 4,
        "like_ours": 0,
    }
    assert third.as_json() == {
        "last": {"seconds": 5.0, "calls": 100, "p50": 4, "p99": 16_384, "p99.9": 16_384, "max": 16_384, "like_ours": 0},
        "long": {
            "seconds": 10.0,
            "calls": 200,
            "p50": 4,
            "p99": 16_384,
            "p99.9": 16_384,
            "max": 16_384,
            "like_ours": 0,
        },
        "since_start": {"calls": 10_200, "p50": 4, "p99": 4, "p99.9": 16_384, "max": 16_384},
    }


def test_a_reset_is_a_hole_and_what_is_long_ago_is_forgotten() -> None:
    known = asked(0.0, get=[4] * 10)
    known = remember(known, asked(5.0, get=[4] * 5))
    assert (known.last, known.long) == (None, None)
    for turn in range(2, 100):
        known = remember(known, asked(5.0 * turn, get=[4] * 5 * turn))
    assert known.long is not None
    assert known.long.seconds == 300
    assert known.long.calls.calls == 300
    assert len(known._spans) == 60


def test_an_interval_that_is_longer_than_the_long_span_is_known_whole() -> None:
    known = remember(asked(0.0, get=[4]), asked(900.0, get=[4] * 11))
    assert known.last is not None
    assert known.long == known.last
    assert (known.last.calls.calls, known.last.seconds) == (10, 900)


def test_the_calls_of_two_nodes_are_of_the_longer_of_both_times() -> None:
    spans = [remember(asked(0.0, get=[4]), asked(seconds, get=[4] * 2)).last for seconds in (5.0, 7.0)]
    one, other = (span for span in spans if span is not None)
    assert one.plus(other).seconds == other.plus(one).seconds == 7


def asked_often(ends: Sequence[float], *, calls: int = 10) -> Latency:
    """What is known of a node that is asked at these seconds, with so many calls between two."""
    known = asked(ends[0], get=[4])
    for turn, end in enumerate(ends[1:], 1):
        known = remember(known, asked(end, get=[4] * (1 + calls * turn)))
    return known


@pytest.mark.parametrize(
    ("one", "other", "last", "long"),
    [
        (range(0, 305, 5), range(0, 305, 5), (5, 20), (300, 1_200)),
        # The other one was reset ten seconds ago, or is new.
        (range(0, 305, 5), range(290, 305, 5), (5, 20), (10, 40)),
        (range(0, 305, 5), [290, 295.2, 300], (5, 20), (10, 40)),
        ([0, 5, 10.2], [0, 4.9, 10], (5.2, 20), (10.2, 40)),
        # It takes the other one more to be asked: of it the last moment is twenty seconds.
        (range(0, 305, 5), range(0, 320, 20), (20, 50), (300, 750)),
        (range(290, 305, 5), range(0, 320, 20), (20, 30), (20, 30)),
    ],
)
def test_what_is_told_of_several_nodes_is_of_the_time_that_all_of_them_know(
    one: Sequence[float], other: Sequence[float], last: tuple[float, int], long: tuple[float, int]
) -> None:
    assert LATENCY.merge is not None
    nodes = [asked_often(one), asked_often(other)]
    for parts in (nodes, nodes[::-1]):
        both = LATENCY.merge([Part(safe(str(number)), each, frozenset()) for number, each in enumerate(parts)])
        found = [(round(span.seconds, 3), span.calls.calls) for span in (both.last, both.long) if span is not None]
        assert found == [last, long]


def test_a_command_that_was_forgotten_is_a_reset_too() -> None:
    known = remember(asked(0.0, get=[4], set=[4]), asked(5.0, get=[4] * 9))
    assert (known.last, known.long) == (None, None)


def test_a_server_that_tracks_nothing_tells_nothing() -> None:
    known = remember(asked(0.0), asked(5.0))
    assert known.as_json() == {"last": None, "long": None, "since_start": None}


@pytest.mark.parametrize(
    ("told", "calls"),
    [
        (5, 0),  # all of them ours: it is as if nobody had called it
        (6, 0),  # most of them are ours, and which one isn't can't be told
        (10, 0),
        (11, 11),  # most of them aren't
    ],
)
def test_our_own_calls_are_left_out(told: int, calls: int) -> None:
    before = asked(0.0, {"info": 7}, info=[200] * 7)
    known = remember(before, asked(5.0, {"info": 12}, info=[200] * (7 + told)))
    assert known.last is not None
    assert known.last.calls.calls == calls
    assert known.last.like_ours == (0 if calls else told - 5)
    assert known.last.others == told - 5


def test_calls_of_others_are_counted_over_commands_spans_and_nodes() -> None:
    before = asked(0.0, {"info": 1, "get": 0}, info=[200], get=[4])
    first = remember(before, asked(5.0, {"info": 3, "get": 2}, info=[200] * 4, get=[4] * 11))
    second = remember(first, asked(10.0, {"info": 3, "get": 2}, info=[200] * 4, get=[4] * 16))
    assert LATENCY.merge is not None
    both = LATENCY.merge([Part(safe(name), second, frozenset()) for name in ("one", "other")])
    told = (first.last, second.last, second.long, both.last, both.long)
    # Of three INFOs two were ours; of ten GETs two.
    assert [span and span.others for span in told] == [1 + 8, 5, 14, 10, 28]


def test_nodes_are_added_up_and_one_that_doesn_t_know_makes_all_unknown() -> None:
    one = remember(asked(0.0, get=[4]), asked(5.0, get=[4] * 100))
    other = remember(asked(0.0, get=[4]), asked(5.0, get=[4, *[9_000] * 99]))
    new = asked(5.0, get=[4])
    assert LATENCY.merge is not None
    parts = [Part(safe(str(number)), each, frozenset()) for number, each in enumerate((one, other, new))]
    together = LATENCY.merge(parts[:2])
    assert together.last is not None
    assert together.since_start is not None
    assert (together.last.calls.calls, together.last.calls.percentile(0.5)) == (198, 4)
    assert together.last.calls.percentile(0.99) == 16_384
    assert together.since_start.calls == 200
    assert LATENCY.merge(parts).last is None


@pytest.mark.needs("latency|histogram")
async def test_it_equals_a_merge_by_hand_of_what_redis_cli_tells(own_server: StartServer) -> None:
    client = shutil.which("redis-cli")
    if client is None:
        pytest.skip("there is no redis-cli")
    servers = [own_server(), own_server()]

    async def by_hand() -> Counter[int]:
        merged: Counter[int] = Counter()
        for server in servers:
            line = [client, "-s", server.socket, "LATENCY", "HISTOGRAM"]
            merged += _merged((await asyncio.to_thread(subprocess.check_output, line)).decode().split())
        return merged

    async with AsyncExitStack() as stack:
        sessions = [await _session(stack, server) for server in servers]
        pollers = [Poller(QUERIES), Poller(QUERIES)]

        async def look(at: float) -> Latency:
            parts = []
            for session, poller in zip(sessions, pollers, strict=True):
                for _ in range(2):
                    await poller.tick(session, at, 1.0, [LATENCY.name])
                told = poller.readings[LATENCY.name]
                assert isinstance(told, Ready)
                parts.append(Part(safe(""), told.value, frozenset()))
            assert LATENCY.merge is not None
            return LATENCY.merge(parts)

        await _load(servers, 50)
        first = await by_hand()
        await look(0.0)
        await _load(servers, 2_000)
        known = await look(5.0)
        then = await by_hand()
        assert known.last is not None
        assert known.last.calls.buckets == then - first
        times = sorted((then - first).elements())
        shares = [known.last.calls.percentile(share) for share in (0.5, 0.99)]
        assert shares == [times[math.ceil(share * len(times)) - 1] for share in (0.5, 0.99)]


@pytest.mark.needs("latency|histogram")
async def test_a_reset_on_a_real_server_is_a_hole(own_server: StartServer) -> None:
    server = own_server()
    async with AsyncExitStack() as stack:
        session, poller, lasts = await _session(stack, server), Poller(QUERIES), list[bool]()
        async with Redis(unix_socket_path=server.socket) as redis:
            for at in (0.0, 0.0, 5.0, 10.0, 15.0):
                if at == 10.0:
                    await redis.config_resetstat()
                await redis.set("key", "v")
                await poller.tick(session, at, 1.0, [LATENCY.name])
                told = poller.readings[LATENCY.name]
                lasts.append(isinstance(told, Ready) and told.value.last is not None)
    assert lasts == [False, False, True, False, True]


def _merged(words: list[str]) -> Counter[int]:
    """The calls by bucket that redis-cli's lines tell: a name, ``calls``, a number, ``histogram_usec``, and pairs."""
    merged: Counter[int] = Counter()
    while words:
        name, _, _, _, *rest = words
        pairs = list(takewhile(str.isdecimal, rest))
        words, below = rest[len(pairs) :], 0
        for end, calls in zip(map(int, pairs[::2]), map(int, pairs[1::2]), strict=True):
            if name not in ("info", "latency|histogram"):  # the program's own, and redis-cli's
                merged[end] += calls - below
            below = calls
    return merged


async def _session(stack: AsyncExitStack, server: EmbeddedServer) -> Session:
    session, _ = await open_session(Endpoint(socket=server.socket))
    stack.push_async_callback(session.close)
    return session


async def _load(servers: Sequence[EmbeddedServer], calls: int) -> None:
    """Short calls and long ones on each, by different commands."""
    for number, server in enumerate(servers):
        async with Redis(unix_socket_path=server.socket) as redis:
            pipe = redis.pipeline(transaction=False)
            pipe.rpush("list", *range(1 + 3_000 * number))
            for each in range(calls):
                pipe.set(f"key:{each}", "v")
                pipe.get(f"key:{each}")
            for _ in range(calls // 20):
                pipe.lrange("list", 0, -1)
            await pipe.execute()
