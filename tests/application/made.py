"""Sessions as a server would tell of them, for tests of what reads and shows them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from pymon_tui.application.groups import DATABASE_SIZE
from pymon_tui.application.sessions import (
    SESSION_KEYS,
    SESSION_LIVES,
    SESSION_SIZES,
    SESSIONS,
    Header,
    Life,
    SessionKeys,
    State,
    decode_headers,
)
from pymon_tui.model.query import Answers, Query, Reading, Ready
from pymon_tui.services.keys import SESSION
from tests.script import WALL, ready

AT = 100.0
NOW = WALL + AT
"""The moment of the scripted snapshots: monotonic and Unix seconds."""


def session_id(number: int) -> str:
    """An id of the length and letters of the application's."""
    return f"{number:03d}secret".ljust(43, "x")


def session_key(number: int) -> bytes:
    """The key of that session."""
    return SESSION.key(id=session_id(number)).encode()


def header_reply(user_id: bytes | None, *, age: float, idle: float) -> list[bytes | None]:
    """What HMGET of the header's fields answers, for a session that began and was last used so many seconds ago."""
    created, last = (datetime.fromtimestamp(NOW - seconds, UTC).isoformat().encode() for seconds in (age, idle))
    return [user_id, created, last, b"v1"]


def headers(*replies: tuple[bytes, Any]) -> dict[bytes, Header]:
    """The headers read from what HMGET answers, by key."""
    return dict(decode_headers(Answers([(("HMGET", key), reply) for key, reply in replies], (), AT)))


USUAL = headers(
    (session_key(1), header_reply(b"kim.minjun", age=7200, idle=30)),
    (session_key(2), header_reply(b"kim.minjun", age=600, idle=300)),
    (session_key(3), header_reply("이서연".encode(), age=90_000, idle=5)),
    (session_key(4), header_reply(None, age=60, idle=60)),
    (session_key(5), header_reply(b"al\x1b[2Jice", age=3000, idle=1200)),
) | {b"session:somebody-elses": State.UNREADABLE}
"""Five sessions of three users and of nobody, and something that is none."""


def readings(
    known: dict[bytes, Header] | None = None,
    *,
    lives: dict[bytes, Life | State] | None = None,
    keys: SessionKeys | None = None,
    size: int = 1000,
) -> dict[Query[Any], Reading[Any]]:
    """All readings of sessions; by default of ``USUAL``, each of which lives a minute longer than the one before."""
    shown = USUAL if known is None else known
    return {
        SESSIONS: ready(shown),
        SESSION_LIVES: ready(minutes(shown) if lives is None else lives),
        SESSION_SIZES: ready({key: 100 * number for number, key in enumerate(shown, 1)}),
        SESSION_KEYS: ready(keys or SessionKeys(len(shown), len(shown), size, whole=True)),
        DATABASE_SIZE: Ready(size, AT),
    }


def minutes(keys: Iterable[bytes]) -> dict[bytes, Life | State]:
    """Lives of one minute, two and so on."""
    return {key: Life(60_000 * number, AT) for number, key in enumerate(keys, 1)}
