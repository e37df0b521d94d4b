"""A uniform sample of keys that are seen once each, and what it says of all of them."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from random import Random
from statistics import median, stdev

SIZE = 2_000
"""Keys in a plan's sample."""

UNKNOWN = "unknown"
"""What keys are counted as of which the server didn't tell: no other key speaks for them."""

EXPIRY_BUCKETS = ("none", "<1m", "<1h", "<1d", ">1d")
_BUCKET_ENDS = (("<1m", 60_000), ("<1h", 3_600_000), ("<1d", 86_400_000))
NORMAL_95 = 1.96
"""Standard deviations, of a normal distribution, within which 95 of 100 values are."""
_MANY = 30
"""Sizes of which the mean is spread as in a normal distribution, nearly."""


@dataclass(frozen=True, slots=True)
class Sample:
    """A key that was looked at; None for what the server doesn't tell.

    Attributes:
        type: As TYPE says.
        pttl_ms: Milliseconds to live as PTTL says, -1 for a key that doesn't expire.
        bytes: As MEMORY USAGE says.
        idle: Seconds as OBJECT IDLETIME says.
        gone: Whether it has gone meanwhile: then all of this is None.
    """

    key: bytes
    type: str | None = None
    pttl_ms: int | None = None
    bytes: int | None = None
    idle: int | None = None
    gone: bool = False


@dataclass(frozen=True, slots=True)
class BytesEstimate:
    """Bytes of all keys by the mean of a sample; the truth is within ``error`` of it in 95 of 100 samples.

    That is as long as no few keys hold most of it, which a sample may miss. Infinite where nothing says how far it is.
    """

    value: float
    error: float


@dataclass(frozen=True, slots=True)
class Idle:
    """Seconds since keys of the sample were last used; ``known`` is of how many of them that is known."""

    median: float
    oldest: int
    known: int


class Reservoir:
    """Decides which of a stream's items belong to a uniform sample, without knowing how many there will be.

    Li's algorithm L: it draws how many items to pass over, so its work is that of the items taken, about
    ``size * (1 + ln(seen / size))`` of them.
    """

    def __init__(self, size: int, random: Random) -> None:
        self.seen = 0
        self._size = size
        self._random = random
        self._weight = 1.0
        self._next = size - 1
        self._skip()

    def take(self, count: int) -> Iterator[tuple[int, int]]:
        """Which of the next ``count`` items to take, in order: index among them, and the place in the sample."""
        end = self.seen + count
        for item in range(self.seen, min(end, self._size)):
            yield item - self.seen, item
        while self._next < end:
            yield self._next - self.seen, self._random.randrange(self._size)
            self._skip()
        self.seen = end

    def _skip(self) -> None:
        # 1 - random() is never 0, whose logarithm there is none of; the weight stays under 1.
        self._weight *= math.exp(math.log(1.0 - self._random.random()) / self._size)
        passed = math.log(1.0 - self._random.random()) / math.log1p(-min(self._weight, 1.0 - 2**-53))
        self._next += math.floor(passed) + 1


def total_bytes(sizes: Sequence[int], keys: int, off: float = 0.0) -> BytesEstimate | None:
    """Bytes of ``keys`` keys, of which these were looked at; exact if that was all of them, None if it was none.

    Args:
        sizes: Of the sample.
        keys: How many keys there are.
        off: By how many keys that may be wrong, in 95 of 100 cases; infinite where nothing says it.
    """
    looked_at = len(sizes)
    if not keys:
        return BytesEstimate(0.0, 0.0)
    if not sizes:
        return None
    mean = sum(sizes) / looked_at
    if looked_at >= keys and not off:
        return BytesEstimate(mean * keys, 0.0)
    spread = stdev(sizes) if looked_at >= _MANY else 0.0
    if not spread:  # few sizes, or sizes that are all alike, don't say how unlike them the others may be
        return BytesEstimate(mean * keys, math.inf)
    unseen = math.sqrt(max(0, keys - looked_at) / max(1, keys - 1))
    of_mean = NORMAL_95 * spread / math.sqrt(looked_at) * unseen * keys
    return BytesEstimate(mean * keys, math.hypot(of_mean, mean * off))


def share_out(counts: Sequence[tuple[str, int]], total: int) -> tuple[tuple[str, int], ...]:
    """The counts of a sample scaled to ``total``, as whole numbers that add up to it; largest remainders first."""
    sampled = sum(count for _, count in counts)
    if not sampled:
        return tuple((name, 0) for name, _ in counts)
    floors = [count * total // sampled for _, count in counts]
    remainders = sorted(range(len(counts)), key=lambda each: counts[each][1] * total % sampled, reverse=True)
    for each in remainders[: total - sum(floors)]:
        floors[each] += 1
    return tuple((name, floor) for (name, _), floor in zip(counts, floors, strict=True))


def type_counts(samples: Sequence[Sample], keys: int) -> tuple[tuple[str, int], ...]:
    """How many of ``keys`` keys have each type, the most frequent first and the unknown last; empty if all are that."""
    counts = Counter(sample.type for sample in samples if sample.type is not None)
    if not counts:
        return ()
    known = sorted(counts.items(), key=lambda each: (-each[1], each[0]))
    return share_out(known + _unknown(sample.type is None for sample in samples if not sample.gone), keys)


def expiry_counts(samples: Sequence[Sample], keys: int) -> tuple[tuple[str, int], ...]:
    """How many of ``keys`` keys expire when: each of ``EXPIRY_BUCKETS``, and the unknown; empty if all are that."""
    counts = dict.fromkeys(EXPIRY_BUCKETS, 0)
    for sample in samples:
        if sample.pttl_ms is not None:
            counts[_bucket(sample.pttl_ms)] += 1
    if not any(counts.values()):
        return ()
    unknown = _unknown(sample.pttl_ms is None for sample in samples if not sample.gone)
    return share_out([*counts.items(), *unknown], keys)


def idle_times(samples: Sequence[Sample]) -> Idle | None:
    """The median and the longest idle time among the samples whose is known."""
    idle = [sample.idle for sample in samples if sample.idle is not None]
    return Idle(median(idle), max(idle), len(idle)) if idle else None


def _unknown(lacks: Iterable[bool]) -> list[tuple[str, int]]:
    count = sum(lacks)
    return [(UNKNOWN, count)] if count else []


def _bucket(pttl_ms: int) -> str:
    if pttl_ms < 0:
        return "none"
    return next((name for name, end in _BUCKET_ENDS if pttl_ms < end), ">1d")
