"""One session, as it is kept in a hash: who, since when, and what the application put into it."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import chain
from typing import Any, cast

from pymon_tui.services.keys import SESSION, USER_SESSIONS
from pymon_tui.services.values import dumps, loads

USER_ID = "user_id"
CREATED_AT = "created_at"
LAST_ACTIVITY = "last_activity"
VERSION = "version"
DATA = "data:"
"""Begins the name of each field of the application; the others are ours."""

LIFE = timedelta(seconds=cast(int, SESSION.life))
"""How long a session lives after its last use."""

TOUCH_EVERY = timedelta(minutes=1)
"""How exactly the last use of a session is known, and how often reading it costs a second round trip."""

_ID = re.compile(r"[A-Za-z0-9_-]{43}")
_ID_BYTES = 32

Word = str | bytes


@dataclass(frozen=True, slots=True)
class Session:
    """A session at the moment it was read or written.

    Attributes:
        id: Its secret: who has it is taken for the user. It is left out of the representation.
        user_id: Who is logged in; None if nobody is.
        created_at: When it began; with a time zone.
        last_activity: When it was last used, give or take a minute.
        data: What the application put into it, by name; JSON values as of ``services.values``.
        stored: The same as the server has it.
        version: Another one after each write of the data.
        touched: Whether its last use was noted when it was read, which is done at most once a minute.
    """

    id: str = field(repr=False)
    user_id: str | None
    created_at: datetime
    last_activity: datetime
    data: Mapping[str, Any] = field(repr=False)
    stored: Mapping[str, bytes] = field(repr=False)
    version: str
    touched: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class Header:
    """A session but for its id and its data.

    Attributes:
        user_id: As of ``Session``, and so the others.
    """

    user_id: str | None
    created_at: datetime
    last_activity: datetime
    version: str


HEADER = (USER_ID, CREATED_AT, LAST_ACTIVITY, VERSION)
"""The fields that a header is read from."""


@dataclass(frozen=True, slots=True)
class Changes:
    """What a write does to the data: fields that get a value, and fields that go."""

    written: Mapping[str, bytes]
    removed: frozenset[str]

    @property
    def fields(self) -> dict[str, Word]:
        """The fields of the hash that get a value."""
        return {DATA + name: value for name, value in self.written.items()}

    @property
    def removed_fields(self) -> list[str]:
        """The fields of the hash that go."""
        return [DATA + name for name in self.removed]

    def __bool__(self) -> bool:
        return bool(self.written or self.removed)


def new_id() -> str:
    """An id that nobody can guess: 256 random bits."""
    return secrets.token_urlsafe(_ID_BYTES)


def is_id(text: str) -> bool:
    """Whether this may be the id of a session; a cookie can hold anything."""
    return _ID.fullmatch(text) is not None


def changes(stored: Mapping[str, bytes], data: Mapping[str, Any]) -> Changes:
    """What turns the data as it is stored into ``data``; what was changed deep inside a value is found too.

    Raises:
        ValueError: If a value can't be stored.
    """
    encoded = {name: dumps(value) for name, value in data.items()}
    written = {name: value for name, value in encoded.items() if stored.get(name) != value}
    return Changes(written, frozenset(stored.keys() - encoded.keys()))


def changed(stored: Mapping[str, bytes], by: Changes) -> dict[str, bytes]:
    """The data as it is stored after a write."""
    return {name: value for name, value in {**stored, **by.written}.items() if name not in by.removed}


def read_data(stored: Mapping[str, bytes]) -> dict[str, Any]:
    """The data that is stored.

    Raises:
        ValueError: If a value can't be read.
    """
    return {name: loads(value) for name, value in stored.items()}


def parse_session(session_id: str, reply: Mapping[Word, Word]) -> Session:
    """The session of a hash (HGETALL).

    Raises:
        ValueError: If it isn't a session.
    """
    own: dict[str, str] = {}
    stored: dict[str, bytes] = {}
    for name, value in reply.items():
        label = name if isinstance(name, str) else name.decode()
        content = value if isinstance(value, bytes) else value.encode("utf-8", "surrogateescape")
        if label.startswith(DATA):
            stored[label[len(DATA) :]] = content
        else:
            own[label] = content.decode()
    header = parse_header(own)
    return Session(
        session_id,
        header.user_id,
        header.created_at,
        header.last_activity,
        read_data(stored),
        stored,
        header.version,
    )


def parse_header(fields: Mapping[str, str]) -> Header:
    """What is known of a session by the fields of its hash that are ours; others are passed over.

    Raises:
        ValueError: If it isn't a session.
    """
    try:
        created_at, last_activity = (datetime.fromisoformat(fields[name]) for name in (CREATED_AT, LAST_ACTIVITY))
        version = fields[VERSION]
    except KeyError as missing:
        raise ValueError(f"a session should have a field {missing}") from None
    if created_at.tzinfo is None or last_activity.tzinfo is None:
        raise ValueError("the times of a session should have a time zone")
    return Header(fields.get(USER_ID), created_at, last_activity, version)


def own_fields(session: Session) -> dict[str, Word]:
    """The fields of a session's hash but for its data."""
    fields: dict[str, Word] = {
        CREATED_AT: text_of(session.created_at),
        LAST_ACTIVITY: text_of(session.last_activity),
        VERSION: session.version,
    }
    return fields if session.user_id is None else fields | {USER_ID: session.user_id}


def text_of(at: datetime) -> str:
    """A time as it stands in a field: ISO 8601 to the microsecond."""
    return at.isoformat(timespec="microseconds")


def keys_of(session_id: str, user_id: str | None) -> list[str]:
    """A session's key, and that of its user's index if it has a user."""
    key = SESSION.key(id=session_id)
    return [key] if user_id is None else [key, USER_SESSIONS.key(user_id=user_id)]


def in_turn(fields: Mapping[str, Word]) -> list[Word]:
    """Fields and values in turn, as HSET takes them."""
    return list(chain.from_iterable(fields.items()))
