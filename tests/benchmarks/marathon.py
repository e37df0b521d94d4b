"""A source of as many snapshots as are wanted, all different: a demo's real replies, whose numbers go on."""

from __future__ import annotations

import asyncio
import random
import re
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from datetime import UTC, datetime
from typing import Any

from redis.exceptions import RedisError

from pymon_tui.demo.messages import message as spoken
from pymon_tui.demo.running import running_demo
from pymon_tui.model.history import History
from pymon_tui.model.link import Live
from pymon_tui.model.query import Argument, Reply
from pymon_tui.model.snapshot import Snapshot
from pymon_tui.readings.metrics import METRICS
from pymon_tui.readings.queries import QUERIES
from pymon_tui.server.connection import open_session
from pymon_tui.server.endpoint import Endpoint
from pymon_tui.server.poller import Poller
from pymon_tui.server.session import Session
from pymon_tui.server.wire import connection_to
from pymon_tui.services.keys import NOTIFICATIONS_CHANNEL
from pymon_tui.services.notification import Notification
from pymon_tui.ui.app import DEMO_RATE, DEMO_SEED
from tests.script import WALL, Script, snapshot

RECORD_SECONDS = 10.0
_NAMES = [query.name for query in QUERIES]
_COUNTER = re.compile(rb"\n((?:total|keyspace|evicted|expired|used|uptime)_\w+:)(\d+)(?=\r)")
_COMMAND = re.compile(rb"calls=(\d+),usec=(\d+)")
_CLIENT = re.compile(rb"\b(id|age|tot-cmds|tot-net-in|tot-net-out|omem|tot-mem)=(\d+)")
_INFO, _CLIENTS, _SLOWLOG = ("INFO", "all"), ("CLIENT", "LIST"), ("SLOWLOG", "GET")
_SLOW = 4
"""Slow commands that are new in each snapshot."""
_FIRST_SLOW = 10_000
"""The number of the newest of those that were logged before."""

Replies = Mapping[tuple[Argument, ...], Reply]


async def recorded() -> Replies:
    """What a demo answers to each of our commands, by the command's first two words."""
    with running_demo(seed=DEMO_SEED, rate=DEMO_RATE) as server:
        await asyncio.sleep(RECORD_SECONDS)
        session, _ = await open_session(Endpoint(socket=server.socket))
        recorder = _Recorder(session)
        poller = Poller(QUERIES)
        for at in range(2):  # some commands are asked for what others have answered
            await poller.tick(recorder, at * 60.0, 1.0, _NAMES)
        await session.close()
        return recorder.recorded


class _Recorder(Session):
    """A session that remembers what another one was answered."""

    def __init__(self, session: Session) -> None:
        super().__init__(connection_to(session.endpoint), session.endpoint)
        self.recorded: dict[tuple[Argument, ...], Reply] = {}
        self._session = session

    async def ask(self, commands: Sequence[tuple[Argument, ...]]) -> tuple[Reply | RedisError, ...]:
        replies = await self._session.ask(commands)
        self.recorded.update({command[:2]: reply for command, reply in zip(commands, replies, strict=True)})
        return replies


class _Rerun(Session):
    """A session that answers what was recorded; counters go on, others change at random, and slow commands come."""

    def __init__(self, replies: Replies) -> None:
        endpoint = Endpoint(host="scripted")
        super().__init__(connection_to(endpoint), endpoint)
        self._replies = replies
        self._dice = random.Random(1)
        self.number = 0

    async def ask(self, commands: Sequence[tuple[Argument, ...]]) -> tuple[Reply | RedisError, ...]:
        return tuple(self._answer(command) for command in commands)

    def _answer(self, command: tuple[Argument, ...]) -> Reply | RedisError:
        reply = self._replies[command[:2]]
        if command[:2] == _INFO:
            return _COMMAND.sub(self._used, _COUNTER.sub(self._counted, reply))
        if command[:2] == _CLIENTS:
            return _CLIENT.sub(self._client, reply)
        if command[:2] == _SLOWLOG:
            return [self._slow(reply, back) for back in range(int(command[2]))]
        return reply

    def _counted(self, match: re.Match[bytes]) -> bytes:
        name, value = match[1], int(match[2])
        if name.startswith(b"used_"):
            return b"\n%s%d" % (name, value * self._dice.uniform(0.8, 1.2))
        step = 1 if name.startswith(b"uptime") else 1000
        return b"\n%s%d" % (name, value + self.number * step + self._dice.randrange(step))

    def _used(self, match: re.Match[bytes]) -> bytes:
        calls, usec = int(match[1]), int(match[2])
        return b"calls=%d,usec=%d" % (calls + self.number * 50, usec + self.number * 100)

    def _client(self, match: re.Match[bytes]) -> bytes:
        name, value = match[1], int(match[2])
        if name == b"id":  # every client is another one after a while
            return b"id=%d" % (value + self.number // (5 + value % 7) * 1000)
        return b"%s=%d" % (name, value + self._dice.randrange(1 << 20))

    def _slow(self, entries: list[Any], back: int) -> list[Any]:
        # All of an entry follows from its number: one that was another before would be of another life of the server.
        number = _FIRST_SLOW + _SLOW * self.number - back
        _, _, _, arguments, *client = entries[number % len(entries)]
        logged = int(WALL) + (number - _FIRST_SLOW) // _SLOW
        return [number, logged, 2_000 + number % 977, [*arguments, b"%d" % number], *client]


class Marathon(Script):
    """A source that goes one snapshot further whenever it is told to."""

    def __init__(self, replies: Replies) -> None:
        super().__init__()
        self._session = _Rerun(replies)
        self._poller = Poller(QUERIES)
        self._history = History(METRICS)
        self._dice = random.Random(2)
        self._taken = asyncio.Event()

    async def snapshots(self) -> AsyncGenerator[Snapshot]:
        """The snapshots played; that one was taken is known when the next is asked for."""
        async with aclosing(super().snapshots()) as played:
            async for one in played:
                yield one
                self._taken.set()

    async def advance(self) -> None:
        """Let the screen take the next snapshot, one second after the last, and ten messages."""
        number = self._session.number = self._session.number + 1
        at = 100.0 + number
        await self._poller.tick(self._session, at, 1.0, self.wanted)
        info = self._poller.info
        assert info is not None
        self._history.record(at, {metric.name: metric.read(info) for metric in METRICS}, {})
        self.feed.status = Live(at, 0.001)
        for message in range(10 * number, 10 * number + 10):
            said, user_id = spoken(self._dice), str(message % 97)
            when = datetime.fromtimestamp(WALL + at, UTC)
            told = Notification(str(message), user_id, said.level, said.title, said.message, said.project, when)
            self.feed.add(NOTIFICATIONS_CHANNEL.key(user_id=user_id).encode(), told.payload(), WALL + at)
        readings = {query: self._poller.readings[query.name] for query in QUERIES}
        self._taken.clear()
        self.play(snapshot(readings, at=at, history=self._history, feed=self.feed))
        await self._taken.wait()
