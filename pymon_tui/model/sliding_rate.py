"""How fast a counter grows, over its last seconds."""

from __future__ import annotations

from collections import deque

_LEAST = 1.0
"""Seconds between two samples, less than which would make a rate of a single event."""


class SlidingRate:
    """The mean rate of a counter over a window of the given seconds, or over what there is of it."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._samples: deque[tuple[float, int]] = deque()

    def sample(self, at: float, total: int) -> None:
        """Note what the counter is at this moment, in monotonic seconds."""
        samples = self._samples
        if samples and total < samples[-1][1]:
            samples.clear()  # another counter, or the same one from zero
        samples.append((at, total))
        while len(samples) > 2 and samples[1][0] <= at - self._seconds:
            samples.popleft()

    @property
    def per_second(self) -> float | None:
        """The rate; None until a second is known."""
        if not self._samples:
            return None
        (began, first), (at, total) = self._samples[0], self._samples[-1]
        return (total - first) / (at - began) if at - began >= _LEAST else None
