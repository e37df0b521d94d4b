"""One subscribed connection, from its greeting to its loss."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import TypeAlias

from hiredis import ReplyError
from redis.exceptions import NoPermissionError, ResponseError

from pymon_tui.model.feed import Feed
from pymon_tui.model.link import Trouble
from pymon_tui.model.query import Reason, Reply, Unavailable
from pymon_tui.model.text import SafeText, safe
from pymon_tui.model.units import duration
from pymon_tui.readings.info import parse_info
from pymon_tui.server import clock
from pymon_tui.server.greeting import Handshake
from pymon_tui.server.intake import Intake
from pymon_tui.server.reasons import LinkError, answer_text, gap, is_of_key, link_error
from pymon_tui.server.session import Session
from pymon_tui.server.stream import Stream

Words: TypeAlias = tuple[bytes, ...]

PING: Words = (b"PING",)
INFO: Words = (b"INFO", b"stats")

_END = {b"SUBSCRIBE": b"UNSUBSCRIBE", b"PSUBSCRIBE": b"PUNSUBSCRIBE", b"SSUBSCRIBE": b"SUNSUBSCRIBE"}
_CONFIRMED = (*(verb.lower() for verbs in _END.items() for verb in verbs), b"pong")
_ELSEWHERE = ("MOVED", "ASK", "TRYAGAIN")
"""What a node of a cluster answers where a channel's slot is another's."""
_ASK_AGAIN = 5.0
"""Seconds until a node is asked again for a channel that it has said is another's: by then we know better."""

_PINGS = 2
"""Pings in a row that may stay unanswered before the connection is given up."""


def subscription(name: bytes) -> Words:
    """The command that follows a channel, or all that match where the name has a wildcard."""
    return (b"PSUBSCRIBE" if any(wildcard in name for wildcard in (b"*", b"?", b"[", b"\\")) else b"SUBSCRIBE", name)


def sharded(channel: bytes) -> Words:
    """The command that follows a shard channel, at a node that serves its slot; there are no patterns of them."""
    return (b"SSUBSCRIBE", channel)


def refusal(asked: Sequence[Words], error: ResponseError, user: SafeText) -> Unavailable:
    """Why these subscriptions were refused, and the ACL line that allows them."""
    verbs = " +".join(dict.fromkeys(verb.decode().lower() for verb, _ in asked))
    found = gap(error, verbs, user)
    if not isinstance(error, NoPermissionError):
        return found
    channels = " ".join(f"&{safe(name)}" for _, name in asked)
    if "channel" in found.detail:
        return Unavailable(found.reason, found.detail, safe(f"ACL SETUSER {user} {channels}"))
    # Not part of the line: the server refuses a channel for a user who has all of them.
    return Unavailable(found.reason, found.detail, safe(f"{found.remedy} (and {channels} if it lacks them)"))


class Subscriber:
    """Asks for subscriptions, fills the feed with what comes, and notices when nothing can come any more.

    Attributes:
        held: Channels and patterns that the server was asked to send and didn't refuse.
        rtt: Seconds the last answer took; while messages queue up, it came behind them.
        cut_offs: Clients that the server has disconnected because they read too slowly
            (``client_output_buffer_limit_disconnections``); None where it doesn't tell.
        user: The ACL user we are logged in as.
    """

    def __init__(
        self,
        session: Session,
        handshake: Handshake,
        feed: Feed,
        subscription: Callable[[bytes], Words],
        refused: dict[Words, ResponseError],
        settled: Callable[[], None],
    ) -> None:
        """Take a session over.

        ``subscription`` says by which command a name is followed: this module's ``subscription``, or ``sharded``.
        ``refused`` holds commands that are not to be asked, and takes those that the server refuses now;
        ``settled`` is called whenever all questions have been answered.

        Raises:
            LinkError: If the connection is gone already.
        """
        self.held: set[bytes] = set()
        self.rtt = 0.0
        self.cut_offs: int | None = None
        self.user = session.user
        self._subscription = subscription
        self._refused = refused
        self._settled = settled
        self._elsewhere: dict[bytes, float] = {}  # channels of other nodes, and until when they are not asked for
        self._endpoint = session.endpoint
        self._questions: deque[tuple[Words, float]] = deque()
        self._may: set[bytes] = set()  # the verbs that our user is known to be allowed
        self._waiting: list[Words] = []  # what is asked once that is known
        self._first = (INFO,) if handshake is not Handshake.BARE else ()
        self._stream = Stream(session, Intake(feed, self._answered).take)

    @property
    def rushing(self) -> bool:
        """Whether so much came lately that the server may think us too slow."""
        return self._stream.rushing

    @property
    def heard_at(self) -> float:
        """When bytes came last, in monotonic seconds."""
        return self._stream.heard_at

    def follow(self, names: Sequence[bytes]) -> None:
        """Follow these channels and patterns and no others: only what differs is asked, and nothing once refused."""
        wanted = self._wanted(names)
        new = [self._subscription(name) for name in wanted if name not in self.held]
        unasked = {name for _, name in self._waiting}
        gone = map(self._subscription, self.held.difference(wanted).difference(unasked))
        old = [(_END[verb], name) for verb, name in gone]
        self.held = set(wanted)
        new += [command for command in self._waiting if command[1] in self.held]
        # One of each verb first: who may not send it is refused once, and not for each name.
        heads = {verb: (verb, name) for verb, name in reversed(new)}
        asked = [command for command in new if command[0] in self._may or command == heads[command[0]]]
        self._waiting = [command for command in new if command not in asked]
        self._ask([*self._first, *old, *asked, PING])
        self._first = ()

    def follows(self, names: Sequence[bytes]) -> bool:
        """Whether ``follow`` would change nothing."""
        return self.held == set(self._wanted(names))

    async def until_lost(self, ping_every: float, pong_timeout: float) -> LinkError:
        """Read until the connection is lost, and return why.

        After ``ping_every`` seconds of silence the server is asked for a sign of life, and after ``pong_timeout``
        seconds asked again; the connection is lost when it leaves both questions unanswered.
        """
        stream = self._stream
        asked_at, unanswered = stream.heard_at - 1.0, 0
        while True:
            if stream.heard_at > asked_at:
                unanswered, due = 0, stream.heard_at + ping_every
            else:
                due = asked_at + pong_timeout
            if (wait := due - clock.now()) > 0:
                # An answer may be there long before it is late: then the next question is due by that.
                await asyncio.wait({stream.lost}, timeout=min(wait, ping_every))
                if stream.lost.done():
                    return stream.lost.result()
            elif unanswered == _PINGS:
                silence = duration(clock.now() - stream.heard_at)
                return LinkError(Trouble.SILENT, f"no sign of life from {self._endpoint.address} for {silence}", "")
            else:
                asked_at = clock.now()
                unanswered += self._ask_for_a_sign_of_life()

    async def close(self) -> None:
        """Close the connection at once."""
        await self._stream.close()

    def _wanted(self, names: Sequence[bytes]) -> list[bytes]:
        """Those of the names that can be asked for now."""
        now = clock.now()
        self._elsewhere = {name: until for name, until in self._elsewhere.items() if name in names and until > now}
        open_ = (name for name in names if name not in self._elsewhere)
        return [name for name in open_ if self._subscription(name) not in self._refused]

    def _ask(self, commands: Sequence[Words]) -> int:
        """Send those that were not refused before; returns how many that are."""
        asked = [command for command in commands if command not in self._refused]
        now = clock.now()
        self._questions.extend((command, now) for command in asked)
        if asked:
            self._stream.write(asked)
        elif not self._questions:
            self._settled()
        return len(asked)

    def _ask_for_a_sign_of_life(self) -> int:
        """Ask what is answered at once; returns the number of questions, which is 0 where we may not ask any."""
        # Who may not PING can repeat a subscription: it changes nothing and is confirmed again.
        repeated = [self._subscription(name) for name in self.held][:1]
        return self._ask([PING] if PING not in self._refused else repeated)

    def _answered(self, reply: Reply) -> None:
        """Match a reply that is no message with the oldest question: a server answers in order, one for one."""
        kind = reply[0] if isinstance(reply, list) else None
        if kind == b"sunsubscribe" and (not self._questions or self._questions[0][0] != (b"SUNSUBSCRIBE", reply[1])):
            self._lose(reply[1])  # its slot has gone to another node
            return
        if not self._questions or (kind is not None and kind not in _CONFIRMED):
            return  # a push that nobody asked for
        command, asked_at = self._questions.popleft()
        self.rtt = clock.now() - asked_at
        if isinstance(reply, ReplyError):
            self._refuse(command, str(reply))
        elif command == INFO:
            self.cut_offs = _cut_offs(reply)
        if command[0] in _END and command[0] not in self._may and not self._stream.lost.done():
            self._go_on(command)
        if not self._questions and not self._stream.lost.done():
            self._settled()

    def _go_on(self, command: Words) -> None:
        """Ask what waited for the first of its verb; what is refused for its verb's sake is refused with it."""
        verb, error = command[0], self._refused.get(command)
        rest = [each for each in self._waiting if each[0] == verb]
        self._waiting = [each for each in self._waiting if each[0] != verb]
        if error is not None and not is_of_key(error):
            self._refused.update(dict.fromkeys(rest, error))
            self.held.difference_update(name for _, name in rest)
        else:
            self._may.add(verb)
            self._ask(rest)

    def _refuse(self, command: Words, text: str) -> None:
        error = NoPermissionError(text) if text.startswith("NOPERM") else ResponseError(text)
        verb, name = command[0], command[-1]
        if text.startswith(_ELSEWHERE):
            if verb in _END:
                self._lose(name)
        elif verb in _END.values():
            # A new connection has only the subscriptions that are wanted.
            self._stream.fail(LinkError(Trouble.UNREACHABLE, f"we may not unsubscribe: {answer_text(error)}", ""))
        elif gap(error, "", self.user).reason is not Reason.FAILED:
            self._refused[command] = error
            if verb in _END:
                self.held.discard(name)
        elif verb in _END and text.startswith(("LOADING", "BUSY", "MASTERDOWN")):
            self._stream.fail(LinkError(Trouble.SILENT, f"no subscription for now: {answer_text(error)}", ""))
        elif verb in _END:
            self._stream.fail(link_error(error, self._endpoint))

    def _lose(self, channel: bytes) -> None:
        self.held.discard(channel)
        self._elsewhere[channel] = clock.now() + _ASK_AGAIN


def _cut_offs(reply: Reply) -> int | None:
    try:
        return parse_info(reply).integer("client_output_buffer_limit_disconnections")
    except ValueError:
        return None
