"""The only place that opens a connection: address and credentials in, a session that answers out."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from enum import Enum
from time import perf_counter
from typing import Any

from redis.asyncio.connection import (
    AbstractConnection,
    Connection,
    SSLConnection,
    UnixDomainSocketConnection,
)
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import (
    AuthenticationError,
    InvalidResponse,
    RedisError,
    ResponseError,
)
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.maint_notifications import MaintNotificationsConfig

from pymon_tui.model.query import Argument, Reply
from pymon_tui.model.text import SafeText, safe
from pymon_tui.server.endpoint import Endpoint
from pymon_tui.server.reasons import LinkError, link_error

CLIENT_NAME = "pymon-tui"


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
        """
        try:
            began = perf_counter()
            await self.send(commands)
            replies = [await self.receive()]
            self.waited = perf_counter() - began
            return (*replies, *[await self.receive() for _ in commands[1:]])
        except (TimeoutError, RedisError, OSError) as error:
            raise link_error(error, self.endpoint) from None

    async def send(self, commands: Sequence[tuple[Argument, ...]]) -> None:
        """Write the commands and don't wait for answers: each is to be read with ``receive``, in order."""
        packed = self._connection.pack_commands(commands)
        self.sent += len(commands)
        self.bytes_out += sum(map(len, packed))
        await self._connection.send_packed_command(packed, check_health=False)

    async def receive(self) -> Reply | RedisError:
        """The next raw reply, or the error the server answered with."""
        try:
            reply = await self._connection.read_response(disable_decoding=True)
        except AuthenticationError as error:  # a connection error to redis-py, an answer to us
            return error
        except ResponseError as error:
            return error
        self.bytes_in += len(reply) if isinstance(reply, bytes) else _size(reply)
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
    """Connect, and greet the server in the fullest form it understands; also returns that form, to begin with it next time.

    Raises:
        LinkError: With what failed, why and what to do.
    """
    try:
        return await _greeted(endpoint, handshake)
    except _Closed as closed:
        if handshake is Handshake.BARE:
            raise link_error(closed.error, endpoint) from None
    try:
        return await _greeted(endpoint, Handshake.BARE)
    except _Closed as closed:
        raise link_error(closed.error, endpoint) from None


class _Closed(Exception):
    """The connection was made and then closed in the middle of the greeting."""

    def __init__(self, error: BaseException) -> None:
        self.error = error


async def _greeted(endpoint: Endpoint, handshake: Handshake) -> tuple[Session, Handshake]:
    connection = _connection(endpoint)
    session = Session(connection, endpoint)
    try:
        await connection.connect()  # type: ignore[no-untyped-call]
    except (TimeoutError, RedisError, OSError) as error:
        raise link_error(error, endpoint) from None
    try:
        return session, await _greet(session, connection, handshake)
    except LinkError:
        await session.close()
        raise
    except (InvalidResponse, AuthenticationError) as error:
        await session.close()
        raise link_error(error, endpoint) from None
    except RedisConnectionError as error:
        await session.close()
        if "max number of clients" in str(error):
            raise link_error(error, endpoint) from None
        raise _Closed(error) from None
    except (TimeoutError, RedisError, OSError) as error:
        await session.close()
        raise link_error(error, endpoint) from None
    except asyncio.CancelledError:
        await session.close()
        raise


async def _greet(session: Session, connection: AbstractConnection, handshake: Handshake) -> Handshake:
    endpoint = session.endpoint
    password = endpoint.password.get_secret_value() if endpoint.password else None
    if handshake is Handshake.RESP3:
        login = ("AUTH", endpoint.username or "default", password) if password is not None else ()
        await session.send([("HELLO", 3, *login)])
        answer = await session.receive()
        if _is_unknown(answer):
            handshake = Handshake.RESP2
        else:
            _must(answer)
            connection.protocol = 3
            session.client_id = _field(answer, b"id")
    if handshake is not Handshake.RESP3 and password is not None:
        user = (endpoint.username,) if endpoint.username else ()
        await session.send([("AUTH", *user, password)])
        _must(await session.receive())
    if endpoint.db:
        await session.send([("SELECT", endpoint.db)])
        _must(await session.receive())
    if handshake is not Handshake.BARE:
        await _introduce(session)
    return handshake


async def _introduce(session: Session) -> None:
    """Say who we are, and ask that our looking doesn't count as use; a server may refuse any of it."""
    questions: list[tuple[Argument, ...]] = [
        ("CLIENT", "SETNAME", CLIENT_NAME),
        ("COMMAND", "INFO", "client|no-touch"),
    ]
    if session.client_id is None:
        questions.append(("CLIENT", "ID"))
    await session.send(questions)
    answers = [await session.receive() for _ in questions]
    if session.client_id is None and isinstance(answers[2], int):
        session.client_id = answers[2]
    # Asked first, and not tried: an unknown subcommand would be counted as an error of the server watched.
    known = answers[1]
    if isinstance(known, list) and known and isinstance(known[0], list):
        await session.send([("CLIENT", "NO-TOUCH", "ON")])
        await session.receive()


def _must(answer: Reply | RedisError) -> None:
    if isinstance(answer, RedisError):
        raise answer


def _is_unknown(answer: Reply | RedisError) -> bool:
    text = str(answer).lower() if isinstance(answer, ResponseError) else ""
    return text.startswith(("unknown command", "err unknown command", "noproto")) or "no permissions" in text


def _field(answer: Reply, name: bytes) -> int | None:
    fields: Mapping[bytes, Reply] = (
        answer if isinstance(answer, dict) else dict(zip(answer[::2], answer[1::2], strict=False))
    )
    value = fields.get(name)
    return value if isinstance(value, int) else None


def _size(reply: Reply) -> int:
    if isinstance(reply, bytes):
        return len(reply)
    if isinstance(reply, dict):
        return sum(_size(key) + _size(value) for key, value in reply.items())
    return sum(map(_size, reply)) if isinstance(reply, list | set) else 8


class _NamedSSLConnection(SSLConnection):
    """A TLS connection that verifies, and asks for, another name than the host's (SNI)."""

    def __init__(self, *, server_name: str | None, **options: Any) -> None:
        self._server_name = server_name
        super().__init__(**options)

    def _connection_arguments(self) -> Mapping[str, Any]:
        arguments = dict(super()._connection_arguments())
        if self._server_name is not None:
            arguments["server_hostname"] = self._server_name
        return arguments


def _connection(endpoint: Endpoint) -> AbstractConnection:
    """A connection that sends nothing by itself: name, login, database and protocol are ours to say, in one place."""
    options: dict[str, Any] = {
        "socket_timeout": endpoint.command_timeout,
        "socket_connect_timeout": endpoint.connect_timeout,
        "retry": Retry(NoBackoff(), 0),
        "protocol": 2,
        "driver_info": None,
        "maint_notifications_config": MaintNotificationsConfig(enabled=False),
        "redis_connect_func": _prepare,
    }
    if endpoint.socket is not None:
        return UnixDomainSocketConnection(path=endpoint.socket, **options)
    options |= {"host": endpoint.host, "port": endpoint.port}
    if endpoint.tls is None:
        return Connection(**options)
    tls = endpoint.tls
    return _NamedSSLConnection(
        server_name=tls.server_name,
        ssl_ca_certs=tls.ca_certs,
        ssl_certfile=tls.certfile,
        ssl_keyfile=tls.keyfile,
        ssl_cert_reqs="required" if tls.verify else "none",
        ssl_check_hostname=tls.verify,
        **options,
    )


async def _prepare(connection: AbstractConnection) -> None:
    connection._parser.on_connect(connection)  # type: ignore[no-untyped-call]
