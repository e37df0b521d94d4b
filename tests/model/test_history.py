"""What a graph is drawn from: nothing in it that did not happen."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pymon_tui.model.history import History, HistoryView
from pymon_tui.model.metric import Kind, Metric
from pymon_tui.model.text import safe

LEVEL: Metric[None] = Metric("level", Kind.GAUGE, lambda _: None)
TOTAL: Metric[None] = Metric("total", Kind.COUNTER, lambda _: None)
OTHER: Metric[None] = Metric("other", Kind.COUNTER, lambda _: None)


def history_of(*totals: float | None, capacity: int = 100) -> History:
    """A history with one sample a second of ``total``, and of a ``level`` that is the same."""
    history = History((LEVEL, TOTAL, OTHER), capacity)
    for at, total in enumerate(totals):
        history.record(at, {"total": total, "level": total}, {})
    return history


def newest(view: HistoryView, metric: str, samples: int) -> tuple[float | None, ...]:
    """The newest samples."""
    return view.samples(metric, view.end - samples, view.end)


# What a sample is


def test_a_gauge_keeps_its_level_and_a_counter_its_growth_per_second() -> None:
    history = history_of()
    for at, total in ((10.0, 100.0), (12.0, 110.0), (12.5, 120.0)):
        history.record(at, {"total": total, "level": total}, {})
    view = history.view()
    assert newest(view, "level", 3) == (100, 110, 120)
    assert newest(view, "total", 3) == (None, 5, 20)
    assert (view.latest("level"), view.latest("total")) == (120, 20)


def test_our_own_part_is_left_out() -> None:
    history = history_of(100)
    history.record(1, {"total": 110.0}, {"total": 4.0})
    history.record(2, {"total": 112.0}, {"total": 4.0})
    assert newest(history.view(), "total", 2) == (6, 0)


def test_what_is_counted_as_ours_too_early_is_left_out_once() -> None:
    history = history_of(100)
    for at, (total, own) in enumerate(((100.0, 10.0), (115.0, 0.0), (120.0, 0.0)), 1):
        history.record(at, {"total": total}, {"total": own})
    assert newest(history.view(), "total", 3) == (0, 5, 5)


def test_what_the_server_never_counted_as_ours_is_no_debt_of_others() -> None:
    history = history_of(100)
    for at, (total, own) in enumerate(((100.0, 10.0), (100.0, 0.0), (110.0, 0.0)), 1):
        history.record(at, {"total": total}, {"total": own})
    assert newest(history.view(), "total", 3) == (0, 0, 10)


def test_what_was_ours_before_a_reset_is_left_out_of_nothing_after_it() -> None:
    history = history_of(100)
    for at, (total, own) in enumerate(((100.0, 10.0), (5.0, 0.0), (8.0, 0.0)), 1):
        history.record(at, {"total": total}, {"total": own})
    assert newest(history.view(), "total", 3) == (0, None, 3)


def test_a_graph_of_few_samples_begins_with_the_level_between_them() -> None:
    history = history_of()
    for at, level in ((0.0, 1.0), (30.0, 2.0), (60.0, 4.0)):
        history.record(at, {"level": level}, {})
    assert history.view().columns("level", 3, 5.0) == (3, 3, 4)


def test_a_value_that_is_not_told_is_a_hole_and_so_is_the_growth_after_it() -> None:
    view = history_of(1, 2, None, 9, 10).view()
    assert newest(view, "total", 5) == (None, 1, None, None, 1)
    assert newest(view, "level", 5) == (1, 2, None, 9, 10)


def test_a_counter_that_went_back_is_a_reset_for_all_counters() -> None:
    history = history_of()
    history.record(0, {"total": 100.0, "other": 5.0}, {})
    assert history.record(1, {"total": 101.0, "other": 6.0}, {}) is False
    assert history.record(2, {"total": 3.0, "other": 7.0}, {}) is True
    assert history.record(3, {"total": 4.0, "other": 8.0}, {}) is False
    view = history.view()
    assert newest(view, "total", 4) == (None, 1, None, 1)
    assert newest(view, "other", 4) == (None, 1, None, 1)


def test_a_gauge_that_went_back_is_no_reset() -> None:
    history = history_of()
    history.record(0, {"level": 9.0}, {})
    assert history.record(1, {"level": 1.0}, {}) is False


def test_after_a_break_growth_begins_anew() -> None:
    history = history_of(1, 2)
    history.break_(anew=False)
    assert history.record(50, {"total": 900.0}, {}) is False
    history.record(51, {"total": 903.0}, {})
    assert newest(history.view(), "total", 4) == (None, 1, None, 3)


def test_two_samples_of_the_same_moment_are_no_rate() -> None:
    history = history_of(1)
    history.record(0, {"total": 5.0}, {})
    view = history.view()
    assert newest(view, "total", 2) == (None, None)
    assert view.peak("total") is None


# A late tick


def test_a_late_tick_leaves_no_hole_and_its_rate_is_the_true_mean() -> None:
    history = history_of(0, 10)
    history.record(5, {"total": 50.0, "level": 50.0}, {})
    view = history.view()
    assert newest(view, "total", 3) == (None, 10, 10)
    assert view.columns("total", 5, 1) == (10, 10, 10, 10, 10)
    assert view.columns("level", 5, 1) == (10, 30, 30, 30, 50)
    assert view.peak("total") == 10


# Columns


def test_columns_of_before_the_beginning_and_of_nothing_known_are_unknown() -> None:
    assert history_of(1, 2).view().columns("level", 4, 1) == (None, None, 1, 2)
    assert history_of().view().columns("level", 2, 3) == (None, None)
    assert history_of(1).view().columns("nothing", 2, 1) == (None, None)


def test_columns_are_aligned_to_the_wall_clock() -> None:
    history = History((TOTAL,))
    history.align(1_000.5)  # the second 0 of the samples is half a second after a whole one
    for at in range(8):
        history.record(at, {"total": 10.0 * at * at}, {})
    view = history.view()
    assert view.newest(4) == 251  # that from 1004 to 1008
    assert list(view.columns("total", 2, 4)) == [pytest.approx(125 / 3.5), pytest.approx(365 / 3.5)]


def test_reading_the_clock_a_little_later_moves_no_column_and_setting_it_moves_all() -> None:
    history = history_of(0, 1, 3, 6, 10)
    history.align(50.0)
    before = history.view().columns("total", 4, 2)
    history.align(50.3)
    assert history.view().columns("total", 4, 2) == before
    history.align(61.0)
    assert history.view().columns("total", 4, 2) != before


# Windows


def test_growth_over_a_window() -> None:
    view = history_of(0, 10, 30, 60, 100).view()
    assert view.growth("total", 2) == (70, 2)
    assert view.growth("total", 60) == (100, 4)
    assert view.growth("nothing", 2) is None


def test_a_window_ends_in_time_and_not_in_samples() -> None:
    history = history_of(0, 100, 200)
    history.break_(anew=False)
    history.record(600, {"total": 900.0}, {})
    history.record(601, {"total": 901.0}, {})
    assert history.view().growth("total", 10) == (1, 1)


def test_samples_that_come_a_little_late_still_fill_the_window() -> None:
    history = history_of()
    for tick in range(30):
        history.record(tick * 1.002, {"total": tick * 5.0}, {})
    growth, covered = history.view().growth("total", 10) or (0.0, 0.0)
    assert growth == 50
    assert covered == pytest.approx(10.02)


def test_the_peak_is_the_highest_since_the_beginning() -> None:
    history = history_of(0, 50, 60, capacity=8)
    assert history.view().peak("total") == 50
    for at in range(3, 60):
        history.record(at, {"total": 60.0 + at}, {})
    assert history.view().peak("total") == 50
    assert history.view().peaked("total") == 1
    history.align(1_000.0)
    assert history.view().peaked("total") == 1_001
    assert history.view().peak("other") is None
    assert history.view().peaked("other") is None


def test_peaks_say_since_when_they_count_and_are_set_anew() -> None:
    history = history_of()
    assert (history.view().peaks_since, history.view().peaks_cover) == (None, 0)
    for at, total in enumerate((0.0, 50.0, 60.0)):
        history.record(10.0 + at, {"total": total, "level": 100.0 - at}, {})
    history.align(1_000.0)
    before = history.view()
    assert (before.peak("total"), before.peak("level"), before.peaks_since) == (50, 100, 1_010)
    history.reset_peaks()
    view = history.view()
    assert (view.peak("total"), view.peaked("total"), view.peaks_since) == (None, None, 1_012)
    # What has grown since the newest sample is the first to count.
    history.record(14.0, {"total": 80.0, "level": 3.0}, {})
    history.record(15.0, {"total": 85.0, "level": 2.0}, {})
    view = history.view()
    assert (view.peak("total"), view.peaked("total"), view.peaks_since, view.peaks_cover) == (10, 1_014, 1_012, 3)
    assert view.peak("level") == 3
    assert view.latest("total") == 5
    assert (before.peak("total"), before.peaks_since) == (50, 1_010)


# Events, views, bounds


def test_an_event_stands_at_the_newest_sample() -> None:
    history = history_of(1, 2)
    history.note(safe("restarted"), 1_000.0)
    history.record(2, {}, {})
    (event,) = history.view().events()
    assert (event.index, event.wall, event.text) == (1, 1_000.0, "restarted")
    assert history.view().events(since=2) == ()


def test_a_view_stays_as_it_was() -> None:
    history = history_of(0, 10, 20)
    view = history.view()
    seen = newest(view, "total", 3), view.latest("total"), view.growth("total", 9), view.peak("total"), len(view)
    history.record(3, {"total": 1_000.0, "level": 1.0}, {})
    history.note(safe("later"), 0.0)
    assert seen == (
        newest(view, "total", 3),
        view.latest("total"),
        view.growth("total", 9),
        view.peak("total"),
        len(view),
    )
    assert view.events() == ()
    assert view.end == 3


def test_what_is_kept_is_bounded_and_an_old_view_only_loses_its_beginning() -> None:
    history = history_of(capacity=16)
    views = []
    for at in range(200):
        history.record(at, {"total": 2.0 * at}, {})
        history.note(safe("event"), at)
        views.append(history.view())
        assert len(views[-1]) == len(views[-1].events()) == min(at + 1, 16)
    assert history.end == 200
    assert newest(views[-1], "total", 20) == (2,) * 16
    assert views[-1].columns("total", 20, 1) == (None,) * 4 + (2,) * 16
    assert len(views[10]) == 0
    assert views[10].columns("total", 3, 1) == (None, None, None)


@given(st.lists(st.floats(0, 1e9), max_size=60), st.integers(1, 5))
def test_what_is_kept_is_the_same_however_much_was_forgotten(levels: list[float], seconds: int) -> None:
    short, long = history_of(*levels, capacity=16).view(), history_of(*levels).view()
    for metric in ("level", "total"):
        width = 16 // seconds - 1  # the columns of which every sample is kept
        assert short.columns(metric, width, seconds) == long.columns(metric, width, seconds)
        assert short.latest(metric) == long.latest(metric)
    assert short.growth("total", 9) == long.growth("total", 9)


numbers = st.none() | st.floats(0, 1e15)
spans = st.just(0.0) | st.floats(1e-3, 5)  # what a clock can tell apart


@given(st.lists(st.tuples(spans, numbers, numbers), max_size=60), st.floats(0.5, 9))
def test_nothing_is_negative_infinite_or_above_the_peak(
    samples: list[tuple[float, float | None, float | None]], seconds: float
) -> None:
    history, at = history_of(capacity=20), 0.0
    for elapsed, total, own in samples:
        at += elapsed
        history.record(at, {"total": total}, {"total": own or 0.0})
    view = history.view()
    for value in (*view.columns("total", 30, seconds), view.latest("total")):
        assert value is None or 0 <= value <= (view.peak("total") or 0.0) * (1 + 1e-9)
    growth, covered = view.growth("total", 10) or (0.0, 1.0)
    assert growth >= 0
    assert covered > 0


def test_a_mark_stands_in_the_column_of_its_sample() -> None:
    history = History((LEVEL,))
    for second in range(10):
        history.record(float(second), {"level": 1.0}, {})
        if second == 6:
            history.note(safe("removed"), 0.0, run="20261122-120411-7c3f")
    view = history.view()
    assert view.marks(9, 1) == {5: "removed"}  # the column that ends at the second 6
    assert view.marks(5, 1) == {1: "removed"}
    assert view.marks(3, 1) == {}
    assert view.marks(3, 4) == {1: "removed"}
    assert view.columns("level", 3, 4)[1] is not None
    assert view.events()[0].run == "20261122-120411-7c3f"


def test_samples_are_levels_and_growth_per_second() -> None:
    history = History((LEVEL, TOTAL))
    for second, total in ((0.0, 10.0), (2.0, 30.0), (3.0, 35.0)):
        history.record(second, {"level": total, "total": total}, {})
    view = history.view()
    assert view.samples("level", 0, 9) == (10.0, 30.0, 35.0)
    assert view.samples("total", 0, 3) == (None, 10.0, 5.0)
    assert view.samples("total", 2, 2) == ()
    assert view.samples("unheard of", 0, 3) == ()
