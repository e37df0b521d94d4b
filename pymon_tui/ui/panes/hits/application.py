"""What the pane says of the application's own hit rate: today by namespace, and the last days as bars; pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from pymon_tui.application.statistics import APPLICATION_DAYS, APPLICATION_TODAY, DAYS, until_today
from pymon_tui.model import units
from pymon_tui.model.query import Reading, Ready, Unavailable
from pymon_tui.model.snapshot import Snapshot
from pymon_tui.model.text import SafeText, safe
from pymon_tui.services.days import Day, Days, HitRate
from pymon_tui.services.keys import STATS_HITS
from pymon_tui.ui.widgets.bars import WIDEST, Bar
from pymon_tui.ui.widgets.ink import Line, Role, Span, fit, fit_right, label, span

_TABLE = 38
"""Cells of the table of today at least."""

_EDGE = 8
"""Cells of the chart's scale, and of the gap before it."""

_ROWS = 8
"""Rows of both at least; in a high pane they have three tenths."""

_SHORT, _LONG = 6, 9
"""Cells of a number, in short and in full."""

_ROOMY = 48
"""Cells of the table from which on there is room for whole numbers."""

_FALL = 0.05
"""How far a day is below the mean when a person should look."""

_LOOK_UPS = 100
"""Look-ups of a day below which its fall is chance."""

_WEEK = 7


@dataclass(frozen=True, slots=True)
class Statistics:
    """Today, and the days until it."""

    today: Day
    days: Days

    @property
    def mean(self) -> float | None:
        """The hit rate of all days together."""
        return self.days.total.share

    @property
    def shares(self) -> Sequence[float | None]:
        """The hit rate of each day; None of those without look-ups."""
        return [day.total.share for day in self.days.days]

    def fell(self, day: Day) -> bool:
        """Whether a day is so far below the mean, and of so many look-ups, that it is no chance."""
        share, mean = day.total.share, self.mean
        return share is not None and mean is not None and share < mean - _FALL and _look_ups(day.total) >= _LOOK_UPS


class Room(NamedTuple):
    """Rows of the application's part, and cells of its table and of its chart, which has none where it is narrow."""

    rows: int
    table: int
    chart: int


def statistics(snapshot: Snapshot) -> Statistics | None:
    """What is known of the application's look-ups; None where nothing is, or there were none."""
    today = snapshot.value(APPLICATION_TODAY)
    if today is None:
        return None
    days = until_today(snapshot.value(APPLICATION_DAYS) or Days(()), today)
    return Statistics(today, days) if days.total.share is not None else None


def missing(reading: Reading[Day]) -> tuple[Line, ...]:
    """The line where there are no statistics: that there are none, or why they aren't known."""
    if isinstance(reading, Unavailable):
        remedy = f"; {reading.remedy}" if reading.remedy else ""
        return ((span(f"application's statistics not available: {reading.reason.value}{remedy}", "faint"),),)
    if not isinstance(reading, Ready):
        return ()
    return ((span(f"no statistics of an application here ({STATS_HITS.prefix.rpartition(':')[0]}:*)", "faint"),),)


def room_of(width: int, height: int) -> Room:
    """What there is room for in a pane of this size."""
    per = min(WIDEST, (width - _TABLE - _EDGE) // DAYS)
    chart = _EDGE + DAYS * per if per > 0 else 0
    return Room(max(_ROWS, height * 3 // 10), width - chart, chart)


def today_lines(today: Day, width: int, rows: int) -> tuple[Line, ...]:
    """Today's hits and misses in at most ``rows`` lines: of all namespaces, then of each, the busiest first."""
    ranked = sorted(today.namespaces, key=lambda named: (-_look_ups(named[1]), named[0]))
    room = max(1, rows - 2)
    shown = ranked if len(ranked) <= room else ranked[: room - 1]
    lines = [_row(label(name), rate, width) for name, rate in shown]
    if rest := ranked[len(shown) :]:
        together = HitRate(sum(rate.hits for _, rate in rest), sum(rate.misses for _, rate in rest))
        lines.append(_row(span(f"and {units.count(len(rest))} more", "faint"), together, width))
    return (_titles(width), _row(span("all", "strong"), today.total, width, "strong"), *lines)


def days_line(known: Statistics) -> Line:
    """What the bars are of, their mean, and the worst day if it fell clearly under it."""
    line = [label(f"{len(known.days.days)} days  mean "), span(units.percent(known.mean))]
    fallen = [day for day in known.days.days if known.fell(day)]
    if fallen:
        worst = min(fallen, key=lambda day: day.total.share or 0.0)
        line += [label(f"  {short(worst.day)} "), span(units.percent(worst.total.share), "warn")]
    return tuple(line)


def bars(known: Statistics, floor: float) -> tuple[Bar | None, ...]:
    """A bar for each day, whose height is the hit rate from ``floor`` to 1; today's in another colour."""

    def bar(day: Day, share: float | None) -> Bar | None:
        if share is None:
            return None
        role: Role = "warn" if known.fell(day) else "accent" if day.day == known.today.day else "bar"
        return Bar((share - floor) / (1 - floor), role)

    return tuple(bar(day, share) for day, share in zip(known.days.days, known.shares, strict=True))


def names(known: Statistics) -> dict[int, Span]:
    """The date of today, and of each day that is whole weeks before it, by its place."""
    days = known.days.days
    last = len(days) - 1
    return {
        place: span(short(days[place].day), "accent" if place == last else "faint") for place in range(last, -1, -_WEEK)
    }


def scale(floor: float) -> tuple[SafeText, SafeText]:
    """The hit rates that the lowest and the highest bar stand for."""
    return safe(f"{100 * floor:.0f}%"), safe("100%")


def short(day: date) -> SafeText:
    """A day without its year: ``22 Nov``."""
    return safe(f"{day.day} {day:%b}")


def _look_ups(rate: HitRate) -> int:
    return rate.hits + rate.misses


def _titles(width: int) -> Line:
    numbers = "".join(f" {title:>{_number(width)}}" for title in ("hits", "misses"))
    return (label(fit(safe("application today"), _name(width))), label(f"{numbers} {'rate':>{_SHORT}}"))


def _row(name: Span, rate: HitRate, width: int, role: Role = "value") -> Line:
    written = units.count if width >= _ROOMY else units.short_count
    numbers = "".join(" " + fit_right(written(number), _number(width)) for number in (rate.hits, rate.misses))
    share = fit_right(units.percent(rate.share), _SHORT)
    return (Span(safe(fit(name.text, _name(width))), name.role), span(f"{numbers} {share}", role))


def _number(width: int) -> int:
    return _LONG if width >= _ROOMY else _SHORT


def _name(width: int) -> int:
    return max(1, width - 2 * (1 + _number(width)) - 1 - _SHORT)
