from __future__ import annotations

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from pymon_tui.invalidation.key_bytes import KeyBytes, Total, at_least

SIZES = st.lists(st.integers(1, 10**9), min_size=1, max_size=60)


@given(sizes=SIZES, unseen=st.integers(0, 1_000))
def test_all_that_was_seen_is_in_the_sum(sizes: list[int], unseen: int) -> None:
    found = at_least(sizes, len(sizes) + unseen)
    assert found is not None
    assert (found.largest, found.is_exact) == (max(sizes), unseen == 0)
    assert sum(sizes) + unseen * min(sizes) <= found.value <= sum(sizes) + unseen * sum(sizes) // len(sizes)


def test_nothing_is_known_of_keys_that_were_not_looked_at() -> None:
    assert at_least([], 5) is None
    assert at_least([], 0) == KeyBytes(0, is_exact=True, largest=0)


def test_a_few_that_hold_most_are_not_taken_for_many() -> None:
    chance = Random(3)
    sizes = [100] * 19_990 + [50_000_000] * 10
    for _ in range(100):
        found = at_least(chance.sample(sizes, 2_000), len(sizes))
        assert found is not None
        assert found.value <= sum(sizes)


@given(pages=st.lists(SIZES, max_size=5), cap=st.integers(1, 10**9))
def test_a_total_is_that_of_all_pages(pages: list[list[int]], cap: int) -> None:
    total = Total(cap)
    for page in pages:
        total.add(page)
    sizes = [size for page in pages for size in page]
    kept = [size for size in sizes if size <= cap]
    assert (total.count, total.bytes, total.largest) == (len(sizes), sum(sizes), max(sizes, default=0))
    assert (total.kept, total.largest_kept) == (sum(kept), max(kept, default=0))
    assert total.oversized == len(sizes) - len(kept)


@given(one=SIZES, other=SIZES)
def test_keys_of_two_servers_add_up(one: list[int], other: list[int]) -> None:
    parts = [at_least(sizes, len(sizes)) for sizes in (one, other)]
    assert parts[0] is not None
    assert parts[1] is not None
    assert parts[0].plus(parts[1]) == at_least(one + other, len(one) + len(other))
    guess = KeyBytes(1, is_exact=False, largest=1)
    assert not parts[0].plus(guess).is_exact
