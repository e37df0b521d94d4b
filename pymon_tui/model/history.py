"""What the metrics were over time: rings of samples in which a hole is a hole."""

from __future__ import annotations

import math
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pymon_tui.model.metric import Kind, Metric
from pymon_tui.model.text import SafeText

HOLE = math.nan
CAPACITY = 7_200
"""Samples kept of each metric: two hours at one a second, 57 KB a metric."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened at a sample, such as a restart: a graph draws a hole there and the text says why."""

    index: int
    wall: float
    text: SafeText


class History:
    """The samples of some metrics, recorded together. A gauge keeps its level, a counter its growth per sample."""

    def __init__(self, metrics: Sequence[Metric[Any]], capacity: int = CAPACITY) -> None:
        self._capacity = capacity
        self._kinds = {metric.name: metric.kind for metric in metrics}
        self._values: dict[str, array[float]] = {metric.name: array("d") for metric in metrics}
        self._elapsed: array[float] = array("d")  # seconds that each sample covers
        self._last: dict[str, float] = {}
        self._last_at: float | None = None
        self._first = 0  # the absolute index of what the arrays begin with
        self._events: list[Event] = []
        self._peaks: dict[str, float] = {}

    @property
    def end(self) -> int:
        """The absolute index after the newest sample; it only grows."""
        return self._first + len(self._elapsed)

    def record(self, at: float, values: Mapping[str, float | None], own: Mapping[str, float]) -> bool:
        """Add one sample taken at ``at`` (monotonic seconds). True if a counter went back, which is a reset.

        ``own`` is how much of each counter's growth we caused ourselves; it is left out.
        """
        elapsed = at - self._last_at if self._last_at is not None and at > self._last_at else HOLE
        reset = any(
            self._kinds[name] is Kind.COUNTER and value is not None and value < self._last.get(name, value)
            for name, value in values.items()
        )
        for name, samples in self._values.items():
            value = values.get(name)
            if value is None:
                self._last.pop(name, None)
                samples.append(HOLE)
            elif self._kinds[name] is Kind.GAUGE:
                samples.append(value)
            else:
                last = self._last.get(name)
                # After a reset no counter can be trusted for this interval, even those that have grown past again.
                samples.append(HOLE if last is None or reset else max(0.0, value - last - own.get(name, 0.0)))
                self._last[name] = value
            self._raise_peak(name, samples[-1] / elapsed if self._kinds[name] is Kind.COUNTER else samples[-1])
        self._elapsed.append(elapsed)
        self._last_at = at
        self._trim()
        return reset

    def _raise_peak(self, name: str, value: float) -> None:
        if math.isfinite(value) and value > self._peaks.get(name, -math.inf):
            self._peaks[name] = value

    def break_(self) -> None:
        """Forget the counters' last values: what comes next is no growth of what was (a connection made anew)."""
        self._last.clear()

    def skip(self, samples: int) -> None:
        """Add holes for ticks that were missed. The sample after them covers their time: its rate is the true mean."""
        for _ in range(min(samples, self._capacity)):
            for values in self._values.values():
                values.append(HOLE)
            self._elapsed.append(HOLE)
        self._trim()

    def note(self, text: SafeText, wall: float) -> None:
        """Mark the newest sample with what happened there."""
        self._events.append(Event(self.end - 1, wall, text))

    def view(self) -> HistoryView:
        """The history until now; later samples don't show in it."""
        return HistoryView(self, self.end, dict(self._peaks))

    def _trim(self) -> None:
        # In steps of an eighth, so that the arrays are not moved at each sample.
        surplus = len(self._elapsed) - self._capacity
        if surplus >= self._capacity // 8:
            for samples in (*self._values.values(), self._elapsed):
                del samples[:surplus]
            self._first += surplus
            self._events = [event for event in self._events if event.index >= self._first]


class HistoryView:
    """A history up to one moment; reading it while more is recorded gives the same answers."""

    __slots__ = ("_end", "_history", "_peaks")

    def __init__(self, history: History, end: int, peaks: Mapping[str, float]) -> None:
        self._history = history
        self._end = end
        self._peaks = peaks

    @property
    def end(self) -> int:
        """The absolute index after the newest sample of this view."""
        return self._end

    def __len__(self) -> int:
        return max(0, self._end - self._history._first)

    def columns(self, metric: str, width: int, samples_per_column: int = 1) -> tuple[float | None, ...]:
        """The newest ``width`` columns of a graph, oldest first: levels of a gauge, growth per second of a counter.

        A column covers ``samples_per_column`` samples, counted from the beginning of time and not from now, so
        that a column doesn't change its members as time goes by. It shows their mean; None is a hole.
        """
        last = (self._end - 1) // samples_per_column
        return tuple(
            self._mean(metric, column * samples_per_column, (column + 1) * samples_per_column)
            for column in range(last - width + 1, last + 1)
        )

    def latest(self, metric: str) -> float | None:
        """The newest level or rate per second; None if it is not known."""
        return self._mean(metric, self._end - 1, self._end)

    def growth(self, metric: str, seconds: float) -> tuple[float, float] | None:
        """How much a counter grew over about the last ``seconds``: growth and the seconds truly covered.

        What isn't known of that time is left out of both. None where nothing is known.
        """
        values, elapsed = self._history._values.get(metric), self._history._elapsed
        if values is None:
            return None
        total = covered = passed = 0.0
        index = self._end - 1 - self._history._first
        # Half a sample of tolerance: ten samples of 1.002 s are ten seconds.
        while index >= 0 and passed < seconds:
            span = elapsed[index]
            if math.isfinite(span):
                if passed and passed + span / 2 > seconds:
                    break
                passed += span
                if math.isfinite(values[index]):
                    total += values[index]
                    covered += span
            index -= 1
        return (total, covered) if covered else None

    def peak(self, metric: str) -> float | None:
        """The highest level or rate per second since we began to watch; None if it is not known."""
        return self._peaks.get(metric)

    def seconds(self, samples: int) -> float:
        """How many seconds the newest ``samples`` samples cover, those of missed ticks included."""
        first = self._history._first
        start = max(self._end - samples - first, 0)
        return sum(span for span in self._history._elapsed[start : self._end - first] if math.isfinite(span))

    def events(self, since: int = 0) -> tuple[Event, ...]:
        """What happened at the samples from absolute index ``since`` on, oldest first."""
        return tuple(event for event in self._history._events if since <= event.index < self._end)

    def _mean(self, metric: str, start: int, stop: int) -> float | None:
        history = self._history
        values = history._values.get(metric)
        first = max(start, history._first) - history._first
        last = min(stop, self._end) - history._first
        if values is None or first >= last:
            return None
        counter = history._kinds[metric] is Kind.COUNTER
        total = weight = 0.0
        for index in range(first, last):
            value, span = values[index], history._elapsed[index]
            if math.isfinite(value) and (not counter or span > 0):
                total += value
                weight += span if counter else 1.0
        return total / weight if weight else None
