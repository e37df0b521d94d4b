"""The server pane itself: which widgets it has, and what they are filled with."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from textual import on
from textual.containers import Horizontal
from textual.widget import Widget

from pymon_tui.model import units
from pymon_tui.model.metric import Metric
from pymon_tui.model.snapshot import Snapshot
from pymon_tui.model.text import SafeText, join, safe
from pymon_tui.readings.commands import COMMANDSTATS
from pymon_tui.readings.info import Info
from pymon_tui.readings.keyspace import KEYSPACE
from pymon_tui.readings.latency import LATENCY
from pymon_tui.readings.metrics import COMMANDS, NET_INPUT, NET_OUTPUT
from pymon_tui.readings.persistence import PERSISTENCE
from pymon_tui.readings.replication import REPLICATION, Replica
from pymon_tui.readings.server import SERVER
from pymon_tui.ui.panes.over_time import graph_rows
from pymon_tui.ui.panes.pane import Pane
from pymon_tui.ui.panes.peaks import PaneWithPeaks
from pymon_tui.ui.panes.server import lines, tables
from pymon_tui.ui.panes.server.facts import ESSENTIAL, groups, overview
from pymon_tui.ui.panes.server.lines import thin_rate
from pymon_tui.ui.panes.server.tables import CommandRow
from pymon_tui.ui.panes.server.told import Told, told
from pymon_tui.ui.since_text import now
from pymon_tui.ui.widgets.filter import FilterLine
from pymon_tui.ui.widgets.groups import arrange
from pymon_tui.ui.widgets.ink import Facts, Line, label, line_width, span, text_of
from pymon_tui.ui.widgets.plot import Plot
from pymon_tui.ui.widgets.scale import binary_up, round_up
from pymon_tui.ui.widgets.table import Listed, Table

_WIDE = 110
"""The cells from which on the full form has room for a third graph."""

_HIGH = 28
"""The lines from which on the full form has room for the facts' titles."""


class ServerPane(PaneWithPeaks, can_focus=True):
    """Who the server is, what it does, how fast, and whether its data is safe."""

    NAME = "server"
    TITLE = "Server"
    ABOUT = (
        "What the server does, how fast, and whether its data is safe. The latency of the whole server is that of all "
        "calls in the last seconds and minutes, without ours, to a bucket that doubles (LATENCY HISTOGRAM); that of a "
        "command is since the start or CONFIG RESETSTAT; busy and now are the last ten seconds."
    )
    QUERIES = (SERVER, COMMANDSTATS, LATENCY, PERSISTENCE, REPLICATION, KEYSPACE)

    DEFAULT_CSS = """
    ServerPane {
        & > #server-graphs { height: 1fr; min-height: 2; }
        &.-look { border-subtitle-color: $warning; }
        &.-act { border-subtitle-color: $error; }
        & > #server-replicas, & #server-input { display: none; }
        & Plot { margin-right: 2; &:last-child { margin-right: 0; } }
        &.-full {
            & > #server-facts { margin-bottom: 1; }
            & > #server-graphs { min-height: 3; }
            & > #server-commands { height: 2fr; }
            & > #server-replicas { height: 4; }
        }
        &.-full.-wide #server-input { display: block; }
        &.-full.-several > #server-replicas { display: block; }
        &.-full.-gap > #server-replicas { display: none; }
    }
    """

    def __init__(self) -> None:
        super().__init__()
        self._filter_line = FilterLine()
        self._told: tuple[Line, ...] = ()

    def body(self) -> Iterable[Widget]:
        """Facts, the graph of the rate, and the line that the full form's commands are filtered by."""
        yield Facts(id="server-facts")
        with Horizontal(id="server-graphs"):
            yield Plot("info", units.rate, round_up, id="server-rate")
        yield self._filter_line

    def details(self) -> Mapping[str, Sequence[Widget]]:
        """The network's graphs and the tables."""
        network = [Plot("bytes", thin_rate, binary_up, id=name) for name in ("server-input", "server-output")]
        commands = Table(tables.COMMANDS, sort="time", filter_line=self._filter_line, id="server-commands")
        replicas = Table(tables.REPLICAS, empty="no replica", id="server-replicas")
        return {"#server-rate": network, "#server-graphs": (commands,), "FilterLine": (replicas,)}

    def on_mount(self) -> None:
        """In the overview there is no table to be in."""
        self._let_focus()

    def watch_full(self, full: bool) -> None:  # noqa: FBT001
        """Lay out the other form, whose tables take the focus."""
        super().watch_full(full)
        self._let_focus()

    def draw(self, snapshot: Snapshot) -> None:
        """Fill what the form has."""
        known = told(snapshot)
        if known is None:
            return
        self.set_class(self.size.width >= _WIDE, "-wide")
        self._told = self._facts(known)
        self.query_one("#server-facts", Facts).show(self._told)
        ranged = self._plot("#server-rate", COMMANDS, known, "commands")
        if self.full:
            self._plot("#server-input", NET_INPUT, known, "network in")
            self._plot("#server-output", NET_OUTPUT, known, "network out")
            self._show_commands()
            self._show_replicas(known)
        self._say(known, ranged)

    def copied(self) -> SafeText | None:
        """The row under the cursor in one line; in the overview, what the pane says."""
        if not self.full:
            return join(" · ", [safe(" ".join(text_of(line).split())) for line in self._told]) or None
        found = self._row()
        return join(" · ", [found[0], *(safe(" ".join(text_of(line).split())) for line in found[1])]) if found else None

    def opening(self) -> Callable[[], Pane.Open | None] | None:
        """The command or replica under the cursor with all that is known of it."""
        rows = [table.cursor_row for table in self.query(Table)] if self.full else []
        return self._detailed_row if any(row is not None for row in rows) else None

    def _detailed_row(self) -> Pane.Open | None:
        found, copied = self._row(), self.copied()
        return None if found is None or copied is None else self.Open(found[0], found[1], copied)

    @on(Table.SortChanged, "#server-commands")
    def _sort(self, event: Table.SortChanged) -> None:
        event.stop()
        self._show_commands()

    @on(FilterLine.Changed)
    def _filter(self, event: FilterLine.Changed) -> None:
        event.stop()
        self._show_commands()
        self.draw_again()

    def _let_focus(self) -> None:
        # A table that isn't displayed would be focused all the same, and its keys would sort what nobody sees.
        self.can_focus = not self.full
        for table in self.query(Table):
            table.can_focus = self.full

    def _facts(self, known: Told) -> tuple[Line, ...]:
        width, height = self.size.width, self.size.height
        if self.full:
            # A low screen gives its lines to the tables first.
            several = known.replication is not None and known.replication.replicas
            room = height * 9 // 20 if height >= _HIGH else height * 2 // 5 - (2 if several else 0)
            return arrange(groups(known), width, room, rank_with_titles=ESSENTIAL)
        return overview(known, height - graph_rows(height), dated=self.says_peaks)

    def _plot(self, selector: str, metric: Metric[Info], known: Told, title: str) -> SafeText:
        """Returns what the edges of the graph are."""
        plot, snapshot, history = self.query_one(selector, Plot), known.snapshot, known.snapshot.history
        plot.titled = self.full
        scale = plot.show(metric.name, self.timeline(snapshot, plot.graph))
        ranged = self.ranged(scale, plot.graph)
        latest, peak = plot.unit(history.latest(metric.name)), plot.unit(history.peak(metric.name))
        line: Line = (label(f"{title} "), span(latest.ljust(8), "strong"))
        edges = span(f"  {ranged}", "faint")
        when = span(f" {units.clock(history.peaked(metric.name), now(history))}", "faint")
        # The range is always said; the peak, and when it was, where there is room.
        for piece in (label(" peak "), span(peak)), (when,):
            if line_width((*line, *piece, edges)) <= plot.size.width:
                line = (*line, *piece)
        plot.say((*line, edges))
        return ranged

    def _show_commands(self) -> None:
        known = told(self._drawn) if self._drawn is not None else None
        if known is None:
            return
        table: Table[CommandRow] = self.query_one("#server-commands", Table)
        text = self._filter_line.text
        rows: tuple[CommandRow, ...] = ()
        if known.commands is not None:
            rows = tables.command_rows(known.commands, table.sort, descending=table.descending, holding=text)
        table.say_when_empty("no command's name holds this" if text else "this server doesn't account for its commands")
        table.show(Listed(rows, lambda row: row.statistic.name))

    def _show_replicas(self, known: Told) -> None:
        replicas = known.replication.replicas if known.replication is not None else ()
        table: Table[Replica] = self.query_one("#server-replicas", Table)
        table.show(Listed(replicas, lambda replica: replica.address))
        self.set_class(len(replicas) > 0, "-several")

    def _row(self) -> tuple[SafeText, tuple[Line, ...]] | None:
        replicas = self.query_one("#server-replicas", Table)
        replica = replicas.cursor_row if replicas.has_focus else None
        if isinstance(replica, Replica):
            return replica.address, tables.replica_lines(replica)
        row = self.query_one("#server-commands", Table).cursor_row
        return (row.statistic.name, tables.command_lines(row)) if isinstance(row, CommandRow) else None

    def _say(self, known: Told, ranged: SafeText) -> None:
        text = self._filter_line.text
        title = f"{self.TITLE}  filter: {safe(text)}" if text and self.full else self.TITLE
        alarm = lines.alarm(known)
        self.set_class(alarm is not None and alarm.role == "warn", "-look")
        self.set_class(alarm is not None and alarm.role == "act", "-act")
        said = units.rate(known.rate) if alarm is None else alarm.text
        self.say(title, said, self.counted(known.snapshot.history, ranged))
