"""Hits, and a history of them, made by hand."""

from __future__ import annotations

from datetime import date, timedelta

from pymon_tui.model.history import History
from pymon_tui.model.text import safe
from pymon_tui.readings.hits import Hits
from pymon_tui.readings.metrics import EVICTED, EXPIRED, HITS, METRICS, MISSES
from pymon_tui.services.days import Day, Days, HitRate
from tests.script import WALL

SINCE_START = Hits(
    keyspace_hits=968_000,
    keyspace_misses=32_000,
    expired_keys=7,
    expired_stale_perc=0.5,
    evicted_keys=3,
    uptime_in_seconds=7_200,
)

OVERVIEW = ["90.0% 10s  90.0% 1m   90.0% 5m ", "hits       90/s  misses     10/s", "expired     4/s  evicted     2/s"]


def history(seconds: int, restart: int | None = None) -> History:
    """Ninety hits and ten misses each second; at the second ``restart`` another process begins to count."""
    made = History(METRICS)
    for at in range(seconds + 1):
        n = at if restart is None or at < restart else at - restart
        values = {HITS.name: 90.0 * n, MISSES.name: 10.0 * n, EXPIRED.name: 4.0 * n, EVICTED.name: 2.0 * n}
        if at == restart:
            made.break_(anew=True)
        made.record(float(at), values, {})
        if at == restart:
            made.note(safe("restarted"), WALL + at)
    return made


TODAY = Day(date(2026, 11, 22), (("monitoring:result", HitRate(800, 50)), ("report", HitRate(100, 50))))


def day(ago: int, hits: int, misses: int) -> Day:
    """So many days before today."""
    return Day(TODAY.day - timedelta(days=ago), (("report", HitRate(hits, misses)),))


PAST = Days((day(8, 700, 300), *(day(ago, 950, 50) for ago in range(5, 0, -1)), TODAY))
"""Some days until today: a bad one, two of which nothing is known, and five good ones."""
