"""Writing to a connection that may be gone: a lost link on every Python, and never an error of asyncio's own.

Who writes can be cancelled on every Python, too.

``writelines`` of a socket's transport is not used. From Python 3.12 on it raises AttributeError or TypeError once the
connection is lost, and an empty chunk keeps the transport from closing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from redis.asyncio.connection import AbstractConnection, Connection, UnixDomainSocketConnection
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

_BROKEN = (AttributeError, RuntimeError, TypeError)
"""What a write to a closed transport raises: one of TLS after a second close, and those of other event loops."""


def closed() -> RedisConnectionError:
    """The error of a write to a connection that is closed."""
    return RedisConnectionError("the connection is closed")


def write(transport: asyncio.WriteTransport, data: bytes) -> None:
    """Write to a transport that is open.

    Raises:
        redis.ConnectionError: If it is closed or closing. Nothing is sent then.
    """
    if transport.is_closing():
        raise closed()
    try:
        transport.write(data)
    except _BROKEN:
        if not transport.is_closing():
            raise
        raise closed() from None


class _Writer:
    """A StreamWriter that writes by ``write``."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer

    def __getattr__(self, name: str) -> Any:
        return getattr(self._writer, name)

    def write(self, data: bytes) -> None:
        write(self._writer.transport, data)

    def writelines(self, data: Iterable[bytes]) -> None:
        self.write(b"".join(data))


class GuardedConnection(AbstractConnection):
    """Raises ConnectionError for a write after the connection is lost, and keeps no cancellation to itself.

    A base class to put behind one of redis-py's: a connection that sends in a way of its own goes on doing so.
    """

    _guarded: Any = None

    @property
    def _writer(self) -> Any:
        return self._guarded

    @_writer.setter
    def _writer(self, writer: asyncio.StreamWriter | None) -> None:
        # What a test puts in the place of a connection has a writer of its own kind.
        self._guarded = _Writer(writer) if isinstance(writer, asyncio.StreamWriter) else writer

    async def send_packed_command(
        self,
        command: bytes | str | Iterable[bytes],
        check_health: bool = True,  # noqa: FBT001, FBT002 - redis-py's signature
    ) -> None:
        """As redis-py, which sends by asyncio.wait_for: until Python 3.12 that may lose a cancellation.

        Raises:
            redis.ConnectionError: If the connection is lost or can't be made.
            redis.TimeoutError: If that isn't written within ``socket_timeout``. The connection is closed then.
        """
        if not self.is_connected:
            await self.connect_check_health(check_health=False)
        if check_health:
            await self.check_health()  # type: ignore[no-untyped-call]
        if isinstance(command, str):
            command = command.encode()
        try:
            async with asyncio.timeout(self.socket_timeout or None):
                await self._send_packed_command([command] if isinstance(command, bytes) else command)
        except BaseException as error:  # half a command may be written
            await self.disconnect(nowait=True)
            if isinstance(error, TimeoutError):
                raise RedisTimeoutError("Timeout writing to socket") from None
            if isinstance(error, OSError):
                number, words = error.errno or "UNKNOWN", error.strerror or error
                raise RedisConnectionError(f"Error {number} while writing to socket. {words}.") from error
            raise

    async def _send_packed_command(self, command: Iterable[bytes]) -> None:
        if self._guarded is None:  # another task has closed the connection
            raise closed()
        await super()._send_packed_command(command)


def guarded(connection_class: Callable[..., AbstractConnection]) -> Any:
    """What makes the same connections, with guarded writes; the class itself if they are already.

    A pool of redis-py takes a class of connections, or a function that makes them.
    """
    if not isinstance(connection_class, type):
        return partial(_made_guarded, connection_class)
    if issubclass(connection_class, GuardedConnection):
        return connection_class
    return type(f"Guarded{connection_class.__name__}", (connection_class, GuardedConnection), {})


def _made_guarded(make: Callable[..., AbstractConnection], *args: Any, **named: Any) -> AbstractConnection:
    connection = make(*args, **named)
    guard_one(connection)
    return connection


def guard_one(connection: AbstractConnection) -> None:
    """Guard the writes of a connection that exists, whether it is open or not."""
    writer = connection._writer
    connection.__class__ = guarded(type(connection))
    connection._writer = writer


class TcpConnection(Connection, GuardedConnection):
    """A connection to a host and a port."""


class SocketConnection(UnixDomainSocketConnection, GuardedConnection):
    """A connection to a unix socket."""
