"""The hit rate pane itself: which widgets it has, and how they are filled."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from textual.containers import Horizontal, Vertical
from textual.widget import Widget

from pymon_tui.application.statistics import APPLICATION_DAYS, APPLICATION_TODAY
from pymon_tui.model import units
from pymon_tui.model.query import Ready
from pymon_tui.model.snapshot import Snapshot
from pymon_tui.model.text import SafeText, join, safe
from pymon_tui.readings.hits import HIT_RATE, LONG, MIDDLE, SHORT, Hits, hit_rates, windows
from pymon_tui.readings.metrics import HITS, MISSES
from pymon_tui.ui.panes.hits.application import (
    Statistics,
    bars,
    days_line,
    missing,
    names,
    room_of,
    scale,
    statistics,
    today_lines,
)
from pymon_tui.ui.panes.hits.lines import beside, events, floor, glance, peak_of, role, side_by_side, table, took
from pymon_tui.ui.panes.over_time import graph_rows
from pymon_tui.ui.panes.peaks import PaneWithPeaks
from pymon_tui.ui.since_text import since
from pymon_tui.ui.widgets.bars import Bars
from pymon_tui.ui.widgets.graph import Graph
from pymon_tui.ui.widgets.ink import BLANK, Facts, Line, label, span, text_of
from pymon_tui.ui.widgets.scale import rates, shares

_BESIDE = 108
"""Cells from which on there is room beside the full form's table."""

_HIGH, _HIGHER = 26, 31
"""Rows from which on there is room for a blank one; and for all graphs above the application's part."""


class HitsPane(PaneWithPeaks, can_focus=True):
    """How many reads found their key, and what became of keys."""

    NAME = "hits"
    TITLE = "Hit rate"
    ABOUT = (
        "The share of reads that found their key, lately and since the start (or CONFIG RESETSTAT), and keys that "
        "expired or were evicted. The graph has a faint dot where nothing was read, and where nothing is known because "
        "the server restarted or couldn't be asked. In full also what the application counts itself: today by "
        "namespace, and a bar for each of the last days, amber where it fell clearly under their mean."
    )
    QUERIES = (HIT_RATE,)
    DETAIL_QUERIES = (APPLICATION_TODAY, APPLICATION_DAYS)

    DEFAULT_CSS = """
    HitsPane {
        & > #shares { height: 2fr; }
        & > #application {
            margin-top: 1;
            & > #today { width: 1fr; }
            & > #chart { padding-left: 3; }
        }
        &.-full > #application, &.-full.-counted > #uncounted { display: none; }
        &.-full.-counted > #application { display: block; }
        &.-full.-counted.-tight > .spacious { display: none; }
        &.-tight > #application { margin-top: 0; }
    }
    """

    def __init__(self) -> None:
        super().__init__()
        self._bars = Bars(id="days")
        self._told: tuple[Line, ...] = ()

    def body(self) -> Iterable[Widget]:
        """Facts and the graph of the hit rate."""
        yield Facts(id="facts")
        yield Graph("good", id="shares")

    def details(self) -> Mapping[str, Sequence[Widget]]:
        """What the graph shows, those of hits and misses, and what happened to the server."""
        return {
            "#facts": (Facts(id="shares-caption"),),
            "#shares": (
                Facts(id="hits-caption", classes="spacious"),
                Graph("info", id="hits", classes="spacious"),
                Facts(id="misses-caption", classes="spacious"),
                Graph("info", id="misses", classes="spacious"),
                Facts(id="events"),
                Facts(id="uncounted"),
                Horizontal(
                    Facts(id="today"), Vertical(Facts(id="days-line"), self._bars, id="chart"), id="application"
                ),
            ),
        }

    def draw(self, snapshot: Snapshot) -> None:
        """Fill the facts and the graphs."""
        reading = snapshot.reading(HIT_RATE)
        if not isinstance(reading, Ready):
            return
        hits, history = reading.value, snapshot.history
        said = f"{since(history)} {units.percent(hits.hit_rate)}"
        if self.full:
            counted = statistics(snapshot)
            self._draw_table(hits, snapshot)
            self._draw_application(snapshot, counted)
            said += f"  up {units.duration(hits.uptime_in_seconds)}"
            if counted is not None:
                said = f"application today {units.percent(counted.today.total.share)}  server {said}"
        else:
            width, height = self.size
            self._told = (*took(snapshot), *glance(hits, history, width))[: max(1, height - graph_rows(height))]
            self.query_one("#facts", Facts).show(self._told)
        ranged = self._draw_graphs(snapshot)
        self.say(self.TITLE, said, self.counted(snapshot.history, ranged))

    def can(self, action: str) -> bool | None:
        """A narrow overview has no peaks."""
        return self.says_peaks if action == "reset_peaks" else super().can(action)

    def copied(self) -> SafeText | None:
        """What the pane says, as one line."""
        return join(" · ", [safe(" ".join(text_of(line).split())) for line in self._told]) if self._told else None

    def watch_glyphs(self) -> None:
        """Draw the bars with these as well."""
        super().watch_glyphs()
        self._bars.glyphs = self.glyphs

    def _draw_application(self, snapshot: Snapshot, counted: Statistics | None) -> None:
        """Today by namespace and the days' bars, or why there is none."""
        width, height = self.size
        self.set_class(counted is not None, "-counted")
        self.set_class(height < _HIGHER, "-tight")
        if counted is None:
            self.query_one("#uncounted", Facts).show(missing(snapshot.reading(APPLICATION_TODAY)))
            return
        room = room_of(width, height)
        self.query_one("#application").styles.height = room.rows
        self.query_one("#chart").styles.width = room.chart
        lines = today_lines(counted.today, room.table, room.rows)
        self.query_one("#today", Facts).show(lines)
        self._told = (*self._told, *lines[1:])
        low = floor(counted.shares)
        self.query_one("#days-line", Facts).show((days_line(counted),))
        self._bars.show(bars(counted, low), names(counted), scale(low))

    def _draw_table(self, hits: Hits, snapshot: Snapshot) -> None:
        """The table, and what happened to the server: beside the table, or under the graphs."""
        (width, height), history = self.size, snapshot.history
        lines, apart = table(hits, history), width < _BESIDE
        if not apart:
            room = len(lines) - len(beside(hits, history))
            lines = side_by_side(lines, (*beside(hits, history), *events(history, room)))
        self._told = lines = (*lines, *took(snapshot))
        self.query_one("#facts", Facts).show((*lines, BLANK) if height >= _HIGH else lines)
        # At 24 rows the graphs need the room more than what is long past.
        self.query_one("#events", Facts).show(events(history, max(1, height // 8)) if apart else ())

    def _draw_graphs(self, snapshot: Snapshot) -> SafeText:
        """Returns what the edges of the graph of the hit rate are."""
        graph = self.query_one("#shares", Graph)
        time = self.timeline(snapshot, graph)
        marks, ticks = time.marks(), time.ticks()
        came, missed = (time.columns(metric.name) for metric in (HITS, MISSES))
        found = hit_rates(came, missed)
        scale = shares(found)
        graph.tone = "warn" if role(windows(snapshot.history, (SHORT, MIDDLE, LONG))) == "warn" else "good"
        graph.show(found, scale, marks=marks, ticks=ticks)
        ranged = self.ranged(scale, graph)
        if self.full:
            line = (
                label("hit rate"),
                span(f"   {ranged}", "faint"),
                self.legend(found, graph, "nothing was read, or known"),
            )
            self.query_one("#shares-caption", Facts).show((line,))
            for name, metric, columns in (("hits", HITS, came), ("misses", MISSES, missed)):
                graph = self.query_one(f"#{name}", Graph)
                of = rates(columns, units.rate, graph.rows)
                graph.show(columns, of, marks=marks, ticks=ticks)
                peak = (label("   peak "), *peak_of(snapshot.history, metric))
                said = (label(f"{name} per second"), span(f"   {self.ranged(of, graph)}", "faint"), *peak)
                self.query_one(f"#{name}-caption", Facts).show((said,))
        return ranged
