"""The arithmetic of a graph's columns: time is what it says, nothing is lost and nothing is invented."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pymon_tui.model.columns import column_of
from pymon_tui.model.history import History, HistoryView
from pymon_tui.model.metric import Kind, Metric
from pymon_tui.model.text import safe

LEVEL: Metric[None] = Metric("level", Kind.GAUGE, lambda _: None)
TOTAL: Metric[None] = Metric("total", Kind.COUNTER, lambda _: None)

WALL = 1_790_000_000.0

elapsed = st.floats(0.05, 40.0)  # a fast interval, a slow one, and ticks that are late
growth = st.floats(0, 1e6)
widths = st.integers(1, 60)
column = st.floats(0.5, 60.0)


def history_of(ticks: Sequence[tuple[float, float]], offset: float = WALL) -> list[HistoryView]:
    """The view after each of these ticks: seconds since the one before, and by how much the counter grew."""
    history, at, total = History((LEVEL, TOTAL), 1_000), 0.0, 0.0
    history.align(offset)
    views = []
    for seconds, grown in ticks:
        at, total = at + seconds, total + grown
        history.record(at, {"total": total, "level": grown}, {})
        views.append(history.view())
    return views


def near(value: float | None) -> object:
    return None if value is None else pytest.approx(value, rel=1e-5, abs=1e-6)


@given(st.lists(st.tuples(elapsed, growth), min_size=2, max_size=60), widths, column)
def test_a_column_changes_only_while_it_is_the_newest(
    ticks: list[tuple[float, float]], width: int, seconds: float
) -> None:
    views = history_of(ticks)
    for before, after in pairwise(views):
        moved = after.newest(seconds) - before.newest(seconds)
        assert moved >= 0
        for metric in ("level", "total"):
            old, new = (view.columns(metric, width, seconds) for view in (before, after))
            for place in range(moved, width - 1):  # what was not the newest
                assert new[place - moved] == near(old[place])


@given(st.lists(st.tuples(elapsed, growth), min_size=2, max_size=60), column)
def test_all_growth_is_in_the_columns_and_no_more(ticks: list[tuple[float, float]], seconds: float) -> None:
    view = history_of(ticks)[-1]
    lasted = sum(each for each, _ in ticks[1:])
    begin, end = WALL + ticks[0][0], WALL + sum(each for each, _ in ticks)
    last = view.newest(seconds)
    width = math.ceil(lasted / seconds) + 1
    total = 0.0
    for place, rate in enumerate(view.columns("total", width, seconds)):
        left = (last + 1 - width + place) * seconds
        known = min(end, left + seconds) - max(begin, left)
        total += (rate or 0.0) * max(0.0, known)
    grown = sum(each for _, each in ticks[1:])
    assert total == pytest.approx(grown, rel=1e-3, abs=1e-3 * (1 + max((each for _, each in ticks), default=0)))


@given(st.lists(elapsed, min_size=2, max_size=60), st.floats(0, 1e6), widths, column)
def test_a_steady_rate_is_flat_whatever_the_interval_was(
    ticks: list[float], rate: float, width: int, seconds: float
) -> None:
    view = history_of([(each, rate * each) for each in ticks])[-1]
    assert all(value is None or value == pytest.approx(rate, rel=1e-6, abs=1e-6)
               for value in view.columns("total", width, seconds))  # fmt: skip


@given(st.lists(elapsed, min_size=2, max_size=60), widths, column)
def test_nothing_is_unknown_between_the_first_sample_and_the_newest(
    ticks: list[float], width: int, seconds: float
) -> None:
    view = history_of([(each, 1.0) for each in ticks])[-1]
    begun = column_of(WALL + ticks[0], seconds) + 1  # the column after that in which the first sample ends
    first = view.newest(seconds) + 1 - width
    for metric in ("level", "total"):
        columns = view.columns(metric, width, seconds)
        assert None not in columns[max(0, begun - first) : -1]


@given(st.lists(st.tuples(elapsed, growth), min_size=1, max_size=60), widths, column)
def test_a_mean_lies_between_the_least_and_the_most(
    ticks: list[tuple[float, float]], width: int, seconds: float
) -> None:
    view = history_of(ticks)[-1]
    levels = [grown for _, grown in ticks]
    for value in view.columns("level", width, seconds):
        assert value is None or min(levels) - 1e-6 <= value <= max(levels) + 1e-6


def test_while_nobody_looked_nothing_is_known() -> None:
    history = History((LEVEL, TOTAL))
    for at, value in ((0.0, 1.0), (1.0, 2.0)):
        history.record(at, {"level": value, "total": value}, {})
    history.break_(anew=False)
    for at, value in ((6.0, 6.0), (7.0, 7.0)):
        history.record(at, {"level": value, "total": value}, {})
    view = history.view()
    assert view.columns("level", 7, 1) == (2, None, None, None, None, 6, 7)
    assert view.columns("total", 7, 1) == (1, None, None, None, None, None, 1)


def test_what_a_level_was_in_a_long_time_is_not_known_and_growth_is() -> None:
    history = History((LEVEL, TOTAL))
    for at, value in ((0.0, 0.0), (1.0, 1.0), (1_001.0, 1_001.0), (1_002.0, 1_002.0)):
        history.record(at, {"level": value, "total": value}, {})
    view = history.view()
    assert view.columns("level", 4, 250) == (None, None, None, 1_001.5)
    assert view.columns("total", 4, 250) == pytest.approx((1, 1, 1, 1))


def test_a_fall_begins_at_the_mark_of_what_caused_it_or_to_its_right() -> None:
    history = History((TOTAL,))
    for at in range(10):
        history.record(float(at), {"total": 100.0 * min(at, 6)}, {})
        if at == 6:
            history.note(safe("removed"), 6.5, run="r")
    for seconds in (1.0, 0.5, 1.7, 3.0):
        view = history.view()
        columns = view.columns("total", int(9 / seconds), seconds)
        fallen = next(place for place, value in enumerate(columns) if value is not None and value < 99.0)
        (mark,) = view.marks(int(9 / seconds), seconds)
        assert mark <= fallen


@pytest.mark.parametrize(("moment", "number"), [(0.5, 0), (1.0, 0), (1.1, 1), (2.0, 1), (2.000_001, 1)])
def test_a_sample_belongs_to_the_column_that_it_ends_in(moment: float, number: int) -> None:
    assert column_of(moment, 1.0) == number
