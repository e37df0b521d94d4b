"""All keys at a glance: each family and each large namespace with what the walk, the samples and the statistics say."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from pymon_tui.application.groups import Group, Groups
from pymon_tui.application.samples import Known
from pymon_tui.invalidation.pattern import Pattern
from pymon_tui.invalidation.sampling import NORMAL_95, BytesEstimate, total_bytes
from pymon_tui.services.days import Day, HitRate

_MANY_TIMES = 1.25  # as many keys: what was counted is out of date
_STAYS = -1  # PTTL's answer for a key that doesn't expire


@dataclass(frozen=True, slots=True)
class Row:
    """One group of keys; None for what isn't known, or not yet.

    Attributes:
        group: Which; None for the keys that are in none.
        keys: How many there are, about, where they are projected.
        bytes: What they take, by the mean of those that were asked about, as many as ``sampled``.
        without_expiry: The share of those asked about that don't expire, from 0 to 1.
        today: Hits and misses of today; None also where nothing was looked up.
    """

    group: Group | None
    keys: int
    bytes: BytesEstimate | None
    sampled: int
    without_expiry: float | None
    today: HitRate | None

    @property
    def must_expire(self) -> bool:
        """Whether its family has a life, so that a key without an end is a mistake."""
        return self.group is not None and self.group.family is not None and self.group.family.life is not None


@dataclass(frozen=True, slots=True)
class Overview:
    """The keys of one database.

    Attributes:
        rows: Families that have keys and the large namespaces of the other keys; the rest at the end, if there is any.
        absent: The names of the families without a key, if there are others that have some.
        seen: Keys that the walk has met in its newest whole round, or until now.
        total: Keys in the database; None where the server doesn't tell.
        complete: Whether a round came to its end.
        projected: Whether the numbers of keys are extrapolated to ``total``: until the round is whole, and where there
            are many more or fewer keys by now than it met.
    """

    rows: tuple[Row, ...]
    absent: tuple[str, ...]
    seen: int
    total: int | None
    complete: bool
    projected: bool

    @property
    def of_families(self) -> int:
        """Keys in families."""
        return sum(row.keys for row in self.rows if row.group is not None and row.group.family is not None)

    @property
    def keys(self) -> int:
        """Keys in all."""
        return sum(row.keys for row in self.rows)

    @property
    def progress(self) -> float | None:
        """How much of the round is done, from 0 to 1; None where that isn't known."""
        return min(1.0, self.seen / self.total) if self.total else None


def overview(
    groups: Groups, total: int | None, sizes: Known | None, lives: Known | None, today: Day | None
) -> Overview:
    """Put together what is known; None for a reading that there is none of.

    Args:
        total: Keys in the database.
        sizes: Bytes by key.
        lives: Milliseconds to live by key.
    """
    scale = _scale(groups, total)
    found = [group for group in (*groups.families, *groups.namespaces) if group.keys]
    bytes_of, lives_of = _by_group(groups, sizes), _by_group(groups, lives)
    rates = dict(today.namespaces) if today is not None else {}
    projected = scale != 1.0 or not groups.complete
    rows = [
        _row(
            group,
            round(scale * group.keys),
            _off(groups, group.keys, total) if projected else 0.0,
            bytes_of.get(group.pattern, ()),
            lives_of.get(group.pattern, ()),
            rates,
        )
        for group in found
    ]
    if groups.rest:
        rows.append(Row(None, round(scale * groups.rest), None, 0, None, None))
    absent = tuple(group.family.name for group in groups.families if group.family is not None and not group.keys)
    has_families = len(absent) < len(groups.families)
    return Overview(
        rows=tuple(rows),
        absent=absent if has_families else (),
        seen=groups.seen,
        total=total,
        complete=groups.complete,
        projected=projected,
    )


def _scale(groups: Groups, total: int | None) -> float:
    """How many times as many keys there are as the walk has met."""
    if not total or not groups.seen:
        return 1.0
    scale = total / groups.seen
    if groups.complete:
        return 1.0 if 1 / _MANY_TIMES < scale < _MANY_TIMES else scale
    return max(1.0, scale)


def _off(groups: Groups, met: int, total: int | None) -> float:
    """By how many keys a projected number may be wrong, in 95 of 100 walks; infinite where nothing says it.

    A walk meets keys in the order of their hashes, which is none: what it has met is a sample of all. Of keys that
    came or went since a whole round nobody knows which group they are in.
    """
    if groups.complete or not total or groups.seen >= total:
        return math.inf
    share = met / groups.seen
    return NORMAL_95 * total * math.sqrt(share * (1 - share) / groups.seen * (1 - groups.seen / total))


def _row(
    group: Group,
    keys: int,
    off: float,
    sizes: tuple[int, ...],
    lives: tuple[int, ...],
    rates: Mapping[str, HitRate],
) -> Row:
    return Row(
        group=group,
        keys=keys,
        bytes=total_bytes(sizes, keys, off),
        sampled=len(sizes),
        without_expiry=lives.count(_STAYS) / len(lives) if lives else None,
        today=rates.get(group.counted_as) if group.counted_as is not None else None,
    )


def _by_group(groups: Groups, known: Known | None) -> Mapping[Pattern | None, tuple[int, ...]]:
    group_of = groups.finder
    found: dict[Pattern | None, list[int]] = {}
    for key, value in (known or {}).items():
        if isinstance(value, int):
            found.setdefault(group_of(key), []).append(value)
    return {pattern: tuple(values) for pattern, values in found.items()}
