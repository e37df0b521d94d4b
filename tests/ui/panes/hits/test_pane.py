"""The hit rate pane: its graphs, its keys, and what it has room for."""

from __future__ import annotations

from typing import Any

import pytest

from pymon_tui.application.statistics import APPLICATION_DAYS, APPLICATION_TODAY
from pymon_tui.model.history import History
from pymon_tui.model.query import PENDING, Query, Reading, Reason, Unavailable
from pymon_tui.model.snapshot import Snapshot
from pymon_tui.model.text import safe
from pymon_tui.readings.hits import HIT_RATE, Hits
from pymon_tui.readings.metrics import HITS, MISSES
from pymon_tui.services.days import Day, Days
from pymon_tui.ui.panes.hits import HitsPane
from pymon_tui.ui.widgets.bars import Bars
from pymon_tui.ui.widgets.graph import Graph
from pymon_tui.ui.widgets.timespan import TIMESPANS
from tests.script import WALL, ready, snapshot
from tests.ui.panes.alone import alone
from tests.ui.panes.hits.made import OVERVIEW, PAST, SINCE_START, TODAY, history

pytestmark = pytest.mark.usefixtures("utc")


def shown(of: History | None = None, reading: Reading[Hits] | None = None, today: Reading[Day] = PENDING) -> Snapshot:
    readings: dict[Query[Any], Reading[Any]] = {
        HIT_RATE: ready(SINCE_START) if reading is None else reading,
        APPLICATION_TODAY: today,
        APPLICATION_DAYS: ready(PAST),
    }
    return snapshot(readings, history=of or history(400))


def drawn(graph: Graph) -> list[float | None]:
    return list(graph._columns)


async def test_a_restart_is_a_hole_and_no_spike() -> None:
    async with alone(HitsPane(), 40, 7) as stage:
        await stage.show(shown(history(400, restart=380)), full=False)
        columns = drawn(stage.pane.query_one("#shares", Graph))
        assert [value for value in columns if value is not None] == pytest.approx([0.9] * 36)
        await stage.press("w")
        whole = stage.pane.snapshot.history.columns(HITS.name, 40, 1) if stage.pane.snapshot else ()
        assert whole == (*[90.0] * 19, None, *[90.0] * 20)
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
        assert stage.said("#shares-caption") == ["hit rate   90–100 % · 5m"]
        await stage.press("w")
        assert stage.said("#shares-caption") == ["hit rate   90–100 % · 15m   · nothing was read, or known"]
        assert stage.said("#hits-caption") == ["hits per second   0–140/s · 15m   peak 90/s 00:00"]
        await stage.press("w", "w")
        assert stage.said("#shares-caption") == ["hit rate   90–100 % · 5m"]


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
        assert stage.edge == "since start 96.8%  up 2h 0m   peaks since 00:00"


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
        (mark,) = graph._marks
        fallen = next(place for place, share in enumerate(graph._columns) if share is not None and share < 0.89)
        assert (graph._marks[mark], fallen - mark) == ("removing user:*", 1)  # it began where a column ends
        assert "removing user:*" in " ".join(pane.said("#events"))


async def test_in_full_the_application_s_rate_stands_beside_the_server_s() -> None:
    async with alone(HitsPane(), 80, 22) as stage:
        await stage.show(shown(history(400, restart=390), today=ready(TODAY)), full=True)
        for size in ((80, 22), (100, 28), (120, 34), (200, 48)):
            await stage.resize(*size)
            above = stage.pane.query_one("#application").styles.margin.top
            assert stage.rows_taken + above == stage.pane.size.height
            assert stage.cut() == []
            assert all(graph.size.height >= 2 for graph in stage.pane.query(Graph) if graph.display)
            said = stage.said("#today")
            assert said[0].split() == ["application", "today", "hits", "misses", "rate"]
            assert said[1].split()[-1] == "90.0%"
            assert stage.pane.query_one(Bars).size.width >= 35
        assert stage.edge == ("application today 90.0%  server since start 96.8%  up 2h 0m   peaks since 00:00")
        assert "report" in (stage.pane.copied() or "")


@pytest.mark.parametrize(
    ("today", "said"),
    [
        (PENDING, []),
        (ready(Day(TODAY.day, ())), ["no statistics of an application here (cache:stats:*)"]),
        (
            Unavailable(Reason.DENIED, safe("NOPERM"), safe("ACL SETUSER me +hgetall")),
            ["application's statistics not available: denied; ACL SETUSER me +hgetall"],
        ),
    ],
)
async def test_without_statistics_there_is_no_empty_chart(today: Reading[Day], said: list[str]) -> None:
    async with alone(HitsPane(), 80, 22) as stage:
        readings: dict[Query[Any], Reading[Any]] = {
            HIT_RATE: ready(SINCE_START),
            APPLICATION_TODAY: today,
            APPLICATION_DAYS: ready(Days(())),
        }
        without = snapshot(readings)
        await stage.show(without, full=True)
        assert stage.said("#uncounted") == said
        assert not stage.pane.query_one("#application").display
        assert all(graph.display for graph in stage.pane.query(Graph))
        assert stage.edge == "since start 96.8%  up 2h 0m"


async def test_the_overview_asks_for_no_statistics_and_has_none() -> None:
    assert set(HitsPane.QUERIES) == {HIT_RATE}
    async with alone(HitsPane(), 80, 22) as stage:
        await stage.show(shown(today=ready(TODAY)), full=True)
        await stage.show(shown(today=ready(TODAY)), full=False)
        assert not stage.pane.query_one("#application").display
        assert stage.edge == "since start 96.8%   peaks since 00:00   90–100 % · 5m"


async def test_the_bars_are_made_of_what_graphs_are_made_of() -> None:
    async with alone(HitsPane(), 80, 22) as stage:
        stage.pane.glyphs = "ascii"
        await stage.show(shown(today=ready(TODAY)), full=True)
        chart = stage.pane.query_one(Bars)
        assert chart.render_line(chart.size.height - 2).text.strip("50% ").isascii()


@pytest.mark.parametrize(("width", "edge"), [(40, ""), (58, "peaks since 00:00   ")])
async def test_peaks_are_reset_where_they_are_said(width: int, edge: str) -> None:
    async with alone(HitsPane(), width, 12) as stage:
        await stage.show(shown(), full=False)
        assert stage.edge == f"since start 96.8%   {edge}90–100 % · 5m"
        assert stage.pane.check_action("reset_peaks", ()) is bool(edge)
