"""How long commands took lately: percentiles of one interval and of the last minutes. From LATENCY HISTOGRAM.

The server counts each command's calls by their time, in buckets that double, from its start or CONFIG RESETSTAT. What
was lately is the difference of two such counts; those of several commands and nodes are added up. Percentiles
themselves can't be: the mean of two of them is none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate

from pymon_tui.model.query import Argument, Command, Part, Query, Reply
from pymon_tui.readings.info import INFO, Info
from pymon_tui.server import clock

EVERY = 5.0
"""Seconds between two askings: one takes the server 0.1 to 0.3 ms."""
LONG = 300.0
"""Seconds that the longer of the two spans covers."""


@dataclass(frozen=True, slots=True)
class Histogram:
    """Calls by the most microseconds that they took: each bucket's upper end, and the calls in it alone."""

    buckets: Mapping[int, int]

    @property
    def calls(self) -> int:
        """All calls."""
        return sum(self.buckets.values())

    @property
    def highest(self) -> int | None:
        """The upper end of the last bucket with a call, in microseconds; None without a call."""
        return max((end for end, calls in self.buckets.items() if calls), default=None)

    def percentile(self, share: float) -> int | None:
        """The microseconds that this share of the calls took at most, to a bucket; None without a call."""
        ends = sorted(self.buckets)
        wanted = share * self.calls
        below = accumulate(self.buckets[end] for end in ends)
        return next((end for end, calls in zip(ends, below, strict=True) if calls and calls >= wanted), None)

    def plus(self, other: Histogram) -> Histogram:
        """The calls of both."""
        ends = self.buckets.keys() | other.buckets.keys()
        return Histogram({end: self.buckets.get(end, 0) + other.buckets.get(end, 0) for end in ends})

    def since(self, before: Histogram) -> Histogram | None:
        """The calls that came after ``before``; None where there were more then: the server was reset."""
        ends = self.buckets.keys() | before.buckets.keys()
        came = {end: self.buckets.get(end, 0) - before.buckets.get(end, 0) for end in ends}
        return None if any(calls < 0 for calls in came.values()) else Histogram(came)


@dataclass(frozen=True, slots=True)
class Calls:
    """The calls of a span of time, of this many seconds."""

    calls: Histogram
    seconds: float

    def plus(self, other: Calls) -> Calls:
        """The calls of two nodes in about the same time."""
        return Calls(self.calls.plus(other.calls), max(self.seconds, other.seconds))


@dataclass(frozen=True, slots=True)
class Latency:
    """How long all commands took, time spent blocked left out.

    Attributes:
        last: Between the last two askings; None before there were two, and after a reset.
        long: In the last ``LONG`` seconds, or as many as are known.
    """

    last: Calls | None
    long: Calls | None
    _moments: tuple[tuple[float, Histogram], ...] = field(default=(), repr=False)

    def as_json(self) -> dict[str, object]:
        """Percentiles in microseconds, to a bucket that doubles."""
        return {"last": _written(self.last), "long": _written(self.long)}


def decode_histograms(reply: Reply) -> Latency:
    """One asking: the calls of all commands together, and when they were asked for.

    Raises:
        ValueError: If the reply is in another form.
    """
    whole = Histogram({})
    for value in _values(reply):
        told = dict(_pairs(value))
        whole = whole.plus(_bucketed(told.get(b"histogram_usec")))
    return Latency(None, None, ((clock.now(), whole),))


def remember(before: Latency | None, new: Latency) -> Latency:
    """The new asking with those of the last minutes behind it."""
    if before is None:
        return new
    ((at, whole),) = new._moments
    moments = tuple(moment for moment in before._moments if at - moment[0] <= LONG + EVERY)
    spans = [_since(moment, at, whole) for moment in moments]
    if not spans or spans[-1] is None:
        return new
    first = next(span for span in spans if span is not None)
    return replace(new, last=spans[-1], long=first, _moments=(*moments, (at, whole)))


def _since(moment: tuple[float, Histogram], at: float, whole: Histogram) -> Calls | None:
    came = whole.since(moment[1])
    return None if came is None else Calls(came, at - moment[0])


def _bucketed(cumulative: Reply) -> Histogram:
    """Buckets of their own from counts of all calls up to each end."""
    pairs = list(_pairs(cumulative))
    if any(not isinstance(end, int) or not isinstance(calls, int) for end, calls in pairs):
        raise ValueError("LATENCY HISTOGRAM has a bucket that isn't a number")
    pairs.sort()
    return Histogram(
        {end: calls - before for (end, calls), before in zip(pairs, [0, *(c for _, c in pairs)], strict=False)}
    )


def _values(reply: Reply) -> Iterator[Reply]:
    """What is told of each command."""
    for _, value in _pairs(reply):
        yield value


def _pairs(reply: Reply) -> Iterator[tuple[Reply, Reply]]:
    """A map of RESP3, or the flat list that RESP2 has for it."""
    if isinstance(reply, Mapping):
        yield from reply.items()
    elif isinstance(reply, list) and len(reply) % 2 == 0:
        yield from zip(reply[::2], reply[1::2], strict=True)
    else:
        raise ValueError("LATENCY HISTOGRAM answered in another form")


def _of_nodes(parts: Sequence[Part[Latency]]) -> Latency:
    """The calls of all nodes; unknown where one of them doesn't know."""
    return Latency(_added([part.value.last for part in parts]), _added([part.value.long for part in parts]))


def _added(spans: Sequence[Calls | None]) -> Calls | None:
    known = [span for span in spans if span is not None]
    if len(known) < len(spans) or not known:
        return None
    whole, *rest = known
    for span in rest:
        whole = whole.plus(span)
    return whole


def _written(span: Calls | None) -> dict[str, object] | None:
    if span is None:
        return None
    shares = {"p50": 0.5, "p99": 0.99, "p99.9": 0.999}
    return {
        "seconds": round(span.seconds, 1),
        "calls": span.calls.calls,
        **{name: span.calls.percentile(share) for name, share in shares.items()},
        "max": span.calls.highest,
    }


def _ask(_own: Latency | None, info: Info | None) -> tuple[Argument, ...]:
    """Nothing of a server older than 7.0, which would count an error."""
    return ("LATENCY", "HISTOGRAM") if info is not None and info.tells("latencystats") else ()


_HISTOGRAM: Command[Latency] = Command(
    "latency|histogram", _ask, decode_histograms, every=EVERY, given=INFO, fold=remember, anew=True
)
LATENCY: Query[Latency] = Query("latency", _HISTOGRAM, lambda latency: latency, merge=_of_nodes)
