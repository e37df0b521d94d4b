"""The one door for everything that writes."""

from __future__ import annotations

from redis.exceptions import RedisError

from pymon_tui.model.action import Action, Done, NotDone, Outcome
from pymon_tui.model.query import Reply
from pymon_tui.model.text import SafeText, join, safe
from pymon_tui.server.connection import Handshake, open_session
from pymon_tui.server.endpoint import Endpoint
from pymon_tui.server.reasons import LinkError, answer_text, remedy_of


async def perform(action: Action, endpoint: Endpoint, handshake: Handshake, *, read_only: bool) -> Outcome:
    """Send the action's command on a connection of its own, once, and say what came of it.

    A lost answer is not taken for a failure and the command is not sent again: the outcome is then unknown.
    """
    if read_only:
        what = safe(f"{action.name} was not sent: this monitor is read-only")
        return NotDone(what, safe("start without --read-only"), unknown=False)
    try:
        session, _ = await open_session(endpoint, handshake)
    except LinkError as error:
        return NotDone(safe(f"{action.name} was not sent: {error.what}"), error.remedy, unknown=False)
    try:
        (reply,) = await session.ask([action.command])
    except LinkError as error:
        what = safe(f"{action.name} was sent, and its answer was lost: {error.what}")
        return NotDone(what, safe("look before you try again"), unknown=True)
    finally:
        await session.close()
    if isinstance(reply, RedisError):
        what = safe(f"{action.name} was refused: {answer_text(reply)}")
        return NotDone(what, remedy_of(reply, action.acl, session.user), unknown=False)
    answer = _line(reply)
    return Done(safe(f"{answer} {action.counts}") if action.counts and isinstance(reply, int) else answer)


def _line(reply: Reply) -> SafeText:
    if isinstance(reply, list):
        return safe(join(", ", [_line(part) for part in reply]))
    return safe("nil" if reply is None else reply if isinstance(reply, bytes | str) else str(reply))
