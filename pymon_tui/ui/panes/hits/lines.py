"""What the pane says of the server: the overview's lines, the full form's table, and what happened; pure."""

from __future__ import annotations

from collections.abc import Sequence

from pymon_tui.model import units
from pymon_tui.model.history import HistoryView
from pymon_tui.model.metric import Metric
from pymon_tui.model.snapshot import Snapshot
from pymon_tui.model.text import SafeText
from pymon_tui.readings.aftermath import aftermath
from pymon_tui.readings.hits import LONG, LONGEST, MIDDLE, SHORT, Hits, Window, hit_rate, windows
from pymon_tui.readings.info import Info
from pymon_tui.readings.metrics import EVICTED, EXPIRED, HITS, MISSES
from pymon_tui.ui.aftermath_text import aftermath_line
from pymon_tui.ui.panes.peaks import WIDE
from pymon_tui.ui.since_text import now, since
from pymon_tui.ui.widgets.groups import clip
from pymon_tui.ui.widgets.ink import BLANK, Line, Role, Span, label, span

TABLE = 76
"""Cells of the full form's table."""

_CELL = 9
_TOTAL = 13
"""Cells of two of its columns."""

_WINDOW = 9
"""Cells of a hit rate and its window: ``97.3% 10s``."""

_RATE = 7
"""Cells of a rate."""

_GOOD = 0.9
_FALL = 0.1
"""How far the newest hit rate is below that of a longer time when a person should look."""

_READS = 10.0
"""Reads per second below which a fall is chance."""

_FLOORS = (0.9, 0.8, 0.5)

_ROWS = (("hits", HITS), ("misses", MISSES), ("expired", EXPIRED), ("evicted", EVICTED))


def took(snapshot: Snapshot) -> tuple[Line, ...]:
    """How the server took the newest invalidation, for some minutes after it."""
    found = aftermath(snapshot.history, snapshot.wall)
    return () if found is None else (aftermath_line(found),)


def glance(hits: Hits, history: HistoryView, width: int) -> tuple[Line, ...]:
    """The overview's lines, the more important first."""
    found = windows(history, (SHORT, MIDDLE, LONG))
    shown = [_named_rate(window, role(found) if window is found[0] else "value") for window in found]
    seen = shown[: max(1, (width + 2) // (_WINDOW + 2))]
    rates = tuple(piece for index, line in enumerate(seen) for piece in ((span("  "), *line) if index else line))
    if width < WIDE:
        hits_now, misses, expired, evicted = (_now(history, metric) for _, metric in _ROWS)
        return (
            rates,
            (label("hits    "), hits_now, label("  misses  "), misses),
            (label("expired "), expired, label("  evicted "), evicted),
        )
    lines = [
        (
            label(name.ljust(8)),
            _now(history, metric),
            label("   peak "),
            *peak_of(history, metric, _RATE),
            label("   total "),
            span(total.rjust(_RATE)),
        )
        for (name, metric), total in zip(_ROWS, _totals(hits), strict=True)
    ]
    return (rates, *lines)


def table(hits: Hits, history: HistoryView) -> tuple[Line, ...]:
    """The full form's table: a line for each metric, a column for each time."""
    found = windows(history, (SHORT, MIDDLE, LONG, LONGEST))
    now = hit_rate(history.latest(HITS.name), history.latest(MISSES.name))
    header = [label(title.rjust(_CELL)) for title in ("now", *map(_name, found), "peak")]
    shares = [units.percent(share) for share in (now, *(window.hit_rate for window in found))]
    lines: list[Line] = [
        (label(" " * _CELL), *header, label(since(history).rjust(_TOTAL))),
        (
            label("hit rate".ljust(_CELL)),
            span(shares[0].rjust(_CELL)),
            span(shares[1].rjust(_CELL), role(found)),
            *(span(share.rjust(_CELL)) for share in (*shares[2:], "")),
            span(units.percent(hits.hit_rate).rjust(_TOTAL)),
        ),
    ]
    lately = zip(*(window.rates for window in found), strict=True)
    for (name, metric), means, total in zip(_ROWS, lately, _totals(hits), strict=True):
        rates = (history.latest(metric.name), *means, history.peak(metric.name))
        cells = [span(units.rate(rate).rjust(_CELL)) for rate in rates]
        lines.append((label(name.ljust(_CELL)), *cells, span(total.rjust(_TOTAL))))
    return tuple(lines)


def side_by_side(lines: Sequence[Line], others: Sequence[Line]) -> tuple[Line, ...]:
    """The table's lines with others to their right, as many as there are of the table's."""
    gap = span("    ")
    return tuple(
        (*clip(line, TABLE), gap, *(others[row] if row < len(others) else BLANK)) for row, line in enumerate(lines)
    )


def role(found: Sequence[Window]) -> Role:
    """How the newest hit rate is coloured, which is the first window's.

    A low rate is how some applications are, and no incident: only a fall is, from what the rate was lately.
    A fall of a few reads is chance.
    """
    newest, before = found[0], [window.hit_rate for window in found[1:] if window.hit_rate is not None]
    share = newest.hit_rate
    if share is None:
        return "faint"
    if before and share < before[-1] - _FALL and (newest.hits or 0) + (newest.misses or 0) >= _READS:
        return "warn"
    return "good" if share >= _GOOD else "strong"


def floor(shares: Sequence[float | None]) -> float:
    """Where a graph's scale begins, so that one sees changes: one of a few values below all shares, else 0."""
    lowest = min((share for share in shares if share is not None), default=0.0)
    return next((value for value in _FLOORS if value < lowest), 0.0)


def events(history: HistoryView, most: int) -> tuple[Line, ...]:
    """The newest of what happened to the server, in local time, the newest first."""
    newest, at = reversed(history.events()[-most:]), now(history)
    return tuple((label(f"{units.precise_clock(event.wall, at)}  "), span(event.text)) for event in newest)


def beside(hits: Hits, history: HistoryView) -> tuple[Line, ...]:
    """What else is known of the keys."""
    stale = None if hits.expired_stale_perc is None else hits.expired_stale_perc / 100
    reads = units.count(hits.keyspace_hits + hits.keyspace_misses)
    return (
        (label(f"reads {since(history)} "), span(reads)),
        (label("expired yet held  "), span(units.percent(stale))),
    )


def _named_rate(window: Window, role: Role) -> Line:
    return (span(units.percent(window.hit_rate).rjust(5), role), label(f" {_name(window):<3}"))


def _name(window: Window) -> SafeText:
    return units.age(window.named)


def peak_of(history: HistoryView, metric: Metric[Info], cells: int = 0) -> Line:
    """The most since peaks count, in so many cells, and when that was."""
    return (
        span(units.rate(history.peak(metric.name)).rjust(cells)),
        span(f" {units.clock(history.peaked(metric.name), now(history)):5}", "faint"),
    )


def _now(history: HistoryView, metric: Metric[Info]) -> Span:
    return span(units.rate(history.latest(metric.name)).rjust(_RATE))


def _totals(hits: Hits) -> tuple[SafeText, ...]:
    """What was counted since the start, in the order of ``_ROWS``."""
    counters = (hits.keyspace_hits, hits.keyspace_misses, hits.expired_keys, hits.evicted_keys)
    return tuple(units.count(counter) for counter in counters)
