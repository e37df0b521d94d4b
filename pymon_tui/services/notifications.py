"""Notifications of users: published to who listens now, and kept for who listens later."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable
from datetime import UTC, datetime, timedelta

from redis.asyncio import Redis
from redis.backoff import AbstractBackoff, EqualJitterBackoff

from pymon_tui.services.connection import guard
from pymon_tui.services.following import Follower, Seen
from pymon_tui.services.keys import NOTIFICATIONS_CHANNEL, NOTIFICATIONS_RECENT
from pymon_tui.services.notification import KEPT, LIFE, Level, Notification, new_id, publishing, readable

_USERS_AT_ONCE = 100
_SCAN_COUNT = 1_000


def _now() -> datetime:
    return datetime.now(UTC)


class Notifications:
    """Publishes notifications, remembers them, and lets them be followed without a gap or a double."""

    def __init__(
        self,
        redis: Redis,
        *,
        silence: float = 10.0,
        backoff: AbstractBackoff | None = None,
        clock: Callable[[], datetime] = _now,
    ) -> None:
        """Publish and read through ``redis``.

        Args:
            redis: What is published and read goes through its pool. A follower has a connection of its own besides.
            silence: Seconds without a message after which a follower asks the server for a sign of life; if none comes
                in as many again, it connects anew.
            backoff: How long a follower waits before it connects again; 0.125 to 5 seconds unless told.
            clock: Tells the time, with a time zone.
        """
        self._redis = guard(redis)
        self._silence = silence
        self._backoff = backoff or EqualJitterBackoff(cap=5.0, base=0.25)
        self._clock = clock

    async def publish(
        self, user_id: str, level: Level, title: str, message: str, *, project: str | None = None
    ) -> Notification:
        """Tell a user something: LPUSH, LTRIM, EXPIRE and PUBLISH in one MULTI, one round trip.

        All of it happens or nothing does, so who follows and who reads later get the same. Sent twice, because an
        answer was lost, it is still one notification to them.

        Raises:
            ValueError: If the user's id is empty, or a text isn't valid Unicode.
            redis.exceptions.RedisError: If the server can't be reached, or refuses.
        """
        notification = Notification(new_id(), user_id, level, title, message, project, self._clock())
        commands = publishing(notification)
        transaction = self._redis.pipeline(transaction=True)
        for command in commands:
            transaction.execute_command(*command)
        await transaction.execute()
        return notification

    async def restore(self, notifications: Iterable[Notification]) -> None:
        """Keep notifications that were published elsewhere, oldest first, without publishing them again.

        They are newer than those that are kept already, and live as long as if they had been published here. One round
        trip for all of them.

        Raises:
            ValueError: If the user's id is empty, or a text isn't valid Unicode.
            redis.exceptions.RedisError: If the server can't be reached, or refuses.
        """
        of_user: dict[str, list[Notification]] = {}
        for notification in notifications:
            of_user.setdefault(notification.user_id, []).append(notification)
        now = self._clock()
        async with self._redis.pipeline(transaction=True) as transaction:
            for user_id, theirs in of_user.items():
                key = NOTIFICATIONS_RECENT.key(user_id=user_id)
                transaction.lpush(key, *(notification.payload() for notification in theirs))
                transaction.ltrim(key, 0, KEPT - 1)
                transaction.pexpire(key, theirs[-1].at + timedelta(seconds=LIFE) - now)
            await transaction.execute()

    async def recent(self, user_id: str, *, limit: int = KEPT) -> tuple[Notification, ...]:
        """A user's newest notifications, newest first (LRANGE); at most 100, none once a day passed without one.

        Raises:
            ValueError: If the user's id is empty, or the limit less than 1.
            redis.exceptions.RedisError: If the server can't be reached, or refuses.
        """
        if limit < 1:
            raise ValueError("the limit of notifications should be at least 1")
        kept = await _read(self._redis, [user_id], limit)
        return kept[user_id]

    def follow(self, user_id: str, *, after: str | None = None) -> AsyncGenerator[Notification, None]:
        """A user's notifications for ever, oldest first: those that are kept, then each as it comes.

        It has a connection of its own (SUBSCRIBE) and survives its loss: it connects again, and reads what was
        published meanwhile from those that are kept. Nothing comes twice. What never comes is what 100 newer ones
        pushed out meanwhile, or a day without any. Close it (``contextlib.aclosing``) when nobody listens any more.

        Args:
            user_id: Whose.
            after: The id of the last one that is known; it and those before it are left out.

        Raises:
            ValueError: If the user's id is empty.
            redis.exceptions.RedisError: While following, if the server refuses us; not if it is away.
        """
        seen = Seen(timedelta(seconds=LIFE), self._clock)
        if after is not None:
            seen.tell(user_id, [after])

        async def missed() -> AsyncIterator[Notification]:
            kept = await _read(self._redis, [user_id], KEPT)
            for notification in seen.missed(user_id, kept[user_id]):
                yield notification

        return self._followed(NOTIFICATIONS_CHANNEL.key(user_id=user_id), missed, seen)

    def follow_all(self) -> AsyncGenerator[Notification, None]:
        """The notifications of all users (PSUBSCRIBE), as ``follow`` gives those of one; in order for each user.

        What is kept is found by SCAN, 1,000 keys a step, and read for 100 users in one round trip. An application
        with many listeners follows all once and hands out, for each follower is a connection.

        Raises:
            redis.exceptions.RedisError: While following, if the server refuses us; not if it is away.
        """
        seen = Seen(timedelta(seconds=LIFE), self._clock)

        async def missed() -> AsyncIterator[Notification]:
            async for users in self._users():
                for user_id, kept in (await _read(self._redis, users, KEPT)).items():
                    for notification in seen.missed(user_id, kept):
                        yield notification

        return self._followed(NOTIFICATIONS_CHANNEL.glob.decode(), missed, seen)

    def _followed(
        self, name: str, missed: Callable[[], AsyncIterator[Notification]], seen: Seen
    ) -> AsyncGenerator[Notification, None]:
        def arrived(channel: bytes, payload: bytes) -> Notification | None:
            values = NOTIFICATIONS_CHANNEL.values(channel)
            return next(filter(seen.is_new, readable([payload], values["user_id"])), None) if values else None

        return Follower(self._redis, name, silence=self._silence, backoff=self._backoff).notifications(missed, arrived)

    async def _users(self) -> AsyncIterator[list[str]]:
        """Who has notifications that are kept, some at a time; one may come twice."""
        users: list[str] = []
        keys = self._redis.scan_iter(match=NOTIFICATIONS_RECENT.glob, count=_SCAN_COUNT)
        async for values in (NOTIFICATIONS_RECENT.values(key) async for key in keys):
            users += [values["user_id"]] if values else []
            if len(users) == _USERS_AT_ONCE:
                yield users
                users = []
        yield users


async def _read(redis: Redis, users: Iterable[str], limit: int) -> dict[str, tuple[Notification, ...]]:
    """What is kept of each of the users, newest first, in one round trip."""
    users = tuple(dict.fromkeys(users))
    async with redis.pipeline(transaction=False) as pipeline:
        for user_id in users:
            pipeline.lrange(NOTIFICATIONS_RECENT.key(user_id=user_id), 0, limit - 1)
        replies = await pipeline.execute()
    return {user_id: readable(payloads, user_id) for user_id, payloads in zip(users, replies, strict=True)}
