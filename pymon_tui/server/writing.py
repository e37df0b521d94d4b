"""Writing to a connection that may be gone: a lost link on every Python, and never an error of asyncio's own.

``writelines`` of a socket's transport is not used. From Python 3.12 on it raises AttributeError or TypeError once the
connection is lost, and an empty chunk keeps the transport from closing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

from redis.asyncio.connection import AbstractConnection, Connection, UnixDomainSocketConnection

_BROKEN = (AttributeError, RuntimeError, TypeError)
"""What event loops raise of a write to a transport that is closed, each version another one."""


def write(transport: asyncio.WriteTransport, data: bytes) -> None:
    """Write to a transport, or to a StreamWriter.

    Raises:
        ConnectionResetError: If it is closed or closing: nothing is sent then.
    """
    if transport.is_closing():
        raise ConnectionResetError("the connection is closed")
    try:
        transport.write(data)
    except _BROKEN:
        if not transport.is_closing():
            raise
        raise ConnectionResetError("the connection is closed") from None


class _Writer:
    """A StreamWriter whose writes raise ConnectionResetError when the connection is gone."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer

    def __getattr__(self, name: str) -> Any:
        return getattr(self._writer, name)

    def write(self, data: bytes) -> None:
        write(self._writer.transport, data)

    def writelines(self, data: Iterable[bytes]) -> None:
        self.write(b"".join(data))


class LostOnWrite(AbstractConnection):
    """A connection of redis-py that reports a write to a lost link as a lost link, whichever of its ways it writes by.

    A base class to put before one of redis-py's.
    """

    _guarded: _Writer | None = None

    @property
    def _writer(self) -> Any:
        return self._guarded

    @_writer.setter
    def _writer(self, writer: asyncio.StreamWriter | None) -> None:
        self._guarded = None if writer is None else _Writer(writer)

    async def _send_packed_command(self, command: Iterable[bytes]) -> None:
        if self._guarded is None:  # another task has closed the connection
            raise ConnectionResetError("the connection is closed")
        await super()._send_packed_command(command)


class TcpConnection(LostOnWrite, Connection):
    """A connection to a host and a port."""


class SocketConnection(LostOnWrite, UnixDomainSocketConnection):
    """A connection to a unix socket."""
