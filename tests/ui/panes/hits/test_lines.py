"""What is said of the server's hit rate, without a screen."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from pymon_tui.model.history import History
from pymon_tui.model.text import safe
from pymon_tui.readings.hits import Hits, Window
from pymon_tui.readings.metrics import HITS, METRICS, MISSES
from pymon_tui.ui.panes.hits.lines import beside, events, floor, glance, role, table
from pymon_tui.ui.widgets.ink import line_width, text_of
from tests.script import WALL
from tests.ui.panes.hits.made import OVERVIEW, SINCE_START, history

pytestmark = pytest.mark.usefixtures("utc")


def rates(*shares: float | None, reads: float = 100.0) -> list[Window]:
    """Windows with these hit rates, of so many reads a second."""
    return [
        Window(10.0, 10.0, None if share is None else share * reads, reads * (1 - (share or 0)), 0.0, 0.0)
        for share in shares
    ]


@pytest.fixture
def utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def test_the_overview_has_the_rate_over_three_times() -> None:
    lines = [text_of(line) for line in glance(SINCE_START, history(400).view(), 36)]
    assert lines == OVERVIEW


@pytest.mark.parametrize("width", [8, 20, 30, 36, 60, 120])
def test_no_line_of_the_overview_grows_with_the_numbers(width: int) -> None:
    small, large = (
        [line_width(line) for line in glance(hits, history(400).view(), width)]
        for hits in (SINCE_START, Hits(10**15, 10**15, 10**15, 1.0, 10**15, 10**9))
    )
    assert small == large


def test_with_more_room_it_has_more_facts() -> None:
    lines = [text_of(line) for line in glance(SINCE_START, history(400).view(), 60)]
    assert lines[1] == "hits       90/s   peak    90/s 00:00   total 968 000"
    assert len(lines) == 5


def test_the_table_has_a_column_for_each_time() -> None:
    lines = [text_of(line) for line in table(SINCE_START, history(70).view())]
    assert lines[0].split() == ["now", "10s", "1m", "5m", "15m", "peak", "since", "start"]
    assert lines[1].split() == ["hit", "rate", "90.0%", "90.0%", "90.0%", "–", "–", "96.8%"]
    assert lines[2].split() == ["hits", "90/s", "90/s", "90/s", "–", "–", "90/s", "968", "000"]
    assert {len(line) for line in lines} == {76}


@pytest.mark.usefixtures("utc")
def test_after_a_reset_it_is_said_since_when_the_totals_are() -> None:
    made = history(70)
    made.align(WALL)
    made.record(71.0, {HITS.name: 1.0, MISSES.name: 0.0}, {})
    for anew, said in ((False, ["since", "14:14"]), (True, ["since", "start"])):
        made.break_(anew=anew)  # another process has counted since its start, another connection changes nothing
        assert text_of(table(SINCE_START, made.view())[0]).split()[-2:] == said
        assert text_of(beside(SINCE_START, made.view())[0]).startswith(f"reads {' '.join(said)} ")


def test_before_anything_was_measured_all_is_unknown_but_the_totals() -> None:
    lines = [text_of(line).split() for line in table(SINCE_START, History(METRICS).view())]
    assert lines[1] == ["hit", "rate", "–", "–", "–", "–", "–", "96.8%"]


@pytest.mark.parametrize(
    ("windows", "expected"),
    [
        (rates(0.95, 0.95), "good"),
        (rates(0.4, 0.45), "strong"),  # low, and always so: no incident
        (rates(0.8, 0.95), "warn"),
        (rates(0.4, None, 0.95), "warn"),
        (rates(0.4, 0.95, reads=2.0), "strong"),
        (rates(None), "faint"),
        (rates(0.4), "strong"),
    ],
)
def test_a_fall_is_coloured_and_not_a_low_rate(windows: list[Window], expected: str) -> None:
    assert role(windows) == expected


@pytest.mark.parametrize(
    ("shares", "expected"),
    [([0.97, None, 0.93], 0.9), ([0.97, 0.9], 0.8), ([0.51], 0.5), ([0.3, 0.99], 0.0), ([None], 0.0), ([], 0.0)],
)
def test_the_scale_begins_below_all_that_is_drawn(shares: list[float | None], expected: float) -> None:
    assert floor(shares) == expected


@pytest.mark.usefixtures("utc")
def test_events_are_listed_the_newest_first() -> None:
    made = history(10, restart=5)
    made.align(WALL)
    made.note(safe("counters reset"), WALL + 60)
    assert [text_of(line) for line in events(made.view(), 5)] == ["14:14:20  counters reset", "14:13:25  restarted"]
    assert len(events(made.view(), 1)) == 1
    made.align(WALL + 86_400)
    assert text_of(events(made.view(), 1)[0]) == "21 Sep 14:14  counters reset"
