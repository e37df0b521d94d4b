"""Follows Pub/Sub channels on a connection of its own and fills a feed."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace

from pydantic import SecretStr
from redis.exceptions import ResponseError

from pymon_tui.model.feed import Feed
from pymon_tui.model.link import Connecting, Live, Lost, Trouble
from pymon_tui.model.query import Unavailable
from pymon_tui.model.text import safe
from pymon_tui.model.units import duration
from pymon_tui.server import clock
from pymon_tui.server.backoff import backoff
from pymon_tui.server.connection import open_session
from pymon_tui.server.endpoint import Endpoint
from pymon_tui.server.greeting import Handshake
from pymon_tui.server.reasons import LinkError, no_longer
from pymon_tui.server.session import Session
from pymon_tui.server.subscriber import Subscriber, Words, refusal, sharded, subscription

_STEADY = 10.0
"""Seconds after which a connection has proved itself: when it is lost, the next try comes quickly again."""

_BRIEF = 1.0
"""Seconds of silence that no time limit cuts short: a server is asked for a sign of life no more often than that."""

_BESIDE_A_POLLER = 3
"""So many times as long as a poller does, a listener waits where each try costs: that of a wrong password counts for a
lock, and that on a full server takes the next free place from someone."""


class Listener:
    """Keeps a feed subscribed for as long as ``run`` runs, and marks in it what was lost in between.

    Attributes:
        client_id: The server's id of the connection; None while there is none, or where it doesn't tell.
        held_since: What the server sends us now, and since when (monotonic seconds).
        is_refused: Whether the server won't let us follow anything, whatever its name.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        feed: Feed,
        patterns: Sequence[bytes],
        *,
        ping_every: float = 5.0,
        pong_timeout: float = 3.0,
        shards: bool = False,
        doubt: Callable[[], None] = lambda: None,
    ) -> None:
        """Follow channels and, where they have a wildcard, patterns; or with ``shards`` shard channels by their names.

        ``ping_every`` is the seconds of silence after which the server is asked for a sign of life, ``pong_timeout``
        the seconds it has for each of two answers. ``doubt`` is called when one is lost, or can't be made.
        """
        self.client_id: int | None = None
        self.held_since: Mapping[bytes, float] = {}
        self._endpoint = endpoint
        self.is_refused = False
        self._shards = shards
        self._doubt = doubt
        self._subscription = sharded if shards else subscription
        self._feed = feed
        self._is_left_out: Callable[[bytes], bool] = lambda _: False
        feed.patterns = tuple(dict.fromkeys(patterns))
        self._ping_every = ping_every
        self._pong_timeout = pong_timeout
        self._handshake = Handshake.RESP3
        self._subscriber: Subscriber | None = None
        # Not asked again by ourselves: each refusal is an entry in the server's ACL LOG, which hides real alarms.
        self._refused: dict[Words, ResponseError] = {}
        self._marked: Unavailable | None = None  # the refusal that the feed has been told of
        self._live_since: float | None = None
        self._gap_since: float | None = None
        self._cut_offs: int | None = None
        self._tries = 0
        self._retry = asyncio.Event()
        self._dice = random.Random()
        self._let_in = False  # with the password that the endpoint has now

    @property
    def patterns(self) -> tuple[bytes, ...]:
        """The channels and patterns to be followed."""
        return self._feed.patterns

    async def watch(self, patterns: Collection[bytes]) -> None:
        """Follow these channels and patterns and no others; what was refused is asked again."""
        self._feed.patterns = tuple(dict.fromkeys(patterns))
        self._ask_again()

    def follow(self, patterns: Collection[bytes]) -> None:
        """As ``watch``, but what was refused is let be."""
        self._feed.patterns = tuple(dict.fromkeys(patterns))
        if self._subscriber is not None and not self._subscriber.follows(self._asked_for):
            self._subscriber.follow(self._asked_for)

    def leave_out(self, is_left_out: Callable[[bytes], bool]) -> None:
        """Don't ask this server for these of the channels and patterns: the feed is filled with them by others."""
        self._is_left_out = is_left_out
        self.follow(self.patterns)

    @property
    def _asked_for(self) -> tuple[bytes, ...]:
        return tuple(name for name in self.patterns if not self._is_left_out(name))

    def retry(self) -> None:
        """Connect now where the connection is lost; what was refused is asked again."""
        self._retry.set()
        self._ask_again()

    def wake(self) -> None:
        """Connect now where the connection is lost: the server is known to answer."""
        self._retry.set()

    def log_in(self, password: SecretStr) -> None:
        """Speak with this password from the next connection on."""
        self._endpoint = replace(self._endpoint, password=password)
        self._let_in = False

    async def run(self) -> None:
        """Follow until cancelled; a lost connection is made again, for ever."""
        self._feed.status = Connecting(clock.now())
        while True:
            try:
                session, handshake = await open_session(self._endpoint, self._handshake)
                self._let_in = True
                if handshake is not Handshake.BARE:  # a server that was just going down looks like one that needs it
                    self._handshake = handshake
                error = await self._follow(session, handshake)
            except LinkError as failed:
                error = no_longer(failed, self._endpoint) if self._let_in else failed
            await self._wait(self._lose(error))

    async def _follow(self, session: Session, handshake: Handshake) -> LinkError:
        """Subscribe, and read until the connection is lost; returns why it was."""
        try:
            subscriber = Subscriber(session, handshake, self._feed, self._subscription, self._refused, self._settled)
        except LinkError:
            await session.close()
            raise
        self._subscriber, self.client_id = subscriber, session.client_id
        try:
            subscriber.follow(self._asked_for)
            error = await subscriber.until_lost(self._ping_every, self._pong_timeout)
            error = error if self._live_since is not None else session.ended_by(error, "SUBSCRIBE")
            self._mark_loss(subscriber, error)
            return error
        finally:
            self._subscriber = self.client_id = self._live_since = None
            self.held_since = {}
            await subscriber.close()

    def _mark_loss(self, subscriber: Subscriber, error: LinkError) -> None:
        now = clock.now()
        if self._live_since is None:
            return
        if now - self._live_since >= _STEADY:
            self._tries = 0
        silence = now - subscriber.heard_at
        if error.trouble is Trouble.UNREACHABLE and _BRIEF < silence < 2 * self._ping_every:
            # Perhaps a time limit of a proxy: asked for a sign of life before it is over, the connection stays.
            self._ping_every = max(_BRIEF, min(self._ping_every, silence / 2))
        if subscriber.held:
            # Where the server doesn't count whom it cuts off, all that speaks for it is that much came.
            slow = ", perhaps because we read too slowly" if self._cut_offs is None and subscriber.rushing else ""
            # What is given up for its silence may have lost all that was sent since it was heard last.
            self._gap_since = subscriber.heard_at if error.trouble is Trouble.SILENT else now
            self._feed.mark(safe(f"connection lost: {error.what}{slow}"), time.time())

    def _lose(self, error: LinkError) -> float:
        """Say in the feed's status that the connection is lost; returns the seconds until the next try."""
        now = clock.now()
        self._doubt()
        self._tries += 1
        wait = backoff(error.trouble, self._tries, self._dice)
        if error.trouble in (Trouble.LOCKED, Trouble.CROWDED):
            wait *= _BESIDE_A_POLLER  # a server that is polled as well tells by that when it lets us in again
        status = self._feed.status
        since = status.since if isinstance(status, Lost) else now
        self._feed.status = Lost(error.trouble, error.what, error.remedy, since, now + wait, self._tries)
        return wait

    async def _wait(self, seconds: float) -> None:
        """Wait, or until somebody can't."""
        self._retry.clear()
        # Not asyncio.wait_for: until Python 3.12 it may take the answer and lose a cancellation.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._retry.wait()

    def _ask_again(self) -> None:
        self._refused.clear()
        if self._subscriber is not None:
            self._subscriber.follow(self._asked_for)

    def _settled(self) -> None:
        """All questions have been answered: say how things stand."""
        subscriber = self._subscriber
        if subscriber is None:
            return
        if self._live_since is None:
            self._live_since = clock.now()
            self._mark_return(subscriber, self._live_since)
        now = clock.now()
        self.held_since = {name: self.held_since.get(name, now) for name in subscriber.held}
        names = self._asked_for
        refused = [asked for name in names if (asked := self._subscription(name)) in self._refused]
        why = refusal(refused, self._refused[refused[0]], subscriber.user) if refused else None
        self.is_refused = why is not None and "channel" not in why.detail
        if why is not None and len(refused) == len(names) and not self._shards:  # those are beside the feed
            self._feed.status = why
            return
        self._feed.status = Live(self._live_since, subscriber.rtt)
        if why is not None and why != self._marked:
            lacking = ", ".join(safe(name) for _, name in refused)
            self._feed.mark(safe(f"not followed: {lacking}: {why.detail}; {why.remedy}"), time.time())
        self._marked = why

    def _mark_return(self, subscriber: Subscriber, now: float) -> None:
        before, self._cut_offs = self._cut_offs, subscriber.cut_offs
        if self._gap_since is None:
            return
        away = now - self._gap_since
        span = duration(away) if away >= 1.0 else "less than a second"
        gap = f"gap: reconnected after {span}, messages in between are lost"
        if before is not None and self._cut_offs is not None and self._cut_offs > before:
            gap += "; the server had cut us off, probably for reading too slowly (client-output-buffer-limit)"
        self._gap_since = None
        self._feed.mark(safe(gap), time.time())
