"""Facts in groups, side by side: as many columns and as many facts as there is room for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from rich.cells import cell_len

from pymon_tui.model.text import safe
from pymon_tui.ui.widgets.ink import BLANK, ELLIPSIS, Line, Span, fit, line_width, span

COLUMN = 36
"""The cells that a column of facts has at least."""
GAP = 2


class Fact(NamedTuple):
    """One line, and its rank: facts of the highest rank leave first where there is no room for all."""

    rank: int
    line: Line


class Group(NamedTuple):
    """Facts about one thing, which stay together where they can."""

    title: str
    facts: tuple[Fact, ...]


def arrange(groups: Sequence[Group], width: int, height: int, *, rank_with_titles: int) -> tuple[Line, ...]:
    """The groups in columns of at most ``height`` lines; no line is wider than ``width``.

    Groups have titles where all facts up to ``rank_with_titles`` fit in spite of them.
    """
    count = max(1, (width + GAP) // (COLUMN + GAP))
    room = (width - GAP * (count - 1)) // count
    titled = _fits([_only(group, rank_with_titles) for group in groups], count, height, titled=True)
    kept: list[Group] = []
    for rank in sorted({fact.rank for group in groups for fact in group.facts}):
        whole = [_only(group, rank) for group in groups]
        if not _fits(whole, count, height, titled=titled):
            kept = _filled_up(groups, rank, lambda some: _fits(some, count, height, titled=titled))
            break
        kept = whole
    return _side_by_side(_flow(kept, count, titled=titled), room)


def clip(line: Line, width: int) -> Line:
    """The line in exactly ``width`` cells: padded on the right, or cut with an ellipsis."""
    length = line_width(line)
    if length <= width:
        return (*line, Span(safe(" " * (width - length)))) if length < width else line
    kept: list[Span] = []
    left = width
    for text, role in line:
        if cell_len(text) >= left:
            # One cell is left for the ellipsis, also where this piece ends just at the edge.
            kept.append(Span(safe(fit(safe(text + ELLIPSIS), left)), role))
            break
        kept.append(Span(text, role))
        left -= cell_len(text)
    return tuple(kept)


def _only(group: Group, rank: int) -> Group:
    return Group(group.title, tuple(fact for fact in group.facts if fact.rank <= rank))


def _filled_up(groups: Sequence[Group], rank: int, fits: Callable[[list[Group]], bool]) -> list[Group]:
    """All facts below this rank and, first come first served, as many of it as there is room for."""
    kept = [[fact.rank < rank for fact in group.facts] for group in groups]

    def chosen() -> list[Group]:
        return [
            Group(group.title, tuple(fact for fact, taken in zip(group.facts, takes, strict=True) if taken))
            for group, takes in zip(groups, kept, strict=True)
        ]

    for group, takes in zip(groups, kept, strict=True):
        for index, fact in enumerate(group.facts):
            if fact.rank == rank:
                takes[index] = True
                takes[index] = fits(chosen())
    return chosen()


def _fits(groups: Sequence[Group], count: int, height: int, *, titled: bool) -> bool:
    columns = _stack(groups, height, titled=titled)
    return len(columns) <= count and all(len(column) <= height for column in columns)


def _flow(groups: Sequence[Group], count: int, *, titled: bool) -> list[list[Line]]:
    """The groups in at most ``count`` columns, in order, so that the highest column is as low as can be."""
    height = 1
    while len(columns := _stack(groups, height, titled=titled)) > count:
        height += 1
    return columns


def _stack(groups: Sequence[Group], height: int, *, titled: bool) -> list[list[Line]]:
    """The groups below each other, in a new column wherever the next one would go beyond ``height``."""
    columns: list[list[Line]] = []
    for group in groups:
        block: list[Line] = [fact.line for fact in group.facts]
        if not block:
            continue
        if titled:
            block = [(span(group.title, "strong"),), *block]
        gap: list[Line] = [BLANK] if titled else []
        if columns and len(columns[-1]) + len(gap) + len(block) <= height:
            columns[-1] += gap + block
        else:
            columns.append(block)
    return columns


def _side_by_side(columns: list[list[Line]], room: int) -> tuple[Line, ...]:
    gap = Span(safe(" " * GAP))
    lines: list[Line] = []
    for row in range(max(map(len, columns), default=0)):
        spans: list[Span] = []
        for index, column in enumerate(columns):
            spans += (gap,) if index else ()
            spans += clip(column[row] if row < len(column) else BLANK, room)
        lines.append(tuple(spans))
    return tuple(lines)
