"""One connection to a server: commands in, raw replies out."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from time import perf_counter

from redis.asyncio.connection import AbstractConnection
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError, ResponseError

from pymon_tui.model.query import Argument, Reply
from pymon_tui.model.text import SafeText, safe
from pymon_tui.server.commands import name_of, refuse_writes
from pymon_tui.server.endpoint import Endpoint
from pymon_tui.server.reasons import ClosedError, LinkError, link_error, proxy_error
from pymon_tui.server.traffic import account_of
from pymon_tui.server.wire import MeteredConnection
from pymon_tui.server.writing import closed


class Session:
    """A connection that has been greeted, logged in and set to its database.

    It never reconnects and never repeats a command by itself: a lost link is the caller's to know of.

    Attributes:
        client_id: The server's id of this connection; None where it doesn't tell.
        replies: Those that were read so far.
        account: Takes what it causes on the server.
        written: Bytes of the last write.
        waited: Seconds from the last write of ``ask`` to its first reply.
        is_bare: Whether PING is all that it was greeted with, for the server closes at the rest.
    """

    def __init__(self, connection: AbstractConnection, endpoint: Endpoint) -> None:
        self.client_id: int | None = None
        self.replies = 0
        self.written = 0
        self.account = account_of(endpoint)
        if isinstance(connection, MeteredConnection):
            connection.heard = self.account.heard
        self._asked: deque[str] = deque()  # names of commands that aren't answered
        self.waited = 0.0
        self.is_bare = False
        self._has_answered = False
        self.endpoint = endpoint
        self._connection = connection

    @property
    def is_open(self) -> bool:
        """Whether neither end has closed it, as far as is known."""
        reader = self._connection._reader
        return self._connection.is_connected and reader is not None and not reader.at_eof()

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
            self._has_answered = True
            self.waited = perf_counter() - began
            return (*replies, *[await self.receive() for _ in commands[1:]])
        except (RedisError, OSError) as error:
            raise self.ended_by(link_error(error, self.endpoint), str(commands[0][0])) from None

    def ended_by(self, error: LinkError, command: str) -> LinkError:
        """The error that ended it, which is a proxy's where it has taken a greeting alone. ``command`` was asked."""
        is_proxy = not self._has_answered and isinstance(error, ClosedError)
        return proxy_error(self.endpoint, command, is_bare=self.is_bare) if is_proxy else error

    async def send(self, commands: Sequence[tuple[Argument, ...]]) -> None:
        """Write the commands and don't wait for answers: each is to be read with ``receive``, in order.

        Raises:
            WriteRefused: If one of them may change something and the endpoint is only to be read; none is sent then.
        """
        if self.endpoint.read_only:
            refuse_writes(commands)
        if not self._connection.is_connected:
            # redis-py would connect anew by itself: as nobody, and to database 0.
            raise closed()
        packed = self._connection.pack_commands(commands)
        names = [name_of(command) for command in commands]
        self._asked.extend(names)
        self.account.were_asked((name, 1) for name in names)
        self.written = sum(map(len, packed))
        self.account.wrote(self.written)
        # Not redis-py's own way of sending: its timeout is one for answers, too.
        try:
            async with asyncio.timeout(self.endpoint.command_timeout):
                await self._connection._send_packed_command(packed)
        except BaseException:
            await self.close()
            raise

    async def receive(self) -> Reply | RedisError:
        """The next raw reply, or the error the server answered with."""
        reply: Reply | RedisError
        try:
            reply = await self._connection.read_response(disable_decoding=True)
        except ResponseError as error:
            reply = error
        self.replies += 1
        if self._asked:  # else it is a push, or turns us away
            name = self._asked.popleft()
            self.account.were_asked(((name, 1),), times=-1)
            self.account.were_answered(name, (reply,))
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
        self.account.lines.discard(self)
        self.account.were_asked(((name, 1) for name in self._asked), times=-1)
        self.account.lost((name, 1) for name in self._asked)
        self._asked.clear()
        try:
            await self._connection.disconnect(nowait=True)
        except (RedisError, OSError):
            return
