"""Counts what each connection of this process causes, by the server that it leads to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from typing import Any, NamedTuple, Protocol

from redis.exceptions import RedisError

from pymon_tui.model.query import Argument
from pymon_tui.model.traffic import Traffic
from pymon_tui.server.commands import Access, name_of, sent
from pymon_tui.server.endpoint import Endpoint
from pymon_tui.server.reasons import is_of_another_type

_UNCOUNTED = ("memory|usage",)
"""Looks at a key, and the server counts that neither as a hit nor as a miss."""

_NOTHING = {"exists": 0, "pttl": -2, "pexpiretime": -2, "type": b"none"}
"""What a command answers where there is no key, if that isn't nothing."""


class _Address(NamedTuple):
    host: str | None
    port: int | None
    socket: str | None
    via: str | None


class Line(Protocol):
    """A connection."""

    @property
    def is_open(self) -> bool:
        """Whether neither end has closed it."""
        ...


class Account:
    """What was caused at one address.

    Attributes:
        total: The counts.
        on_the_way: Commands that were asked and aren't answered, by name.
        doubtful: Commands whose answers a lost line took, by name: perhaps the server has carried them out.
        run_id: The server process that they are of; None where nobody has asked yet.
        joined: The total when that was learnt.
        moved: Whether another process has answered there before.
        peer: The system's address of who answers; None where it tells nothing of that.
        lines: Our connections that nobody here has closed.
    """

    def __init__(self) -> None:
        self.total = Traffic()
        self.on_the_way: Counter[str] = Counter()
        self.doubtful: Counter[str] = Counter()
        self.run_id: str | None = None
        self.joined = Traffic()
        self.moved = False
        self.peer: object = None
        self.lines: set[Line] = set()

    @property
    def open(self) -> int:
        """How many connections there are, without those that the other end has closed."""
        return sum(line.is_open for line in self.lines)

    def connected(self, peer: object = None) -> None:
        """Count a connection. Who answers at the same ``peer`` as another address is taken for the same process."""
        self.peer = peer
        if self.run_id is None and peer is not None:
            same = (other.run_id for other in _ACCOUNTS.values() if other.peer == peer and other.run_id is not None)
            self.answers_as(next(same, None))
        self.total.connections += 1

    def listens_at(self, port: int | None) -> None:
        """Say at which port of this machine the server at a unix socket listens, too: 0 or None for at none.

        Who answers there is most likely the same process; if not, ``met`` tells.
        """
        self.peer = ("loopback", port) if port else None

    def answers_as(self, run_id: str | None) -> None:
        """Say which server process it is."""
        self.run_id, self.joined = run_id, self.total.copy()

    def lost(self, runs: Iterable[tuple[str, int]]) -> None:
        """Remember commands of some names that nobody will ever answer."""
        for name, count in runs:
            self.doubtful[name] += count

    def wrote(self, size: int) -> None:
        """Count bytes that were sent."""
        self.total.bytes_out += size

    def heard(self, size: int) -> None:
        """Count bytes that came."""
        self.total.bytes_in += size

    def were_asked(self, runs: Iterable[tuple[str, int]], *, times: int = 1) -> None:
        """Count commands of some names that an answer is awaited of; with ``times`` -1 that none comes any more."""
        for name, count in runs:
            self.on_the_way[name] += times * count

    def answered(self, command: Sequence[Argument], answer: Any) -> None:
        """Count one command and what it was answered."""
        self.were_answered(name_of(command), (answer,))

    def were_answered(self, name: str, answers: Sequence[Any]) -> None:
        """Count commands of one name and what each was answered."""
        total, count = self.total, len(answers)
        total.commands += count
        total.calls[name] += count
        kinds = {*map(type, answers)}
        errors = [answer for answer in answers if isinstance(answer, RedisError)] if kinds - _PLAIN else []
        total.errors += len(errors)
        if not reads(name):
            return
        nothing = _NOTHING.get(name)
        if nothing is not None:
            misses = answers.count(nothing)
        elif kinds <= _PLAIN:
            misses = answers.count(None) if _NONE in kinds else 0
        else:
            misses = sum(map(_is_empty, answers))
        total.misses += misses
        # What is of another type was found; what we may not look at wasn't looked for.
        total.hits += count - misses - len(errors) + sum(map(is_of_another_type, errors))


_NONE = type(None)
_PLAIN = frozenset((bytes, int, _NONE))
"""The types of nearly all answers to commands that go in bulk; of these only None is no key."""

_ACCOUNTS: dict[_Address, Account] = {}


def account_of(endpoint: Endpoint) -> Account:
    """The account that all connections to this address share."""
    socket = endpoint.socket
    host, port = (None, None) if socket is not None else (endpoint.host, endpoint.port)
    return _ACCOUNTS.setdefault(_Address(host, port, socket, endpoint.via), Account())


def accounts() -> Collection[Account]:
    """Those of all addresses."""
    return _ACCOUNTS.values()


def met(endpoint: Endpoint, run_id: str, before: Traffic | None = None) -> None:
    """Say which server process answers at an address: what was caused on another one is no share of its counters.

    ``before`` was caused at this address before it answered; all that was, where that isn't known.
    """
    account = account_of(endpoint)
    if account.run_id not in (None, run_id):
        account.total.remove(account.total.copy() if before is None else before)
        account.doubtful.clear()
        account.moved = True
    if account.run_id != run_id:
        account.answers_as(run_id)


def set_back(endpoint: Endpoint, until: Traffic) -> None:
    """Say that the counters of the server process at an address began anew; ``until`` was caused before."""
    left = until.copy()
    for account in accounts_of(endpoint):
        account.total.take(left)


def caused(endpoint: Endpoint) -> Traffic:
    """What this process has caused on the server at an address, through whatever address it was reached."""
    whole = on_the_way(endpoint)
    for account in accounts_of(endpoint):
        whole.add(account.total)
    return whole


def on_the_way(endpoint: Endpoint) -> Traffic:
    """What isn't answered of that: a server mostly has carried it out before it comes to what is asked next."""
    found = Traffic()
    for account in accounts_of(endpoint):
        found.add(of_commands(account.on_the_way))
    return found


def of_commands(calls: Counter[str]) -> Traffic:
    """What commands cause, by their names; what is read is taken to be there."""
    calls = +calls
    return Traffic(calls.total(), hits=sum(count for name, count in calls.items() if reads(name)), calls=calls)


def accounts_of(endpoint: Endpoint) -> list[Account]:
    """The accounts of the server process at an address: its own, and those of other addresses of that."""
    own = account_of(endpoint)
    if own.run_id is None:
        return [own]
    return [account for account in _ACCOUNTS.values() if account.run_id == own.run_id]


def reads(name: str) -> bool:
    """Whether the server counts this command as reads of the keys that it names."""
    known = sent(name)
    return known is not None and known.access in (Access.NAME, Access.READ) and name not in _UNCOUNTED


def _is_empty(answer: Any) -> bool:
    """Whether a command that reads a key (HGETALL, LRANGE, HMGET, DUMP) answers so where there is none."""
    if isinstance(answer, list):
        return all(item is None for item in answer)
    return answer is None or answer in ({}, set())
