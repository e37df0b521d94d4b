"""A redis-py connection that only carries bytes: it greets nobody, repeats nothing and judges no answer."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable, Mapping
from ipaddress import ip_address
from typing import Any, Literal, cast

from redis._parsers import _AsyncHiredisParser
from redis.asyncio.connection import AbstractConnection, Connection, SSLConnection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import InvalidResponse, NoPermissionError
from redis.maint_notifications import MaintNotificationsConfig

from pymon_tui.server.dial import dial
from pymon_tui.server.endpoint import Endpoint, Tls
from pymon_tui.server.reasons import certificate_error
from pymon_tui.server.writing import GuardedConnection, SocketConnection


def connection_to(endpoint: Endpoint, tunnel: str | None = None) -> AbstractConnection:
    """A connection that is yet to be made. Login, database, name and protocol are said by whoever uses it.

    ``tunnel`` is the path of the unix socket that leads to the server where it isn't reached directly.

    Raises:
        LinkError: If a certificate that was named can't be used.
        ValueError: If Sentinels haven't been asked yet where the server is.
    """
    if endpoint.service is not None:  # its host is nobody's
        raise ValueError(f"where {endpoint.address} is wasn't asked")
    options: dict[str, Any] = {
        "socket_timeout": None,  # of a whole reply; ours is below
        "socket_connect_timeout": endpoint.connect_timeout,
        "retry": Retry(NoBackoff(), 0),
        "protocol": 2,
        "driver_info": None,
        "maint_notifications_config": MaintNotificationsConfig(enabled=False),
        "parser_class": _Parser,
        "patience": endpoint.command_timeout,
    }
    if tunnel is not None and endpoint.tls is not None:
        return _TlsTunnelConnection(_context(endpoint.tls), endpoint.certified, path=tunnel, **options)
    if tunnel is not None:
        return _SocketConnection(path=tunnel, **options)
    if endpoint.socket is not None:
        return _SocketConnection(path=endpoint.socket, **options)
    options |= {"host": endpoint.host, "port": endpoint.port}
    if endpoint.tls is None:
        return _DialedConnection(**options)
    return _TlsConnection(_context(endpoint.tls), endpoint.certified, **options)


UNREADABLE = (MemoryError, TypeError)
"""What hiredis raises, beside its own errors, of an array larger than any memory and of a map whose keys are lists."""


class _Parser(_AsyncHiredisParser):
    """Takes every error reply for an answer.

    redis-py takes some of them (LOADING, NOAUTH) for a lost connection, which it then closes, and reads an address
    out of others (MOVED), which fails where a proxy words them its own way.
    """

    EXCEPTION_CLASSES: dict[str, Any] = {"NOPERM": NoPermissionError}  # noqa: RUF012 - a plain attribute in redis-py

    patience: float
    """Seconds without a byte: a reply that is still coming in is no silence, however long a slow line takes for it."""

    async def read_response(self, *args: Any, **named: Any) -> Any:
        try:
            return await super().read_response(*args, **named)
        except UNREADABLE as error:
            raise InvalidResponse(f"an unreadable reply: {error}") from None

    async def read_from_socket(self) -> Literal[True]:
        async with asyncio.timeout(self.patience):
            await super().read_from_socket()  # type: ignore[no-untyped-call]
        return True


class _Metered:
    """A stream whose bytes are counted."""

    def __init__(self, stream: asyncio.StreamReader, heard: Callable[[int], None]) -> None:
        self._stream = stream
        self._heard = heard

    async def read(self, most: int) -> bytes:
        """The next bytes, ``most`` at most."""
        data = await self._stream.read(most)
        self._heard(len(data))
        return data

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def peer_of(connection: AbstractConnection) -> object:
    """The system's address of who answers on TCP, the loopback's ones taken for one; None of anything else."""
    peer = connection._writer.get_extra_info("peername") if connection._writer is not None else None
    if not isinstance(peer, tuple):
        return None
    host, port = peer[:2]
    return ("loopback" if ip_address(host.partition("%")[0]).is_loopback else host, port)


class MeteredConnection(AbstractConnection):
    """A connection on which redis-py says nothing, and whose bytes are counted. A base class to put before redis-py's.

    Attributes:
        heard: Told how many bytes came.

    ``redis_connect_func`` does the same, but redis-py asks for it in a way that Python 3.14 warns of.
    """

    def __init__(self, *, patience: float, **options: Any) -> None:
        super().__init__(**options)
        self._patience = patience
        self.heard: Callable[[int], None] = lambda _: None

    async def on_connect(self) -> None:
        """Let the parser read."""
        parser = self._parser
        assert isinstance(parser, _Parser)
        parser.patience = self._patience
        parser.on_connect(self)  # type: ignore[no-untyped-call]
        stream: Any = parser._stream
        parser._stream = cast("Any", _Metered(stream, self.heard))

    async def on_connect_check_health(self, check_health: bool = True) -> None:  # noqa: FBT001, FBT002 - redis-py's
        """As ``on_connect``: a server that is being greeted isn't asked for its health."""
        await self.on_connect()


class _DialedConnection(MeteredConnection, Connection, GuardedConnection):
    """A connection to a host and a port, at the first of the host's addresses that takes it."""

    _dialed: socket.socket | None = None

    async def _connect(self) -> None:
        async with asyncio.timeout(self.socket_connect_timeout):
            self._dialed = await dial(self.host, self.port)
            try:
                await super()._connect()  # type: ignore[no-untyped-call]
            except BaseException:
                self._dialed.close()
                raise

    def _connection_arguments(self) -> Mapping[str, Any]:
        return {"sock": self._dialed}


class _SocketConnection(MeteredConnection, SocketConnection):
    """A connection to a unix socket, the server's or a tunnel's."""


class _TlsConnection(_DialedConnection, SSLConnection):
    """A TLS connection with our own verification, which may ask for another name than the host's (SNI)."""

    def __init__(self, context: ssl.SSLContext, server_name: str, **options: Any) -> None:
        super().__init__(**options)
        self._context = context
        self._server_name = server_name

    def _connection_arguments(self) -> Mapping[str, Any]:
        return {**super()._connection_arguments(), "ssl": self._context, "server_hostname": self._server_name}


class _TlsTunnelConnection(_SocketConnection):
    """A TLS connection through the socket of a tunnel; what is verified is the name of the server at its far end."""

    def __init__(self, context: ssl.SSLContext, server_name: str, **options: Any) -> None:
        super().__init__(**options)
        self._context = context
        self._server_name = server_name

    async def _connect(self) -> None:
        async with asyncio.timeout(self.socket_connect_timeout):
            self._reader, self._writer = await asyncio.open_unix_connection(
                self.path, ssl=self._context, server_hostname=self._server_name
            )


def _context(tls: Tls) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=tls.ca_certs)
    except OSError as error:
        raise certificate_error(f"the authorities in {tls.ca_certs}", error, "check --cacert") from None
    # From Python 3.13 on the default refuses certificates that Redis' own instructions make, and that redis-cli takes.
    context.verify_flags = context.verify_flags & ~ssl.VERIFY_X509_STRICT | ssl.VERIFY_X509_PARTIAL_CHAIN
    if not tls.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if tls.certfile is not None:
        try:
            # Without a password OpenSSL would ask for one on the terminal, which is not its own.
            context.load_cert_chain(tls.certfile, tls.keyfile, password="")
        except OSError as error:
            raise certificate_error(f"the certificate {tls.certfile}", error, "check --cert and --key") from None
    return context
