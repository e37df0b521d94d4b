"""A subscription that outlives its connections, and what it has already told."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Sequence
from contextlib import aclosing
from datetime import datetime, timedelta
from typing import Any

from redis.asyncio import ConnectionPool, Redis
from redis.asyncio.client import PubSub
from redis.asyncio.retry import Retry
from redis.backoff import AbstractBackoff, NoBackoff
from redis.exceptions import AuthenticationError, AuthorizationError, ResponseError
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from pymon_tui.server.writing import guarded
from pymon_tui.services.notification import Notification

_REMEMBERED = 8
"""Ids that are remembered of a user; one would do, if nobody published what isn't kept."""

_REFUSALS = (AuthenticationError, AuthorizationError, ResponseError)

_log = logging.getLogger(__name__)


class Seen:
    """Which notifications were told already, by the last ids of each user.

    The list of what is kept of a user is in the order of publication, so what stands before a told one is new. A user
    is forgotten when nothing came for as long as the list lives: by then there is no list.
    """

    def __init__(self, life: timedelta, clock: Callable[[], datetime]) -> None:
        self._life = life
        self._clock = clock
        self._users: OrderedDict[str, tuple[datetime, list[str]]] = OrderedDict()

    def missed(self, user_id: str, kept: Sequence[Notification]) -> tuple[Notification, ...]:
        """What wasn't told of ``kept``, which is newest first; oldest first, and told from now on."""
        told = self._told(user_id)
        newer: list[Notification] = []
        for notification in kept:
            if notification.id in told:
                break
            newer.append(notification)
        newer.reverse()
        self.tell(user_id, (notification.id for notification in newer))
        return tuple(newer)

    def is_new(self, notification: Notification) -> bool:
        """Whether a notification that comes now wasn't told; it is told from now on."""
        told = self._told(notification.user_id)
        if notification.id in told:
            return False
        # What comes twice, since it was kept and then came, comes before anything new: all but the last can go.
        del told[: 1 - _REMEMBERED]
        self.tell(notification.user_id, [notification.id])
        return True

    def tell(self, user_id: str, ids: Iterable[str]) -> None:
        """Remember that these were told, the newest last."""
        told = self._told(user_id)
        told.extend(ids)
        if told:
            now = self._clock()
            self._users[user_id] = (now, told)
            self._users.move_to_end(user_id)
            while next(iter(self._users.values()))[0] + self._life < now:
                self._users.popitem(last=False)

    def _told(self, user_id: str) -> list[str]:
        return self._users[user_id][1] if user_id in self._users else []


class Follower:
    """Follows one channel, or all of a pattern, over as many connections as it takes."""

    def __init__(self, redis: Redis, name: str, *, silence: float, backoff: AbstractBackoff) -> None:
        """Follow ``name``, a pattern where it has a star; see ``Notifications`` for the other arguments."""
        self._pool = redis.connection_pool
        self._name = name
        self._silence = silence
        self._backoff = backoff

    async def notifications(
        self,
        missed: Callable[[], AsyncIterator[Notification]],
        arrived: Callable[[bytes, bytes], Notification | None],
    ) -> AsyncGenerator[Notification, None]:
        """What was ``missed``, each time the subscription is confirmed, and then what has ``arrived``.

        The server is asked for what was missed only when everything that comes later will come here.

        Args:
            missed: Reads what was published before and not told.
            arrived: Makes a notification of a channel and a payload; None if there is nothing to tell.
        """
        failures = 0
        while True:
            try:
                async with aclosing(self._messages()) as messages:
                    async for message in messages:
                        if message["type"] in ("subscribe", "psubscribe"):
                            async for notification in missed():
                                yield notification
                            failures = 0
                        elif message["type"] in ("message", "pmessage") and (
                            live := arrived(message["channel"], message["data"])
                        ):
                            yield live
            except (RedisConnectionError, RedisTimeoutError, OSError) as error:
                # A login that is refused is wrapped, as if the server were away.
                if isinstance(error, _REFUSALS) or isinstance(error.__cause__, _REFUSALS):
                    raise
                if not failures:
                    _log.warning("no notifications for now, connecting again: %s", type(error).__name__)
                failures += 1
            await asyncio.sleep(self._backoff.compute(failures))

    async def _messages(self) -> AsyncGenerator[dict[str, Any], None]:
        """What one connection brings, from its subscription to its loss.

        Raises:
            redis.exceptions.RedisError: Whatever ends it.
        """
        pool = _pool_of_one(self._pool)
        subscription = PubSub(pool)
        try:
            await (subscription.psubscribe if "*" in self._name else subscription.subscribe)(self._name)
            while True:
                message = await subscription.get_message(timeout=self._silence)
                if message is None:
                    # A line that swallows everything looks like one on which nothing happens.
                    await subscription.ping()
                    message = await subscription.get_message(timeout=self._silence)
                if message is None:
                    raise RedisTimeoutError("the server gives no sign of life")
                yield message
        finally:
            await subscription.aclose()  # type: ignore[no-untyped-call]
            await pool.disconnect()


def _pool_of_one(pool: ConnectionPool) -> ConnectionPool:
    """A pool for one connection like those of ``pool``: a follower keeps it, and must not take it from the others."""
    settings = pool.connection_kwargs | {
        "decode_responses": False,
        "health_check_interval": 0,
        "retry": Retry(NoBackoff(), 0),  # a connection that comes back by itself hides what was missed
    }
    return ConnectionPool(connection_class=guarded(pool.connection_class), max_connections=1, **settings)
