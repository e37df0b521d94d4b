"""The most of each metric, when that was, and since when it counts."""

from __future__ import annotations

import math


class Peaks:
    """The highest values of some metrics since a moment; moments are monotonic seconds."""

    __slots__ = ("_highest", "since")

    def __init__(self, since: float | None) -> None:
        """``since`` is None as long as nothing was seen."""
        self.since = since
        self._highest: dict[str, tuple[float, float]] = {}

    def add(self, metric: str, value: float, at: float) -> None:
        """Keep the value where it is the highest yet; a hole is none."""
        if math.isfinite(value) and value > self._highest.get(metric, (-math.inf, 0.0))[0]:
            self._highest[metric] = value, at

    def of(self, metric: str) -> tuple[float, float] | None:
        """The highest value of a metric, and when that was."""
        return self._highest.get(metric)

    def copy(self) -> Peaks:
        """What is known now; it stays as it is."""
        copied = Peaks(self.since)
        copied._highest = dict(self._highest)
        return copied
