"""What the metrics were over time: rings of samples in which a hole is a hole."""

from __future__ import annotations

import math
from array import array
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pymon_tui.model.columns import Edges, column_of, spread_growth, spread_levels
from pymon_tui.model.metric import Kind, Metric
from pymon_tui.model.peaks import Peaks
from pymon_tui.model.text import SafeText

HOLE = math.nan
_NONE: array[float] = array("d")
_SET = 1.0
"""Seconds that a wall clock may be off before it counts as one that was set."""

CAPACITY = 7_200
"""Samples kept of each metric: two hours at one a second, 58 KB a metric."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened at a sample, such as a restart: a graph is marked there and the text says why.

    Attributes:
        index: Of the sample, counted from the beginning.
        wall: When, in Unix seconds.
        run: The invalidation that did it, by its id; None where it was nobody here.
    """

    index: int
    wall: float
    text: SafeText
    run: str | None


class History:
    """The samples of some metrics, recorded together. A gauge keeps its level, a counter its growth per sample."""

    def __init__(self, metrics: Sequence[Metric[Any]], capacity: int = CAPACITY) -> None:
        self._capacity = capacity
        self._kinds = {metric.name: metric.kind for metric in metrics}
        # Rings that are full of holes from the start: memory is taken once, and nothing is ever moved.
        holes = array("d", [HOLE]) * capacity
        self._values: dict[str, array[float]] = {metric.name: holes[:] for metric in metrics}
        self._elapsed: array[float] = holes  # seconds that each sample covers
        self._at: array[float] = holes[:]  # monotonic seconds
        self._last, self._early = dict[str, float](), dict[str, float]()
        self._last_at: float | None = None
        self._broken = False
        self._breaks: frozenset[int] = frozenset()  # samples before which nobody looked
        self._end = 0
        self._events: list[Event] = []
        self._peaks = Peaks(None)
        self._offset: float | None = None
        self._reset_at: float | None = None  # when counters last went back
        self.reset_before = False  # whether they had gone back when this process began to be watched

    @property
    def end(self) -> int:
        """The absolute index after the newest sample; it only grows."""
        return self._end

    @property
    def _first(self) -> int:
        return max(0, self._end - self._capacity)

    def align(self, offset: float) -> None:
        """Say what the wall clock is: ``offset`` is Unix seconds less the seconds that samples are recorded at.

        Columns of graphs are aligned to it. It is kept while the clock is only read a little sooner or later, so
        that no column moves; a clock that was set moves them all.
        """
        if self._offset is None or abs(offset - self._offset) > _SET:
            self._offset = offset

    def record(self, at: float, values: Mapping[str, float | None], own: Mapping[str, float]) -> bool:
        """Add one sample taken at ``at`` (monotonic seconds). True if a counter went back, which is a reset.

        ``own`` is how much of each counter's growth we caused ourselves; it is left out.
        """
        elapsed = at - self._last_at if self._last_at is not None and at > self._last_at else HOLE
        reset = any(
            self._kinds[name] is Kind.COUNTER and value is not None and value < self._last.get(name, value)
            for name, value in values.items()
        )
        if reset:
            self._reset_at, self._early = at, {}
        slot = self._end % self._capacity
        for name, samples in self._values.items():
            value = values.get(name)
            if value is None:
                self._last.pop(name, None)
                sample = HOLE
            elif self._kinds[name] is Kind.GAUGE:
                sample = value
            else:
                last = self._last.get(name)
                # After a reset no counter can be trusted for this interval, even those that have grown past again.
                sample = HOLE if last is None or reset else self._of_others(name, value - last, own.get(name, 0.0))
                self._last[name] = value
            samples[slot] = sample
            self._peaks.add(name, sample / elapsed if self._kinds[name] is Kind.COUNTER else sample, at)
        self._elapsed[slot] = elapsed
        self._at[slot] = at if self._last_at is None else max(at, self._last_at)
        if self._broken:
            self._breaks = frozenset(index for index in self._breaks if index >= self._first) | {self._end}
            self._broken = False
        self._end += 1
        self._last_at = at
        if self._peaks.since is None:
            self._peaks.since = at
        return reset

    def _of_others(self, name: str, growth: float, own: float) -> float:
        """What of a counter's growth we didn't cause; what we counted too early is taken from the next sample."""
        left = growth - own - self._early.pop(name, 0.0)
        if left < 0:
            self._early[name] = min(-left, own)
        return max(0.0, left)

    def reset_peaks(self) -> None:
        """Forget the peaks: those of the samples to come count from the newest one on."""
        self._peaks = Peaks(self._last_at)

    def break_(self, *, anew: bool) -> None:
        """Forget the counters' last values: what comes next is no growth of what was (a connection made anew).

        ``anew`` says whether another process has begun to count, which hasn't been reset.
        """
        if anew:
            self._reset_at = None
        self._last, self._early = {}, {}
        self._broken = True

    def note(self, text: SafeText, wall: float, *, run: str | None = None) -> None:
        """Mark the newest sample with what happened there, and with the run that did it."""
        kept = [event for event in self._events if event.index >= self._first]
        self._events = [*kept, Event(self._end - 1, wall, text, run)]

    def view(self) -> HistoryView:
        """The history until now; later samples don't show in it."""
        unseen = -math.inf if self.reset_before else None
        return HistoryView(self, self.end, self._peaks.copy(), unseen if self._reset_at is None else self._reset_at)

    def _part(self, ring: array[float], start: int, stop: int) -> array[float]:
        """What is kept from absolute index ``start`` to before ``stop``."""
        start = max(start, self._first)
        if start >= stop:
            return array("d")
        begin, end = start % self._capacity, (stop - 1) % self._capacity + 1
        return ring[begin:end] if begin < end else ring[begin:] + ring[:end]


class HistoryView:
    """A history up to one moment; reading it while more is recorded gives the same answers."""

    __slots__ = ("_end", "_history", "_peaks", "_reset_at")

    def __init__(self, history: History, end: int, peaks: Peaks, reset_at: float | None) -> None:
        self._history = history
        self._end = end
        self._peaks = peaks
        self._reset_at = reset_at

    @property
    def end(self) -> int:
        """The absolute index after the newest sample of this view."""
        return self._end

    def __len__(self) -> int:
        return max(0, self._end - self._history._first)

    def columns(self, metric: str, width: int, seconds: float) -> tuple[float | None, ...]:
        """The newest ``width`` columns of a graph, oldest first: a gauge's mean levels, a counter's growth per second.

        A column covers the same ``seconds`` whatever was recorded how often, from a whole multiple of them by the
        wall clock: a column that isn't the newest doesn't change any more. None is a column of which nothing is known.
        """
        end, history = self.newest(seconds) + 1, self._history
        edges = Edges(end - width, end, seconds, self._offset)
        values, spans, moments = self._samples(metric, self._since(edges.begin))
        if self._counts(metric):
            return spread_growth(edges, values, spans, moments)
        breaks = {index - self._end for index in history._breaks}  # counted from the end, as slices are
        return spread_levels(edges, values, moments, {len(values) + index for index in breaks})

    def newest(self, seconds: float) -> int:
        """The number of the newest column, counted in such columns since 1970."""
        return column_of(self._newest_at + self._offset, seconds)

    def marks(self, width: int, seconds: float) -> Mapping[int, SafeText]:
        """In which of the newest ``width`` columns something happened, and what did so last.

        It is the column in which the sample ends that was the newest when it happened: what it did to the server is
        seen there or to the right.
        """
        first = self.newest(seconds) + 1 - width
        history, found = self._history, dict[int, SafeText]()
        for event in self.events():
            moment = history._part(history._at, event.index, event.index + 1)
            if moment:
                found[column_of(moment[0] + self._offset, seconds) - first] = event.text
        return {column: text for column, text in found.items() if 0 <= column < width}

    def latest(self, metric: str) -> float | None:
        """The newest level or rate per second; None if it is not known."""
        values, spans, _ = self._samples(metric, self._end - 1)
        return _mean(values, spans, counter=self._counts(metric))

    def growth(self, metric: str, seconds: float) -> tuple[float, float] | None:
        """How much a counter grew over about the last ``seconds``: growth and the seconds truly covered.

        What isn't known of that time is left out of both. None where nothing is known.
        """
        history = self._history
        values, elapsed = history._values.get(metric), history._elapsed
        if values is None:
            return None
        total = covered = passed = 0.0
        for index in range(self._end - 1, history._first - 1, -1):
            slot = index % len(elapsed)
            span = elapsed[slot]
            # Half a sample of tolerance: ten samples of 1.002 s are ten seconds.
            if passed >= seconds or (passed and passed + span / 2 > seconds):
                break
            if not math.isfinite(span):
                continue
            passed += span
            if math.isfinite(values[slot]):
                total += values[slot]
                covered += span
        return (total, covered) if covered else None

    def peak(self, metric: str) -> float | None:
        """The highest level or rate per second since ``peaks_since``; None if it is not known."""
        found = self._peaks.of(metric)
        return None if found is None else found[0]

    def peaked(self, metric: str) -> float | None:
        """When the peak was, in Unix seconds; None if there is none."""
        found = self._peaks.of(metric)
        return None if found is None else found[1] + self._offset

    @property
    def peaks_since(self) -> float | None:
        """Since when peaks count, in Unix seconds: since we began to watch, or they were reset. None before that."""
        return None if self._peaks.since is None else self._peaks.since + self._offset

    @property
    def peaks_cover(self) -> float:
        """For how many seconds peaks count, until the newest sample."""
        return 0.0 if self._peaks.since is None else self._newest_at - self._peaks.since

    @property
    def counted_since(self) -> float | None:
        """When the counters were last reset, in Unix seconds: minus infinity if nobody saw it; None if they weren't."""
        return None if self._reset_at is None else self._reset_at + self._offset

    def events(self, since: int = 0) -> tuple[Event, ...]:
        """What happened at the samples from absolute index ``since`` on, oldest first."""
        first = max(since, self._history._first)
        return tuple(event for event in self._history._events if first <= event.index < self._end)

    def samples(self, metric: str, start: int, stop: int) -> tuple[float | None, ...]:
        """Each sample from absolute index ``start`` to before ``stop``: level, or growth per second; None is a hole."""
        history, stop = self._history, min(stop, self._end)
        if metric not in history._values:
            return ()
        values, spans = (history._part(ring, start, stop) for ring in (history._values[metric], history._elapsed))
        counter = self._counts(metric)
        return tuple(
            _mean(values[at : at + 1], spans[at : at + 1], counter=counter)
            for at in range(min(len(values), len(spans)))
        )

    def _counts(self, metric: str) -> bool:
        return self._history._kinds.get(metric) is Kind.COUNTER

    @property
    def _offset(self) -> float:
        return self._history._offset or 0.0

    @property
    def _newest_at(self) -> float:
        return (self._history._part(self._history._at, self._end - 1, self._end) or (0.0,))[0]

    def _since(self, begin: float) -> int:
        """The absolute index of the sample before the first one of those taken after a moment, in Unix seconds."""
        history = self._history
        first, moments, capacity = min(history._first, self._end), history._at, len(history._at)
        found = bisect_right(range(first, self._end), begin - self._offset, key=lambda index: moments[index % capacity])
        return max(first, first + found - 1)

    def _samples(self, metric: str, start: int) -> tuple[array[float], array[float], array[float]]:
        """The values from absolute index ``start`` on, the seconds that each covers, and when each was taken."""
        history = self._history
        values = history._values.get(metric, _NONE)
        if not values:
            return _NONE, _NONE, _NONE
        return (
            history._part(values, start, self._end),
            history._part(history._elapsed, start, self._end),
            history._part(history._at, start, self._end),
        )


def _mean(values: array[float], spans: array[float], *, counter: bool) -> float | None:
    """The mean level, or a counter's growth per second."""
    total = weight = 0.0
    for value, span in zip(values, spans, strict=True):
        if math.isfinite(value) and (not counter or span > 0):
            total += value
            weight += span if counter else 1.0
    return total / weight if weight else None
