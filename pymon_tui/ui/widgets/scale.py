"""The range that a graph is drawn over: round ends that don't move at each sample, and how they are written."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

from pymon_tui.model import units
from pymon_tui.model.text import SafeText, safe

Unit = Callable[[float | None], SafeText]
Columns = Sequence[float | None]

_STEPS = (1.0, 1.2, 1.4, 1.6, 1.8, 2.0, 2.4, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0)
_ZOOMED = (1.0, 2.0, 5.0, 10.0)
_ROOM = 1.4
"""How far above its 95th percentile a rate's scale ends."""
_LITTLE = 1.25
"""How many times as high as that a scale is at most for a value that would otherwise be cut."""
_NARROW = 0.1
"""The part of the scale under which levels are drawn over their own range."""
_NO_TIME = 0.001
"""Seconds that a scale ends at while no time is known."""
_SIZES = ("B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")
_ZEROS = re.compile(r"\.0+(?!\d)|(?<=\.\d)0+(?!\d)")


class Scale(NamedTuple):
    """What the lowest and the highest edge of a graph stand for.

    Attributes:
        text: The range as a person reads it: ``0–18k/s``.
        unit: How a single value is written.
    """

    low: float
    high: float
    text: SafeText
    unit: Unit


def round_up(value: float) -> float:
    """The next round number at or above a value: 1, 1.2, 1.4, ... 2, 2.4, 3, 4, 5, 6, 8 times a power of ten."""
    return _up(value, _STEPS)


def binary_up(value: float) -> float:
    """The same of bytes, round in their binary units."""
    unit = 1.0
    while value > 1024 * unit:
        unit *= 1024
    return min(round_up(value / unit), 1024.0) * unit


def usual(columns: Columns) -> float:
    """The 95th percentile of what is known, and of three and more never the highest: a single one is no rule."""
    known = sorted(value for value in columns if value is not None)
    if not known:
        return 0.0
    return known[math.floor(0.95 * (len(known) - 1))] if len(known) > 2 else known[-1]


def rates(columns: Columns, unit: Unit, rows: int, round_: Callable[[float], float] = round_up) -> Scale:
    """From nothing to 1.4 times the 95th percentile: what is above is cut, and so is seen for what it is.

    Args:
        columns: What is drawn.
        unit: How a rate is written.
        rows: How high the graph is: where something is cut, the row that says so is kept free of the usual.
        round_: To the next round number above.
    """
    common, most = usual(columns), max((value for value in columns if value is not None), default=0.0)
    high = _ROOM * common if common > 0 else most
    if round_(high) < most <= _LITTLE * round_(high):
        high = most  # that flattens nothing
    elif most > round_(high) and rows > 2:
        high = max(high, common * rows / (rows - 1))
    return _from_zero(round_(high), unit)


def times(columns: Columns, limit: float | None) -> Scale:
    """Seconds, from nothing to above the limit that they are to stay under."""
    common, most = usual(columns), max((value for value in columns if value is not None), default=0.0)
    high = round_up(_ROOM * max(common, limit or 0.0) or _NO_TIME)
    # What is felt isn't cut for a little: it is what the limit is there for.
    return _from_zero(round_up(most) if high < most <= 2 * high else high, units.milliseconds)


def shares(columns: Columns) -> Scale:
    """Shares of a whole, from 90 to 100 %; from a lower ten where one is lower."""
    lowest = min((value for value in columns if value is not None), default=1.0)
    low = min(0.9, math.floor(lowest * 10 + 1e-9) / 10)
    return Scale(low, 1.0, safe(f"{100 * low:.0f}–100 %"), units.percent)


def levels(columns: Columns, limit: float | None) -> Scale:
    """Bytes, from nothing to their limit, or above them; where that would show no change, over their own range."""
    known = [value for value in columns if value is not None]
    most, least = max(known, default=0.0), min(known, default=0.0)
    high = limit if limit and most <= limit else binary_up(most)
    if not known or most - least >= _NARROW * high:
        return _from_zero(high, units.bytes_)
    power = 0
    while most / 1024**power >= 999.5 and power < len(_SIZES) - 1:
        power += 1
    unit = 1024.0**power
    finest = 1.0 if power == 0 or most / unit >= 99.95 else 0.1 if most / unit >= 9.995 else 0.01
    step = max(finest, _up((most - least) / unit / 4, _ZOOMED) if most > least else finest)
    first, last = math.floor(least / unit / step + 1e-6), math.ceil(most / unit / step - 1e-6)
    if last - first < 2:
        first, last = max(0, first - (last == first)), last + 1
    digits = 0 if step >= 1 else 1 if step >= 0.1 else 2
    text = f"{first * step:.{digits}f}–{last * step:.{digits}f} {_SIZES[power]}"
    return Scale(first * step * unit, last * step * unit, safe(text), units.bytes_)


def _from_zero(high: float, unit: Unit) -> Scale:
    return Scale(0.0, high, safe(f"0–{_ZEROS.sub('', unit(high))}"), unit)


def _up(value: float, steps: Sequence[float]) -> float:
    if value < 1e-9 or not math.isfinite(value):
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next((step * power for step in steps if value <= step * power * 1.0000001), 10 * power)
