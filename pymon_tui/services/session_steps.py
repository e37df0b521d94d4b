"""What extends or ends sessions by what is found of them: the steps, without a connection to take them on."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import timedelta

from pymon_tui.model.query import Argument, Reply
from pymon_tui.model.steps import Exchange, Steps
from pymon_tui.services.keys import SESSION, USER_SESSIONS
from pymon_tui.services.session import USER_ID, VERSION, is_id, keys_of
from pymon_tui.services.session_scripts import EXTEND

AT_ONCE = 500
"""How many sessions are ended in one round trip."""


class NotTheirs(Exception):  # noqa: N818 (nothing failed: something else is there than was said)
    """A session isn't whose it was taken for, or the key of its user's index is no index. Its text is one line."""


def extending(
    session_id: str, life: timedelta, *, now: int | None, slack: timedelta, of: Collection[str | None] = ()
) -> Steps[bool]:
    """Let a session live at least so long from now, without using it. False if there is none.

    Args:
        session_id: Which session.
        life: How long.
        now: Unix milliseconds; None to go by the server's clock (TIME).
        slack: How much longer its user's index lives than it.
        of: Whose it has to be, if that matters: one user, or None for nobody.

    Raises:
        NotTheirs: If it is somebody else's, or something else than an index is in the index' place.
    """
    if not is_id(session_id):
        return False
    replies = yield Exchange((*_asked(session_id, of), *(() if now is not None else (("TIME",),))), writes=False)
    version, user_id = replies[0]
    if version is None:
        return False
    user, kind = _judged(user_id, replies[1:], of)
    if kind not in ("zset", "none"):
        raise NotTheirs(f"the key of the user's sessions is a {kind} and no index of them")
    if now is None:
        seconds, microseconds = replies[-1]
        now = int(seconds) * 1000 + int(microseconds) // 1000
    keys = keys_of(session_id, user)
    words: tuple[Argument, ...] = (str(now), _milliseconds(life), _milliseconds(slack), session_id)
    (done,) = yield Exchange((("EVAL", EXTEND, len(keys), *keys, *words),))
    return bool(done)


def deleting(session_id: str, *, of: Collection[str | None] = ()) -> Steps[bool]:
    """End a session. False if there is none.

    Args:
        session_id: Which session.
        of: As ``extending``'s. What is in the place of its user's index and is none is left alone then.

    Raises:
        NotTheirs: If it is somebody else's.
    """
    if not is_id(session_id):
        return False
    replies = yield Exchange(_asked(session_id, of), writes=False)
    version, user_id = replies[0]
    if version is None:
        return False
    user, kind = _judged(user_id, replies[1:], of)
    return bool((yield from _unlinking(user if kind in ("zset", "none") else None, [session_id])))


def deleting_all(user_id: str, also: Iterable[str] = ()) -> Steps[int]:
    """End all sessions of a user. Returns how many there were. What is no index in the place of one is left alone.

    Args:
        user_id: Whose sessions.
        also: Sessions that were seen to be the user's elsewhere: an index that was evicted lacks them. Those that are
            somebody else's by now are left alone.

    Raises:
        ValueError: If the user's id is empty.
    """
    index, ended, known = USER_SESSIONS.key(user_id=user_id), 0, tuple(filter(is_id, also))
    (kind,) = yield Exchange((("TYPE", index),), writes=False)
    user = user_id if _text(kind) in ("zset", "none") else None
    for first in range(0, len(known), AT_ONCE):
        asked = known[first : first + AT_ONCE]
        held = yield Exchange(tuple(_asked(session_id, ())[0] for session_id in asked), writes=False)
        theirs = [session_id for session_id, (_, whose) in zip(asked, held, strict=True) if _user(whose) == user_id]
        if theirs:
            ended += yield from _unlinking(user, theirs)
    while user is not None:
        (ids,) = yield Exchange((("ZRANGE", index, 0, AT_ONCE - 1),), writes=False)
        if not ids:
            break
        # A session that gets another id meanwhile is in the index by that one, and is ended at the next turn.
        ended += yield from _unlinking(user, ids)
    return ended


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


def _asked(session_id: str, of: Collection[str | None]) -> tuple[tuple[Argument, ...], ...]:
    """What tells whether there is a session, whose it is, and what the index of who it has to be is."""
    kinds = tuple(("TYPE", USER_SESSIONS.key(user_id=user)) for user in of if user is not None)
    return ("HMGET", SESSION.key(id=session_id), VERSION, USER_ID), *kinds


def _judged(user_id: Reply, kinds: Sequence[Reply], of: Collection[str | None]) -> tuple[str | None, str]:
    """The user of a session, and the type of the user's index, which is taken for one where it wasn't asked."""
    user = _user(user_id)
    if of and user not in of:
        raise NotTheirs("it is another user's by now")
    return user, (_text(kinds[0]) or "none") if of and user is not None else "zset"


def _user(word: Reply) -> str | None:
    return _text(word) or None  # one without a name has no index


def _text(word: Reply) -> str | None:
    return word.decode("utf-8", "replace") if isinstance(word, bytes) else word


def _milliseconds(duration: timedelta) -> int:
    return duration // timedelta(milliseconds=1)
