"""What is in the trash goes back to the server, portion by portion, and each answer is taken for what it says."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from redis.exceptions import NoPermissionError, ResponseError

from pymon_tui.invalidation.knowing import knowledge_of
from pymon_tui.invalidation.packing import pack_all
from pymon_tui.invalidation.payload import LINKED, has_ended, module_type, same_value
from pymon_tui.invalidation.pipe import Answer, Line
from pymon_tui.invalidation.portions import Copy, Portion
from pymon_tui.invalidation.refusing import Refusals
from pymon_tui.invalidation.restore_account import Failure, RestoreTally
from pymon_tui.invalidation.trash_format import State
from pymon_tui.model.text import SafeText, safe
from pymon_tui.server import clock
from pymon_tui.server.reasons import is_of_key

NEVER = -1
"""What PTTL and PEXPIRETIME answer for a key that doesn't expire."""

# Portions on their way: the server takes what has arrived in one go, while its other clients wait, so there are just
# enough that it has always one to do. On a long line there are more: they arrive one after the other.
_FEWEST, _MOST = 4, 16
_PER_PORTION = 0.005  # seconds of a round trip
_TRIES = 3  # a server at its limit evicts keys between two questions
_LARGE = 65_536  # bytes of payload that take long enough to compare that they are compared in a thread


@dataclass(frozen=True, slots=True, eq=False)
class Sent:
    """A portion on its way, and the answers to what was asked of it; None if there is none.

    Attributes:
        alive: What is sent of it.
    """

    portion: Portion
    alive: list[Copy]
    answers: asyncio.Future[list[Answer]] | None


@dataclass(frozen=True, slots=True, eq=False)
class Settled:
    """What became of a portion.

    Attributes:
        tally: Of its keys, but those that the refusal met.
        failures: The keys that the server refused one by one.
        refusal: Why it takes no key at all, and what to do; None if it does.
        found: What later undos are to know of its keys, by their places in the trash.
    """

    tally: RestoreTally
    failures: tuple[Failure, ...]
    refusal: SafeText | None
    found: Mapping[tuple[int, int], State] = field(default_factory=dict)

    def plus(self, other: Settled) -> Settled:
        """Both together."""
        tally, refusal = self.tally.plus(other.tally), self.refusal or other.refusal
        return Settled(tally, self.failures + other.failures, refusal, {**self.found, **other.found})


class Returning:
    """Sends portions over one connection and judges the answers.

    Args:
        pipe: The connection.
        replace: Whether a key that is there is replaced.
        compares: Whether a key that is there may be as it was: brought back by an undo before, or never removed. Then
            its value decides what it counts as.
        again: Whether this undo may have brought back such a key itself, before its connection or process ended.
    """

    def __init__(self, pipe: Line, *, replace: bool, compares: bool, again: bool) -> None:
        self._pipe = pipe
        self._replace = replace
        self._compares = compares
        self._again = again
        self._refusals = Refusals(pipe)
        self._ahead = 0.0  # seconds that the server's clock is ahead of our monotonic one
        self._in_flight = _FEWEST

    @property
    def in_flight(self) -> int:
        """Portions that are best sent before the first of them is settled."""
        return self._in_flight

    @property
    def now(self) -> int:
        """Unix milliseconds of the server's clock, about."""
        return int((clock.now() + self._ahead) * 1000)

    async def look_at_the_clock(self) -> None:
        """Learn what time it is on the server, and how far away that is. To be awaited first.

        Raises:
            LinkError: If the link is lost.
        """
        asked_at = clock.now()
        answer = await self._pipe.ask_one(b"TIME")
        round_trip = clock.now() - asked_at
        self._in_flight = min(_MOST, _FEWEST + int(round_trip / _PER_PORTION))
        # A server that doesn't tell is taken to have the time that we have.
        now = int(answer[0]) + int(answer[1]) / 1e6 if isinstance(answer, list) else time.time()
        self._ahead = now - clock.now()

    def send(self, portion: Portion) -> Sent:
        """Send what has not ended yet of a portion; the server would take the rest, and drop it at once."""
        return self._restore(portion, portion.copies, replace=self._replace)

    async def settle(self, sent: Sent) -> Settled:
        """Wait for a portion's answers, and ask about the keys that are there already.

        Raises:
            LinkError: If the link is lost; what became of the portion is then unknown.
        """
        return await self._restored(sent)

    def _restore(self, portion: Portion, copies: Sequence[Copy], *, replace: bool) -> Sent:
        now = self.now
        alive = [copy for copy in copies if not 0 < copy.end <= now and not has_ended(copy.payload, now)]
        if not alive:
            return Sent(portion, alive, None)
        options = (b"ABSTTL", b"REPLACE") if replace else (b"ABSTTL",)
        commands: list[tuple[bytes, ...]] = []
        for copy in alive:
            commands.append((b"RESTORE", copy.key, b"%d" % copy.end, copy.payload, *options, *copy.words))
        return Sent(portion, alive, self._ask(commands))

    async def _restored(self, sent: Sent, *, of: int | None = None, tries: int = _TRIES) -> Settled:
        """What became of keys that were sent.

        Args:
            of: How many were to be, where they aren't the whole portion.
            tries: How often keys are sent again that were there and are gone when they are looked at.
        """
        ended = (len(sent.portion.copies) if of is None else of) - len(sent.alive)
        if sent.answers is None:
            return Settled(RestoreTally(expired=ended), (), None)
        answers = await sent.answers
        there = [copy for copy, answer in zip(sent.alive, answers, strict=True) if _is_busy(answer)]
        # A key that is there says nothing of the payload, which the server has not looked at.
        rows = [(copy, answer) for copy, answer in zip(sent.alive, answers, strict=True) if not _is_busy(answer)]
        self._refusals.taken = self._refusals.taken or bool(there)
        refusal = self._refusals.for_all("RESTORE", [copy for copy, _ in rows], [answer for _, answer in rows])
        refused = [(copy, answer) for copy, answer in rows if isinstance(answer, ResponseError)]
        failures = []
        if refusal is None:
            failures = [Failure(safe(copy.key), self._refusals.why("restore", error)) for copy, error in refused]
        back = [copy for copy, answer in rows if not isinstance(answer, ResponseError)]
        tally = RestoreTally(
            restored=len(back),
            expired=ended,
            failed=len(failures),
            unlinked=sum(module_type(copy.payload) in LINKED for copy in back),
        )
        settled = Settled(tally, tuple(failures), refusal)
        return settled.plus(await self._looked_at(there, sent, tries)) if there else settled

    async def _looked_at(self, there: Sequence[Copy], sent: Sent, tries: int) -> Settled:
        """What keys count as that were there already; those that are gone by now are sent again."""
        same, gone = 0, list[Copy]()
        if self._compares and there:
            exact = (await knowledge_of(self._pipe)).ends is not False
            asked = self._ask_ends(there, exact=exact)
            values = await self._ask((b"DUMP", copy.key) for copy in there)
            spans = await self._told(there, asked, exact=exact)
            for copy, value, span in zip(there, values, spans, strict=True):
                if isinstance(value, bytes) and ends_as(copy, span):
                    pair = copy.payload, value, self.now
                    is_large = len(value) > _LARGE
                    same += await asyncio.to_thread(same_value, *pair) if is_large else same_value(*pair)
                elif value is None and tries:
                    gone.append(copy)
        skipped = RestoreTally(skipped=len(there) - same - len(gone))
        settled = Settled(self._as_they_were(same).plus(skipped), (), None)
        if not gone:
            return settled
        anew = self._restore(sent.portion, gone, replace=self._replace)
        return settled.plus(await self._restored(anew, of=len(gone), tries=tries - 1))

    def _as_they_were(self, count: int) -> RestoreTally:
        return RestoreTally(restored=count) if self._again else RestoreTally(there=count)

    def _ask_ends(self, copies: Sequence[Copy], *, exact: bool) -> asyncio.Future[list[Answer]]:
        """Ask when keys end; ``exact`` is whether the server knows PEXPIRETIME."""
        if exact:
            return self._ask((b"PEXPIRETIME", copy.key) for copy in copies)
        return self._ask([(b"TIME",), *((b"PTTL", copy.key) for copy in copies), (b"TIME",)])

    async def _told(self, copies: Sequence[Copy], asked: asyncio.Future[list[Answer]], *, exact: bool) -> list[Answer]:
        """When each key ends, as ``_spans``: by PTTL where our user may not ask what the server knows."""
        answers = await asked
        if exact and any(isinstance(each, NoPermissionError) and not is_of_key(each) for each in answers):
            (await knowledge_of(self._pipe)).ends = exact = False
            answers = await self._ask_ends(copies, exact=False)
        return self._spans(answers, exact=exact)

    def _spans(self, answers: Sequence[Answer], *, exact: bool) -> list[Answer]:
        """When each key ends: a number below 0 as of PEXPIRETIME, or between which moments; or the error."""
        if exact:
            return [each if isinstance(each, ResponseError) or each < 0 else (each, each) for each in answers]
        before, *lives, after = answers
        if not isinstance(before, list) or not isinstance(after, list):
            first = last = self.now
        else:
            first, last = (int(each[0]) * 1000 + int(each[1]) // 1000 for each in (before, after))
        return [
            life if isinstance(life, ResponseError) or life < 0 else (first + life, last + life + 1) for life in lives
        ]

    def _ask(self, commands: Iterable[tuple[bytes, ...]]) -> asyncio.Future[list[Answer]]:
        listed = list(commands)
        return self._pipe.ask(pack_all(listed), len(listed))


def ends_as(copy: Copy, span: Answer) -> bool:
    """Whether a key that is there ends when the copy of it did; ``span`` is one of ``_spans``."""
    if isinstance(span, tuple):
        return bool(span[0] <= copy.end <= span[1])
    return span == NEVER and not copy.end


def _is_busy(answer: Answer) -> bool:
    return isinstance(answer, ResponseError) and str(answer).startswith("BUSYKEY")
