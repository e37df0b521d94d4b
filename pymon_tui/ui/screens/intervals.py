"""The intervals that the keys step through."""

from __future__ import annotations

INTERVALS = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0)
"""Seconds between two ticks."""


def next_interval(current: float, step: int) -> float:
    """The interval after (``step`` above 0) or before ``current``, which may be none of them; the last one is last."""
    if step > 0:
        return next((interval for interval in INTERVALS if interval > current * 1.01), INTERVALS[-1])
    return next((interval for interval in reversed(INTERVALS) if interval < current * 0.99), INTERVALS[0])
