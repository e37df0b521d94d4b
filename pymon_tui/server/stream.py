"""A connection that a server pushes to: all that comes is read at once, in slices too short to hold up the loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress

import hiredis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import InvalidResponse

from pymon_tui.model.query import Reply
from pymon_tui.server import clock
from pymon_tui.server.commands import refuse_writes
from pymon_tui.server.reasons import LinkError, link_error
from pymon_tui.server.session import Session
from pymon_tui.server.wire import UNREADABLE
from pymon_tui.server.writing import write

SLICE = 65_536
"""Bytes read at a time: about a millisecond of work, and then it is the turn of whoever else waits."""

_RUSH = 1_000_000  # bytes a second
_NOTHING = object()


class Stream(asyncio.BufferedProtocol):
    """Reads what a server pushes, with no time limit; the time of the last bytes lets the owner judge its silence.

    One reply is put together in memory before it is passed on, whatever its size. The server's own limit bounds it:
    by default it closes the connection of a subscriber for whom more than 32 MB are waiting.

    Attributes:
        lost: Done when the connection is gone; its result says why.
        heard_at: When bytes came last, in monotonic seconds.
    """

    def __init__(self, session: Session, take: Callable[[Iterator[Reply]], None]) -> None:
        """Take the connection over; ``take`` gets the replies, an error reply as a ``hiredis.ReplyError``.

        Raises:
            LinkError: If the connection is gone already.
        """
        self._session = session
        self._take = take
        self._reader = hiredis.Reader(notEnoughData=_NOTHING)
        self._reader.setmaxbuf(4 * SLICE)  # kept between slices, instead of made anew for each
        self._buffer = memoryview(bytearray(SLICE))
        self._second = self.heard_at = clock.now()
        self._second_bytes = self._last_second_bytes = 0
        self.lost: asyncio.Future[LinkError] = asyncio.get_running_loop().create_future()
        self._transport = session.hand_over(self)

    @property
    def rushing(self) -> bool:
        """Whether more than a megabyte came in the last second or in the one before."""
        return max(self._second_bytes, self._last_second_bytes) > _RUSH

    def write(self, commands: Sequence[tuple[bytes, ...]]) -> None:
        """Send all commands in one write; on a connection that is gone they are lost without a word.

        Raises:
            WriteRefused: If one of them may change something and the endpoint is only to be read; none is sent then.
        """
        if self._session.endpoint.read_only:
            refuse_writes(commands)
        packed = [hiredis.pack_command(words) for words in commands]  # type: ignore[arg-type]  # takes any tuple
        with suppress(RedisConnectionError):  # `connection_lost` tells the owner
            write(self._transport, b"".join(packed))
            self._session.account.wrote(sum(map(len, packed)))
            for words in commands:
                self._session.account.answered(words, None)  # what is answered comes among what is pushed

    async def close(self) -> None:
        """Close the connection at once, whether or not the other side listens."""
        self._transport.abort()
        await self._session.close()

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        self._measure(nbytes)
        self._session.account.heard(nbytes)
        try:
            self._reader.feed(self._buffer, 0, nbytes)  # type: ignore[arg-type]  # takes any buffer
            self._take(iter(self._reader.gets, _NOTHING))
        except (hiredis.ProtocolError, InvalidResponse, *UNREADABLE) as error:
            self.fail(link_error(InvalidResponse(str(error)), self._session.endpoint))

    def connection_lost(self, exc: Exception | None) -> None:
        self.fail(link_error(exc or RedisConnectionError(), self._session.endpoint))

    def fail(self, error: LinkError) -> None:
        """Give the connection up because of this error, unless another one came first."""
        if not self.lost.done():
            self.lost.set_result(error)

    def _measure(self, nbytes: int) -> None:
        self.heard_at = now = clock.now()
        if now - self._second >= 1.0:
            self._last_second_bytes = self._second_bytes if now - self._second < 2.0 else 0
            self._second, self._second_bytes = now, 0
        self._second_bytes += nbytes
