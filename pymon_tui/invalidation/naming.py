"""Naming keys to the server so that they go: one batch out, one account back."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace

from redis.exceptions import ResponseError

from pymon_tui.invalidation.account import Options
from pymon_tui.invalidation.packing import last_words, pack_all, pack_each, pack_together
from pymon_tui.invalidation.pipe import Answer, Pipe
from pymon_tui.invalidation.redirect import is_redirect
from pymon_tui.invalidation.sweep import Page, Refused
from pymon_tui.server import clock
from pymon_tui.server.reasons import answer_text, is_of_key

_GONE, _NEVER = -2, -1  # PTTL's answers for no key and for a key that doesn't expire


@dataclass(slots=True, eq=False)
class Batch:
    """Keys that were named and whose answers aren't read yet."""

    keys: list[bytes]
    answers: asyncio.Future[list[Answer]]
    ends: tuple[int, ...] = ()


@dataclass(slots=True, eq=False)
class Account:
    """What became of the keys of a batch.

    Attributes:
        sooner: How many end sooner than they were to, which naming them left alone.
        refused: Keys that our user may not touch.
        moved: Keys that another node of the cluster has by now, or is about to get.
        untouched: Further keys of which it is known that naming them did nothing: they were gone, end sooner, or the
            server refused them. Those that were gone are not among them where only their number is told.
        error: Why the server removes nothing any more, if so; keys that are counted nowhere are still there.
    """

    removed: int = 0
    already_gone: int = 0
    sooner: int = 0
    refused: list[bytes] = field(default_factory=list)
    moved: list[bytes] = field(default_factory=list)
    untouched: list[bytes] = field(default_factory=list)
    error: ResponseError | None = None

    def take(self, keys: Sequence[bytes], answer: Answer) -> None:
        """Count an answer that says how many of the keys were removed, or why none of them was."""
        if not isinstance(answer, ResponseError):
            self.removed += answer
            self.already_gone += len(keys) - answer
            if not answer:
                self.untouched += keys
        elif is_redirect(answer):
            self.moved += keys
        elif _is_for_some(answer):
            self.refused += keys
        else:
            self.error = answer
            self.untouched += keys


@dataclass(frozen=True, slots=True, eq=False)
class Standing:
    """Keys that may have gone, or have been given an end.

    Attributes:
        there: Those that are there as before.
        moved: Those of which another node of the cluster knows.
        sooner: Those that end sooner than they were to, which naming them left alone.
    """

    there: list[bytes]
    moved: list[bytes]
    sooner: list[bytes] = field(default_factory=list)


class Unlinking:
    """Removes keys with UNLINK, or with DEL where the server doesn't know that; ``command`` is which."""

    def __init__(self, pipe: Pipe) -> None:
        self.command = "UNLINK"
        self._pipe = pipe

    def send(self, keys: list[bytes], words: Sequence[bytes] = ()) -> Batch:
        """Name the keys, each once, in one command; ``words`` are their ``last_words``, where those are at hand."""
        return Batch(keys, self._pipe.ask(pack_together(self.command.encode(), words or last_words(keys)), 1))

    async def account(self, batch: Batch) -> Account:
        """Read what became of them; where the server refuses the batch for one of its keys, ask for each alone.

        Raises:
            LinkError: If the link was lost, and what became of them is unknown.
        """
        (answer,) = await batch.answers
        account = Account()
        if self.command == "UNLINK" and isinstance(answer, ResponseError) and _is_unknown(answer):
            self.command = "DEL"
        elif not (isinstance(answer, ResponseError) and _is_for_some(answer)):
            account.take(batch.keys, answer)
            return account
        verb = self.command.encode()
        single = await self._pipe.ask(pack_all((verb, key) for key in batch.keys), len(batch.keys))
        for key, each in zip(batch.keys, single, strict=True):
            account.take([key], each)
        return account

    async def still_there(self, keys: Sequence[bytes], ends: Sequence[int] = ()) -> Standing:
        """Of keys that may have been removed, those that weren't, or that are back (EXISTS)."""
        answers = await self._pipe.ask(pack_all((b"EXISTS", key) for key in keys), len(keys))
        return _of_those(keys, answers, "EXISTS", self._pipe, lambda answer: answer != 0)


class UnlinkingEach(Unlinking):
    """Names each key in a command of its own, all in one write: in a cluster a command is for keys of one slot."""

    def send(self, keys: list[bytes], words: Sequence[bytes] = ()) -> Batch:
        """Name the keys, each once."""
        return Batch(keys, self._pipe.ask(pack_each([(self.command.encode(),)], words or last_words(keys)), len(keys)))

    async def account(self, batch: Batch) -> Account:
        """Read what became of each.

        Raises:
            LinkError: If the link was lost, and what became of them is unknown.
        """
        answers = await batch.answers
        if self.command == "UNLINK" and isinstance(answers[0], ResponseError) and _is_unknown(answers[0]):
            self.command = "DEL"
            answers = await self.send(batch.keys).answers
        account = Account()
        for key, answer in zip(batch.keys, answers, strict=True):
            account.take([key], answer)
        return account


class Expiring:
    """Gives keys an end that comes soon, each at another moment, and never a later one than they have.

    Where the ends are to be known, they are moments of the server's clock (PEXPIREAT), which each batch looks at again.
    """

    command = "PEXPIRE"

    def __init__(self, pipe: Pipe, options: Options, dice: random.Random) -> None:
        self._pipe = pipe
        self._options = options
        self._dice = dice
        self._compares = True  # PEXPIRE's LT, which Redis has from 7 on
        self._ahead = 0.0  # seconds that the server's clock is ahead of our monotonic one

    async def look_at_the_clock(self) -> None:
        """Learn what time it is on the server; to be awaited before ``ends``.

        Raises:
            LinkError: If the link is lost.
            Refused: If the server doesn't tell.
        """
        self._take_time(await self._pipe.ask_one(b"TIME"))

    def ends(self, count: int) -> list[int]:
        """The ends that so many keys are given if they are named now, in unix milliseconds of the server's clock."""
        now = int((clock.now() + self._ahead) * 1000)
        return [now + self._milliseconds() for _ in range(count)]

    def send(self, keys: list[bytes], ends: Sequence[int] = ()) -> Batch:
        """Name the keys, each with its own end: one of ``ends``, or one that only the server knows."""
        if not self._compares:
            return Batch(keys, asyncio.ensure_future(self._compared(keys, ends)), tuple(ends))
        commands = self._commands(keys, ends, (b"LT",))
        if ends:
            commands.append((b"TIME",))
        return Batch(keys, self._pipe.ask(pack_all(commands), len(commands)), tuple(ends))

    async def account(self, batch: Batch) -> Account:
        """Read what became of them: given an end, gone or ending sooner, refused.

        Raises:
            LinkError: If the link was lost, and what became of them is unknown.
            Refused: If the server doesn't tell the time any more.
        """
        answers = await batch.answers
        first = answers[0]
        if self._compares and isinstance(first, ResponseError) and "number of arguments" in answer_text(first).lower():
            self._compares = False
            answers = await self._compared(batch.keys, batch.ends)
        if batch.ends:
            self._take_time(answers[-1])
            answers = answers[:-1]
        account = Account()
        for key, answer in zip(batch.keys, answers, strict=True):
            account.take([key], answer)
        # The answer is the same for a key that isn't there and for one that ends sooner.
        left = [key for key, answer in zip(batch.keys, answers, strict=True) if answer == 0]
        lives = await self._pipe.ask(pack_all((b"PTTL", key) for key in left), len(left)) if left else []
        account.sooner = sum(isinstance(life, int) and life >= 0 for life in lives)
        account.already_gone -= account.sooner
        return account

    async def still_there(self, keys: Sequence[bytes], ends: Sequence[int] = ()) -> Standing:
        """Of keys that may have been given an end, those that have none, or a later one than they were to have.

        Without ``ends`` that is one later than the latest we give, and nobody knows who ends sooner by itself.
        """
        lives_asked = [(b"PTTL", key) for key in keys]
        questions = [(b"TIME",), *lives_asked, (b"TIME",)] if ends else lives_asked
        answers = await self._pipe.ask(pack_all(questions), len(questions))
        before, *lives, after = answers if ends else (None, *answers, None)
        if not isinstance(before, list) or not isinstance(after, list):
            latest = 1000 * (self._options.expire + self._options.jitter)
            return _of_those(keys, lives, "PTTL", self._pipe, lambda left: left == _NEVER or left > latest)
        first, last = (int(each[0]) * 1000 + int(each[1]) // 1000 for each in (before, after))
        standing = _of_those(keys, lives, "PTTL", self._pipe, lambda left: left == _NEVER)
        for key, life, end in zip(keys, lives, ends, strict=True):
            if isinstance(life, int) and life >= 0:
                if first + life > end:
                    standing.there.append(key)
                elif last + life + 1 < end:
                    standing.sooner.append(key)
        return standing

    def _commands(
        self, keys: Sequence[bytes], ends: Sequence[int], words: tuple[bytes, ...]
    ) -> list[tuple[bytes, ...]]:
        if ends:
            return [(b"PEXPIREAT", key, b"%d" % end, *words) for key, end in zip(keys, ends, strict=True)]
        return [(b"PEXPIRE", key, b"%d" % self._milliseconds(), *words) for key in keys]

    def _milliseconds(self) -> int:
        return max(1, round(1000 * (self._options.expire + self._dice.random() * self._options.jitter)))

    def _take_time(self, answer: Answer) -> None:
        if isinstance(answer, ResponseError):
            raise Refused("TIME", answer, self._pipe.user)
        self._ahead = int(answer[0]) + int(answer[1]) / 1e6 - clock.now()

    async def _compared(self, keys: Sequence[bytes], ends: Sequence[int]) -> list[Answer]:
        """The same for a server that doesn't compare: look first, and leave alone what ends sooner."""
        (now, *lives) = await self._pipe.ask(pack_all([(b"TIME",), *((b"PTTL", key) for key in keys)]), 1 + len(keys))
        commands = self._commands(keys, ends, ())
        seconds = int(now[0]) + int(now[1]) / 1e6 if ends and not isinstance(now, ResponseError) else 0.0
        late = [
            isinstance(life, ResponseError) or life == _NEVER or life > int(command[2]) - 1000 * seconds
            for life, command in zip(lives, commands, strict=True)
        ]
        named = [command for command, is_late in zip(commands, late, strict=True) if is_late]
        given = iter(await self._pipe.ask(pack_all(named), len(named)) if named else [])
        answers = [next(given) if is_late else 0 for is_late in late]
        return [*answers, now] if ends else answers


async def without_given(pages: AsyncGenerator[Page], naming: Unlinking | Expiring) -> AsyncGenerator[Page]:
    """The same pages without the keys that end by the latest end that this run gives: they have one of its ends."""
    async with aclosing(pages):
        async for page in pages:
            if page.keys and isinstance(naming, Expiring):
                standing = await naming.still_there(page.keys)
                yield replace(page, keys=standing.there, moved=page.moved + standing.moved)
            else:
                yield page


def _is_for_some(error: ResponseError) -> bool:
    """Whether the refusal may be for some of the keys alone: for want of permission, or for their slots."""
    return is_of_key(error) or is_redirect(error) or str(error).startswith("CROSSSLOT")


def _is_unknown(error: ResponseError) -> bool:
    return "unknown command" in answer_text(error).lower()


def _of_those(
    keys: Sequence[bytes], answers: Sequence[Answer], command: str, pipe: Pipe, is_there: Callable[[int], bool]
) -> Standing:
    standing = Standing([], [])
    for key, answer in zip(keys, answers, strict=True):
        if isinstance(answer, ResponseError):
            if not _is_for_some(answer):
                raise Refused(command, answer, pipe.user)
            # Who may not ask for it can't have removed it.
            (standing.moved if is_redirect(answer) else standing.there).append(key)
        elif is_there(answer):
            standing.there.append(key)
    return standing
