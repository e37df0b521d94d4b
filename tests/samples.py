"""One sample of everything: the readings of a recorded server, an hour's end of history, and some messages."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any, cast

from pymon_tui.application.recent import RECENT, Recent
from pymon_tui.application.statistics import APPLICATION_DAYS, APPLICATION_TODAY
from pymon_tui.model.feed import Feed
from pymon_tui.model.history import History
from pymon_tui.model.link import Live
from pymon_tui.model.query import Argument, Reading
from pymon_tui.model.snapshot import Snapshot
from pymon_tui.model.text import safe
from pymon_tui.readings.latency import LATENCY, Calls, Histogram, Latency
from pymon_tui.readings.metrics import METRICS
from pymon_tui.readings.queries import QUERIES
from pymon_tui.server.poller import Poller
from pymon_tui.server.session import Session
from tests.application.keyspace_made import readings as of_keys
from tests.application.made import readings as of_sessions
from tests.replies import recorded
from tests.script import WALL, ready, snapshot
from tests.ui.panes.hits.made import PAST, TODAY
from tests.ui.panes.notifications.made import kept_of

_REPLIES: dict[str, Any] = {
    "INFO": recorded("info-primary.valkey-9.resp3"),
    "CLIENT": recorded("client-list.valkey-9.resp3"),
    "SLOWLOG": recorded("slowlog-get.valkey-9.resp"),
    "CONFIG": recorded("config-get-slowlog.valkey-9.resp3"),
    "CHANNELS": [b"notifications:7", b"notifications:42"],
    "LATENCY": [],
    "NUMSUB": [b"notifications:7", 1, b"notifications:42", 3],
}


LATELY = Latency(
    Calls(Histogram({2: 40_000, 4: 20_000, 16: 1_500, 4_096: 700}), 5.0),
    Calls(Histogram({2: 2_400_000, 4: 1_200_000, 16: 110_000, 4_096: 2_000, 131_072: 3}), 300.0),
    Histogram({2: 90_000_000, 4: 50_000_000, 16: 2_000_000, 4_096: 9_000, 131_072: 40}),
)
"""Most calls are short; one in ninety of late took four milliseconds."""


class RecordedSession:
    """A session that answers what was recorded."""

    user = safe("default")
    waited = 0.0004

    async def ask(self, commands: Sequence[tuple[Argument, ...]]) -> tuple[Any, ...]:
        """The recorded reply of each command."""
        return tuple(_REPLIES[str(command[1] if command[0] == "PUBSUB" else command[0])] for command in commands)


async def sample() -> Snapshot:
    """The sample; the same at each call."""
    poller = Poller(QUERIES)
    names = [query.name for query in QUERIES]
    session = cast(Session, RecordedSession())
    for _ in range(2):
        await poller.tick(session, 100.0, 1.0, names)
    readings: dict[Any, Reading[Any]] = {query: poller.readings[query.name] for query in QUERIES}
    readings |= of_keys() | of_sessions()
    readings |= {APPLICATION_TODAY: ready(TODAY), APPLICATION_DAYS: ready(PAST)}
    readings[LATENCY] = ready(LATELY)
    readings[RECENT] = ready(Recent(frozenset(), (kept_of("1", ago=60), kept_of("2", ago=90, user="\x1b[2J"))))
    return snapshot(readings, history=_history(), feed=_feed(), own_ids=(3,))


def _history() -> History:
    """Waves, and eight seconds in which nobody looked."""
    history = History(METRICS)
    history.align(WALL - 199)  # the newest at the moment of the snapshot
    totals = dict.fromkeys((metric.name for metric in METRICS), 0.0)
    for second in range(300):
        if 250 <= second < 258:
            history.break_(anew=False)
            continue
        for place, metric in enumerate(METRICS):
            wave = 1.2 + math.sin(second / (9 + place)) * (0.4 + 0.02 * place)
            totals[metric.name] += wave * 10 ** (place % 4 + 1)
        history.record(float(second), totals, {})
    history.note(safe("restarted"), WALL)
    return history


def _feed() -> Feed:
    feed = Feed()
    feed.status = Live(0.0, 0.0004)
    texts = ("응답 시간 2.3 s", "login from a new device", "recovered after 4 min", "disk 91 % on web-3")
    for number, (level, text) in enumerate(zip(("critical", "info", "ok", "warning"), texts, strict=True)):
        payload = json.dumps({"level": level, "title": text}, ensure_ascii=False).encode()
        feed.add(f"notifications:{7 * number}".encode(), payload, WALL + number)
    feed.mark(safe("gap: reconnected after 12s, messages in between are lost"), WALL + 4)
    feed.add(b"notifications:\x1b[2J", b"\xff\xfe not JSON", WALL + 5)
    return feed
