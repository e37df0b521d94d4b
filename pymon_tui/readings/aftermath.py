"""How the server took an invalidation: misses, latency and hit rate since, against what they were before."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from pymon_tui.model.history import Event, HistoryView
from pymon_tui.readings.hits import hit_rate
from pymon_tui.readings.metrics import HITS, MISSES, RTT

LASTS = 600.0
"""Seconds after a run for which something is said of it."""

_BEFORE = 60
"""Samples before the run that it is held against."""

_NOW = 5
"""Samples that say how it is now, and that a lowest hit rate is taken over."""

_FELL = 0.01
"""How far a hit rate has to fall before there is something to be rewarmed."""


@dataclass(frozen=True, slots=True, eq=False)
class Aftermath:
    """What became of the server since a run; each None where it isn't known.

    Attributes:
        run: Its beginning.
        misses: Reads per second that find no key, now.
        misses_before: The same before the run.
        rtt: Seconds of a round trip that 99 of 100 keep under, since the run.
        rtt_before: The same before it.
        rewarmed: How much of the fall of the hit rate is made good, from 0 to 1; None where it didn't fall.
    """

    run: Event
    misses: float | None
    misses_before: float | None
    rtt: float | None
    rtt_before: float | None
    rewarmed: float | None


def aftermath(history: HistoryView, wall: float) -> Aftermath | None:
    """What is to be said at the Unix second ``wall`` of the newest run; None where none was lately."""
    noted = [event for event in history.events() if event.run is not None]
    if not noted or wall - noted[-1].wall > LASTS:
        return None
    run = next(event for event in noted if event.run == noted[-1].run)
    # The marked sample covers the time before the run.
    middle = run.index + 1
    start, now = max(0, middle - _BEFORE), max(middle, history.end - _NOW)
    return Aftermath(
        run=run,
        misses=_mean(history.samples(MISSES.name, now, history.end)),
        misses_before=_mean(history.samples(MISSES.name, start, middle)),
        rtt=_p99(history.samples(RTT.name, middle, history.end)),
        rtt_before=_p99(history.samples(RTT.name, start, middle)),
        rewarmed=_rewarmed(history, start, middle),
    )


def _rewarmed(history: HistoryView, start: int, middle: int) -> float | None:
    before = _hit_rate(history, start, middle)
    since = [_hit_rate(history, max(middle, stop - _NOW), stop) for stop in range(history.end, middle, -_NOW)]
    known = [share for share in since if share is not None]  # the newest first
    if before is None or not known or before - min(known) < _FELL:
        return None
    return min(1.0, max(0.0, (known[0] - min(known)) / (before - min(known))))


def _hit_rate(history: HistoryView, start: int, stop: int) -> float | None:
    return hit_rate(*(_mean(history.samples(metric.name, start, stop)) for metric in (HITS, MISSES)))


def _mean(samples: Sequence[float | None]) -> float | None:
    known = [sample for sample in samples if sample is not None]
    return sum(known) / len(known) if known else None


def _p99(samples: Sequence[float | None]) -> float | None:
    known = sorted(sample for sample in samples if sample is not None)
    return known[math.ceil(0.99 * len(known)) - 1] if known else None
