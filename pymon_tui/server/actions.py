"""The one door for everything that writes."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from redis.exceptions import RedisError, ResponseError

from pymon_tui.model.action import Action, Attempt, Done, NotDone, Outcome, Recorder, Unchanged
from pymon_tui.model.query import Reply
from pymon_tui.model.steps import Exchange
from pymon_tui.model.text import SafeText, join, safe
from pymon_tui.readings.info import Info, parse_info
from pymon_tui.server.commands import name_of
from pymon_tui.server.connection import open_session
from pymon_tui.server.endpoint import Endpoint
from pymon_tui.server.greeting import Handshake
from pymon_tui.server.reasons import LinkError, answer_text, remedy_of
from pymon_tui.server.session import Session
from pymon_tui.server.terms import Terms, TermsOf, own_terms

_UNKNOWN_REMEDY = safe("look before you try again")
_REMOVING = frozenset(("unlink", "del"))
_LOOK_AGAIN = safe("look again, and decide again")


@dataclass(frozen=True, slots=True, eq=False)
class _Asked:
    """An action, where it goes, and what is known of that."""

    action: Action
    endpoint: Endpoint
    environment: SafeText | None

    def attempt(self, outcome: Outcome, run_id: SafeText | None) -> Attempt:
        """What is recorded of it."""
        endpoint = self.endpoint
        return Attempt(
            self.action,
            outcome,
            node=safe(endpoint.label),
            server=safe(endpoint.address),
            environment=self.environment,
            db=endpoint.db,
            acl_user=safe(endpoint.username or "default"),
            run_id=run_id,
        )


async def perform(
    action: Action,
    endpoint: Endpoint,
    handshake: Handshake,
    *,
    read_only: bool,
    record: Recorder,
    terms: TermsOf = own_terms,
) -> Outcome:
    """Send the action's commands on a connection of its own, each once, and say what came of it.

    Nothing is sent where another server process answers than the one that the action was decided on, nor where the
    terms of the one that answers forbid it, nor what would remove a key that they keep.
    A lost answer is not taken for a failure and no command is sent again: the outcome is then unknown.
    ``record`` is told of every attempt. One that it can't write down is made all the same, and its outcome says so.
    """
    asked = _Asked(action, endpoint, endpoint.called)
    if read_only or endpoint.read_only:
        what = safe(f"{action.name} was not sent: this monitor is read-only")
        outcome: Outcome = NotDone(what, safe("start without --read-only"), unknown=False)
        return await _recorded(asked.attempt(outcome, None), record)
    try:
        session, _ = await open_session(endpoint, handshake)
    except LinkError as error:
        return await _recorded(asked.attempt(_not_sent(action, error), None), record)
    try:
        info = await _info(session)
        run_id = info.text("run_id")
        refused = _meant_for_another(action, endpoint, run_id)
        if refused is None:
            found = await terms(endpoint, info, far=True)
            asked, refused = replace(asked, environment=found.environment), _forbidden(action, found)
            try:
                outcome = refused or await _send(action, session, found)
            except asyncio.CancelledError:
                # Whoever waited for the answer has gone, such as a monitor that was closed; the command hasn't.
                what = safe(f"{action.name} was sent, and nobody waited for its answer")
                record(asked.attempt(NotDone(what, _UNKNOWN_REMEDY, unknown=True), run_id))
                raise
        else:
            outcome = refused
    except LinkError as error:
        run_id, outcome = None, _not_sent(action, error)
    finally:
        await session.close()
    return await _recorded(asked.attempt(outcome, run_id), record)


async def _info(session: Session) -> Info:
    """What the process tells that answers; asked here, since the one that the screen shows may have ended.

    Raises:
        LinkError: If the link is lost; then the action isn't sent either.
    """
    replies = await session.ask([("INFO", "server"), ("INFO", "replication")])
    try:
        return parse_info(b"\r\n".join(reply for reply in replies if isinstance(reply, bytes)))
    except ValueError:  # a proxy that answers something of its own
        return Info({})


def _forbidden(action: Action, terms: Terms) -> NotDone | None:
    if not terms.forbids:
        return None
    what = safe(f"{action.name} was not sent: {terms.forbids}")
    return NotDone(what, safe("guard rails follow the server, whatever leads there"), unknown=False)


def _meant_for_another(action: Action, endpoint: Endpoint, run_id: SafeText | None) -> NotDone | None:
    if action.run_id is None or action.run_id == run_id:
        return None
    if run_id is None:
        why = f"{endpoint.address} no longer tells which server process it is"
    else:
        why = f"another server process answers at {endpoint.address} than the one that was shown"
    return NotDone(safe(f"{action.name} was not sent: {why}"), _LOOK_AGAIN, unknown=False)


async def _send(action: Action, session: Session, terms: Terms) -> Outcome:
    """Take the action's steps to their end, or to the first that is refused or whose answer is lost."""
    steps, written = action.steps(), False
    try:
        exchange = next(steps)
        while True:
            if (kept := _kept(exchange, terms)) is not None:
                return _held_back(action, kept, written=written)
            try:
                answered = await _exchanged(exchange, session)
            except LinkError as error:
                return _lost(action, error) if written or exchange.writes else _not_sent(action, error)
            written = written or answered.written
            if answered.refused is not None:
                return _refused(action, answered.refused, session, written=written)
            exchange = steps.send(answered.replies)
    except StopIteration as end:
        return _ended(action, end.value)
    finally:
        steps.close()


def _kept(exchange: Exchange, terms: Terms) -> SafeText | None:
    """Why a key stays that these commands would remove; None where none has to."""
    for command in exchange.commands:
        if name_of(command) in _REMOVING:
            keys = (each.encode() if isinstance(each, str) else each for each in command[1:])
            if kept := next(filter(None, (terms.keeps(key) for key in keys if isinstance(key, bytes))), None):
                return kept
    return None


def _held_back(action: Action, kept: SafeText, *, written: bool) -> NotDone:
    how = "was done in part, then refused" if written else "was not sent"
    what = safe(f"{action.name} {how}: {kept} names a key that it would remove")
    return NotDone(what, safe("nothing of this program removes what is protected"), unknown=False)


def _ended(action: Action, value: Reply | Unchanged) -> Outcome:
    """What came of steps that were all taken."""
    if action.none and isinstance(value, int) and not value:
        value = Unchanged(action.none)
    if isinstance(value, Unchanged):
        return NotDone(safe(f"{action.name}: {value.why}; nothing was done"), _LOOK_AGAIN, unknown=False)
    answer = _line(value)
    return Done(safe(f"{answer} {action.counts}") if action.counts and isinstance(value, int) else answer)


@dataclass(frozen=True, slots=True, eq=False)
class _Answered:
    """What came back of one exchange.

    Attributes:
        refused: The first error among the replies, or None.
        written: Whether anything of it was carried out that writes.
    """

    replies: Sequence[Reply | RedisError]
    refused: RedisError | None
    written: bool


async def _exchanged(exchange: Exchange, session: Session) -> _Answered:
    if not exchange.atomic:
        replies = await session.ask(exchange.commands)
        return _Answered(replies, _first_error(replies), exchange.writes and _any_done(replies))
    multi, *queued, done = await session.ask((("MULTI",), *exchange.commands, ("EXEC",)))
    if isinstance(multi, RedisError):  # then the server took the commands one by one
        return _Answered(queued, multi, _any_done(queued))
    if isinstance(done, list):
        return _Answered(done, _first_error(done), _any_done(done))
    return _Answered((), _first_error((*queued, done)) or ResponseError("ERR the transaction was dropped"), False)


def _first_error(replies: Iterable[Reply | RedisError]) -> RedisError | None:
    return next((reply for reply in replies if isinstance(reply, RedisError)), None)


def _any_done(replies: Iterable[Reply | RedisError]) -> bool:
    return any(not isinstance(reply, RedisError) for reply in replies)


def _refused(action: Action, error: RedisError, session: Session, *, written: bool) -> NotDone:
    how = "was done in part, then refused" if written else "was refused"
    what = safe(f"{action.name} {how}: {answer_text(error)}")
    return NotDone(what, remedy_of(error, action.acl, session.user), unknown=False)


def _lost(action: Action, error: LinkError) -> NotDone:
    what = safe(f"{action.name} was sent, and its answer was lost: {error.what}")
    return NotDone(what, _UNKNOWN_REMEDY, unknown=True)


def _not_sent(action: Action, error: LinkError) -> NotDone:
    return NotDone(safe(f"{action.name} was not sent: {error.what}"), error.remedy, unknown=False)


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
