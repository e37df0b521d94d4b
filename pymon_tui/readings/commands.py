"""What each command costs the server. From INFO commandstats and latencystats.

Both count from the server's start or the last CONFIG RESETSTAT. What goes on now is the growth of commandstats over
the last seconds, for which the reading remembers its earlier values.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from pymon_tui.model.query import Query
from pymon_tui.model.text import SafeText, safe
from pymon_tui.readings.info import INFO, Info

WINDOW = 10.0
"""Seconds that "now" covers: long enough for a calm number, short enough to see an incident begin."""
_STEP = 0.95
"""Seconds between two remembered values: a shorter interval adds nothing to the window but memory."""


@dataclass(frozen=True, slots=True)
class CommandStatistic:
    """One command since the start.

    Attributes:
        name: As INFO has it: ``get``, ``client|list``.
        calls: Calls carried out, without ours.
        usec: Microseconds spent in them, without our part of the calls; time spent blocked is not in it.
        rejected_calls: Calls refused before they ran; unknown before Redis 6.2.
        failed_calls: Calls that ran and failed; unknown before Redis 6.2.
        p50: Half of the calls took at most so many microseconds; None without ``latency-tracking`` (Redis 7).
        p99: The same of 99 in 100 calls.
        p999: The same of 999 in 1000 calls.
    """

    name: SafeText
    calls: int
    usec: int
    rejected_calls: int | None
    failed_calls: int | None
    p50: float | None
    p99: float | None
    p999: float | None

    @property
    def usec_per_call(self) -> float | None:
        """The mean duration of a call in microseconds."""
        return self.usec / self.calls if self.calls else None


@dataclass(frozen=True, slots=True, eq=False)
class Totals:
    """Calls, ours among them, and microseconds by command at one moment of the server's clock, in seconds.

    Attributes:
        own: Our own calls.
    """

    at: float
    totals: Mapping[str, tuple[int, int]]
    own: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Growth:
    """What a command did lately: calls per second, and microseconds of the server's time per second."""

    calls: float
    usec: float

    @property
    def usec_per_call(self) -> float | None:
        """The mean duration of a call in microseconds."""
        return self.usec / self.calls if self.calls else None


@dataclass(frozen=True, slots=True, eq=False)
class Commands:
    """All commands called since the start.

    Attributes:
        statistics: In INFO's order.
        now: The totals of this moment; None where the server tells no clock.
        earlier: The totals of the moments before in the last ``WINDOW`` seconds, oldest first.
        told: Whether the server counts calls at all, though there may be none yet.
    """

    statistics: tuple[CommandStatistic, ...]
    run_id: SafeText | None = field(repr=False)
    now: Totals | None = field(repr=False)
    earlier: tuple[Totals, ...] = field(default=(), repr=False)
    told: bool = field(default=True, repr=False)

    @property
    def usec_per_call(self) -> float | None:
        """The mean duration of all calls in microseconds; None where there is none."""
        calls = sum(each.calls for each in self.statistics)
        return sum(each.usec for each in self.statistics) / calls if calls else None

    def as_json(self) -> dict[str, object]:
        """What was read, without what is remembered.

        ``p50`` and ``p99`` of all commands were once means of the commands' own, which are no percentiles; those of
        all calls are the reading ``latency``.
        """
        return {"p50": None, "p99": None, "statistics": self.statistics}

    def growth(self, name: str) -> Growth | None:
        """What this command did in the last ``WINDOW`` seconds, or as many as are known; None if none are."""
        if self.now is None or not self.earlier or name not in self.now.totals:
            return None
        before = self.earlier[0]
        calls, usec = self.now.totals[name]
        calls_then, usec_then = before.totals.get(name, (0, 0))
        seconds, grown = self.now.at - before.at, calls - calls_then
        others = max(0, grown - max(0, self.now.own.get(name, 0) - before.own.get(name, 0)))
        return Growth(others / seconds, _part(usec - usec_then, others, grown) / seconds)

    @property
    def growth_seconds(self) -> float | None:
        """How long that was; None where no growth is known."""
        return self.now.at - self.earlier[0].at if self.now is not None and self.earlier else None

    @property
    def total_growth(self) -> Growth | None:
        """What all commands did in the same time. ``usec`` of a million is a main thread that does nothing else."""
        known = [growth for each in self.statistics if (growth := self.growth(each.name)) is not None]
        return Growth(sum(each.calls for each in known), sum(each.usec for each in known)) if known else None


def parse_commands(info: Info) -> Commands:
    """The commandstats and latencystats of INFO; a command whose calls or time can't be read is left out."""
    latencies = dict(info.with_prefix("latency_percentiles_usec_"))
    statistics: list[CommandStatistic] = []
    totals: dict[str, tuple[int, int]] = {}
    own: dict[str, int] = {}
    for raw, values in info.with_prefix("cmdstat_"):
        line, latency = Info(values), Info(latencies.get(raw, {}))
        calls, usec = line.integer("calls"), line.integer("usec")
        if calls is None or usec is None or calls < 0 or usec < 0:
            continue
        totals[str(safe(raw, 64))] = calls, usec
        own[str(safe(raw, 64))] = ours = _own_calls(info, raw)
        if ours and ours >= calls:
            continue  # nobody else has called it
        statistics.append(
            CommandStatistic(
                name=safe(raw, 64),
                calls=calls - ours,
                usec=_part(usec, calls - ours, calls),
                rejected_calls=line.integer("rejected_calls"),
                failed_calls=line.integer("failed_calls"),
                p50=latency.number("p50"),
                p99=latency.number("p99"),
                p999=latency.number("p99.9"),
            )
        )
    clock = info.integer("server_time_usec")
    return Commands(
        statistics=tuple(statistics),
        run_id=info.text("run_id"),
        now=None if clock is None else Totals(clock / 1e6, totals, own),
        told=bool(totals) or info.tells("commandstats"),
    )


def remember(before: Commands | None, new: Commands) -> Commands:
    """The new value with those of the last seconds behind it, as long as they are of the same process and count up."""
    if before is None or before.now is None or new.now is None or before.run_id != new.run_id:
        return new
    if not _follows(before.now, new.now):
        return new
    kept = before.earlier
    if not kept or before.now.at - kept[-1].at >= _STEP:
        kept = (*kept, before.now)
    # The oldest may lie a little beyond the window: without it the window would never be full.
    while len(kept) > 1 and new.now.at - kept[1].at >= WINDOW:
        kept = kept[1:]
    return replace(new, earlier=kept)


def _follows(before: Totals, new: Totals) -> bool:
    """Whether every command has gone on counting, at a later moment."""
    return new.at > before.at and all(
        (found := new.totals.get(name)) is not None and found[0] >= calls and found[1] >= usec
        for name, (calls, usec) in before.totals.items()
    )


def _own_calls(info: Info, name: str) -> int:
    """Our own calls of a command; Redis before 7 counts all subcommands of one together."""
    if info.own is None:
        return 0
    calls = info.own.calls
    return calls[name] or ("|" not in name and sum(calls[each] for each in calls if each.startswith(f"{name}|")))


def _part(usec: int, calls: int, of: int) -> int:
    """The microseconds of some calls, where those of all are known."""
    return round(usec * calls / of) if of else 0


COMMANDSTATS = Query("commands", INFO, parse_commands, remember)
