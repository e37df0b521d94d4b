"""What can be done to sessions: the same that the application does, and never a whole id where somebody may see it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import timedelta

from pymon_tui.application.sessions import shortened
from pymon_tui.model import units
from pymon_tui.model.action import Action, Course, Unchanged, quoted
from pymon_tui.model.query import Reply
from pymon_tui.model.steps import Steps
from pymon_tui.model.text import SafeText, safe
from pymon_tui.services.keys import SESSION, USER_SESSIONS
from pymon_tui.services.session import LIFE, TOUCH_EVERY, USER_ID, VERSION, is_id
from pymon_tui.services.session_steps import AT_ONCE, NotTheirs, deleting, deleting_all, extending

LONGEST_LIFE = timedelta(days=366)

_MILLISECOND = timedelta(milliseconds=1)
_LONGEST_NAME = 60
_GONE = Unchanged(safe("there is no such session any more"))
_LIFE = re.compile(r"([0-9]{1,9})\s*([smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def usual_life() -> SafeText:
    """How long the application lets a session live on, as it can be typed."""
    return safe(f"{LIFE // timedelta(minutes=1)}m")


def parse_life(text: str) -> timedelta:
    """A time to live as it was typed: ``90s``, ``30m``, ``8h``, ``2d``.

    Raises:
        ValueError: If it isn't one, or is none or longer than a year; one line.
    """
    found = _LIFE.fullmatch(text.strip().lower())
    if found is None:
        raise ValueError("a number and s, m, h or d are needed, such as 30m")
    life = timedelta(**{_UNITS[found[2]]: int(found[1])}) if int(found[1]) < 1e8 else LONGEST_LIFE * 2
    if not timedelta() < life <= LONGEST_LIFE:
        raise ValueError(f"it should be longer than 0s and at most {LONGEST_LIFE.days}d")
    return life


def extend(session_id: str, user_id: str | None, life: timedelta) -> Action:
    """Let a session live at least so long from now on, whether it is used or not."""
    length = units.duration(life.total_seconds())

    def steps() -> Steps[Reply | Unchanged]:
        try:
            found = yield from extending(session_id, life, now=None, slack=TOUCH_EVERY, of=(user_id,))
        except NotTheirs as error:
            return Unchanged(safe(str(error)))
        return f"it lives for at least {length} from now on" if found else _GONE

    index = _index(user_id)
    keys = f"2 {_key(session_id)} {index}" if index else f"1 {_key(session_id)}"
    times = f"NOW {life // _MILLISECOND} {TOUCH_EVERY // _MILLISECOND}"
    shown = (
        *_asked(session_id, index),
        safe("TIME"),
        safe(f"EVAL SCRIPT {keys} {times} {shortened(session_id)}"),
    )
    effect = safe(f"the session of {_who(user_id)} lives for at least {length} from now on")
    return Action(safe("Extend session"), Course(steps, shown), effect, "eval")


def delete(session_id: str, user_id: str | None, idle: float | None) -> Action:
    """End a session, which was last used ``idle`` seconds ago; None where clocks don't tell."""

    def steps() -> Steps[Reply | Unchanged]:
        try:
            return "ended" if (yield from deleting(session_id, of=(user_id,))) else _GONE
        except NotTheirs as error:
            return Unchanged(safe(str(error)))

    unlink = safe(f"UNLINK {_key(session_id)}")
    index = _index(user_id)
    removed = (safe(f"ZREM {index} {shortened(session_id)}"), unlink) if index else (unlink,)
    effect = safe(f"ends this session of {_who(user_id)}, last used {units.ago(units.age(idle))}")
    return Action(
        safe("Delete session"),
        Course(steps, (*_asked(session_id, index), safe("MULTI"), *removed, safe("EXEC"))),
        effect,
        "unlink",
    )


def log_out(user_id: str, known: Sequence[str]) -> Action:
    """End all sessions of a user: those known here by their ids, and all others in the user's index.

    One whose id isn't of the application's form stays, and that is said.

    Raises:
        ValueError: If the user's id is empty.
    """
    index = quoted(USER_SESSIONS.key(user_id=user_id))
    ids = tuple(filter(is_id, known))
    effect = safe(f"ends {_known_here(user_id, len(ids), len(known) - len(ids))}")
    shown = (
        safe(f"TYPE {index}; HMGET {SESSION.template.format(id='ID')} {VERSION} {USER_ID}"),
        safe(f"MULTI; ZREM {index} ID …; UNLINK {SESSION.template.format(id='ID')} …; EXEC"),
        safe(f"ZRANGE {index} 0 {AT_ONCE - 1}; the same with what it has, until it has none"),
    )
    return Action(
        safe("Log out everywhere"),
        Course(lambda: deleting_all(user_id, ids), shown),
        effect,
        "unlink",
        counts=safe("sessions ended"),
        none=safe("there is no session of the user any more"),
    )


def _known_here(user_id: str, theirs: int, odd: int) -> str:
    """Which sessions of a user end, and how many of those that are known stay."""
    who, many = _who(user_id), f"{units.count(theirs)} sessions"
    ended = f"the {'1 session' if theirs == 1 else many} of {who} known here, and all others in the user's index"
    if not odd:
        return ended
    if not theirs:
        ended = f"all sessions in the index of {who}"
    stay = "one has an id that isn't" if odd == 1 else f"{units.count(odd)} have ids that aren't"
    return f"{ended}; of those known here {stay} of the application's form, and {'stays' if odd == 1 else 'stay'}"


def _asked(session_id: str, index: SafeText | None) -> tuple[SafeText, ...]:
    session = safe(f"HMGET {_key(session_id)} {VERSION} {USER_ID}")
    return (session,) if index is None else (session, safe(f"TYPE {index}"))


def _key(session_id: str) -> SafeText:
    return quoted(SESSION.template.format(id=shortened(session_id)))


def _index(user_id: str | None) -> SafeText | None:
    return None if user_id is None else quoted(USER_SESSIONS.key(user_id=user_id))


def _who(user_id: str | None) -> SafeText:
    return safe("nobody") if user_id is None else safe(user_id, _LONGEST_NAME)
