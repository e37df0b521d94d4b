"""Hit rate: how many reads found their key, and how many keys went. From INFO stats and what it was over time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pymon_tui.model.history import HistoryView
from pymon_tui.model.metric import Metric
from pymon_tui.model.query import Query
from pymon_tui.readings.info import INFO, Info, NotTold
from pymon_tui.readings.metrics import EVICTED, EXPIRED, HITS, MISSES

SHORT, MIDDLE, LONG, LONGEST = 10.0, 60.0, 300.0, 900.0
"""Seconds of the windows that a hit rate is told for."""

_FILLED = 0.1
"""By how much of its length a window may differ from its name: ten samples of 1.05 s are ten seconds."""

_MORE = 2.0
"""How many times as long as the window before it a window is before it tells something else."""


@dataclass(frozen=True, slots=True)
class Hits:
    """INFO's fields about reads and lost keys under their own names, since the start or CONFIG RESETSTAT.

    Attributes:
        keyspace_hits: Reads of a key that was there, without ours.
        keyspace_misses: Reads of a key that wasn't, without ours.
        expired_stale_perc: Percent of keys with a TTL that are probably expired and still held.
    """

    keyspace_hits: int
    keyspace_misses: int
    expired_keys: int | None
    expired_stale_perc: float | None
    evicted_keys: int | None
    uptime_in_seconds: int | None

    @property
    def hit_rate(self) -> float | None:
        """The share of all reads that hit, from 0 to 1; None if nothing was read."""
        return hit_rate(self.keyspace_hits, self.keyspace_misses)


@dataclass(frozen=True, slots=True)
class Window:
    """The newest part of the history: events per second over ``covered`` of the ``seconds`` asked for.

    Attributes:
        covered: Seconds of which hits are known: fewer than asked for while the history is young, 0 (shown as –)
            where the history is less than twice the shorter window.
    """

    seconds: float
    covered: float
    hits: float | None
    misses: float | None
    expired: float | None
    evicted: float | None

    @property
    def hit_rate(self) -> float | None:
        """The share of reads that hit, from 0 to 1; None if nothing was read or is known."""
        return hit_rate(self.hits, self.misses)

    @property
    def rates(self) -> tuple[float | None, ...]:
        """Hits, misses, expired and evicted keys, each per second."""
        return self.hits, self.misses, self.expired, self.evicted

    @property
    def named(self) -> float:
        """The seconds to name it by: those asked for if it has about as many, else those it has."""
        asked = not self.covered or abs(self.covered - self.seconds) <= _FILLED * self.seconds
        return self.seconds if asked else self.covered


def hit_rate(hits: float | None, misses: float | None) -> float | None:
    """The share of reads that hit, from 0 to 1; None where nothing was read or is known."""
    if hits is None or misses is None or hits + misses <= 0:
        return None
    return hits / (hits + misses)


def hit_rates(hits: Sequence[float | None], misses: Sequence[float | None]) -> tuple[float | None, ...]:
    """The hit rate of each column; None where nothing is known, and where nothing was read."""
    return tuple(hit_rate(*both) for both in zip(hits, misses, strict=True))


def windows(history: HistoryView, spans: Sequence[float]) -> tuple[Window, ...]:
    """One window for each of the ``spans`` (seconds, rising)."""
    found: list[Window] = []
    longest = 0.0
    for seconds in spans:
        known = history.growth(HITS.name, seconds)
        covered = known[1] if known is not None else 0.0
        if not covered or covered < _MORE * longest:
            found.append(Window(seconds, 0.0, None, None, None, None))
            continue
        longest = covered
        rates = [_per_second(history, metric, seconds) for metric in (HITS, MISSES, EXPIRED, EVICTED)]
        found.append(Window(seconds, covered, *rates))
    return tuple(found)


def parse_hits(info: Info) -> Hits:
    """The part of INFO about reads.

    Raises:
        ValueError: If ``keyspace_hits`` or ``keyspace_misses`` is missing.
    """
    hits, misses = info.others("keyspace_hits"), info.others("keyspace_misses")
    if hits is None or misses is None:
        told = [name for name in ("keyspace_hits", "keyspace_misses") if name in info]
        if len(told) < 2:
            raise NotTold("INFO has no keyspace_hits and keyspace_misses")
        raise ValueError("INFO tells keyspace_hits and keyspace_misses as something other than numbers")
    return Hits(
        keyspace_hits=hits,
        keyspace_misses=misses,
        expired_keys=info.integer("expired_keys"),
        expired_stale_perc=info.number("expired_stale_perc"),
        evicted_keys=info.integer("evicted_keys"),
        uptime_in_seconds=info.integer("uptime_in_seconds"),
    )


def _per_second(history: HistoryView, metric: Metric[Info], seconds: float) -> float | None:
    known = history.growth(metric.name, seconds)
    return known[0] / known[1] if known is not None else None


HIT_RATE = Query("hits", INFO, parse_hits)
