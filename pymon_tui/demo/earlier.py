"""What happened before the demo began: a month of cache statistics, and a day of notifications."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random

from redis.asyncio import Redis

from pymon_tui.demo.messages import message
from pymon_tui.demo.people import PEOPLE
from pymon_tui.services.keys import (
    ALERTS_RECENT,
    GLOBAL_CONFIG,
    MONITORING_RESULT,
    PROJECT_CONFIG,
    PROJECT_STATS,
    USER_PREFERENCES,
)
from pymon_tui.services.notification import Notification
from pymon_tui.services.notifications import Notifications
from pymon_tui.services.stats import Stats

DAYS = 30
"""Days of statistics, today among them."""
TOLD = PEOPLE[:300]
"""Users who were told something on the last day."""

_BAD_DAY = 9  # days ago: a release that cached too little, and was called back
_WEEK = (1.0, 1.04, 1.07, 1.03, 0.94, 0.52, 0.47)  # look-ups from Monday to Sunday
_NAMESPACES = (  # share of the look-ups, and of hits among them
    (MONITORING_RESULT, 0.60, 0.925),
    (ALERTS_RECENT, 0.23, 0.84),
    (PROJECT_STATS, 0.11, 0.95),
    (USER_PREFERENCES, 0.02, 0.985),
    (PROJECT_CONFIG, 0.02, 0.97),
    (GLOBAL_CONFIG, 0.02, 0.999),
)
_LOOKUPS_SHARE = 0.2  # look-ups for each command
_AT_ONCE = 50


async def restore_statistics(redis: Redis, random: Random, *, rate: float) -> None:
    """Write the statistics of the last days, today's up to this moment; not where there are some.

    Args:
        redis: A client.
        random: Decides how the days differ.
        rate: Commands per second of the whole workload.
    """
    now, ago = datetime.now(UTC), 0

    def clock() -> float:
        return (now - timedelta(days=ago)).timestamp()

    stats = Stats(redis, clock=clock)
    yesterday = stats.today - timedelta(days=1)
    if (await stats.range(yesterday - timedelta(days=DAYS - 2), yesterday)).total.hits:
        return
    for ago in range(DAYS):
        day = stats.today
        part = 1.0 if ago else (now - datetime(day.year, day.month, day.day, tzinfo=UTC)) / timedelta(days=1)
        bad = ago == _BAD_DAY
        lookups = rate * _LOOKUPS_SHARE * 86_400 * part * _WEEK[day.weekday()] * random.uniform(0.95, 1.06)
        for family, share, hit_share in _NAMESPACES:
            count = round(lookups * share * (1.3 if bad else 1))
            hits = round(count * hit_share * (0.68 if bad else random.uniform(0.985, 1)))
            stats.hit(family.prefix, hits)
            stats.miss(family.prefix, count - hits)
    await stats.flush()


async def restore_notifications(redis: Redis, random: Random) -> None:
    """Write what some hundred users were told in the last 24 hours; not where that is kept."""
    notifications = Notifications(redis)
    if await notifications.recent(TOLD[-1], limit=1):
        return
    now = datetime.now(UTC)
    for first in range(0, len(TOLD), _AT_ONCE):
        users = TOLD[first : first + _AT_ONCE]
        await notifications.restore(told for user_id in users for told in _told(random, user_id, now))


def _told(random: Random, user_id: str, now: datetime) -> Iterator[Notification]:
    for ago in sorted((random.uniform(10, 86_000) for _ in range(random.randrange(2, 14))), reverse=True):
        said, at = message(random), now - timedelta(seconds=ago)
        yield Notification(secrets.token_hex(16), user_id, said.level, said.title, said.message, said.project, at)
