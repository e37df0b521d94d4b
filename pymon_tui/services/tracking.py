"""Keeps the first tier true: hears from the server of every key that changes, whoever changes it.

One connection of its own asks for ``CLIENT TRACKING ON BCAST PREFIX ...`` (RESP3, Redis 6): the server then names each
key under these prefixes that is written, removed, evicted or expires, to all processes that ask, and remembers none of
them. The other way, tracking what each connection has read, would need each connection of a pool to be set up anew
after every loss, and the server to remember each key for each of them.

Where the server has or allows no tracking, a Pub/Sub channel tells what the application itself has changed, as globs;
what others change is then noticed when a value's life in the first tier ends.

Over a line that has died without a word nothing is heard, and values may be old until that is noticed: for as long as
the sign of life is late, three seconds by default.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Sequence
from itertools import permutations
from typing import Any, Literal, NoReturn

from redis.asyncio import Redis
from redis.asyncio.connection import AbstractConnection
from redis.backoff import ExponentialWithJitterBackoff
from redis.exceptions import RedisError, ResponseError
from redis.exceptions import TimeoutError as RedisTimeoutError

from pymon_tui.invalidation.pattern import MAX_BYTES, Pattern, PatternError, literal
from pymon_tui.model.text import safe
from pymon_tui.server import clock
from pymon_tui.server.reasons import answer_text
from pymon_tui.services.apart import connection_apart
from pymon_tui.services.connection import guard
from pymon_tui.services.local import LocalCache

CHANNEL = b"cache:invalidations"
"""The Pub/Sub channel that globs of changed keys are published on, one a message."""

Way = Literal["tracking", "channel"]

_SETUP = 5.0  # seconds for a connection to be made and to be told of changes
_STEADY = 10.0  # seconds after which a connection has proved itself: its loss is followed by a quick try
_LOGGER = logging.getLogger(__name__)


class Tracking:
    """Opens a local cache while changes are heard of, tells it of each, and closes it as soon as they aren't.

    Attributes:
        local: The cache.
        way: How changes are heard of; None while they aren't.
    """

    def __init__(
        self,
        redis: Redis,
        local: LocalCache,
        prefixes: Sequence[bytes],
        *,
        ping_every: float = 1.0,
        pong_timeout: float = 2.0,
    ) -> None:
        """Prepare to follow the keys under these prefixes.

        Args:
            redis: Its pool says where the server is and as whom to log in; the connection is not one of the pool's.
            local: The cache that is kept true.
            prefixes: What the keys that it may hold begin with; none begins with another one.
            ping_every: Seconds of silence after which the server is asked for a sign of life.
            pong_timeout: Seconds that it has to answer: a line that is dead without a word is noticed after both.

        Raises:
            ValueError: If there is no prefix, an empty one, or one that begins with another.
        """
        if not prefixes or not all(prefixes):
            raise ValueError("prefixes: name at least one, and none that is empty")
        for prefix, other in permutations(prefixes, 2):
            if other.startswith(prefix):
                raise ValueError(f'prefixes: "{safe(other)}" begins with "{safe(prefix)}"; leave it out')
        self.local = local
        self.way: Way | None = None
        self._redis = guard(redis)
        self._prefixes = tuple(prefixes)
        self._ping_every = ping_every
        self._pong_timeout = pong_timeout
        self._protocol = 3
        self._heard = 0
        self._backoff = ExponentialWithJitterBackoff(cap=10.0, base=0.1)

    def covers(self, key: bytes) -> bool:
        """Whether changes of this key are told."""
        return key.startswith(self._prefixes)

    async def run(self) -> NoReturn:
        """Follow until cancelled; a lost connection is made again, for ever."""
        failures = 0
        while True:
            began = clock.now()
            try:
                await self._follow()
            except (RedisError, OSError) as error:
                failures = 1 if clock.now() - began >= _STEADY else failures + 1
                if failures == 1:
                    _LOGGER.warning("the local cache is closed, no changes are heard of: %s", _told(error))
            await asyncio.sleep(self._backoff.compute(failures))

    async def _follow(self) -> NoReturn:
        """Hear of changes until the connection is lost.

        Raises:
            RedisError, OSError: How it was, or why there is none.
        """
        connection = connection_apart(self._redis, self._protocol)
        try:
            async with asyncio.timeout(_SETUP):
                await self._connect(connection)
                self.way = await self._ask(connection)
            self.local.open()
            _LOGGER.info("the local cache is open, changes are heard of by %s", self.way)
            await self._listen(connection)
        finally:
            self.way = None
            self.local.close()
            await connection.disconnect(nowait=True)

    async def _connect(self, connection: AbstractConnection) -> None:
        try:
            await connection.connect()  # type: ignore[no-untyped-call]
        except RedisError as error:  # which of them depends on the redis-py
            # A server without HELLO has no tracking either; its Pub/Sub needs no RESP3.
            if self._protocol == 3 and "unknown command" in answer_text(error).lower():
                self._protocol = 2
            raise

    async def _ask(self, connection: AbstractConnection) -> Way:
        """Ask to be told of changes, by tracking if that can be.

        The channel is followed in both cases: the server cuts a subscriber off who doesn't read (by default when 32 MB
        are waiting for it), and would keep any amount for a connection that only tracks.

        Raises:
            ResponseError: If the server refuses both.
        """
        refused: ResponseError | None = None
        try:
            await connection.send_command(b"SUBSCRIBE", CHANNEL, check_health=False)
            await connection.read_response(disable_decoding=True, push_request=True)
        except ResponseError as error:
            refused = error
        if self._protocol == 3 and await self._track(connection):
            return "tracking"
        if refused is not None:
            raise refused
        return "channel"

    async def _track(self, connection: AbstractConnection) -> bool:
        parser = connection._get_push_notifications_parser()
        parser.set_invalidation_push_handler(self._invalidate)  # type: ignore[no-untyped-call]
        prefixes = [word for prefix in self._prefixes for word in (b"PREFIX", prefix)]
        await connection.send_command(b"CLIENT", b"TRACKING", b"ON", b"BCAST", *prefixes, check_health=False)
        try:
            await connection.read_response(disable_decoding=True)
        except ResponseError as error:
            _LOGGER.warning("the server tracks no keys for us: %s", _told(error))
            return False
        return True

    async def _listen(self, connection: AbstractConnection) -> NoReturn:
        """Take what comes, and ask for a sign of life where nothing does."""
        is_asked = False
        while True:
            heard = self._heard
            reply = await connection.read_response(
                disable_decoding=True,
                timeout=self._pong_timeout if is_asked else self._ping_every,
                disconnect_on_error=False,
                push_request=True,
            )
            if reply is not None:
                self._take(reply)
            elif self._heard == heard:
                if is_asked:
                    raise RedisTimeoutError(f"no sign of life for {self._ping_every + self._pong_timeout:g} s")
                await connection.send_command(b"PING", check_health=False)
                is_asked = True
                continue
            is_asked = False

    async def _invalidate(self, push: Sequence[Any]) -> None:
        """Take a push: ``[b"invalidate", keys]``, or None in place of the keys after FLUSHALL or FLUSHDB."""
        self._heard += 1
        keys = push[1]
        if keys is None:
            self.local.clear()
        else:
            self.local.discard(keys)

    def _take(self, reply: Any) -> None:
        """Take what isn't an invalidation: a message of the channel, or a sign of life."""
        match reply:
            case [b"message", _, bytes(glob)]:
                try:
                    self.local.discard_matching([Pattern(glob)])
                except PatternError:  # of a newer version, or of a stranger: anything may have changed
                    self.local.clear()


def told_as(key: bytes) -> Pattern:
    """What tells of a key: its pattern, or that of all keys that begin as it does where it is too long for one."""
    alone = literal(key)
    return Pattern(alone if len(alone) <= MAX_BYTES else literal(key[: MAX_BYTES // 2 - 1]) + b"*")


async def announce(redis: Redis, patterns: Iterable[Pattern]) -> None:
    """Tell the processes that follow the channel what has changed (PUBLISH), after it has.

    Raises:
        RedisError: If it can't be told; what they hold of it lives on until it ends by itself.
    """
    async with redis.pipeline(transaction=False) as pipeline:
        for pattern in patterns:
            pipeline.publish(CHANNEL, pattern.glob)
        await pipeline.execute()


def _told(error: RedisError | OSError) -> str:
    return answer_text(error) if isinstance(error, RedisError) else safe(str(error) or f"no answer within {_SETUP:g} s")
