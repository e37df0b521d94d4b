"""The pace of the demo: waves within their bounds, and whole numbers of events."""

from __future__ import annotations

from random import Random

from pymon_tui.demo.pace import Occasion, hit_share, notifications_per_second, times


def test_hits_and_notifications_come_in_waves_within_their_bounds() -> None:
    shares = [hit_share(t) for t in range(120)]
    assert 0.81 < min(shares) < 0.83 < 0.95 < max(shares) < 0.97
    rates = [notifications_per_second(t) for t in range(60)]
    assert 2 <= min(rates) < 3 < 14 < max(rates) <= 15


def test_whole_events_make_up_the_average() -> None:
    random = Random(1)
    counts = [times(random, 0.3) for _ in range(10_000)]
    assert set(counts) == {0, 1}
    assert 2_800 < sum(counts) < 3_200
    assert {times(random, 2.5) for _ in range(100)} == {2, 3}


def test_an_occasion_comes_again_after_a_while() -> None:
    occasion = Occasion(Random(1), 8, 16)
    due = [t for t in range(1_000) if occasion.is_due(t)]
    apart = [later - sooner for sooner, later in zip([0, *due], due, strict=False)]
    assert 8 <= min(apart) < max(apart) <= 17
