"""The rate of a counter over a window."""

from __future__ import annotations

import pytest

from pymon_tui.model.sliding_rate import SlidingRate


def test_nothing_is_known_until_a_second_has_passed() -> None:
    rate = SlidingRate(10.0)
    assert rate.per_second is None
    rate.sample(5.0, 100)
    rate.sample(5.9, 200)
    assert rate.per_second is None
    rate.sample(6.0, 200)
    assert rate.per_second == pytest.approx(100)


def test_what_left_the_window_no_longer_counts() -> None:
    rate = SlidingRate(10.0)
    for second in range(60):
        rate.sample(float(second), 1_000 if second > 20 else 0)
    assert rate.per_second == 0
    rate.sample(60.0, 1_050)
    assert rate.per_second == pytest.approx(5)


def test_a_counter_that_went_back_begins_anew() -> None:
    rate = SlidingRate(10.0)
    rate.sample(1.0, 500)
    rate.sample(3.0, 10)
    assert rate.per_second is None
    rate.sample(5.0, 30)
    assert rate.per_second == pytest.approx(10)
