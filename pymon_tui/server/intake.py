"""From a subscribed connection to the feed: every message is counted, and as many are kept as a person can read."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from redis.exceptions import InvalidResponse

from pymon_tui.model.feed import Feed
from pymon_tui.model.query import Reply

WINDOW = 0.1
"""Seconds for which ``KEPT`` messages are kept and the others counted."""

KEPT = 200
"""Messages kept per window: more than a person reads and a screen shows, and little work."""


class Intake:
    """Sorts the replies of one connection: messages into the feed, answers to whoever asked.

    A message that matches several of our subscriptions comes once for each, and is counted and kept once.
    """

    def __init__(self, feed: Feed, answered: Callable[[Reply], None]) -> None:
        self._feed = feed
        self._answered = answered
        self._window = 0.0
        self._left = KEPT
        # The channel of the last message, and the subscription by which we had it. A server sends all copies of a
        # message in a row, so as long as the channel is the same, what comes by another subscription is a copy.
        self._channel: bytes | None = None
        self._via: bytes | None = None

    def take(self, replies: Iterator[Reply]) -> None:
        """Take one slice of replies.

        Raises:
            InvalidResponse: If something is in it that no server sends to a subscriber.
        """
        try:
            self._sort(replies)
        except (ValueError, IndexError) as error:
            raise InvalidResponse(f"an unreadable message: {error}") from None

    def _sort(self, replies: Iterator[Reply]) -> None:
        at, now = time.time(), time.monotonic()
        if now - self._window >= WINDOW:
            self._window, self._left = now, KEPT
        last_channel, last_via, left, surplus = self._channel, self._via, self._left, 0
        add = self._feed.add
        for reply in replies:
            kind = reply[0] if isinstance(reply, list) else None
            if kind == b"pmessage":
                _, via, channel, payload = reply
            elif kind in (b"message", b"smessage"):
                _, channel, payload = reply
                via = None
            else:
                last_channel = None  # a subscription may have ended, the one we had the channel by
                self._answered(reply)
                continue
            if channel == last_channel and via != last_via:
                continue
            last_channel, last_via = channel, via
            if left:
                if not (isinstance(channel, bytes) and isinstance(payload, bytes)):
                    raise ValueError("a channel and a payload are strings")
                left -= 1
                add(channel, payload, at)
            else:
                surplus += 1
        self._channel, self._via, self._left = last_channel, last_via, left
        if surplus:
            self._feed.count(surplus)
