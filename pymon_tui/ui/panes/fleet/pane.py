"""The pane of a deployment's nodes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.widget import Widget

from pymon_tui.model.query import PENDING, Pending, Unavailable
from pymon_tui.model.snapshot import Snapshot
from pymon_tui.model.text import SafeText, safe
from pymon_tui.readings.keyspace import KEYSPACE
from pymon_tui.readings.memory import MEMORY
from pymon_tui.readings.replication import REPLICATION
from pymon_tui.ui.panes.fleet.columns import NAMES, columns_of, copied_line, ordered, summary, timeline
from pymon_tui.ui.panes.fleet.standing import Standing, standings, together
from pymon_tui.ui.panes.pane import Pane
from pymon_tui.ui.widgets.ink import BLANK, Facts, label, wrapped
from pymon_tui.ui.widgets.table import Column, Listed, Table

_NOTHING_YET = (label("nothing has changed since this monitor began to look"),)
_OWN_ORDER = "node"


class FleetPane(Pane):
    """Every node of the deployment: its role, its part of the data, its load, and how far it is behind."""

    NAME = "fleet"
    TITLE = "Fleet"
    ABOUT = (
        "Every primary and replica: role, slots, load, memory, lag and link, what is skewed or in trouble marked, with "
        "sums on top and what changed below. Enter shows the node under the cursor in all panes, 0 all nodes together."
    )
    QUERIES = (REPLICATION, KEYSPACE, MEMORY)
    IN_OVERVIEW = False

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "look", "Look at node", id="fleet.look", tooltip="Show this node in all panes"),
    ]

    DEFAULT_CSS = """
    FleetPane > #together { margin: 0 0 1 0; }
    FleetPane > Table { height: 2fr; }
    FleetPane > #changes { height: 1fr; margin: 1 0 0 0; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._rows: tuple[Standing, ...] = ()
        self._columns: tuple[Column[Standing], ...] = ()
        self._table: Table[Standing] = Table((), sort=_OWN_ORDER, descending=False)

    def body(self) -> Iterable[Widget]:
        """The sums, the nodes, and what happened to them."""
        yield Facts(id="together")
        yield self._table
        yield Facts(id="changes")

    def gap(self, snapshot: Snapshot) -> Pending | Unavailable | None:
        """It is known who is in the fleet as soon as anything is."""
        return PENDING if snapshot.fleet is None else None

    def draw(self, snapshot: Snapshot) -> None:
        """Fill the table and the lines around it."""
        fleet = snapshot.fleet
        if fleet is None:
            return
        self._rows = standings(fleet)
        self._table.columns = tuple(columns_of(fleet, self.size.width))
        self._arrange()
        lines = summary(fleet, together(fleet, self._rows))
        self.query_one("#together", Facts).show([row for line in lines for row in wrapped(line, self.size.width)])
        room = max(1, self.size.height // 3 - 1)
        self.query_one("#changes", Facts).show(timeline(fleet, room, snapshot.wall) or (_NOTHING_YET, BLANK))
        away = sum(not row.live for row in self._rows)
        nodes = f" · {len(self._rows)} nodes" if len(self._rows) > 1 else ""
        self.say(self.TITLE, f"{NAMES[fleet.kind]}{nodes}" + (f" · {away} away" if away else ""))

    def copied(self) -> SafeText | None:
        """The node under the cursor in one line."""
        row = self._table.cursor_row
        return safe(copied_line(row)) if row is not None else None

    def can(self, action: str) -> bool | None:
        """A node is needed to be looked at."""
        return action != "look" or self._table.cursor_row is not None

    def action_look(self) -> None:
        """Show the node under the cursor in all panes."""
        if (row := self._table.cursor_row) is not None:
            self.post_message(self.Choose(row.place))

    @on(Table.Opened)
    def _look(self, event: Table.Opened) -> None:
        event.stop()
        self.action_look()

    @on(Table.SortChanged)
    def _arrange(self) -> None:
        rows = ordered(self._rows, self._table.sort, descending=self._table.descending)
        self._table.show(Listed(rows, lambda row: row.name))
