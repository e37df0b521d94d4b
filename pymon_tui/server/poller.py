"""One tick: the commands that are due, in one round trip, and what became of each query."""

from __future__ import annotations

import asyncio
import math
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice
from typing import Any

from redis.exceptions import RedisError

from pymon_tui.model.deployment import Layout
from pymon_tui.model.query import (
    PENDING,
    UNASKED,
    Batch,
    Command,
    Query,
    Reading,
    Ready,
    Reason,
    Reply,
    Request,
    Unasked,
    Unavailable,
    fixed,
)
from pymon_tui.model.traffic import Traffic
from pymon_tui.readings.info import INFO, Info
from pymon_tui.readings.topology import CLUSTER_NODES, is_cluster
from pymon_tui.server.alike import Alike
from pymon_tui.server.batches import as_one, lines_of
from pymon_tui.server.reasons import (
    A_SENTINEL,
    ASK_IT_FOR_ITS_SERVER,
    LinkError,
    answer_text,
    gap,
    is_sentinel,
    link_error,
)
from pymon_tui.server.session import Session
from pymon_tui.server.share import Share
from pymon_tui.server.slots import Served
from pymon_tui.server.unread import unread

_EARLY = 0.05  # of an interval
_PING: Command[None] = Command("ping", fixed("PING"), lambda _: None)

_FOR_NOW = ("LOADING", "MASTERDOWN", "CLUSTERDOWN", "TRYAGAIN")
"""Codes of errors that say how the server is, and not what is wrong with the command."""

SHARE = 0.004
"""The share of one core of the server that one command may cost: five of them stay under 2 %."""


@dataclass(slots=True)
class _Account:
    """What the poller remembers of one command."""

    at: float = -math.inf  # monotonic seconds
    times: int = 1  # how often it was sent then: a batch is sent for many keys
    answer: Any = None  # what it was last decoded to
    failed: bool = False  # the last time
    benched: bool = False  # refused: not asked again until reconnect or a refresh by hand
    statistic: tuple[int, int] | None = None  # calls and microseconds of the last INFO commandstats
    cost: float | None = None  # seconds of server time per call


class Poller:
    """Asks due queries of one server and keeps what each was last known to be."""

    def __init__(self, queries: Sequence[Query[Any]], share: Share | None = None) -> None:
        """Ask these; ``share`` tells what of INFO is ours, where that is known over more than one connection."""
        self._queries = tuple(queries)
        self._accounts = {command: _Account() for query in queries for command in _with_givens(query.command)}
        self._accounts[_PING] = _Account()
        self._readings: dict[str, Reading[Any]] = {query.name: PENDING for query in queries}
        self._values: dict[str, Any] = {}
        self._share = share
        self._own: Traffic | None = None
        self.grown = Traffic()  # what we caused from the last INFO but one to the last
        self._sent: Counter[str] = Counter()  # how often each command was, by its name in ACL rules
        self._alike = Alike()
        self._waited: float | None = None  # for the first reply of the last tick
        self.rtt = 0.0

    @property
    def readings(self) -> Mapping[str, Reading[Any]]:
        """The last known reading of each query, by name; a new mapping, which stays as it is."""
        return dict(self._readings)

    @property
    def info(self) -> Info | None:
        """The newest INFO; None before the first."""
        account = self._accounts.get(INFO)
        return account.answer if account else None

    def cadence(self, interval: float) -> dict[str, float]:
        """Seconds between two askings, by query, where the server's share makes it longer than was wished."""
        found = {}
        for query in self._queries:
            wished = max(query.command.every, interval)
            period = self._period(query.command, interval)
            if period > wished * 1.05:
                found[query.name] = period
        return found

    def hasten(self) -> None:
        """Make every command due but those that were refused: something was just changed."""
        for account in self._accounts.values():
            account.at = -math.inf

    def refresh(self) -> None:
        """Make every command due, also those that were refused: a user asks for it."""
        self.hasten()
        self._alike = Alike()
        for command, account in self._accounts.items():
            account.benched = False
            if command.anew:
                account.answer = None

    def begin(self) -> None:
        """Make every command due on a new connection, which another process may answer."""
        self.refresh()
        for command, account in self._accounts.items():
            if command.per_connection:
                account.answer = None

    def forget(self, before: float) -> None:
        """Know nothing any more that was asked before this moment: it was another process that answered."""
        for name, reading in self._readings.items():
            if isinstance(reading, Ready) and reading.at < before:
                self._readings[name] = PENDING
                self._values.pop(name, None)

    async def tick(
        self, session: Session, now: float, interval: float, wanted: Collection[str], own: Traffic | None = None
    ) -> None:
        """Ask what is due at ``now`` (monotonic seconds) of the wanted queries and of those that always run.

        ``own`` is what we have caused on the server until then.

        Raises:
            LinkError: If the link is lost, or the server is busy with a script; the readings stay what they were.
        """
        asking = self._asking(now, interval, wanted)
        if not asking:
            return
        due, self._own = tuple(asking), own
        before = self._sent if own is None else self._sent.copy()
        for command, request in asking.items():
            # Before it is sent: what is hastened while it is on the way stays due.
            self._accounts[command].at, self._accounts[command].times = now, len(lines_of(request))
        try:
            answers = await self._answers(session, asking, now)
        except LinkError:
            for command in asking:
                self._accounts[command].at = -math.inf  # it wasn't answered: on another connection it is due
            raise
        for command, request in asking.items():
            taken = answers[command]
            if isinstance(request, Batch):
                ours = self._sent if own is None else own.calls + (self._sent - before)
                if (answer := as_one(request, taken, now, dict(ours))) is not None:
                    self._take(command, answer, session, now)
                if UNASKED in taken:
                    self._accounts[command].at = -math.inf
            else:
                self._take(command, taken[0], session, now)
            self._sent[command.acl] += len(taken) if not command.alike else 0
            await asyncio.sleep(0)  # a reply can be long to read; a key that was pressed goes first
        if self.info is not None:
            self._measure(due, self.info)
        if self._waited is not None:
            self.rtt = max(0.0, self._waited - sum(self._cost(command) for command in due))

    async def _answers(
        self, session: Session, asking: Mapping[Command[Any], Request], now: float
    ) -> Mapping[Command[Any], Sequence[Reply | RedisError | Unasked]]:
        """The replies of each command; those about keys that are alike come last, in writes of their own."""
        alike = {command: each for command, each in asking.items() if isinstance(each, Batch) and command.alike}
        plain = {command: lines_of(request) for command, request in asking.items() if command not in alike}
        answered = await session.ask(tuple(chain.from_iterable(plain.values()))) if plain else ()
        self._waited = session.waited if plain else None
        if self._own is not None and plain:
            # A server has read all of these before it carries out the first of them, which is INFO.
            self._own.bytes_out += session.written
        if answered and isinstance(answered[0], RedisError) and answer_text(answered[0]).startswith("BUSY "):
            raise link_error(answered[0], session.endpoint)  # it answers nothing else: the last picture is to stay
        replies = iter(answered)
        found = {command: tuple(islice(replies, len(lines))) for command, lines in plain.items()}
        served = Served(self._layout()) if self.info is not None and is_cluster(self.info) else None
        if served is not None and served.told is None and CLUSTER_NODES.command in found:  # which is yet to be read
            return {**found, **{command: [UNASKED] * len(batch.commands) for command, batch in alike.items()}}
        return {**found, **(await self._alike.ask(session, alike, now, self._sent, served) if alike else {})}

    def _layout(self) -> Layout | None:
        account = self._accounts.get(CLUSTER_NODES.command)
        return None if account is None or account.failed else account.answer

    def _asking(self, now: float, interval: float, wanted: Collection[str]) -> dict[Command[Any], Request]:
        asking = {}
        for command in self._due(now, interval, wanted):
            if lines_of(request := self._arguments(command)):
                asking[command] = request
            else:
                self._leave(command)
        info = self._accounts.get(INFO)
        if not asking and (info is None or info.benched) and not self._accounts[_PING].benched:
            # A link of which nothing is asked would never be known to be lost.
            return {_PING: self._arguments(_PING)}
        return asking

    def _leave(self, command: Command[Any]) -> None:
        """There is nothing to ask about: why there was no answer once is no reason any more."""
        if any(self._accounts[given].failed for given in _with_givens(command)[:-1]):
            return
        for query in self._queries:
            if query.command is command and isinstance(self._readings[query.name], Unavailable):
                self._readings[query.name] = PENDING

    def _arguments(self, command: Command[Any]) -> Request:
        given = self._accounts[command.given].answer if command.given is not None else None
        return command.arguments(self._accounts[command].answer, given)

    def _due(self, now: float, interval: float, wanted: Collection[str]) -> list[Command[Any]]:
        needed = {
            command
            for query in self._queries
            if query.command.always or query.name in wanted
            for command in _with_givens(query.command)
        }
        # A twentieth early is on time: ticks jitter, and a command must not wait for the next one for that.
        soon = now + _EARLY * interval
        due = [
            command
            for command, account in self._accounts.items()
            if command in needed and not account.benched and account.at + self._period(command, interval) <= soon
        ]
        # INFO goes first: it counts the commands before it, and those of one tick are not always the same.
        return sorted(due, key=lambda command: not command.always)

    def _take(self, command: Command[Any], reply: Reply | RedisError, session: Session, now: float) -> None:
        account = self._accounts[command]
        queries = [query for query in self._queries if query.command is command]
        if isinstance(reply, RedisError):
            why = gap(reply, command.acl, session.user)
            if why.reason is Reason.MISSING and is_sentinel(self.info):
                why = replace(why, detail=A_SENTINEL, remedy=ASK_IT_FOR_ITS_SERVER)
            account.benched = why.reason in (Reason.DENIED, Reason.MISSING, Reason.DISABLED)
            account.failed = True
            if why.detail.startswith(_FOR_NOW):
                account.at = -math.inf  # the next tick may find that over, however seldom it is asked else
            # What asks by this answer can't be asked either.
            self._readings.update(
                {query.name: why for query in self._queries if command in _with_givens(query.command)}
            )
            return
        account.failed = False
        try:
            account.answer = command.fold(account.answer, command.decode(reply))
            if command is INFO and self._own is not None:
                self._share_of(account.answer)
        except ValueError as error:
            why = unread(error, self.info)
            self._readings.update({query.name: why for query in queries})
            return
        for query in queries:
            self._readings[query.name] = self._read(query, account.answer, now)

    def _share_of(self, info: Info) -> None:
        own = self._own or Traffic()
        if self._share is None:
            self._accounts[INFO].answer = info.beside(own)
        else:
            self._accounts[INFO].answer, self.grown = self._share.told(info, own)

    def _read(self, query: Query[Any], answer: Any, now: float) -> Reading[Any]:
        try:
            value = query.fold(self._values.get(query.name), query.parse(answer))
        except ValueError as error:
            return unread(error, self.info)
        self._values[query.name] = value
        return Ready(value, now)

    def _measure(self, due: Sequence[Command[Any]], info: Info) -> None:
        """Learn from the server's own accounts what a command costs it; others who send it too average out."""
        for command in due:
            # A command that nobody has sent yet has no account.
            account, statistic = self._accounts[command], info.statistic(command.acl) or (0, 0)
            if account.statistic is not None:
                calls, usec = (new - old for new, old in zip(statistic, account.statistic, strict=True))
                if calls > 0 and usec >= 0:
                    account.cost = usec / calls / 1e6
            account.statistic = statistic

    def _period(self, command: Command[Any], interval: float) -> float:
        return max(command.every, interval, self._cost(command) / SHARE)

    def _cost(self, command: Command[Any]) -> float:
        """Seconds of server time of one asking, as far as is known."""
        account = self._accounts.get(command)
        return (account.cost or 0.0) * account.times if account else 0.0


def _with_givens(command: Command[Any]) -> tuple[Command[Any], ...]:
    """The command, and before it those whose answers decide its arguments."""
    return (command,) if command.given is None else (*_with_givens(command.given), command)
