"""What a table is made of: rows, which may be made when they are drawn, and columns."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Literal, Protocol, TypeVar

from rich.cells import cell_len

from pymon_tui.model.text import safe
from pymon_tui.ui.widgets.ink import Cell, Span

R = TypeVar("R")
RowT = TypeVar("RowT", covariant=True)

GAP = 1
"""Cells between two columns."""


class Rows(Protocol[RowT]):
    """Rows in the order shown. A row is asked for when it is drawn, so it may be made then."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int, /) -> RowT: ...

    def key(self, index: int, /) -> Hashable:
        """What the row at ``index`` is known by while rows come, go and are sorted."""
        ...

    def find(self, key: Hashable, /) -> int | None:
        """Where the row with this key stands now."""
        ...


class Listed(Generic[R]):
    """Rows that are all at hand."""

    def __init__(self, rows: Sequence[R], key: Callable[[R], Hashable]) -> None:
        self._rows = rows
        self._key = key
        self._index: dict[Hashable, int] | None = None

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, index: int) -> R:
        return self._rows[index]

    def key(self, index: int) -> Hashable:
        """The key of the row at ``index``."""
        return self._key(self._rows[index])

    def find(self, key: Hashable) -> int | None:
        """Where the row with this key stands."""
        if self._index is None:
            self._index = {self._key(row): index for index, row in enumerate(self._rows)}
        return self._index.get(key)


@dataclass(frozen=True, slots=True, eq=False)
class Column(Generic[R]):
    """One column: what it is called, how wide it is and what it shows of a row.

    Attributes:
        name: What it is sorted by; also what a sort is remembered as.
        rank: Columns of the highest rank leave first where there is no room for all.
        grows: Takes the room that is left; at most one column does.
        sortable: Whether rows can be sorted by it.
        smallest_first: Sorted by it, rows begin at the smallest, though it is a number: an age.
    """

    name: str
    title: str
    width: int
    cell: Callable[[R], Span]
    align: Literal["left", "right"] = "left"
    rank: int = 0
    grows: bool = False
    sortable: bool = True
    smallest_first: bool = False


def fitting(columns: Sequence[Column[Any]], width: int) -> list[tuple[Column[Any], int]]:
    """The columns there is room for in ``width`` cells, in order, each with its width."""
    kept = list(columns)
    while len(kept) > 1 and sum(column.width + GAP for column in kept) - GAP > width:
        kept.remove(max(reversed(kept), key=lambda column: column.rank))
    left = max(0, width - sum(column.width + GAP for column in kept) + GAP)
    return [(column, column.width + (left if column.grows else 0)) for column in kept]


def column_at(layout: Sequence[tuple[Column[Any], int]], x: int) -> Column[Any] | None:
    """The column that cell ``x`` of a row belongs to."""
    at = 0
    for column, cells in layout:
        if at <= x < at + cells + GAP:
            return column
        at += cells + GAP
    return None


def titles(layout: Sequence[tuple[Column[Any], int]], sort: str | None, *, descending: bool) -> tuple[Cell, ...]:
    """The header: each column's title, and an arrow at the one that the rows are sorted by."""
    cells: list[Cell] = []
    for column, room in layout:
        title = safe(column.title)
        if column.name == sort and cell_len(title) < room:
            title = safe(title + ("↓" if descending else "↑"))
        cells.append((Span(title, "accent" if column.name == sort else "label"), room, column.align))
    return tuple(cells)
