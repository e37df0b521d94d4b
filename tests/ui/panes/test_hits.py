"""The hit rate pane: its lines, its graphs and its keys."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from pymon_tui.model.history import History
from pymon_tui.model.query import PENDING, Reading, Reason, Unavailable
from pymon_tui.model.snapshot import Snapshot
from pymon_tui.model.text import safe
from pymon_tui.readings.hits import HIT_RATE, Hits, Window
from pymon_tui.readings.metrics import EVICTED, EXPIRED, HITS, METRICS, MISSES
from pymon_tui.ui.panes.hits import HitsPane, events, floor, glance, role, table
from pymon_tui.ui.widgets.graph import Graph
from pymon_tui.ui.widgets.ink import line_width, text_of
from pymon_tui.ui.widgets.timespan import TIMESPANS
from tests.script import WALL, ready, snapshot
from tests.ui.panes.alone import alone

SINCE_START = Hits(
    keyspace_hits=968_000,
    keyspace_misses=32_000,
    expired_keys=7,
    expired_stale_perc=0.5,
    evicted_keys=3,
    uptime_in_seconds=7_200,
)

OVERVIEW = ["90.0% 10s  90.0% 1m   90.0% 5m ", "hits       90/s  misses     10/s", "expired     4/s  evicted     2/s"]


def history(seconds: int, restart: int | None = None) -> History:
    """Ninety hits and ten misses each second; at the second ``restart`` the counters begin anew."""
    made = History(METRICS)
    for at in range(seconds + 1):
        n = at if restart is None or at < restart else at - restart
        values = {HITS.name: 90.0 * n, MISSES.name: 10.0 * n, EXPIRED.name: 4.0 * n, EVICTED.name: 2.0 * n}
        if made.record(float(at), values, {}):
            made.note(safe("restarted"), WALL + at)
    return made


def shown(of: History | None = None, reading: Reading[Hits] | None = None) -> Snapshot:
    return snapshot({HIT_RATE: ready(SINCE_START) if reading is None else reading}, history=of or history(400))


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
    assert lines[1] == "hits       90/s   peak    90/s   total 968 000"
    assert len(lines) == 5


def test_the_table_has_a_column_for_each_time() -> None:
    lines = [text_of(line) for line in table(SINCE_START, history(70).view())]
    assert lines[0].split() == ["now", "10s", "1m", "5m", "15m", "peak", "since", "start"]
    assert lines[1].split() == ["hit", "rate", "90.0%", "90.0%", "90.0%", "–", "–", "96.8%"]
    assert lines[2].split() == ["hits", "90/s", "90/s", "90/s", "–", "–", "90/s", "968", "000"]
    assert {len(line) for line in lines} == {76}


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
    made.note(safe("counters reset"), WALL + 60)
    assert [text_of(line) for line in events(made.view(), 5)] == ["14:14:20  counters reset", "14:13:25  restarted"]
    assert len(events(made.view(), 1)) == 1


def drawn(graph: Graph) -> list[float | None]:
    return list(graph._columns)


async def test_a_restart_is_a_hole_and_no_spike() -> None:
    async with alone(HitsPane(), 40, 7) as stage:
        await stage.show(shown(history(400, restart=380)), full=False)
        columns = drawn(stage.pane.query_one("#shares", Graph))
        hole = columns.index(None)
        assert len(columns) - hole == 21
        assert columns[:hole] + columns[hole + 1 :] == [0.9] * 35
        assert stage.said("#facts") == [
            "90.0% 10s  90.0% 1m   90.0% 5m",
            "hits       90/s  misses     10/s",
            OVERVIEW[2],
        ]
        assert stage.pane.query_one("#shares").size.height == 2


async def test_the_overview_gives_up_lines_and_not_its_graph() -> None:
    async with alone(HitsPane(), 40, 5) as stage:
        await stage.show(shown(), full=False)
        assert len(stage.said("#facts")) == 1
        assert stage.pane.query_one("#shares").size.height == 2


async def test_in_full_the_time_shown_is_chosen_and_said() -> None:
    async with alone(HitsPane(), 80, 22) as stage:
        await stage.show(shown(history(400, restart=390)), full=True)
        assert stage.said("#caption") == ["last 1m 7s  one column is 1s"]
        await stage.press("w")
        assert stage.said("#caption") == ["last 6m 40s  one column is 14s"]
        await stage.press("w", "w")
        assert stage.said("#caption") == ["last 1m 7s  one column is 1s"]


async def test_the_overview_has_no_time_to_choose() -> None:
    async with alone(HitsPane(), 40, 7) as stage:
        await stage.show(shown(), full=False)
        await stage.press("w")
        assert stage.pane.timespan is TIMESPANS[0]


async def test_in_full_all_is_seen_at_every_size() -> None:
    async with alone(HitsPane(), 80, 22) as stage:
        await stage.show(shown(history(400, restart=390)), full=True)
        for size in ((80, 22), (120, 34), (200, 48)):
            await stage.resize(*size)
            assert stage.rows_taken == stage.pane.size.height
            assert stage.cut() == []
            assert all(graph.size.height >= 2 for graph in stage.pane.query(Graph))
            assert "\n".join(stage.said("#facts") + stage.said("#events")).count("restarted") == 1
        assert str(stage.pane.border_subtitle) == "since start 96.8%  up 2h 0m"


async def test_its_facts_are_copied_as_one_line() -> None:
    async with alone(HitsPane(), 40, 7) as stage:
        assert stage.pane.copied() is None
        await stage.show(shown(), full=False)
        copied = stage.pane.copied()
        assert copied is not None
        assert copied.startswith("90.0% 10s 90.0% 1m 90.0% 5m · hits 90/s misses 10/s")


@pytest.mark.parametrize(
    ("reading", "expected"),
    [
        (PENDING, "waiting for an answer"),
        (Unavailable(Reason.UNREADABLE, safe("INFO has no keyspace_hits"), safe("")), "not available: unreadable"),
    ],
)
async def test_a_gap_hides_every_widget_also_in_full(reading: Reading[Hits], expected: str) -> None:
    async with alone(HitsPane(), 80, 22) as stage:
        await stage.show(shown(reading=reading), full=True)
        assert [widget.has_class("gap") for widget in stage.pane.children if widget.display] == [True]
        assert stage.said(".gap")[0] == expected


def with_a_run(ago: float) -> Snapshot:
    made = history(400)
    made.note(safe("removing user:*"), WALL + 100 - ago, run="20261122-120411-7c3f")
    for second in range(1, 11):
        values = {HITS.name: 36_000.0 + 40 * second, MISSES.name: 4_000.0 + 60 * second}
        made.record(400.0 + second, values, {})
    return shown(made)


@pytest.mark.parametrize("full", [True, False])
async def test_for_some_minutes_after_a_run_a_line_says_how_it_was_taken(*, full: bool) -> None:
    async with alone(HitsPane(), 100, 24) as pane:
        await pane.show(with_a_run(ago=10), full=full)
        line = next(line for line in pane.said("#facts") if line.startswith("misses") and "was" in line)
        assert line.startswith("misses 60/s (was 10/s)  rewarmed 0%")
        await pane.show(with_a_run(ago=3_600), full=full)
        assert not any("was" in line for line in pane.said("#facts"))


async def test_the_graph_is_marked_where_a_run_began() -> None:
    async with alone(HitsPane(), 100, 24) as pane:
        await pane.show(with_a_run(ago=10), full=True)
        graph = pane.pane.query_one("#shares", Graph)
        columns = graph.columns_wanted
        assert graph._marks == {columns - 11}
        assert "removing user:*" in " ".join(pane.said("#events"))
