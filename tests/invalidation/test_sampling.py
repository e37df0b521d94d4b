from __future__ import annotations

import math
from collections import Counter
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pymon_tui.invalidation.sampling import (
    BytesEstimate,
    Idle,
    Reservoir,
    Sample,
    expiry_counts,
    idle_times,
    share_out,
    total_bytes,
    type_counts,
)


def _sample(**facts: int | str | None) -> Sample:
    known: dict[str, int | str | None] = {"type": None, "pttl_ms": None, "bytes": None, "idle": None} | facts
    return Sample(b"k", **known)  # type: ignore[arg-type]


def _drawn(size: int, pages: list[int], seed: int) -> dict[int, int]:
    reservoir = Reservoir(size, Random(seed))
    places: dict[int, int] = {}
    for number, page in enumerate(pages):
        for index, place in reservoir.take(page):
            assert 0 <= index < page
            places[place] = sum(pages[:number]) + index
    assert reservoir.seen == sum(pages)
    return places


def test_all_items_are_taken_while_there_is_room() -> None:
    assert sorted(_drawn(100, [30, 0, 70], seed=1).values()) == list(range(100))


def test_each_item_is_taken_as_likely_as_another() -> None:
    runs, size, items = 4_000, 5, 50
    counted: Counter[int] = Counter()
    for seed in range(runs):
        drawn = _drawn(size, [7, 20, 1, 22], seed)
        assert sorted(drawn) == list(range(size))
        assert len(set(drawn.values())) == size
        counted.update(drawn.values())
    expected = runs * size / items  # 400, whose standard deviation is 19
    assert max(abs(counted[item] - expected) for item in range(items)) < 5 * 19


def test_few_items_of_a_long_stream_are_taken() -> None:
    reservoir = Reservoir(2_000, Random(3))
    taken = sum(sum(1 for _ in reservoir.take(1_000)) for _ in range(1_000))
    assert 13_000 < taken < 16_000  # 2 000 * (1 + ln 500) = 14 429


def test_bytes_of_all_keys_are_exact_when_all_were_looked_at() -> None:
    assert total_bytes([100, 300], 2) == BytesEstimate(400.0, 0.0)
    assert total_bytes([], 0) == BytesEstimate(0.0, 0.0)
    assert total_bytes([], 5) is None


def test_the_error_covers_the_truth_nineteen_times_in_twenty() -> None:
    chance = Random(5)
    sizes = [chance.randrange(50, 5_000) for _ in range(20_000)]
    truth = sum(sizes)
    covered = 0
    for _ in range(400):
        found = total_bytes(chance.sample(sizes, 200), len(sizes))
        assert found is not None
        covered += abs(found.value - truth) <= found.error
    assert 360 <= covered <= 395


def test_few_sizes_and_sizes_that_are_alike_say_nothing_of_the_others() -> None:
    for sizes in ([100], [100, 300], [144] * 200, list(range(29))):
        found = total_bytes(sizes, 1_000)
        assert found is not None
        assert found.value == pytest.approx(1_000 * sum(sizes) / len(sizes))
        assert found.error == math.inf


def test_the_error_is_that_of_the_keys_as_well() -> None:
    sizes = [100, 200] * 50
    sure, unsure = total_bytes(sizes, 1_000), total_bytes(sizes, 1_000, off=200)
    assert sure is not None
    assert unsure is not None
    assert unsure.error == pytest.approx(math.hypot(sure.error, 150 * 200))
    for known in (total_bytes(sizes, 100, off=7), total_bytes([150] * 100, 100, off=math.inf)):
        assert known is not None
        assert known.error > 0, "it isn't known how many keys there are"


@pytest.mark.parametrize(
    ("counts", "total", "expected"),
    [
        ((("a", 1), ("b", 1), ("c", 1)), 10, (("a", 4), ("b", 3), ("c", 3))),
        ((("a", 2), ("b", 1)), 3, (("a", 2), ("b", 1))),
        ((("a", 999), ("b", 1)), 1_000_000, (("a", 999_000), ("b", 1_000))),
        ((("a", 0), ("b", 0)), 5, (("a", 0), ("b", 0))),
        ((), 5, ()),
    ],
)
def test_shares_add_up(counts: tuple[tuple[str, int], ...], total: int, expected: tuple[tuple[str, int], ...]) -> None:
    assert share_out(counts, total) == expected


def test_keys_that_have_gone_are_left_out_of_the_shares() -> None:
    samples = [_sample(type="hash"), _sample(type="string"), _sample(type="hash"), _sample(gone=True)]
    assert type_counts(samples, 30) == (("hash", 20), ("string", 10))


def test_what_the_server_does_not_tell_is_no_share_of_the_rest() -> None:
    samples = [_sample(type="hash", pttl_ms=-1), *[_sample()] * 2, _sample(gone=True)]
    assert type_counts(samples, 30) == (("hash", 10), ("unknown", 20))
    assert expiry_counts(samples, 30) == (("none", 10), ("<1m", 0), ("<1h", 0), ("<1d", 0), (">1d", 0), ("unknown", 20))
    assert (type_counts(samples[1:], 30), expiry_counts(samples[1:], 30)) == ((), ())


@given(st.lists(st.sampled_from(["hash", "string", None]), min_size=1), st.integers(1, 5_000))
def test_no_type_has_more_than_its_share_of_the_sample(types: list[str | None], more: int) -> None:
    samples = [_sample(type=each) for each in types]
    keys = len(samples) * more
    told = dict(type_counts(samples, keys))
    if told:
        assert told == {each or "unknown": types.count(each) * more for each in types}


def test_expiry_by_the_span_that_is_left() -> None:
    spans = [-1, 0, 59_999, 60_000, 3_599_999, 3_600_000, 86_399_999, 86_400_000, None]
    samples = [_sample(pttl_ms=span, gone=span is None) for span in spans]
    assert expiry_counts(samples, 8) == (("none", 1), ("<1m", 2), ("<1h", 2), ("<1d", 2), (">1d", 1))
    assert expiry_counts([_sample()], 8) == ()


def test_idle_times_where_they_are_known() -> None:
    assert idle_times([_sample(idle=5), _sample(), _sample(idle=100), _sample(idle=7)]) == Idle(7, 100, 3)
    assert idle_times([_sample()]) is None
