"""What becomes of Redis' errors where they don't reach the caller: counted, and logged once in a while."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError

from pymon_tui.model.text import safe

T = TypeVar("T")

REST = 1.0
"""Seconds that a server isn't asked again after it didn't answer; a request that can do without it goes on at once."""
LOG_EVERY = 30.0
"""Seconds between two lines in the log, at least; errors in between are counted in the next."""

_LOG = logging.getLogger("pymon_tui.services")


class Outage:
    """Whether Redis answers, as one service sees it.

    Args:
        consequence: What happens instead, for the log: "the loader is asked instead".
        clock: Seconds, monotonic.

    Attributes:
        errors: Errors so far.
    """

    def __init__(self, consequence: str, *, clock: Callable[[], float]) -> None:
        self.errors = 0
        self._consequence = consequence
        self._clock = clock
        self._ask_again: float | None = None
        self._logged: float | None = None
        self._logged_errors = 0

    async def ask(self, question: Callable[[], Awaitable[T]], *, insistently: bool = False) -> tuple[T] | None:
        """The server's answer, or None if there was none, or an error.

        Args:
            question: Sends a command and awaits the answer.
            insistently: Ask even a server that is away. Else one caller in a while does, and the others go without.
        """
        if not insistently and not self._asks():
            return None
        try:
            answer = await question()
        except (RedisError, OSError) as error:
            self.failed(error)
            return None
        self._ask_again = None
        return (answer,)

    def failed(self, error: Exception) -> None:
        """The server didn't answer, or with an error."""
        now = self._clock()
        self.errors += 1
        away = isinstance(error, RedisConnectionError | RedisTimeoutError | OSError)
        self._ask_again = now + REST if away else None
        if self._logged is None or now >= self._logged + LOG_EVERY:
            count = self.errors - self._logged_errors
            reason = safe(str(error) or type(error).__name__)
            _LOG.warning("Redis: %s; %s (errors since the last such line: %d)", reason, self._consequence, count)
            self._logged, self._logged_errors = now, self.errors

    def _asks(self) -> bool:
        if self._ask_again is None:
            return True
        now = self._clock()
        if now < self._ask_again:
            return False
        self._ask_again = now + REST
        return True
