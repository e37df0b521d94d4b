"""What happened before the demo began: a month of statistics, a day of notifications, each written once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random

from redis.asyncio import Redis

from pymon_tui.demo.earlier import DAYS, TOLD, restore_notifications, restore_statistics
from pymon_tui.services.days import Days
from pymon_tui.services.notification import KEPT
from pymon_tui.services.notifications import Notifications
from pymon_tui.services.stats import Stats


async def month(redis: Redis) -> Days:
    stats = Stats(redis)
    return await stats.range(stats.today - timedelta(days=DAYS - 1), stats.today)


async def test_every_day_has_hits_and_misses_by_namespace_and_one_is_bad(redis: Redis) -> None:
    await restore_statistics(redis, Random(1), rate=2_000)
    *days, today = (await month(redis)).days
    shares = [day.total.share for day in days]
    assert all(share is not None and 0.5 < share < 1 for share in shares)
    bad, *others = sorted(share for share in shares if share is not None)
    assert bad < 0.7 < 0.85 < others[0] < others[-1] < 0.95
    for day in days:
        assert {"monitoring:result", "alerts:recent", "project:stats"} <= {name for name, _ in day.namespaces}
    assert today.total.hits < max(day.total.hits for day in days)


async def test_weekends_are_quieter(redis: Redis) -> None:
    await restore_statistics(redis, Random(1), rate=2_000)
    *days, _ = (await month(redis)).days
    lookups = {day.day: day.total.hits + day.total.misses for day in days}
    weekend = [count for day, count in lookups.items() if day.weekday() >= 5]
    week = [count for day, count in lookups.items() if day.weekday() < 5]
    assert max(weekend) < min(week)


async def test_statistics_are_not_added_to_those_there_are(redis: Redis) -> None:
    await restore_statistics(redis, Random(1), rate=2_000)
    before = await month(redis)
    await restore_statistics(redis, Random(2), rate=2_000)
    assert await month(redis) == before


async def test_some_hundred_users_were_told_something_on_the_last_day(redis: Redis) -> None:
    await restore_notifications(redis, Random(1))
    await restore_notifications(redis, Random(2))
    notifications, now = Notifications(redis), datetime.now(UTC)
    titles, hours = "", set()
    for user_id in TOLD:
        recent = await notifications.recent(user_id)
        assert 2 <= len(recent) <= 13 < KEPT
        times = [notification.at for notification in recent]
        assert times == sorted(times, reverse=True)
        hours |= {(now - at) // timedelta(hours=1) for at in times}
        titles += "".join(notification.title for notification in recent)
    assert hours == set(range(24))
    assert "복구 완료" in titles
    assert "New comment" in titles
