"""Percentiles come from differences of histograms, and are what a merge by hand of the server's own output gives."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis.asyncio import Redis

from pymon_tui.model.query import Part
from pymon_tui.model.text import safe
from pymon_tui.readings.latency import LATENCY, Histogram, Latency, decode_histograms, remember

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
    one, other = (decode_histograms(each)._moments[0][1] for each in (flat, mapped))
    assert dict(one.buckets) == dict(other.buckets) == {1: 1, 2: 1, 4: 1, 1024: 1}


@pytest.mark.parametrize("odd", [b"x", [b"get"], [b"get", [b"histogram_usec", [b"x", 1]]], 7])
def test_another_form_is_not_read(odd: object) -> None:
    with pytest.raises(ValueError, match="LATENCY HISTOGRAM"):
        decode_histograms(odd)


def asked(now: float, monkeypatch: pytest.MonkeyPatch, **commands: list[int]) -> Latency:
    monkeypatch.setattr("pymon_tui.readings.latency.clock.now", lambda: now)
    return decode_histograms(reply(**commands))


def test_an_incident_is_in_the_last_interval_and_not_in_the_mean_of_all_time(monkeypatch: pytest.MonkeyPatch) -> None:
    calm, slow = [4] * 10_000, [9_000] * 50
    first = asked(0.0, monkeypatch, get=calm)
    second = remember(first, asked(5.0, monkeypatch, get=calm + [4] * 100))
    third = remember(second, asked(10.0, monkeypatch, get=calm + [4] * 150, sort=slow))
    assert (first.last, first.long) == (None, None)
    assert second.as_json()["last"] == {"seconds": 5.0, "calls": 100, "p50": 4, "p99": 4, "p99.9": 4, "max": 4}
    assert third.as_json() == {
        "last": {"seconds": 5.0, "calls": 100, "p50": 4, "p99": 16_384, "p99.9": 16_384, "max": 16_384},
        "long": {"seconds": 10.0, "calls": 200, "p50": 4, "p99": 16_384, "p99.9": 16_384, "max": 16_384},
    }


def test_a_reset_is_a_hole_and_what_is_long_ago_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    known = asked(0.0, monkeypatch, get=[4] * 10)
    known = remember(known, asked(5.0, monkeypatch, get=[4] * 5))
    assert (known.last, known.long) == (None, None)
    for turn in range(2, 100):
        known = remember(known, asked(5.0 * turn, monkeypatch, get=[4] * 5 * turn))
    assert known.long is not None
    assert 295 <= known.long.seconds <= 305
    assert len(known._moments) <= 63


def test_nodes_are_added_up_and_one_that_doesn_t_know_makes_all_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    one = remember(asked(0.0, monkeypatch, get=[4]), asked(5.0, monkeypatch, get=[4] * 100))
    other = remember(asked(0.0, monkeypatch, get=[4]), asked(5.0, monkeypatch, get=[4, *[9_000] * 99]))
    new = asked(5.0, monkeypatch, get=[4])
    assert LATENCY.merge is not None
    parts = [Part(safe(str(number)), each, frozenset()) for number, each in enumerate((one, other, new))]
    together = LATENCY.merge(parts[:2])
    assert together.last is not None
    assert (together.last.calls.calls, together.last.calls.percentile(0.5)) == (198, 4)
    assert together.last.calls.percentile(0.99) == 16_384
    assert LATENCY.merge(parts).last is None


async def test_calls_are_those_of_commandstats(redis: Redis) -> None:
    await redis.config_resetstat()
    for number in range(50):
        await redis.set(f"key:{number}", "v")
    told = await redis.execute_command("LATENCY", "HISTOGRAM", "set")  # type: ignore[no-untyped-call]
    assert decode_histograms(_as_bytes(told))._moments[0][1].calls == 50


def _as_bytes(reply: object) -> object:
    """What the client decoded, as it came."""
    if isinstance(reply, str):
        return reply.encode()
    if isinstance(reply, list):
        return [_as_bytes(each) for each in reply]
    if isinstance(reply, dict):
        return {_as_bytes(key): _as_bytes(value) for key, value in reply.items()}
    return reply
