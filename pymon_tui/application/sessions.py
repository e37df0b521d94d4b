"""The sessions of Py_Monitor's users: whose they are, how old, how long they live on, and what they take.

What the application put into them is never asked for. An id is a credential: who has it is taken for its user.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, TypeAlias, TypeVar

from pymon_tui.application.turns import answered, next_keys
from pymon_tui.application.walk import KEPT, WALK, Walk
from pymon_tui.model.query import Answers, Argument, Batch, Command, Query, Reply, itself
from pymon_tui.model.text import SafeText, safe
from pymon_tui.services.keys import SESSION
from pymon_tui.services.session import HEADER, is_id, parse_header

T = TypeVar("T")

PER_TICK = 200
"""Sessions that are asked about in one tick."""

_MOST = KEPT[SESSION.name]
_SHOWN, _SHOWN_PART = 6, 4


class State(Enum):
    """Why there is nothing to say of a key."""

    GONE = "gone"
    EMPTY = "empty"  # none of a session's fields: it has expired, or is a hash of somebody else's
    UNREADABLE = "unreadable"  # of another type, or with fields in another form


@dataclass(frozen=True, slots=True, eq=False)
class SessionHeader:
    """A session but for its id and its data.

    Attributes:
        user_id: Who is logged in; None if nobody is.
        created_at: Unix seconds, by the application's clock.
        last_activity: The same, give or take a minute.
    """

    user_id: str | None
    created_at: float
    last_activity: float


@dataclass(frozen=True, slots=True, eq=False)
class Life:
    """How long a session lives on unless it is used.

    Attributes:
        pttl: Milliseconds from ``at`` on; None if it stays.
        at: When that was answered (monotonic seconds).
    """

    pttl: int | None
    at: float

    def left(self, now: float) -> float | None:
        """Seconds from ``now`` (monotonic seconds) on; 0 where it should have ended; None if it stays."""
        return None if self.pttl is None else max(0.0, self.pttl / 1000 + self.at - now)


@dataclass(frozen=True, slots=True)
class SessionKeys:
    """How far the walk is with the keys of sessions.

    Attributes:
        met: Keys of sessions in the newest whole round, or so far in the first.
        listed: Of these, and of newer ones, as many as are asked about; so many and no more are remembered.
        seen: Keys of all kinds that the first round has met; all of them once it is whole.
        whole: Whether a round came to its end.
    """

    met: int
    listed: int
    seen: int
    whole: bool


Header: TypeAlias = SessionHeader | State


def id_of(key: bytes) -> str:
    """The id in a session's key; a credential."""
    return (SESSION.values(key) or {}).get("id", "")


def shortened(session_id: str) -> SafeText:
    """So much of an id that it is known again, and no more: 36 bits of 256. Of one that isn't ours, a quarter."""
    shown = _SHOWN if is_id(session_id) else min(_SHOWN, len(session_id) // _SHOWN_PART)
    return safe(session_id[:shown] + "…")


def read_header(reply: Reply) -> Header:
    """What HMGET of the header's fields tells of one key."""
    if not isinstance(reply, list) or len(reply) != len(HEADER):
        return State.UNREADABLE
    if all(value is None for value in reply):
        return State.EMPTY
    try:
        header = parse_header({name: value.decode() for name, value in zip(HEADER, reply, strict=True) if value})
        times = header.created_at.timestamp(), header.last_activity.timestamp()
    except (ValueError, AttributeError):
        return State.UNREADABLE
    return SessionHeader(header.user_id, *times)


def decode_headers(answers: Answers) -> Mapping[bytes, Header]:
    """What HMGET tells of each key that was asked about."""
    return {
        **{_key(asked): State.UNREADABLE for asked in answers.failed},
        **{_key(asked): read_header(reply) for asked, reply in answers},
    }


def decode_lives(answers: Answers) -> Mapping[bytes, Life | State]:
    """What PTTL tells of each key: -1 for one that stays, -2 for one that is gone."""

    def life(reply: Reply) -> Life | State:
        if not isinstance(reply, int):
            return State.UNREADABLE
        return State.GONE if reply == -2 else Life(reply if reply >= 0 else None, answers.at)

    return {_key(asked): life(reply) for asked, reply in answers}


def decode_sizes(answers: Answers) -> Mapping[bytes, int | State]:
    """The bytes that MEMORY USAGE tells of each key."""

    def size(reply: Reply) -> int | State:
        return State.GONE if reply is None else reply if isinstance(reply, int) else State.UNREADABLE

    return {_key(asked): size(reply) for asked, reply in answers}


def parse_keys(walk: Walk) -> SessionKeys:
    """How far the walk is with sessions."""
    known = walk.known
    listed = min(_MOST, len(walk.keys(SESSION.name)))
    return SessionKeys(known.counts.get(SESSION.name, 0), listed, known.seen, whole=walk.complete)


def _key(asked: tuple[Argument, ...]) -> bytes:
    # HMGET and PTTL have it first, MEMORY USAGE second.
    return next(word for word in asked if isinstance(word, bytes))


def _by_turns(
    acl: str,
    before: tuple[str, ...],
    after: tuple[str, ...],
    decode: Callable[[Answers], Mapping[bytes, T | State]],
    *,
    of_type: bytes | None = None,
) -> Command[Mapping[bytes, T | State]]:
    """A command about some sessions a tick, which remembers what it was answered."""

    def arguments(known: Mapping[bytes, T | State] | None, walk: Walk | None) -> Batch:
        existing = walk.keys(SESSION.name) if walk is not None else ()
        there = set(existing)
        # What is gone is asked about as long as the walk has it: it has its turn, and takes nobody else's.
        of_interest = {
            key: None for key, what in (known or {}).items() if key in there or what not in (State.GONE, State.EMPTY)
        }
        return Batch(tuple((*before, key, *after) for key in next_keys(of_interest, existing, PER_TICK)))

    def fold(known: Mapping[bytes, T | State] | None, new: Mapping[bytes, T | State]) -> Mapping[bytes, T | State]:
        return answered(known, new.items(), _MOST)

    # MEMORY USAGE looks at a key without reading it.
    return Command(acl, arguments, decode, given=WALK, fold=fold, of_type=of_type, alike=(SESSION.begins,))


SESSIONS: Query[Mapping[bytes, Header]] = Query(
    "sessions", _by_turns("hmget", ("HMGET",), HEADER, decode_headers, of_type=b"hash"), itself
)
"""Headers by key, those that were answered last at the end."""

SESSION_LIVES: Query[Mapping[bytes, Life | State]] = Query(
    "session_lives", _by_turns("pttl", ("PTTL",), (), decode_lives), itself
)
"""Times to live by key."""

SESSION_SIZES: Query[Mapping[bytes, int | State]] = Query(
    "session_sizes", _by_turns("memory|usage", ("MEMORY", "USAGE"), (), decode_sizes), itself
)
"""Bytes by key."""

SESSION_KEYS: Query[SessionKeys] = Query("session_keys", WALK, parse_keys)
"""How far the walk is."""

OF_SESSIONS: tuple[Query[Any], ...] = (SESSIONS, SESSION_LIVES, SESSION_SIZES, SESSION_KEYS)
"""All that is read of sessions."""
