"""The pane of clients."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any, ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.widget import Widget

from pymon_tui.invalidation.pattern import Pattern
from pymon_tui.invalidation.suggestion import suggested
from pymon_tui.model import units
from pymon_tui.model.query import Ready
from pymon_tui.model.snapshot import Snapshot
from pymon_tui.model.text import SafeText, safe
from pymon_tui.readings.clients import CLIENTS, ClientTable, Group, Grouping, Rates, group, labels, node_field
from pymon_tui.readings.slowlog import SLOWLOG
from pymon_tui.ui.panes.clients.columns import TITLES, columns_of, group_columns, group_name
from pymon_tui.ui.panes.clients.detail import detail
from pymon_tui.ui.panes.clients.kill import kill
from pymon_tui.ui.panes.clients.rows import ClientRows, Row, ordered, ordered_groups
from pymon_tui.ui.panes.pane import Pane
from pymon_tui.ui.widgets.filter import FilterLine
from pymon_tui.ui.widgets.table import Column, Listed, Table

_GROUPINGS = (None, *Grouping)
_HEADER_FROM = 7
"""Rows of the frame's inside from which the columns' titles are worth one of them."""

_STALE_SECONDS = 10.0
"""A list older than this, and than three periods, was not the last one: nobody looked in between."""

_ROW_LIMIT = 4096
_EMPTY = ClientTable(())


class ClientsPane(Pane):
    """Who is connected, what each of them does, and which one makes the server wait."""

    NAME = "clients"
    TITLE = "Clients"
    ABOUT = (
        "Who is connected and what they do: sorted by any column, filtered by a text, added up by name, user, "
        "address or library. Our own connections are left out."
    )
    QUERIES = (CLIENTS,)

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("x", "kill", "Kill", id="clients.kill", tooltip="Close the client's connection (CLIENT KILL ID)"),
        Binding("escape", "groups", "Groups", id="clients.groups", tooltip="Back to the groups"),
    ]

    def __init__(self) -> None:
        self._by: Grouping | None = None
        self._within: Group | None = None
        self._orders: dict[bool, tuple[str, bool]] = {False: ("output buffer", True), True: ("commands", True)}
        self._newest: Ready[ClientTable] | None = None
        self._rates = Rates(_EMPTY, None, 0.0)
        self._earlier: Ready[ClientTable] | None = None
        self._own_ids: frozenset[int] = frozenset()
        self._left_out: frozenset[str] = frozenset()  # nodes of whose clients ours are left out
        self._everybody = self._shown = 0
        self._arranged: tuple[object, ...] = ()
        self._filter_line = FilterLine()
        self._table: Table[Any] = Table(
            columns_of(_EMPTY, 0), sort="output buffer", follows=True, filter_line=self._filter_line, groups=True
        )
        super().__init__()

    def body(self) -> Iterable[Widget]:
        """A table and the line that it is filtered by."""
        yield self._table
        yield self._filter_line

    def draw(self, snapshot: Snapshot) -> None:
        """Fill the table, if there is another list than before."""
        reading = snapshot.reading(CLIENTS)
        if not isinstance(reading, Ready):
            return
        self._table.headed = self.full or self.size.height >= _HEADER_FROM
        drawn = (reading, snapshot.own_ids, self.size)
        if drawn != self._arranged:
            self._arranged = drawn
            self._take(reading, snapshot)
            self._arrange()
        self._say()

    def can(self, action: str) -> bool | None:
        """A client is needed to be killed; read-only, nobody is. Escape is the screen's outside of a group."""
        if action == "kill":
            if self.read_only:
                return False
            return True if self._selected_victim() is not None else None
        if action == "groups":
            return self._within is not None
        return True

    def action_kill(self) -> None:
        """Ask whether the client under the cursor is to be killed."""
        row = self._selected_victim()
        if row is not None:
            self.post_message(self.Act(kill(row.client)))

    def action_groups(self) -> None:
        """Back from a group's clients to the groups."""
        left, self._within = self._within, None
        self._lay_columns()
        if left is not None:
            self._table.point_at((left.label,))

    def suggestion(self) -> Pattern | None:
        """The keys of the newest slow command that is known of the client: CLIENT LIST itself tells no key."""
        selected = self._table.cursor_row
        if not isinstance(selected, Row) or self.snapshot is None:
            return None
        log, client = self.snapshot.reading(SLOWLOG), selected.client
        entries = log.value.entries if isinstance(log, Ready) else ()
        of_client = [entry for entry in entries if client.addr is not None and entry.client_address == client.addr]
        of_name = [entry for entry in entries if client.name is not None and entry.client_name == client.name]
        found = (suggested(entry.arguments, like=True) for entry in (*of_client, *of_name))
        return next((pattern for pattern in found if pattern is not None), None)

    def copied(self) -> SafeText | None:
        """The client as CLIENT LIST tells it, or the group's name."""
        selected = self._table.cursor_row
        if isinstance(selected, Group):
            return selected.label
        rows = self._table.rows
        return safe(rows.raw(self._table.cursor), _ROW_LIMIT) if isinstance(rows, ClientRows) and len(rows) else None

    def opening(self) -> Callable[[], Pane.Open | None] | None:
        """Each field of the client under the cursor; a group is gone into: its clients are shown."""
        selected = self._table.cursor_row
        if isinstance(selected, Group):
            return partial(self._enter, selected)
        return partial(self._detailed_client, selected) if isinstance(selected, Row) else None

    def _enter(self, group: Group) -> None:
        self._within = group
        self._lay_columns()

    def _detailed_client(self, row: Row) -> Pane.Open:
        client = row.client
        return self.Open(safe(f"Client {client.id}  {client.label}"), detail(row), self.copied() or safe(""))

    @property
    def _shows_groups(self) -> bool:
        return self._by is not None and self._within is None

    @property
    def _list(self) -> ClientTable:
        return self._newest.value if self._newest is not None else _EMPTY

    def _selected_victim(self) -> Row | None:
        """The client under the cursor, unless it may be the one that asks."""
        row = self._table.cursor_row
        if not isinstance(row, Row):
            return None
        # Where the server doesn't tell our id, whoever has just asked for this list may be us.
        told = bool(self._own_ids) or row.client.node in self._left_out
        ours = not told and (row.client.cmd or "").startswith("client")
        return None if ours else row

    def _take(self, reading: Ready[ClientTable], snapshot: Snapshot) -> None:
        """Remember the list before this one, for the rates between them."""
        period = snapshot.cadence.get(CLIENTS.name, snapshot.interval)
        newest = self._newest
        # A list out of turn comes too soon after the last one to tell how much is done in a second.
        if newest is not None and reading is not newest and reading.at - newest.at >= period / 2:
            self._earlier = newest
        earlier = self._earlier
        if earlier is not None and not 0 < reading.at - earlier.at <= max(3 * period, _STALE_SECONDS):
            self._earlier = earlier = None
        self._newest, self._own_ids = reading, snapshot.own_ids
        nodes = [node.snapshot for node in snapshot.fleet.nodes] if snapshot.fleet is not None else []
        self._left_out = frozenset(node_field(node.node) for node in nodes if node.own_ids)
        seconds = reading.at - earlier.at if earlier is not None else 0.0
        self._rates = Rates(reading.value, earlier.value if earlier is not None else None, seconds)

    @on(FilterLine.Changed)
    @on(Table.SortChanged)
    def _rearrange(self) -> None:
        self._arrange()
        self._say()

    @on(Table.GroupingWanted)
    def _group_by_next(self) -> None:
        self._by = _GROUPINGS[(_GROUPINGS.index(self._by) + 1) % len(_GROUPINGS)]
        self._within = None
        self._lay_columns()

    def _lay_columns(self) -> None:
        """Show clients or groups, each in the order that was last chosen for them."""
        sort, descending = self._orders[self._shows_groups]
        columns: Sequence[Column[Any]] = columns_of(self._list, self.size.width)
        if self._by is not None and self._within is None:
            columns = group_columns(self._list, self._by)
            if sort not in [column.name for column in columns]:
                sort = "clients"  # an older server doesn't tell who sends how much
        self._table.use(columns, sort=sort, descending=descending)
        self._arrange()
        self._say()
        self.refresh_bindings()

    def _arrange(self) -> None:
        """Bring what is shown, and its order, to the table."""
        table, clients = self._table, self._list
        sort, descending = table.sort or "output buffer", table.descending
        self._orders[self._shows_groups] = sort, descending
        places = self._places()
        self._shown = len(places)
        if self._by is not None and self._within is None:
            groups = group(clients, self._rates, self._by, places)
            table.show(Listed(ordered_groups(groups, sort, descending=descending), lambda one: (one.label,)))
        else:
            table.columns = tuple(columns_of(clients, self.size.width))
            places = ordered(clients, self._rates, places, sort, descending=descending)
            table.show(ClientRows(clients, self._rates, places))
        table.say_when_empty(
            "no id, address, name, user, command or library holds this"
            if self._filter_line.text
            else "nobody but this monitor"
        )

    def _places(self) -> Sequence[int]:
        """Where those stand in the list that are not us, hold the text and belong to the group that was entered."""
        clients = self._list
        others = clients.without(self._own_ids)
        self._everybody = len(others)
        places = clients.matching(self._filter_line.text, others)
        if self._by is not None and self._within is not None:
            belongs = labels(clients, self._by)
            places = [place for place in places if belongs[place] == self._within.label]
        return places

    def _say(self) -> None:
        """How many there are and what is shown of them; by what they are sorted, and how often they are asked for."""
        table = self._table
        title = f"{self.TITLE} {units.count(self._everybody)}"
        if self._shown != self._everybody:
            title = f"{self.TITLE} {units.count(self._shown)} of {units.count(self._everybody)}"
        if self._by is not None:
            title += f"  by {TITLES[self._by]}"
            title += f": {group_name(self._within, self._by).text}" if self._within is not None else ""
        if self._filter_line.text:
            title += f"  filter: {self._filter_line.text}"
        arrow = "↓" if table.descending else "↑"
        period = self.snapshot.cadence.get(CLIENTS.name) if self.snapshot is not None else None
        spaced = f" · every {units.duration(period)}" if period and period >= 1 else ""
        self.say(title, f"by {table.sort} {arrow}{spaced}")
