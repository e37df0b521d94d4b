"""People log in, click, go and come back; what the server forgets is noticed."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from redis.asyncio import Redis

from pymon_tui.demo.visits import ACTIVE, ONLINE, Visits
from pymon_tui.services.keys import SESSION, USER_SESSIONS
from pymon_tui.services.sessions import LIFE, Sessions


@pytest.fixture
def sessions(redis: Redis) -> Sessions:
    return Sessions(redis)


@pytest.fixture
async def visits(sessions: Sessions) -> Visits:
    """Those that go on from earlier."""
    visits = Visits(Random(1))
    await sessions.restore(visits.begin_earlier(datetime.now(UTC)))
    return visits


async def ids(redis: Redis) -> set[bytes]:
    return {key async for key in redis.scan_iter(SESSION.glob, count=1_000)}


async def test_they_begin_with_sessions_of_different_ages_and_lives(redis: Redis) -> None:
    now = datetime.now(UTC)
    began = Visits(Random(1)).begin_earlier(now)
    assert len(began) == ONLINE
    for session in began:
        assert now - LIFE < session.last_activity <= now
        assert session.created_at <= session.last_activity
    assert len({(now - session.last_activity) // timedelta(minutes=1) for session in began}) > 30
    assert max(now - session.created_at for session in began) > timedelta(hours=4)
    assert max(Counter(session.user_id for session in began).values()) >= 3


async def test_those_sessions_are_the_services(visits: Visits, sessions: Sessions, redis: Redis) -> None:
    found = await ids(redis)
    assert len(found) == ONLINE == len(visits)
    lives = [await redis.ttl(key) for key in found]
    assert max(lives) > 3_500
    assert min(lives) < 1_800
    indexed = [USER_SESSIONS.values(key) async for key in redis.scan_iter(USER_SESSIONS.glob, count=1_000)]
    assert sum([await sessions.count(values["user_id"]) for values in indexed if values]) == ONLINE


async def test_sessions_come_and_go(visits: Visits, sessions: Sessions, redis: Redis) -> None:
    before = await ids(redis)
    for _ in range(60):
        await visits.come_and_go(sessions)
    after = await ids(redis)
    assert after - before
    assert before - after
    assert 0.9 * ONLINE < len(after) <= ONLINE + 1


async def test_who_clicks_is_active_on_another_page(visits: Visits, sessions: Sessions, redis: Redis) -> None:
    pages = {key: await redis.hget(key, "data:page") for key in await ids(redis)}
    for _ in range(3 * ACTIVE):
        await visits.click(sessions)
    now = datetime.now(UTC)
    changed = [key for key, page in pages.items() if await redis.hget(key, "data:page") != page]
    assert ACTIVE / 2 < len(changed) <= ACTIVE
    for key in changed:
        last = datetime.fromisoformat(str(await redis.hget(key, "last_activity")))
        assert now - last < timedelta(minutes=1)


async def test_who_was_forgotten_logs_in_anew(visits: Visits, sessions: Sessions, redis: Redis) -> None:
    assert not await visits.are_lost(sessions)
    await redis.flushall()
    await visits.click(sessions)
    await visits.come_and_go(sessions)
    assert await visits.are_lost(sessions)
    for _ in range(500):
        await visits.click(sessions)
        await visits.come_and_go(sessions)
    assert not await visits.are_lost(sessions)
    assert len(await ids(redis)) > ONLINE / 2
