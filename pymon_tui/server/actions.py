"""The one door for everything that writes."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from redis.exceptions import RedisError

from pymon_tui.model.action import Action, Attempt, Done, NotDone, Outcome, Recorder
from pymon_tui.model.query import Reply
from pymon_tui.model.text import SafeText, join, safe
from pymon_tui.readings.info import parse_info
from pymon_tui.server.connection import Handshake, Session, open_session
from pymon_tui.server.endpoint import Endpoint
from pymon_tui.server.reasons import LinkError, answer_text, remedy_of

_UNKNOWN_REMEDY = safe("look before you try again")


async def perform(
    action: Action, endpoint: Endpoint, handshake: Handshake, *, read_only: bool, record: Recorder
) -> Outcome:
    """Send the action's command on a connection of its own, once, and say what came of it.

    A lost answer is not taken for a failure and the command is not sent again: the outcome is then unknown.
    ``record`` is told of every attempt. One that it can't write down is made all the same, and its outcome says so.
    """
    if read_only:
        what = safe(f"{action.name} was not sent: this monitor is read-only")
        outcome: Outcome = NotDone(what, safe("start without --read-only"), unknown=False)
        return await _recorded(_attempt(action, endpoint, outcome, None), record)
    try:
        session, _ = await open_session(endpoint, handshake)
    except LinkError as error:
        return await _recorded(_attempt(action, endpoint, _not_sent(action, error), None), record)
    try:
        run_id = await _run_id(session)
        try:
            outcome = await _send(action, session)
        except asyncio.CancelledError:
            # Whoever waited for the answer has gone, such as a monitor that was closed; the command hasn't.
            what = safe(f"{action.name} was sent, and nobody waited for its answer")
            record(_attempt(action, endpoint, NotDone(what, _UNKNOWN_REMEDY, unknown=True), run_id))
            raise
    except LinkError as error:
        run_id, outcome = None, _not_sent(action, error)
    finally:
        await session.close()
    return await _recorded(_attempt(action, endpoint, outcome, run_id), record)


async def _run_id(session: Session) -> SafeText | None:
    """Which server process this is; asked here, since the one that the screen shows may have ended.

    Raises:
        LinkError: If the link is lost; then the action isn't sent either.
    """
    (reply,) = await session.ask([("INFO", "server")])
    try:
        return parse_info(reply).text("run_id") if isinstance(reply, bytes) else None
    except ValueError:  # a proxy that answers something of its own
        return None


async def _send(action: Action, session: Session) -> Outcome:
    try:
        (reply,) = await session.ask([action.command])
    except LinkError as error:
        what = safe(f"{action.name} was sent, and its answer was lost: {error.what}")
        return NotDone(what, _UNKNOWN_REMEDY, unknown=True)
    if isinstance(reply, RedisError):
        what = safe(f"{action.name} was refused: {answer_text(reply)}")
        return NotDone(what, remedy_of(reply, action.acl, session.user), unknown=False)
    answer = _line(reply)
    return Done(safe(f"{answer} {action.counts}") if action.counts and isinstance(reply, int) else answer)


def _not_sent(action: Action, error: LinkError) -> NotDone:
    return NotDone(safe(f"{action.name} was not sent: {error.what}"), error.remedy, unknown=False)


def _attempt(action: Action, endpoint: Endpoint, outcome: Outcome, run_id: SafeText | None) -> Attempt:
    return Attempt(
        action,
        outcome,
        node=safe(endpoint.label),
        server=safe(endpoint.address),
        environment=safe(endpoint.environment) if endpoint.environment else None,
        db=endpoint.db,
        acl_user=safe(endpoint.username or "default"),
        run_id=run_id,
    )


async def _recorded(attempt: Attempt, record: Recorder) -> Outcome:
    outcome = attempt.outcome
    missing = await asyncio.to_thread(record, attempt)  # a disk takes its time
    if missing is None:
        return outcome
    if isinstance(outcome, Done):
        return Done(safe(f"{outcome.answer}; not in the journal: {missing}"))
    return replace(outcome, what=safe(f"{outcome.what}; not in the journal: {missing}"))


def _line(reply: Reply) -> SafeText:
    if isinstance(reply, list):
        return safe(join(", ", [_line(part) for part in reply]))
    return safe("nil" if reply is None else reply if isinstance(reply, bytes | str) else str(reply))
