"""Hits and misses of a day and of many, by namespace: what the statistics in the keys say."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from pymon_tui.services.keys import STATS_HITS, STATS_MISSES

FAMILIES = (STATS_HITS, STATS_MISSES)
"""The two hashes of a day, in the order of a ``HitRate``."""

_DIGITS = 19
"""Digits that a count has at most: HINCRBY counts in 64 bits."""


@dataclass(frozen=True, slots=True)
class HitRate:
    """Hits and misses of something.

    Attributes:
        hits: Look-ups that found a value.
        misses: Look-ups that found none.
    """

    hits: int
    misses: int

    @property
    def share(self) -> float | None:
        """Hits among all look-ups, from 0 to 1; None where there were none."""
        return self.hits / (self.hits + self.misses) if self.hits + self.misses else None


@dataclass(frozen=True, slots=True)
class Day:
    """What was looked up on one day.

    Attributes:
        day: The day, as the time zone of the statistics has it.
        namespaces: Each namespace that was looked up, by name.
    """

    day: date
    namespaces: tuple[tuple[str, HitRate], ...]

    @property
    def total(self) -> HitRate:
        """All namespaces together."""
        return _sum(rate for _, rate in self.namespaces)


@dataclass(frozen=True, slots=True)
class Days:
    """What was looked up from one day to another.

    Attributes:
        days: Every day between them, those without look-ups too, oldest first.
    """

    days: tuple[Day, ...]

    @property
    def total(self) -> HitRate:
        """All days and namespaces together."""
        return _sum(day.total for day in self.days)

    @property
    def namespaces(self) -> tuple[tuple[str, HitRate], ...]:
        """Each namespace that was looked up, by name, over all days."""
        rates: defaultdict[str, list[HitRate]] = defaultdict(list)
        for day in self.days:
            for name, rate in day.namespaces:
                rates[name].append(rate)
        return tuple((name, _sum(rates[name])) for name in sorted(rates))


def counted(day: date, hits: Mapping[bytes, bytes], misses: Mapping[bytes, bytes]) -> Day:
    """A day of its two hashes, as HGETALL gives them; what is no count, which anybody may have written, is 0."""
    names = sorted({*hits, *misses})
    return Day(
        day,
        tuple(
            (name.decode("utf-8", "replace"), HitRate(_number(hits.get(name)), _number(misses.get(name))))
            for name in names
        ),
    )


def _number(count: bytes | None) -> int:
    return int(count) if count is not None and len(count) <= _DIGITS and count.isdigit() else 0


def _sum(rates: Iterable[HitRate]) -> HitRate:
    known = list(rates)
    return HitRate(sum(rate.hits for rate in known), sum(rate.misses for rate in known))
