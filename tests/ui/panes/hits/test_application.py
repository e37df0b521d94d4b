"""What is said of the application's hit rate, without a screen."""

from __future__ import annotations

import pytest

from pymon_tui.application.statistics import APPLICATION_DAYS, APPLICATION_TODAY, DAYS
from pymon_tui.model.query import PENDING, Reading
from pymon_tui.services.days import Day, Days, HitRate
from pymon_tui.ui.panes.hits.application import (
    Statistics,
    bars,
    days_line,
    names,
    room_of,
    scale,
    statistics,
    today_lines,
)
from pymon_tui.ui.widgets.ink import line_width, text_of
from tests.script import ready, snapshot
from tests.ui.panes.hits.made import PAST, TODAY, day


def known(today: Reading[Day], past: Reading[Days]) -> Statistics | None:
    return statistics(snapshot({APPLICATION_TODAY: today, APPLICATION_DAYS: past}))


def of(*days: Day) -> Statistics:
    found = known(ready(TODAY), ready(Days(days)))
    assert found is not None
    return found


def test_the_days_end_with_today() -> None:
    found = of(*PAST.days)
    assert len(found.days.days) == DAYS
    assert found.days.days[-1] is TODAY
    assert found.shares[-9:] == [0.7, None, None, *[0.95] * 5, 0.9]


def test_without_look_ups_nothing_is_known() -> None:
    empty = ready(Day(TODAY.day, ()))
    assert known(PENDING, ready(PAST)) is None
    assert known(empty, ready(Days(()))) is None
    found = known(empty, ready(Days((day(3, 1, 1),))))
    assert found is not None
    assert found.mean == 0.5
    assert known(ready(TODAY), PENDING) == known(ready(TODAY), ready(Days(())))


def test_namespaces_stand_in_the_order_of_their_look_ups() -> None:
    lines = [text_of(line) for line in today_lines(TODAY, 38, 8)]
    assert lines == [
        "application today   hits misses   rate",
        "all                  900    100  90.0%",
        "monitoring:result    800     50  94.1%",
        "report               100     50  66.7%",
    ]


def test_what_there_is_no_room_for_is_added_up() -> None:
    many = Day(TODAY.day, tuple((f"n{number}", HitRate(10 - number, number)) for number in range(10)))
    lines = [text_of(line).split() for line in today_lines(many, 60, 8)]
    assert len(lines) == 8
    assert [line[0] for line in lines[2:-1]] == ["n0", "n1", "n2", "n3", "n4"]
    assert lines[-1] == ["and", "5", "more", "15", "35", "30.0%"]
    assert len(today_lines(many, 60, 12)) == 12


@pytest.mark.parametrize("width", [38, 48, 68])
def test_no_line_is_wider_than_its_room(width: int) -> None:
    wide = Day(TODAY.day, (("알림" * 60, HitRate(10**18, 10**18)), ("\x1b[2J", HitRate(1, 0)), ("", HitRate(0, 0))))
    lines = today_lines(wide, width, 8)
    assert {line_width(line) for line in lines} == {width}
    assert all(text_of(line).isprintable() for line in lines)


def test_a_day_that_fell_clearly_under_the_mean_is_amber() -> None:
    found = of(*PAST.days)
    drawn = bars(found, 0.5)
    assert [bar and bar.role for bar in drawn[-9:]] == ["warn", None, None, *["bar"] * 5, "accent"]
    assert [bar and round(bar.share, 3) for bar in drawn[-9:]] == [0.4, None, None, *[0.9] * 5, 0.8]
    assert drawn[:-9] == (None,) * 21
    line = days_line(found)
    assert text_of(line) == "30 days  mean 90.7%  14 Nov 70.0%"
    assert line[-1].role == "warn"


def test_a_fall_of_a_few_look_ups_is_chance() -> None:
    found = of(day(1, 10, 10), TODAY)
    assert [bar and bar.role for bar in bars(found, 0.0)[-2:]] == ["bar", "accent"]
    assert text_of(days_line(found)) == "30 days  mean 89.2%"


def test_each_week_has_its_date() -> None:
    assert {place: name.text for place, name in names(of()).items()} == {
        29: "22 Nov", 22: "15 Nov", 15: "8 Nov", 8: "1 Nov", 1: "25 Oct"
    }  # fmt: skip
    assert scale(0.8) == ("80%", "100%")


@pytest.mark.parametrize(
    ("width", "height", "room"),
    [
        (76, 20, (8, 38, 38)),
        (116, 32, (9, 48, 68)),
        (196, 46, (13, 68, 128)),
        (75, 20, (8, 75, 0)),
        (20, 5, (8, 20, 0)),
    ],
)
def test_more_room_has_wider_bars_and_more_namespaces(width: int, height: int, room: tuple[int, int, int]) -> None:
    assert room_of(width, height) == room
