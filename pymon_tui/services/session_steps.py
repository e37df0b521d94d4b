"""What extends or ends sessions by what is found of them: the steps, without a connection to take them on."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from pymon_tui.model.query import Argument, Reply
from pymon_tui.model.steps import Exchange, Steps
from pymon_tui.services.keys import SESSION, USER_SESSIONS
from pymon_tui.services.session import USER_ID, VERSION, is_id, keys_of
from pymon_tui.services.session_scripts import EXTEND

AT_ONCE = 500
"""How many sessions are ended in one round trip."""


def extending(session_id: str, life: timedelta, *, now: int | None, slack: timedelta) -> Steps[bool]:
    """Let a session live at least so long from now, without using it. False if there is none.

    Args:
        session_id: Which session.
        life: How long.
        now: Unix milliseconds; None to go by the server's clock (TIME).
        slack: How much longer its user's index lives than it.
    """
    if not is_id(session_id):
        return False
    asked = (_user_asked(session_id),) if now is not None else (_user_asked(session_id), ("TIME",))
    found, *times = yield Exchange(asked, writes=False)
    version, user_id = found
    if version is None:
        return False
    for seconds, microseconds in times:
        now = int(seconds) * 1000 + int(microseconds) // 1000
    keys = keys_of(session_id, _user(user_id))
    words: tuple[Argument, ...] = (str(now), _milliseconds(life), _milliseconds(slack), session_id)
    (done,) = yield Exchange((("EVAL", EXTEND, len(keys), *keys, *words),))
    return bool(done)


def deleting(session_id: str) -> Steps[bool]:
    """End a session. False if there is none."""
    if not is_id(session_id):
        return False
    (found,) = yield Exchange((_user_asked(session_id),), writes=False)
    version, user_id = found
    return version is not None and bool((yield from _unlinking(_user(user_id), [session_id])))


def deleting_all(user_id: str, also: Iterable[str] = ()) -> Steps[int]:
    """End all sessions of a user. Returns how many there were.

    Args:
        user_id: Whose sessions.
        also: Sessions that are known to be the user's from elsewhere: an index that was evicted lacks them.

    Raises:
        ValueError: If the user's id is empty.
    """
    index, ended, known = USER_SESSIONS.key(user_id=user_id), 0, tuple(also)
    for first in range(0, len(known), AT_ONCE):
        ended += yield from _unlinking(user_id, known[first : first + AT_ONCE])
    while True:
        (ids,) = yield Exchange((("ZRANGE", index, 0, AT_ONCE - 1),), writes=False)
        if not ids:
            return ended
        # A session that gets another id meanwhile is in the index by that one, and is ended at the next turn.
        ended += yield from _unlinking(user_id, ids)


def _unlinking(user_id: str | None, ids: Iterable[str | bytes]) -> Steps[int]:
    """End these sessions, and take them out of their user's index; what is no id is only taken out."""
    members = tuple(ids)
    keys = tuple(SESSION.key(id=session_id) for session_id in map(_text, members) if session_id and is_id(session_id))
    commands: list[tuple[Argument, ...]] = []
    if user_id is not None:
        commands.append(("ZREM", USER_SESSIONS.key(user_id=user_id), *members))
    if keys:
        commands.append(("UNLINK", *keys))
    replies = yield Exchange(tuple(commands), atomic=True)
    return int(replies[-1]) if keys else 0


def _user_asked(session_id: str) -> tuple[Argument, ...]:
    return "HMGET", SESSION.key(id=session_id), VERSION, USER_ID


def _user(word: Reply) -> str | None:
    return _text(word) or None  # one without a name has no index


def _text(word: Reply) -> str | None:
    return word.decode("utf-8", "replace") if isinstance(word, bytes) else word


def _milliseconds(duration: timedelta) -> int:
    return duration // timedelta(milliseconds=1)
