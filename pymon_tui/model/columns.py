"""The arithmetic of a graph's columns: spans of time that are aligned to the clock, whatever was recorded how often."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass

_LONG = 300.0
"""Seconds between two samples from which on nobody knows what a level was in between."""

_LEAST = 1e-5
"""The part of a column that a sample is to cover at least: less is the rounding of a clock read as a float."""


@dataclass(frozen=True, slots=True)
class Edges:
    """The columns number ``first`` to before ``end``, counted since 1970, each of so many ``seconds``.

    Attributes:
        offset: Unix seconds less the seconds that samples are taken at.
    """

    first: int
    end: int
    seconds: float
    offset: float

    @property
    def begin(self) -> float:
        """When the first of them begins, in Unix seconds."""
        return self.first * self.seconds


def column_of(moment: float, seconds: float) -> int:
    """The number of the column that a sample of this moment (Unix seconds) ends in.

    A sample tells of the time before it: one that ends where a column does belongs to that column.
    """
    return math.ceil(moment / seconds - _LEAST) - 1


def spread_growth(
    edges: Edges, values: Sequence[float], spans: Sequence[float], moments: Sequence[float]
) -> tuple[float | None, ...]:
    """A counter's growth per second in each column; None where none of it is known.

    A sample's growth is spread evenly over the time that it covers, so a late one leaves no hole.

    Args:
        edges: The columns.
        values: The growth of each sample, NaN where it isn't known.
        spans: The seconds that each covers, up to its moment.
        moments: When each was taken.
    """
    width = edges.end - edges.first
    growth, known = [0.0] * width, [0.0] * width
    first, seconds, offset = edges.first, edges.seconds, edges.offset
    for value, span, at in zip(values, spans, moments, strict=True):
        if not (math.isfinite(value) and span > 0):
            continue
        right = (at + offset) / seconds - first  # in columns from the left edge
        left = right - span / seconds
        column = int(left)
        if left >= 0 and right <= column + 1 <= width:  # nearly all of them: an hour has thousands
            growth[column] += value / seconds
            known[column] += right - left
            continue
        left, right = max(left, 0.0), min(right, float(width))
        for column in range(int(left), min(math.ceil(right), width)):
            part = min(right, column + 1.0) - max(left, float(column))
            if part > _LEAST:
                growth[column] += value / span * part
                known[column] += part
    return tuple(total / part if part else None for total, part in zip(growth, known, strict=True))


def spread_levels(
    edges: Edges, values: Sequence[float], moments: Sequence[float], breaks: Collection[int]
) -> tuple[float | None, ...]:
    """A gauge's mean level in each column; None where none is known.

    A column in which no sample was taken has the mean of the levels before and after it.

    Args:
        edges: The columns.
        values: The level of each sample, NaN where it isn't known.
        moments: When each was taken.
        breaks: The places of samples before which nobody looked: nothing is known of the time before them.
    """
    width = edges.end - edges.first
    total, count = [0.0] * width, [0] * width
    between: dict[int, float] = {}
    before: tuple[int, float, float] | None = None
    for place, (value, at) in enumerate(zip(values, moments, strict=True)):
        if not math.isfinite(value):
            before = None
            continue
        column = column_of(at + edges.offset, edges.seconds) - edges.first
        if before is not None and place not in breaks and at - before[2] <= _LONG:
            for passed in range(max(before[0] + 1, 0), min(column, width)):
                between[passed] = (before[1] + value) / 2
        if 0 <= column < width:
            total[column] += value
            count[column] += 1
        before = column, value, at
    return tuple(total[column] / count[column] if count[column] else between.get(column) for column in range(width))
