"""Answers that come through ssh, hurried."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from redis.exceptions import ResponseError

_FIRST = 0.003
"""Seconds that an answer is waited for before something is to hurry it; a page takes the server less."""
_MOST = 8
"""PINGs that may be unanswered: as the waits between them grow, they reach 90 ms."""


class Hurry:
    """Sends PINGs while an answer is awaited.

    An sshd that only forwards holds the last piece of an answer back until those before it are acknowledged (Nagle's
    algorithm), and our system takes up to 40 ms to do so, unless something is sent that takes it along.
    """

    def __init__(self, ping: Callable[[], asyncio.Future[list[Any]]], awaited: Callable[[], int]) -> None:
        """``ping`` sends one behind what was asked before, and ``awaited`` tells how many questions are open."""
        self._ping = ping
        self._awaited = awaited
        self._loop = asyncio.get_running_loop()
        self._next: asyncio.TimerHandle | None = None
        self._unanswered = 0
        self._ended = False

    def asked(self) -> None:
        """A question has gone out."""
        if self._next is None and not self._ended:
            self._next = self._loop.call_later(_FIRST * max(1, self._unanswered - 2), self._send)

    def end(self) -> None:
        """Nothing is awaited any more."""
        self._ended = True
        if self._next is not None:
            self._next.cancel()
            self._next = None

    def _send(self) -> None:
        self._next = None
        if self._unanswered < min(self._awaited(), _MOST):
            self._unanswered += 1
            self._ping().add_done_callback(self._answered)

    def _answered(self, ping: asyncio.Future[list[Any]]) -> None:
        self._unanswered -= 1
        if ping.exception() is None and isinstance(ping.result()[0], ResponseError):
            self.end()  # who may not send it is an entry in the ACL LOG each time
