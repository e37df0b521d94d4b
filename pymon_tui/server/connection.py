"""The only place that opens a connection: address and credentials in, a session that answers out."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from enum import Enum
from time import perf_counter

from redis.asyncio.connection import AbstractConnection
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import InvalidResponse, NoPermissionError, RedisError, ResponseError

from pymon_tui.model.link import Trouble
from pymon_tui.model.query import Argument, Reply
from pymon_tui.model.text import SafeText, safe
from pymon_tui.server.commands import refuse_writes
from pymon_tui.server.endpoint import CLIENT_NAME, Endpoint
from pymon_tui.server.reasons import LinkError, answer_text, database_error, greeting_closed, link_error
from pymon_tui.server.ssh_process import NoTunnel
from pymon_tui.server.tunnel import tunnel_to
from pymon_tui.server.wire import connection_to

_TURNED_AWAY = 0.1  # seconds


class Handshake(Enum):
    """How we introduce ourselves, from the fullest form to the barest that a proxy lets through."""

    RESP3 = "resp3"
    RESP2 = "resp2"  # servers without HELLO
    BARE = "bare"  # proxies that close the connection on CLIENT


class Session:
    """A connection that has been greeted, logged in and set to its database.

    It never reconnects and never repeats a command by itself: a lost link is the caller's to know of.

    Attributes:
        client_id: The server's id of this connection; None where it doesn't tell.
        sent: Commands sent so far, the greeting's included.
        bytes_out: Bytes sent so far.
        bytes_in: Bytes of the replies read so far, about: strings are counted, their framing is not.
        waited: Seconds from the last write of ``ask`` to its first reply.
    """

    def __init__(self, connection: AbstractConnection, endpoint: Endpoint) -> None:
        self.client_id: int | None = None
        self.sent = 0
        self.bytes_out = 0
        self.bytes_in = 0
        self.waited = 0.0
        self.endpoint = endpoint
        self._connection = connection

    @property
    def user(self) -> SafeText:
        """The ACL user we are logged in as."""
        return safe(self.endpoint.username or "default")

    async def ask(self, commands: Sequence[tuple[Argument, ...]]) -> tuple[Reply | RedisError, ...]:
        """Send all commands in one write and take a raw reply, or the error the server answered, for each.

        Raises:
            LinkError: If the link is lost or an answer doesn't come within the command timeout. Whether the
                commands were carried out is then unknown.
            WriteRefused: As ``send``.
        """
        try:
            began = perf_counter()
            await self.send(commands)
            replies = [await self.receive()]
            self.waited = perf_counter() - began
            return (*replies, *[await self.receive() for _ in commands[1:]])
        except (RedisError, OSError) as error:
            raise link_error(error, self.endpoint) from None

    async def send(self, commands: Sequence[tuple[Argument, ...]]) -> None:
        """Write the commands and don't wait for answers: each is to be read with ``receive``, in order.

        Raises:
            WriteRefused: If one of them may change something and the endpoint is only to be read; none is sent then.
        """
        if self.endpoint.read_only:
            refuse_writes(commands)
        if not self._connection.is_connected:
            # redis-py would connect anew by itself: as nobody, and to database 0.
            raise RedisConnectionError("the connection is closed")
        packed = self._connection.pack_commands(commands)
        self.sent += len(commands)
        self.bytes_out += sum(map(len, packed))
        # Not redis-py's own way of sending: it may lose a cancellation (asyncio.wait_for until Python 3.12).
        try:
            async with asyncio.timeout(self.endpoint.command_timeout):
                await self._connection._send_packed_command(packed)
        except BaseException:
            await self.close()
            raise

    async def receive(self) -> Reply | RedisError:
        """The next raw reply, or the error the server answered with."""
        try:
            reply = await self._connection.read_response(disable_decoding=True)
        except ResponseError as error:
            return error
        self.bytes_in += _size(reply)
        return reply

    def hand_over(self, protocol: asyncio.BufferedProtocol) -> asyncio.Transport:
        """Let ``protocol`` read all that comes from now on, and return where to write to.

        To be called between two questions: a server sends nothing then, so nothing is half read. The session stays
        the owner, to be held and closed, but neither asks nor receives any more.

        Raises:
            LinkError: If the server has closed the connection in the meantime.
        """
        reader, writer = self._connection._reader, self._connection._writer
        if reader is None or writer is None or reader.at_eof() or writer.is_closing():
            raise link_error(RedisConnectionError(), self.endpoint)
        transport = writer.transport
        assert isinstance(transport, asyncio.Transport)  # what streams are made of, plain or TLS
        transport.set_protocol(protocol)
        return transport

    async def close(self) -> None:
        """Close the connection; never raises for one that is lost already."""
        try:
            await self._connection.disconnect(nowait=True)
        except (RedisError, OSError):
            return


async def open_session(endpoint: Endpoint, handshake: Handshake = Handshake.RESP3) -> tuple[Session, Handshake]:
    """Connect, and greet the server in the fullest form it understands; also returns it, to begin with next time.

    Where the server is reached through ssh, that is started if it doesn't run.

    Raises:
        LinkError: With what failed, why and what to do.
    """
    greeted = await _attempted(endpoint, handshake)
    if greeted is None and handshake is not Handshake.BARE:
        bare = await _attempted(endpoint, Handshake.BARE)
        greeted = bare and await _fuller(endpoint, handshake, bare)
    if greeted is None:
        raise greeting_closed(endpoint)
    return greeted


async def _fuller(
    endpoint: Endpoint, handshake: Handshake, bare: tuple[Session, Handshake]
) -> tuple[Session, Handshake]:
    """The session in its fuller form, where the bare one was needed only for a moment.

    A server that was just going down, or somebody who cut the line, looks like a proxy that takes nothing else. For as
    long as the session holds we would be nameless there, and our looking would count as use.
    """
    try:
        fuller = await _attempted(endpoint, handshake)
    except LinkError:
        return bare
    except BaseException:
        await bare[0].close()
        raise
    if fuller is None:
        return bare
    await bare[0].close()
    return fuller


async def _attempted(endpoint: Endpoint, handshake: Handshake) -> tuple[Session, Handshake] | None:
    """A session that is greeted in this form; None where the connection was closed in the middle of that.

    Raises:
        LinkError: If it fails in another way.
    """
    tunnel = tunnel_to(endpoint)
    try:
        path = await tunnel.socket(endpoint.connect_timeout) if tunnel else None
        greeted = await _greeted(endpoint, path, handshake)
    except NoTunnel as error:
        raise LinkError(error.failure.trouble, error.failure.what, error.failure.remedy) from None
    except _Closed:
        return None
    if tunnel:
        tunnel.stood()
    return greeted


async def select(session: Session, db: int) -> None:
    """Select a database; 0 is selected already, on a connection that has selected none.

    Raises:
        LinkError: If it can't be selected, or the link is lost.
    """
    if db:
        (answer,) = await session.ask([("SELECT", db)])
        _must_be_selected(answer, replace(session.endpoint, db=db))


class _Closed(Exception):  # noqa: N818 - what happened, and no error yet
    """The connection was made and then closed in the middle of the greeting."""


async def _greeted(endpoint: Endpoint, tunnel: str | None, handshake: Handshake) -> tuple[Session, Handshake]:
    connection = connection_to(endpoint, tunnel)
    session = Session(connection, endpoint)
    try:
        await connection.connect()  # type: ignore[no-untyped-call]
    except (RedisError, OSError) as error:
        raise link_error(error, endpoint) from None
    try:
        return session, await _greet(session, connection, handshake)
    except (RedisConnectionError, ConnectionError) as error:
        await session.close()
        lost = link_error(error, endpoint)
        if lost.trouble is not Trouble.UNREACHABLE:  # such as the alert of a server that wants our certificate
            raise lost from None
        raise _Closed from None
    except (RedisError, OSError) as error:
        await session.close()
        raise link_error(error, endpoint) from None
    except BaseException:
        await session.close()
        raise


async def _greet(session: Session, connection: AbstractConnection, handshake: Handshake) -> Handshake:
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
        _must_be_selected(await session.receive(), endpoint)
    await (_ping(session) if handshake is Handshake.BARE else _introduce(session))
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


async def _introduce(session: Session) -> None:
    """Say who we are, and ask that our looking doesn't count as use; a server may refuse any of it."""
    questions: list[tuple[Argument, ...]] = [
        ("CLIENT", "SETNAME", CLIENT_NAME),
        ("COMMAND", "INFO", "client|no-touch"),
    ]
    if session.client_id is None:
        questions.append(("CLIENT", "ID"))
    await session.send(questions)
    named, known, *ids = [await session.receive() for _ in questions]
    if isinstance(named, ResponseError) and answer_text(named).startswith("NOAUTH"):
        raise named
    if ids and isinstance(ids[0], int):
        session.client_id = ids[0]
    # Asked first, and not tried: an unknown subcommand would be counted as an error of the server watched.
    if isinstance(known, list) and known and isinstance(known[0], list):
        await session.send([("CLIENT", "NO-TOUCH", "ON")])
        await session.receive()


def _password(endpoint: Endpoint) -> bytes:
    # Bytes that are no UTF-8 come from the environment as surrogates, and go back to what they were.
    return endpoint.password.get_secret_value().encode("utf-8", "surrogateescape") if endpoint.password else b""


def _must(answer: Reply | RedisError) -> None:
    if isinstance(answer, RedisError):
        raise answer


def _must_be_selected(answer: Reply | RedisError, endpoint: Endpoint) -> None:
    if isinstance(answer, ResponseError):
        raise database_error(answer, endpoint)


def _is_unknown(answer: ResponseError) -> bool:
    text = answer_text(answer).lower()
    return isinstance(answer, NoPermissionError) or "unknown command" in text or text.startswith("noproto")


def _size(reply: Reply) -> int:
    if isinstance(reply, bytes):
        return len(reply)
    if isinstance(reply, dict):
        return sum(_size(key) + _size(value) for key, value in reply.items())
    return sum(map(_size, reply)) if isinstance(reply, list | set) else 8
