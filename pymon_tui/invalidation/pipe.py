"""A connection for bulk work: questions go out before the answers to earlier ones are in, and none is repeated."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import islice
from typing import Protocol, TypeAlias

import hiredis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import InvalidResponse, NoPermissionError, ResponseError
from redis.exceptions import TimeoutError as RedisTimeoutError

from pymon_tui.invalidation.hurry import Hurry
from pymon_tui.invalidation.identity import Identity, identity_of
from pymon_tui.invalidation.packing import Packed, pack, pack_all, unpacked
from pymon_tui.model.query import Reply
from pymon_tui.model.text import SafeText, safe
from pymon_tui.server.commands import refuse_writes
from pymon_tui.server.connection import open_session
from pymon_tui.server.endpoint import Endpoint
from pymon_tui.server.reasons import LinkError, link_error
from pymon_tui.server.session import Session
from pymon_tui.server.wire import UNREADABLE
from pymon_tui.server.writing import write

Answer: TypeAlias = Reply | ResponseError
"""A raw reply, or the error that the server answered."""

SLICE = 262_144
"""Bytes read at a time: several pages of keys, so that few are put together from pieces."""

_NOTHING = object()
_DENIED = "NOPERM "


class Line(Protocol):
    """What questions go over: one connection, or the connections to all primaries of a cluster.

    Attributes:
        endpoint: Where it leads, or the node of the cluster that was named.
        identity: Who answers.
    """

    endpoint: Endpoint
    identity: Identity

    @property
    def user(self) -> SafeText:
        """The ACL user we are logged in as."""

    def ask(self, packed: Packed, answers: int) -> asyncio.Future[list[Answer]]:
        """As ``Pipe.ask``."""

    async def ask_one(self, *words: bytes) -> Answer:
        """As ``Pipe.ask_one``."""

    async def close(self) -> None:
        """Close what is open."""


@dataclass(slots=True, eq=False)
class _Question:
    """Answers that belong together: what they answer, how many are awaited, and those that are there."""

    runs: tuple[tuple[str, int], ...]
    count: int
    answers: list[Answer]
    done: asyncio.Future[list[Answer]]


def _give_up(question: _Question, error: LinkError) -> None:
    question.done.set_exception(error)
    question.done.exception()  # who asked may never look, and then asyncio would print a complaint


_PING = pack(b"PING")


def _error_of(text: str) -> ResponseError:
    if text.startswith(_DENIED):
        return NoPermissionError(text.removeprefix(_DENIED), status_code=_DENIED.strip())
    return ResponseError(text)


class Pipe(asyncio.BufferedProtocol):
    """One connection, for good: it isn't made anew when it is lost, and nothing is sent a second time.

    Attributes:
        identity: Who answers.
        endpoint: Where it leads; the database was selected when it was opened.
    """

    def __init__(self, session: Session) -> None:
        """Take a session over that waits for no answer.

        Raises:
            LinkError: If the connection is gone already.
        """
        self.endpoint = session.endpoint
        self.identity = Identity("", "", session.user)
        self._session = session
        self._account = session.account
        self._reader = hiredis.Reader(notEnoughData=_NOTHING, replyError=_error_of)
        self._reader.setmaxbuf(2 * SLICE)  # kept between slices, instead of made anew for each
        self._buffer = memoryview(bytearray(SLICE))
        self._questions: deque[_Question] = deque()
        self._unsent: list[bytes] | None = None
        self._lost: LinkError | None = None
        self._loop = asyncio.get_running_loop()
        self._heard_at = self._loop.time()
        self._watch: asyncio.TimerHandle | None = None
        self._hurry: Hurry | None = None
        if session.endpoint.via is not None and not session.endpoint.apart:  # who measures hurries nothing
            self._hurry = Hurry(lambda: self.ask(_PING, 1), lambda: len(self._questions))
        self._transport = session.hand_over(self)

    @property
    def user(self) -> SafeText:
        """The ACL user we are logged in as."""
        return self.identity.user

    def ask(self, packed: Packed, answers: int) -> asyncio.Future[list[Answer]]:
        """Send packed commands now; the future gets their ``answers`` answers, error replies as values among them.

        The future raises LinkError if the link is lost, or silent for the endpoint's command timeout, before the last
        of them is in: then nobody knows which of the commands were carried out.

        Raises:
            WriteRefused: If one of them may change something and the endpoint is only to be read; none is sent then.
        """
        if self.endpoint.read_only:
            refuse_writes(unpacked(packed))
        question = _Question(packed.runs, answers, [], self._loop.create_future())
        if self._lost is not None:
            _give_up(question, self._lost)
            return question.done
        if not self._questions:
            self._heard_at = self._loop.time()
        self._questions.append(question)
        self._account.were_asked(packed.runs)
        if self._watch is None:
            self._watch_silence(self.endpoint.command_timeout)
        if self._hurry is not None:
            self._hurry.asked()
        if self._unsent is None:
            self._write(packed.data)
        else:
            self._unsent.append(packed.data)
        return question.done

    @contextmanager
    def together(self) -> Iterator[None]:
        """Send what is asked meanwhile at its end, in one write: each costs both sides more than a short command."""
        unsent: list[bytes] = []
        self._unsent = unsent
        try:
            yield
        finally:
            self._unsent = None
            self._write(b"".join(unsent))

    async def ask_one(self, *words: bytes) -> Answer:
        """Send one command and wait for its answer.

        Raises:
            LinkError: If the link is lost before it is in.
        """
        (answer,) = await self.ask(pack(*words), 1)
        return answer

    async def close(self) -> None:
        """Close the connection at once, whether or not the other side listens."""
        self._fail(link_error(RedisConnectionError(), self.endpoint))
        self._transport.abort()
        await self._session.close()

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        self._heard_at = self._loop.time()
        self._account.heard(nbytes)
        try:
            self._reader.feed(self._buffer, 0, nbytes)  # type: ignore[arg-type]  # takes any buffer
            self._hand_out(iter(self._reader.gets, _NOTHING))
        except (hiredis.ProtocolError, InvalidResponse, *UNREADABLE) as error:
            self._fail(link_error(InvalidResponse(str(error)), self.endpoint))
            self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._fail(link_error(exc or RedisConnectionError(), self.endpoint))

    def _write(self, data: bytes) -> None:
        with suppress(RedisConnectionError):  # `connection_lost` fails the questions
            write(self._transport, data)
            self._account.wrote(len(data))

    def _hand_out(self, answers: Iterator[Answer]) -> None:
        for answer in answers:
            if not self._questions:
                raise InvalidResponse("an answer to nothing that was asked")
            question = self._questions[0]
            question.answers.append(answer)
            question.answers += islice(answers, question.count - len(question.answers))
            if len(question.answers) == question.count:
                self._questions.popleft()
                self._count(question)
                if not question.done.done():  # who asked may have been cancelled
                    question.done.set_result(question.answers)

    def _count(self, question: _Question) -> None:
        place, answers = 0, question.answers
        self._account.were_asked(question.runs, times=-1)
        for name, count in question.runs:
            whole = count == len(answers)
            self._account.were_answered(name, answers if whole else answers[place : place + count])
            place += count

    def _fail(self, error: LinkError) -> None:
        if self._lost is not None:
            return
        self._lost = error
        if self._watch is not None:
            self._watch.cancel()
        if self._hurry is not None:
            self._hurry.end()
        for question in self._questions:
            self._account.were_asked(question.runs, times=-1)
            self._account.lost(question.runs)
            if not question.done.done():  # who asked may have been cancelled
                _give_up(question, error)
        self._questions.clear()

    def _watch_silence(self, seconds: float) -> None:
        self._watch = self._loop.call_later(seconds, self._check_silence)

    def _check_silence(self) -> None:
        self._watch = None
        if not self._questions or self._lost is not None:
            return
        left = self._heard_at + self.endpoint.command_timeout - self._loop.time()
        if left > 0:
            self._watch_silence(left)
            return
        self._fail(link_error(RedisTimeoutError(), self.endpoint))
        self._transport.abort()


async def open_pipe(endpoint: Endpoint, make: Callable[[Session], Pipe] = Pipe) -> Pipe:
    """Connect, log in, select the endpoint's database, and learn who answers. ``make`` is the kind of pipe.

    Raises:
        LinkError: If that can't be done.
    """
    session, _ = await open_session(endpoint)
    try:
        pipe = make(session)
    except BaseException:
        await session.close()
        raise
    try:
        pipe.identity = await _identify(pipe)
    except LinkError as error:
        await pipe.close()
        raise session.ended_by(error, "INFO") from None
    except BaseException:
        await pipe.close()
        raise
    return pipe


async def _identify(pipe: Pipe) -> Identity:
    asked = pack_all([(b"INFO", b"server"), (b"INFO", b"replication")])
    server, replication = await pipe.ask(asked, 2)
    # Apart from the others: a server without ACLs counts the question as an error, and is asked once a connection.
    user = await pipe.ask_one(b"ACL", b"WHOAMI")
    return identity_of(server, replication, safe(user) if isinstance(user, bytes) else pipe.identity.user)
