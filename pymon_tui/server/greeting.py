"""How we introduce ourselves to a server, and log in."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum

from redis.asyncio.connection import AbstractConnection
from redis.exceptions import InvalidResponse, NoPermissionError, RedisError, ResponseError

from pymon_tui.model.query import Argument, Reply
from pymon_tui.server.endpoint import CLIENT_NAME, Endpoint
from pymon_tui.server.reasons import answer_text, database_error, is_refusal
from pymon_tui.server.session import Session

_TURNED_AWAY = 0.1  # seconds

_Question = tuple[str, tuple[Argument, ...]]  # a command's name in ACL rules, and the command
_INTRODUCTION: tuple[_Question, ...] = (
    ("client|setname", ("CLIENT", "SETNAME", CLIENT_NAME)),
    ("command|info", ("COMMAND", "INFO", "client|no-touch")),
    ("client|id", ("CLIENT", "ID")),
)
_NO_TOUCH: _Question = ("client|no-touch", ("CLIENT", "NO-TOUCH", "ON"))


class Handshake(Enum):
    """How we introduce ourselves, from the fullest form to the barest that a proxy lets through."""

    RESP3 = "resp3"
    RESP2 = "resp2"  # servers without HELLO
    BARE = "bare"  # proxies that close the connection on CLIENT


async def greet(session: Session, connection: AbstractConnection, handshake: Handshake) -> Handshake:
    """Greet, log in, select the database and say who we are; returns the form that the server took.

    Raises:
        LinkError: If the database can't be selected.
        OSError: As the connection raises it.
        RedisError: What the server answered, or redis-py made of a line that was lost.
    """
    endpoint = session.endpoint
    if handshake is Handshake.BARE:
        # Who turns us away says why and closes: that is read first, for it is lost where our own writing fails.
        _must(await connection.read_response(timeout=_TURNED_AWAY))
    if handshake is Handshake.RESP3:
        handshake = await _hello(session)
    if handshake is Handshake.RESP3:
        connection.protocol = 3
    elif endpoint.logs_in:
        user = (endpoint.username,) if endpoint.username else ()
        await session.send([("AUTH", *user, _password(endpoint))])
        _must(await session.receive())
    if endpoint.db:
        await session.send([("SELECT", endpoint.db)])
        must_be_selected(await session.receive(), endpoint)
    await (_ping(session) if handshake is Handshake.BARE else _introduce(session, handshake))
    return handshake


async def _hello(session: Session) -> Handshake:
    """Ask for RESP3 and log in. RESP2, with nothing done, where the server doesn't know or allow the command."""
    endpoint = session.endpoint
    login = ("AUTH", endpoint.username or "default", _password(endpoint)) if endpoint.logs_in else ()
    await session.send([("HELLO", 3, *login)])
    answer = await session.receive()
    if isinstance(answer, ResponseError) and _is_unknown(answer):
        return Handshake.RESP2
    _must(answer)
    if not isinstance(answer, dict | list):
        raise InvalidResponse("HELLO answered with something other than a map")
    fields = answer if isinstance(answer, dict) else dict(zip(answer[::2], answer[1::2], strict=False))
    client_id = fields.get(b"id")
    session.client_id = client_id if isinstance(client_id, int) else None
    return Handshake.RESP3


async def _ping(session: Session) -> None:
    """Have any answer at all: without one there may be nobody behind a tunnel or a proxy."""
    await session.send([("PING",)])
    answer = await session.receive()
    if isinstance(answer, ResponseError) and not _is_unknown(answer):
        raise answer


async def _introduce(session: Session, handshake: Handshake) -> None:
    """Say who we are, and ask that our looking doesn't count as use; a server may refuse any of it, once."""
    answers = await _willing(session, _INTRODUCTION if session.client_id is None else _INTRODUCTION[:2])
    if not answers and handshake is not Handshake.RESP3:
        await _ping(session)
    named, known, client_id = (answers.get(name) for name, _ in _INTRODUCTION)
    if isinstance(named, ResponseError) and answer_text(named).startswith("NOAUTH"):
        raise named
    if isinstance(client_id, int):
        session.client_id = client_id
    # Asked first, and not tried: an unknown subcommand would be counted as an error of the server watched.
    if isinstance(known, list) and known and isinstance(known[0], list):
        await _willing(session, (_NO_TOUCH,))


async def _willing(session: Session, questions: Sequence[_Question]) -> dict[str, Reply | RedisError]:
    """The answers to those of the questions that were not refused before."""
    refused = session.endpoint.refusals.at(session.endpoint)
    asked = [(name, command) for name, command in questions if name not in refused]
    if not asked:
        return {}
    await session.send([command for _, command in asked])
    answers = {name: await session.receive() for name, _ in asked}
    refused |= {name for name, reply in answers.items() if isinstance(reply, RedisError) and is_refusal(reply)}
    return answers


def _password(endpoint: Endpoint) -> bytes:
    # Bytes that are no UTF-8 come from the environment as surrogates, and go back to what they were.
    return endpoint.password.get_secret_value().encode("utf-8", "surrogateescape") if endpoint.password else b""


def _must(answer: Reply | RedisError) -> None:
    if isinstance(answer, RedisError):
        raise answer


def must_be_selected(answer: Reply | RedisError, endpoint: Endpoint) -> None:
    """Raise a LinkError that says why the endpoint's database couldn't be selected, if this answer says so."""
    if isinstance(answer, ResponseError):
        raise database_error(answer, endpoint)


def _is_unknown(answer: ResponseError) -> bool:
    text = answer_text(answer).lower()
    return isinstance(answer, NoPermissionError) or "unknown command" in text or text.startswith("noproto")
