"""How long commands took lately: percentiles of one interval and of the last minutes. From LATENCY HISTOGRAM.

The server counts each command's calls by their time, in buckets that double, from its start or CONFIG RESETSTAT. What
was lately is the difference of two such counts; those of several commands and nodes are added up. Percentiles
themselves can't be: the mean of two of them is none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate

from pymon_tui.model.query import Answers, Batch, Command, Part, Query, Reply, Request, itself
from pymon_tui.readings.info import INFO, Info

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
        if any(calls < 0 for calls in came.values()):
            return None
        return Histogram({end: calls for end, calls in came.items() if calls})


_NONE = Histogram({})


@dataclass(frozen=True, slots=True)
class Calls:
    """The calls of a span of time.

    Attributes:
        calls: How many took how long.
        seconds: How long the span is.
        like_ours: Others' calls of commands that were mostly ours. Their durations can't be separated from ours: they
            are counted here, and are in no percentile.
        ours: How many of ``calls`` are ours, of commands that were mostly others'.
    """

    calls: Histogram
    seconds: float
    like_ours: int = 0
    ours: int = 0

    @property
    def others(self) -> int:
        """All calls by others, whether it is known how long they took or not."""
        return self.calls.calls - self.ours + self.like_ours

    def plus(self, other: Calls) -> Calls:
        """The calls of two nodes in about the same time."""
        return Calls(
            self.calls.plus(other.calls),
            max(self.seconds, other.seconds),
            self.like_ours + other.like_ours,
            self.ours + other.ours,
        )


@dataclass(frozen=True, slots=True, eq=False)
class Count:
    """What the server had counted at one moment.

    Attributes:
        at: Monotonic seconds.
        commands: By the command's name in INFO.
        own: How many of a command's calls are this program's, as far as it has asked in the same way.
    """

    at: float
    commands: Mapping[bytes, Histogram]
    own: Mapping[str, int]

    def since(self, before: Count) -> Calls | None:
        """The calls between the two without the program's own; None after a reset, and where none are tracked.

        Where more than half of a command's calls are others', all of them count, ours too; else none.
        """
        if not self.commands or before.commands.keys() - self.commands.keys():
            return None
        whole, like_ours, among = _NONE, 0, 0
        for name, now in self.commands.items():
            came = now.since(before.commands.get(name, _NONE))
            if came is None:
                return None
            sent = name.decode("utf-8", "replace")
            ours = max(0, self.own.get(sent, 0) - before.own.get(sent, 0))
            if came.calls > 2 * ours:
                whole, among = whole.plus(came), among + ours
            else:
                like_ours += max(0, came.calls - ours)
        return Calls(whole, self.at - before.at, like_ours, among)


@dataclass(frozen=True, slots=True)
class Latency:
    """How long the calls of all commands took, time spent blocked left out.

    Attributes:
        last: Between the last two askings; None before there were two, and after a reset.
        long: In the last ``LONG`` seconds, or as many as are known.
        since_start: Since the server's start or CONFIG RESETSTAT, the program's own calls included; None where the
            server tracks none.
    """

    last: Calls | None
    long: Calls | None
    since_start: Histogram | None
    _count: Count | None = field(default=None, repr=False, compare=False)
    _spans: tuple[tuple[float, Calls], ...] = field(default=(), repr=False, compare=False)

    def as_json(self) -> dict[str, object]:
        """Calls, seconds, and percentiles in microseconds, to a bucket that doubles."""
        return {
            "last": self.last and _spelled(self.last),
            "long": self.long and _spelled(self.long),
            "since_start": self.since_start and _written(self.since_start),
        }


def decode_histograms(answers: Answers) -> Latency:
    """One asking.

    Raises:
        ValueError: If the reply is in another form.
    """
    ((_, reply),) = answers
    commands = {_name(name): _bucketed(_buckets(told)) for name, told in _pairs(reply)}
    whole = _NONE
    for calls in commands.values():
        whole = whole.plus(calls)
    return Latency(None, None, whole if commands else None, Count(answers.at, commands, answers.own))


def remember(before: Latency | None, new: Latency) -> Latency:
    """The new asking with what came in the last minutes before it."""
    if before is None or before._count is None or new._count is None:
        return new
    at, began = new._count.at, before._count.at
    last = new._count.since(before._count)
    if last is None or at <= began:
        return new
    spans = tuple(each for each in (*before._spans, (began, last)) if at - each[0] <= max(LONG, last.seconds))
    return replace(new, last=last, long=_whole(spans, at), _spans=spans)


def _whole(spans: Sequence[tuple[float, Calls]], at: float) -> Calls:
    """The calls of spans that follow on one another, each with when it began; the newest ends at ``at``."""
    whole = Calls(_NONE, 0.0)
    for _, span in spans:
        whole = whole.plus(span)
    return replace(whole, seconds=at - spans[0][0])


def _name(name: Reply) -> bytes:
    if not isinstance(name, bytes):
        raise ValueError("LATENCY HISTOGRAM names a command by something else than a text")
    return name


def _buckets(told: Reply) -> Reply:
    return next((value for name, value in _pairs(told) if name == b"histogram_usec"), None)


def _bucketed(cumulative: Reply) -> Histogram:
    """Buckets of their own from counts of all calls up to each end."""
    pairs = list(_pairs(cumulative))
    if any(not isinstance(end, int) or not isinstance(calls, int) for end, calls in pairs):
        raise ValueError("LATENCY HISTOGRAM has a bucket that isn't a number")
    pairs.sort()
    return Histogram(
        {end: calls - before for (end, calls), before in zip(pairs, [0, *(c for _, c in pairs)], strict=False)}
    )


def _pairs(reply: Reply) -> Iterator[tuple[Reply, Reply]]:
    """A map of RESP3, or the flat list that RESP2 has for it."""
    if isinstance(reply, Mapping):
        yield from reply.items()
    elif isinstance(reply, list) and len(reply) % 2 == 0:
        yield from zip(reply[::2], reply[1::2], strict=True)
    else:
        raise ValueError("LATENCY HISTOGRAM answered in another form")


def _of_nodes(parts: Sequence[Part[Latency]]) -> Latency:
    """The calls of all nodes; unknown where one of them doesn't know.

    Each node's are of about the same time: the last minutes as far as all of them know them, and the last moment as
    long as it is for the one that is asked most rarely.
    """
    nodes = [part.value for part in parts]
    totals = [each.since_start for each in nodes]
    whole: Histogram | None = _NONE
    for total in totals:
        whole = whole.plus(total) if whole is not None and total is not None else None
    rarest = max((each.last.seconds for each in nodes if each.last is not None), default=0.0)
    youngest = min((each.long.seconds for each in nodes if each.long is not None), default=0.0)
    return Latency(
        _added([_newest(each, rarest) for each in nodes]), _added([_newest(each, youngest) for each in nodes]), whole
    )


def _newest(one: Latency, seconds: float) -> Calls | None:
    """The calls of the newest intervals in about so many seconds, of the last at least; None where there is none.

    An interval counts if half of it is within.
    """
    if one._count is None or not one._spans:
        return None
    at = one._count.at
    spans = [each for each in one._spans if at - each[0] - each[1].seconds / 2 <= seconds]
    return _whole(spans or one._spans[-1:], at)


def _added(spans: Sequence[Calls | None]) -> Calls | None:
    known = [span for span in spans if span is not None]
    if len(known) < len(spans) or not known:
        return None
    whole, *rest = known
    for span in rest:
        whole = whole.plus(span)
    return whole


def _spelled(span: Calls) -> dict[str, float | int | None]:
    return {"seconds": round(span.seconds, 3), **_written(span.calls), "like_ours": span.like_ours}


def _written(calls: Histogram) -> dict[str, int | None]:
    shares = {"p50": 0.5, "p99": 0.99, "p99.9": 0.999}
    return {
        "calls": calls.calls,
        **{name: calls.percentile(share) for name, share in shares.items()},
        "max": calls.highest,
    }


def _ask(_own: Latency | None, info: Info | None) -> Request:
    """Nothing of a server older than 7.0, which would count an error. A batch is told when it was asked."""
    return Batch((("LATENCY", "HISTOGRAM"),)) if info is not None and info.tells("latencystats") else ()


LATENCY: Query[Latency] = Query(
    "latency",
    Command("latency|histogram", _ask, decode_histograms, every=EVERY, given=INFO, fold=remember, per_connection=True),
    itself,
    merge=_of_nodes,
    of_all=True,
)
