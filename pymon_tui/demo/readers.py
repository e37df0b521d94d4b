"""Clients that only look: the gateway that listens to notifications, a dashboard, and those who just stay connected."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from datetime import timedelta

from redis.asyncio import Redis

from pymon_tui.demo.earlier import DAYS
from pymon_tui.demo.people import PEOPLE
from pymon_tui.services.notification import Notification
from pymon_tui.services.notifications import Notifications
from pymon_tui.services.sessions import Sessions
from pymon_tui.services.stats import Stats

FOLLOWED = PEOPLE[:2]
"""Users who have the application open, and are told at once."""

_PAUSE = 0.5
_STATISTICS_EVERY = 8  # users


async def websocket_gateway(client: Redis) -> None:
    """Follow all notifications, and those of a few users by name."""
    notifications = Notifications(client)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(_listen(notifications.follow_all()))
        for user_id in FOLLOWED:
            tasks.create_task(_listen(notifications.follow(user_id)))


async def dashboard(client: Redis) -> None:
    """Look round again and again."""
    while True:
        await look_round(client, pause=_PAUSE)


async def look_round(client: Redis, *, pause: float) -> None:
    """Look who is logged in, user by user, at what they were told, and at the month's hit rates.

    It keeps in memory what nobody else reads for minutes, as what is read isn't the next to be evicted.

    Args:
        client: A client.
        pause: Seconds between two users.
    """
    sessions, notifications, stats = Sessions(client), Notifications(client), Stats(client)
    for number, user_id in enumerate(PEOPLE):
        if number % _STATISTICS_EVERY == 0:
            await stats.range(stats.today - timedelta(days=DAYS - 1), stats.today)
        await sessions.of_user(user_id)
        await notifications.recent(user_id, limit=1)
        await asyncio.sleep(pause)


def staying_connected(seconds: float) -> Callable[[Redis], Awaitable[None]]:
    """Somebody who says a word every so many seconds."""

    async def work(client: Redis) -> None:
        while True:
            await client.ping()
            await asyncio.sleep(seconds)

    return work


async def _listen(notifications: AsyncGenerator[Notification, None]) -> None:
    async with aclosing(notifications) as following:
        async for _ in following:
            pass
