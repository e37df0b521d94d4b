"""Facts in groups, side by side: as many columns and as many facts as there is room for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from rich.cells import cell_len

from pymon_tui.model.text import safe
from pymon_tui.ui.widgets.ink import BLANK, ELLIPSIS, Line, Span, fit, label, line_width

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
    ranks = sorted({fact.rank for group in groups for fact in group.facts}, reverse=True)
    attempts = [(rank, True) for rank in ranks if rank >= rank_with_titles] + [(rank, False) for rank in ranks]
    columns: list[list[Line]] = []
    for rank, titled in attempts:
        columns = _flow([_block(group, rank, titled=titled) for group in groups], count, titled=titled)
        if max(map(len, columns), default=0) <= height:
            break
    return _side_by_side([column[:height] for column in columns], room)


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


def _block(group: Group, rank: int, *, titled: bool) -> list[Line]:
    lines = [fact.line for fact in group.facts if fact.rank <= rank]
    return [(label(group.title),), *lines] if titled and lines else lines


def _flow(blocks: list[list[Line]], count: int, *, titled: bool) -> list[list[Line]]:
    """The blocks in ``count`` columns, in order, so that the highest column is as low as can be."""
    filled = [block for block in blocks if block]
    between: list[Line] = [BLANK] if titled else []
    height = max((len(block) for block in filled), default=0)
    while len(columns := _stack(filled, between, height)) > count:
        height += 1
    return columns


def _stack(blocks: list[list[Line]], between: list[Line], height: int) -> list[list[Line]]:
    columns: list[list[Line]] = []
    for block in blocks:
        if columns and len(columns[-1]) + len(between) + len(block) <= height:
            columns[-1] += between + block
        else:
            columns.append(list(block))
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
