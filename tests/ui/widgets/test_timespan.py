"""How much time graphs show."""

from __future__ import annotations

import pytest

from pymon_tui.model.history import History
from pymon_tui.readings.metrics import METRICS
from pymon_tui.ui.widgets.ink import text_of
from pymon_tui.ui.widgets.timespan import TIMESPANS, Timespan, caption, covered, samples_per_column

EACH, QUARTER, HOUR = TIMESPANS


def history(samples: int, interval: float = 1.0) -> History:
    made = History(METRICS)
    for number in range(samples):
        made.record(number * interval, {}, {})
    return made


@pytest.mark.parametrize(
    ("timespan", "interval", "width", "expected"),
    [
        (EACH, 1.0, 70, 1),
        (QUARTER, 1.0, 90, 10),
        (QUARTER, 1.0, 70, 13),
        (HOUR, 1.0, 190, 19),
        (HOUR, 60.0, 190, 1),
        (QUARTER, 1.0, 0, 1),
    ],
)
def test_a_column_stands_for_as_many_samples_as_the_time_needs(
    timespan: Timespan, interval: float, width: int, expected: int
) -> None:
    assert samples_per_column(timespan, interval, width) == expected


@pytest.mark.parametrize(
    ("samples", "width", "per_column", "expected"),
    [
        (0, 70, 1, 0.0),
        (1, 70, 1, 0.0),
        (31, 70, 1, 30.0),
        (501, 70, 1, 70.0),
        (500, 10, 10, 100.0),
        (501, 10, 10, 91.0),
    ],
)
def test_what_is_shown_is_what_is_known(samples: int, width: int, per_column: int, expected: float) -> None:
    assert covered(history(samples).view(), width, per_column) == expected


def test_the_caption_says_how_long_and_how_fine() -> None:
    assert text_of(caption(history(500).view(), 200, 1)) == "last 3m 20s  one column is 1s"
    assert text_of(caption(history(3000).view(), 90, 10)) == "last 15m 0s  one column is 10s"
    assert text_of(caption(history(500, 0.5).view(), 10, 1)) == "last 5s  one column is 0.5s"


def test_the_caption_of_a_young_history_is_short() -> None:
    assert text_of(caption(history(1).view(), 70, 1)) == "last 0s"
