"""The application pane: what the keyspace consists of."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from textual import on
from textual.widget import Widget

from pymon_tui.application.groups import DATABASE_SIZE, KEY_GROUPS
from pymon_tui.application.overview import Overview, Row, overview
from pymon_tui.application.samples import KEY_BYTES, KEY_LIVES
from pymon_tui.application.statistics import APPLICATION_TODAY
from pymon_tui.invalidation.pattern import Pattern
from pymon_tui.model import units
from pymon_tui.model.query import Query
from pymon_tui.model.snapshot import Snapshot
from pymon_tui.model.text import SafeText
from pymon_tui.ui.panes.application.lines import absent, copied, facts, subtitle
from pymon_tui.ui.panes.application.rows import GROUP, columns_of, matching, ordered
from pymon_tui.ui.panes.pane import Pane
from pymon_tui.ui.widgets.filter import FilterLine
from pymon_tui.ui.widgets.ink import Facts, Prose
from pymon_tui.ui.widgets.table import Listed, Table

_NOTHING = Overview((), (), 0, None, complete=False, projected=False)


class ApplicationPane(Pane):
    """Families of keys and namespaces: how many keys, how large, whether they expire, and how often they are found."""

    NAME = "application"
    TITLE = "Application"
    ABOUT = (
        "What the keyspace consists of: Py_Monitor's families of keys and the largest namespaces of all others, walked "
        "through a page a tick while this is open. Bytes and the share without an end (no ttl) come from samples, hits "
        "and misses from the application's statistics of today. Red: keys stay that should expire."
    )
    QUERIES = (KEY_GROUPS, DATABASE_SIZE, KEY_BYTES, KEY_LIVES, APPLICATION_TODAY)
    IN_OVERVIEW = False

    DEFAULT_CSS = """
    ApplicationPane {
        & #facts { margin-bottom: 1; }
    }
    """

    def __init__(self) -> None:
        self._told = _NOTHING
        self._filter = FilterLine()
        self._table: Table[Row] = Table(
            columns_of(_NOTHING, 0), sort=GROUP, descending=False, follows=True, filter_line=self._filter
        )
        super().__init__()

    def body(self) -> Iterable[Widget]:
        """How far the walk is, the groups, and those without a key."""
        yield Prose(id="facts")
        yield self._table
        yield self._filter
        yield Facts(id="absent")

    def draw(self, snapshot: Snapshot) -> None:
        """Put the readings together."""
        groups = snapshot.value(KEY_GROUPS)
        if groups is None:
            return
        sizes, lives = snapshot.value(KEY_BYTES), snapshot.value(KEY_LIVES)
        told = overview(groups, snapshot.value(DATABASE_SIZE), sizes, lives, snapshot.value(APPLICATION_TODAY))
        self._told = told
        missing: tuple[tuple[str, Query[Any]], ...] = (("bytes", KEY_BYTES), ("no ttl", KEY_LIVES))
        self.query_one("#facts", Prose).show(facts(told, {name: snapshot.reading(query) for name, query in missing}))
        self.query_one("#absent", Facts).show(absent(told))
        self._arrange()
        period = snapshot.cadence.get(KEY_GROUPS.name)
        spaced = f" · every {units.duration(period)}" if period and period >= 1 else ""
        filtered = f"  filter: {self._filter.text}" if self._filter.text else ""
        self.say(f"{self.TITLE}{filtered}", f"{subtitle(told)}{spaced}")

    def suggestion(self) -> Pattern | None:
        """The pattern of the row under the cursor."""
        row = self._table.cursor_row
        return row.group.pattern if row is not None and row.group is not None else None

    def copied(self) -> SafeText | None:
        """The row under the cursor."""
        row = self._table.cursor_row
        return copied(row) if row is not None else None

    def opening(self) -> Callable[[], None] | None:
        """The keys of the row under the cursor, which are a screen of their own."""
        if self._table.cursor_row is None:
            return None
        pattern = self.suggestion()
        return self._no_pattern if pattern is None else partial(self._browse, pattern)

    def _browse(self, pattern: Pattern) -> None:
        self.post_message(self.Browse(pattern))

    def _no_pattern(self) -> None:
        self.notify("these names have nothing in common that they could be listed by", markup=False)

    @on(Table.SortChanged)
    @on(FilterLine.Changed)
    def _rearrange(self) -> None:
        self.draw_again()

    def _arrange(self) -> None:
        """Bring the rows, and their order, to the table."""
        table = self._table
        table.columns = tuple(columns_of(self._told, self.size.width))
        rows = matching(self._told.rows, self._filter.text)
        table.say_when_empty("no group has that" if self._filter.text else "no keys in this database")
        table.show(Listed(ordered(rows, table.sort or GROUP, descending=table.descending), _key))


def _key(row: Row) -> bytes:
    return row.group.pattern.glob if row.group is not None else b""
