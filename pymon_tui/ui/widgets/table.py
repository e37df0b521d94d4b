"""A table drawn by line: it asks for the rows that are seen and for no others, and its cursor stays on its row."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any, ClassVar, Generic, TypeAlias, TypeVar

from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from pymon_tui.model.text import safe
from pymon_tui.ui.widgets.filter import FilterLine
from pymon_tui.ui.widgets.ink import Cell, Ink, Span
from pymon_tui.ui.widgets.rows import Column, Listed, Rows, column_at, fitting, titles

__all__ = ["Column", "Listed", "Rows", "Table"]

R = TypeVar("R")
_Content: TypeAlias = tuple[tuple[Cell, ...], bool]
"""What a line shows: its cells, and whether the cursor stands on it."""


class Table(Ink, ScrollView, Generic[R], can_focus=True):
    """Rows under a header that stays."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "cursor(-1)", "Up", show=False, id="table.up", tooltip="Move the cursor up"),
        Binding("down,j", "cursor(1)", "Down", show=False, id="table.down", tooltip="Move the cursor down"),
        Binding("pageup,ctrl+u", "page(-1)", "Page up", show=False, id="table.page_up", tooltip="One page up"),
        Binding("pagedown,ctrl+d", "page(1)", "Page down", show=False, id="table.page_down", tooltip="One page down"),
        Binding("g", "group", "Group", id="table.group", tooltip="Add the rows up, by one thing after another"),
        Binding("home,g", "first", "First", show=False, id="table.first", tooltip="Go to the first row"),
        Binding("end,G", "last", "Last", show=False, id="table.last", tooltip="Go to the last row"),
        Binding("s", "sort", "Sort", id="table.sort", tooltip="Sort by the next column"),
        Binding("S", "invert", "Invert", show=False, id="table.invert", tooltip="Turn the order round"),
        Binding("slash", "filter", "Filter", id="table.filter", tooltip="Show only the rows that hold a text"),
        Binding("escape", "drop_filter", "All rows", id="table.all", tooltip="Show all rows again"),
    ]

    DEFAULT_CSS = """
    Table {
        height: 1fr;
        overflow-x: hidden;
        overflow-y: auto;
        scrollbar-size-vertical: 1;
    }
    """

    class SortChanged(Message):
        """Another order is wished for; ``table.sort`` and ``table.descending`` say which."""

        def __init__(self, table: Table[Any]) -> None:
            self.table = table
            super().__init__()

        @property
        def control(self) -> Table[Any]:
            """The table."""
            return self.table

    class GroupingWanted(Message):
        """The rows are to be added up by the next thing that they can be added up by."""

        def __init__(self, table: Table[Any]) -> None:
            self.table = table
            super().__init__()

    class Opened(Message):
        """A row was clicked that the cursor stood on already."""

        def __init__(self, table: Table[Any]) -> None:
            self.table = table
            super().__init__()

    def __init__(
        self,
        columns: Sequence[Column[R]],
        *,
        sort: str | None = None,
        descending: bool = True,
        follows: bool = False,
        empty: str = "nothing yet",
        filter_line: FilterLine | None = None,
        groups: bool = False,
        id: str | None = None,  # noqa: A002
    ) -> None:
        """``follows``: a cursor on the first row stays there while newer rows come in above it.

        With a ``filter_line`` the table has the keys that open and clear it; whoever owns both narrows the rows.
        With ``groups`` it has the key ``g``, which posts ``GroupingWanted`` and else goes to the first row.
        """
        self.columns = tuple(columns)
        self.sort, self.descending = sort, descending
        self._follows, self._groups = follows, groups
        self._empty = safe(empty)
        self._filter_line = filter_line
        self._headed = True
        self._layout: tuple[int, tuple[Column[R], ...], list[tuple[Column[Any], int]]] | None = None
        self._rows: Rows[R] = Listed((), hash)
        self._cells: dict[int, tuple[Cell, ...]] = {}  # of the rows that were asked for, by index
        self._painted: dict[int, _Content] = {}  # by line
        self._cursor = 0
        self._cursor_key: Hashable | None = None
        super().__init__(id=id)

    @property
    def cursor(self) -> int:
        """Where the cursor stands."""
        return self._cursor

    @property
    def cursor_row(self) -> R | None:
        """The row under the cursor; None in an empty table."""
        return self._rows[self._cursor] if self._cursor < len(self._rows) else None

    @property
    def rows(self) -> Rows[R]:
        """What is shown."""
        return self._rows

    def show(self, rows: Rows[R]) -> None:
        """Draw these rows from now on; the cursor stays on its row, and that row where it is on the screen."""
        if bool(len(rows)) != bool(len(self._rows)):
            self.refresh_bindings()  # what is done to a row needs one
        self._rows = rows
        self._cells.clear()
        before = self._cursor
        if self._cursor_key is not None and (found := rows.find(self._cursor_key)) is not None:
            self._cursor = found
        self._cursor = max(0, min(self._cursor, len(rows) - 1))
        self._measure()
        if self._cursor != before:
            self.scroll_to(y=self.scroll_offset.y + self._cursor - before, animate=False, immediate=True)
            self._reveal()
        differing = [y for y in range(self.size.height) if self._content(y) != self._painted.get(y)]
        if differing:
            self.refresh(*(Region(0, y, self.size.width, 1) for y in differing))

    @property
    def headed(self) -> bool:
        """Whether the columns' titles are shown; without them there is room for one more row."""
        return self._headed

    @headed.setter
    def headed(self, headed: bool) -> None:
        if headed != self._headed:
            self._headed = headed
            self._measure()
            self._reveal()
            self.refresh()

    def use(self, columns: Sequence[Column[R]], *, sort: str | None, descending: bool) -> None:
        """Show these columns from now on, in the order of that one; ``show`` brings the rows that fit them."""
        self.columns = tuple(columns)
        self.sort, self.descending = sort, descending
        self._rows = Listed((), hash)
        self._cells.clear()
        self._cursor, self._cursor_key = 0, None
        self.scroll_to(y=0, animate=False, immediate=True)

    def point_at(self, key: Hashable) -> None:
        """Move the cursor to the row with this key, if it is there."""
        if (found := self._rows.find(key)) is not None:
            self._move(found)

    def say_when_empty(self, text: str) -> None:
        """What stands in the table while it has no rows."""
        if text != self._empty:
            self._empty = safe(text)
            self.refresh()

    def action_cursor(self, step: int) -> None:
        """Move the cursor by some rows."""
        self._move(self._cursor + step)

    def action_page(self, pages: int) -> None:
        """Move the cursor by pages."""
        self._move(self._cursor + pages * max(1, self.size.height - 1 - self._headed))

    def action_first(self) -> None:
        """Move the cursor to the first row."""
        self._move(0)

    def action_last(self) -> None:
        """Move the cursor to the last row."""
        self._move(len(self._rows) - 1)

    def action_sort(self) -> None:
        """Sort by the next column that is seen."""
        names = [column.name for column, _ in self._laid_out() if column.sortable]
        if names:
            following = (names.index(self.sort) + 1) % len(names) if self.sort in names else 0
            self.sort_by(names[following])

    def action_invert(self) -> None:
        """Turn the order round."""
        if self.sort is not None:
            self.sort_by(self.sort)

    def action_filter(self) -> None:
        """Type what the rows are narrowed by."""
        if self._filter_line is not None:
            self._filter_line.open()

    def action_group(self) -> None:
        """Add the rows up by the next thing."""
        self.post_message(self.GroupingWanted(self))

    def action_drop_filter(self) -> None:
        """Show all rows again."""
        if self._filter_line is not None:
            self._filter_line.filter_by("")
            self.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """No keys for what the rows don't have; escape is the screen's where there is nothing to be cleared."""
        if action == "filter":
            return self._filter_line is not None
        if action == "group":
            return self._groups
        if action in ("sort", "invert"):
            return any(column.sortable for column in self.columns)
        if action == "drop_filter":
            return self._filter_line is not None and bool(self._filter_line.text)
        return True

    def sort_by(self, name: str) -> None:
        """Sort by a column; the same one again turns the order round. Texts begin at A, numbers at the largest."""
        if name == self.sort:
            self.descending = not self.descending
        else:
            column = next(column for column in self.columns if column.name == name)
            self.sort, self.descending = name, column.align == "right" and not column.smallest_first
        self.post_message(self.SortChanged(self))
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """The header, or one row."""
        width = self.scrollable_content_region.width
        content, marked = self._painted[y] = self._content(y)
        return self.row(content, width, self.cursor_ink if marked else None)

    def _content(self, y: int) -> _Content:
        if y < self._headed:
            return titles(self._laid_out(), self.sort, descending=self.descending), False
        index = self.scroll_offset.y + y - self._headed
        if index >= len(self._rows):
            room = self.scrollable_content_region.width
            return ((Span(self._empty, "faint"), room, "left"),) if index == 0 else (), False
        layout = self._laid_out()  # another one has other cells
        cells = self._cells.get(index)
        if cells is None:
            row = self._rows[index]
            cells = self._cells[index] = tuple((column.cell(row), room, column.align) for column, room in layout)
        return cells, index == self._cursor and self.has_focus

    def on_resize(self, _: events.Resize) -> None:
        """Another height shows other rows."""
        self._measure()

    def on_click(self, event: events.Click) -> None:
        """The header sorts; a row takes the cursor, and opens if it has it already."""
        if event.y < self._headed:
            column = column_at(self._laid_out(), event.x)
            if column is not None and column.sortable:
                self.sort_by(column.name)
            return
        index = self.scroll_offset.y + event.y - self._headed
        if index == self._cursor and self.has_focus and event.chain > 1:
            self.post_message(self.Opened(self))
        elif index < len(self._rows):
            self._move(index)

    def _move(self, index: int) -> None:
        if not len(self._rows):
            return
        before, first = self._cursor, self.scroll_offset.y
        self._cursor = max(0, min(index, len(self._rows) - 1))
        top = self._follows and self._cursor == 0
        self._cursor_key = None if top else self._rows.key(self._cursor)
        self._reveal()
        if self._cursor != before:
            self.refresh_bindings()  # what can be done to one row may not be to another
        if self.scroll_offset.y == first:
            lines = {row - first + self._headed for row in (before, self._cursor)}
            self.refresh(*(Region(0, line, self.size.width, 1) for line in lines))
        else:
            self.refresh()

    def _reveal(self) -> None:
        """Scroll as little as brings the cursor's row into sight."""
        first, seen = self.scroll_offset.y, max(1, self.size.height - self._headed)
        if self._cursor < first:
            self.scroll_to(y=self._cursor, animate=False, immediate=True)
        elif self._cursor >= first + seen:
            self.scroll_to(y=self._cursor - seen + 1, animate=False, immediate=True)

    def _measure(self) -> None:
        size, before = Size(self.scrollable_content_region.width, len(self._rows) + self._headed), self.virtual_size
        room = self.container_size.height
        if size.width != before.width or (size.height > room) != (before.height > room):
            self.virtual_size = size  # a scrollbar comes or goes
        elif size != before:
            # Set as usual, it would lay the whole screen out anew: for each message that a feed keeps.
            self.set_reactive(Table.virtual_size, size)
            if self.show_vertical_scrollbar:
                self.vertical_scrollbar.window_virtual_size = size.height
            self.scroll_y = self.validate_scroll_y(self.scroll_y)

    def _laid_out(self) -> list[tuple[Column[Any], int]]:
        """The columns there is room for, in order, each with its width."""
        width = self.scrollable_content_region.width
        if self._layout is None or self._layout[:2] != (width, self.columns):
            self._layout = width, self.columns, fitting(self.columns, width)
            self._cells.clear()
        return self._layout[2]
