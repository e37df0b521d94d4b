"""How much time graphs show, and the clock below them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pymon_tui.model import units
from pymon_tui.model.history import History
from pymon_tui.readings.metrics import COMMANDS, METRICS
from pymon_tui.ui.widgets.graph import Graph
from pymon_tui.ui.widgets.scale import rates
from pymon_tui.ui.widgets.timespan import TIMESPANS, WHILE_RUNNING, Timeline, Timespan, ranged

FIVE, QUARTER, HOUR = TIMESPANS
NOON = 1_790_078_400.0  # 12:00:00 UTC
pytestmark = pytest.mark.usefixtures("utc")


def line(cells: int, timespan: Timespan = FIVE, *, newest: float = NOON, a_cell: int = 1) -> Timeline:
    """The timeline of a history whose newest sample is of this moment."""
    made = History(METRICS)
    made.align(newest)
    made.record(-1.0, {COMMANDS.name: 0.0}, {})
    made.record(0.0, {COMMANDS.name: 7.0}, {})
    return Timeline(made.view(), timespan, cells, a_cell)


def test_the_width_stands_for_the_time_whatever_the_interval() -> None:
    assert line(60).seconds == 5
    assert line(36).seconds == pytest.approx(300 / 36)
    assert line(30, a_cell=2).seconds == 5
    assert len(line(36).columns(COMMANDS.name)) == 36
    assert len(line(36, a_cell=2).columns(COMMANDS.name)) == 72
    assert line(0).columns(COMMANDS.name) == ()


@pytest.mark.parametrize(
    ("cells", "timespan", "expected"),
    [
        (60, FIVE, ["11:55", "11:56", "11:57", "11:58", "11:59"]),
        (59, FIVE, ["11:56", "11:58"]),
        (36, FIVE, ["11:56", "11:58"]),
        (106, WHILE_RUNNING, ["11:58:00", "11:58:30", "11:59:00", "11:59:30"]),
        (74, HOUR, ["11:00", "11:10", "11:20", "11:30", "11:40", "11:50"]),
        (3, FIVE, []),
    ],
)
def test_the_clock_s_times_are_round_and_have_room(cells: int, timespan: Timespan, expected: list[str]) -> None:
    assert list(line(cells, timespan).ticks().values()) == expected


@given(st.integers(5, 250), st.sampled_from((*TIMESPANS, WHILE_RUNNING)), st.floats(0, 1e5), st.sampled_from((1, 2)))
def test_a_time_stands_in_the_cell_that_it_is_in(cells: int, timespan: Timespan, later: float, a_cell: int) -> None:
    time = line(cells, timespan, newest=NOON + later, a_cell=a_cell)
    end = time.history.newest(time.seconds) + 1
    used = -1
    for cell, text in time.ticks().items():
        hour, minute, second = (*map(int, text.split(":")), 0)[:3]
        left = (end - (cells - cell) * a_cell) * time.seconds
        moment = (hour * 3600 + minute * 60 + second - left) % 86_400
        assert -1e-3 <= (moment + 1e-3) % 86_400 - 1e-3 <= time.seconds * a_cell + 1e-3
        assert cell > used
        used = cell + len(text)
        assert used <= cells


def test_the_range_is_said_with_its_time() -> None:
    assert ranged(rates([12_200.0] * 9, units.rate, 3), Graph("info"), FIVE) == "0–18k/s · 5m"
