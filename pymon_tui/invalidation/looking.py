"""What must be known of keys before they are dumped: that they are there, when they end, and that they aren't too big.

Nothing is done to one key alone: there are many of them, and their answers are mostly alike.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate, compress
from typing import Any

from redis.exceptions import ResponseError

from pymon_tui.invalidation.knowing import Knowledge
from pymon_tui.invalidation.packing import last_words, pack, pack_each
from pymon_tui.invalidation.pipe import Answer, Pipe
from pymon_tui.invalidation.redirect import is_redirect
from pymon_tui.invalidation.sizes import USAGE, WHOLE, Sizes
from pymon_tui.invalidation.sweep import Refused
from pymon_tui.invalidation.touched import UsedBefore, untouched
from pymon_tui.invalidation.trash_format import Used
from pymon_tui.readings.info import parse_info
from pymon_tui.readings.keyspace import parse_keyspace
from pymon_tui.server.reasons import is_of_key

UNKNOWN = 131_072
"""Bytes that a key is taken for where the server doesn't tell."""

_GONE, _NEVER = -2, -1  # PTTL's answers for a key that isn't there, and for one that doesn't end
_PLAIN = {int, bytes, type(None)}
_TIME, _KEYSPACE = pack(b"TIME"), pack(b"INFO", b"keyspace")
_PTTL, _PEXPIRETIME = (b"PTTL",), (b"PEXPIRETIME",)
_USES: dict[Used, tuple[bytes, ...]] = {"idle": (b"OBJECT", b"IDLETIME"), "freq": (b"OBJECT", b"FREQ")}


@dataclass(frozen=True, slots=True)
class TurnedAway:
    """Keys that our user may not touch, and those that another node of the cluster has or is about to get."""

    refused: list[bytes]
    moved: list[bytes]

    @property
    def count(self) -> int:
        """All of them."""
        return len(self.refused) + len(self.moved)


@dataclass(frozen=True, slots=True)
class Looks:
    """Keys that are there, column by column.

    Attributes:
        keys: In the order in which they were found.
        words: The same, each as the last word of a command on the line.
        ends: When each ends (unix ms), 0 for never.
        sizes: Bytes that each takes, ``UNKNOWN`` where the server doesn't tell.
        refused: Further keys, which our user may not look at.
        gone: How many more are gone.
        moved: Further keys, which another node of the cluster has by now, or is about to get.
        used: What ``uses`` tells; empty for nothing.
        uses: How each was used: seconds since its last use, or its LFU counter.
    """

    keys: Sequence[bytes]
    words: Sequence[bytes]
    ends: Sequence[int]
    sizes: Sequence[int]
    refused: list[bytes]
    gone: int
    moved: list[bytes] = field(default_factory=list)
    used: Used = ""
    uses: Sequence[int] = ()

    def where(self, wanted: Iterable[bool], *, turned_away: TurnedAway, gone: int) -> Looks:
        """Those of the keys that are wanted."""
        uses = self.uses or [0] * len(self.keys)
        rows = list(compress(zip(self.keys, self.words, self.ends, self.sizes, uses, strict=True), wanted))
        keys, words, ends, sizes, uses = zip(*rows, strict=True) if rows else ((), (), (), (), ())
        return Looks(keys, words, ends, sizes, turned_away.refused, gone, turned_away.moved, self.used, uses)

    def parted(self, most: int | None, size: int) -> tuple[Looks, Looks | None]:
        """The first keys, at most so many of at most ``size`` bytes, or one; and the others, None if that was all.

        Those that are refused, gone or moved are with the last.
        """
        if sum(self.sizes) <= size and (most is None or len(self.keys) <= most):
            return self, None
        count = bisect_right(list(accumulate(self.sizes)), size)
        count = max(1, count if most is None else min(count, most))
        if count >= len(self.keys):
            return self, None
        return replace(self._cut(None, count), refused=[], gone=0, moved=[]), self._cut(count, None)

    def smallest_first(self) -> Looks:
        """The same keys in the order of their sizes: each that goes makes room for the next."""
        order = sorted(range(len(self.keys)), key=self.sizes.__getitem__)
        return self._at(order)

    def _at(self, places: Sequence[int]) -> Looks:
        """The same, of the keys at these places alone."""
        return self._with([column and [column[place] for place in places] for column in self._columns])

    def _cut(self, begin: int | None, end: int | None) -> Looks:
        """The same, of the keys from one place to another alone."""
        return self._with([column[begin:end] for column in self._columns])

    @property
    def _columns(self) -> tuple[Sequence[Any], ...]:
        return self.keys, self.words, self.ends, self.sizes, self.uses

    def _with(self, columns: Sequence[Sequence[Any]]) -> Looks:
        keys, words, ends, sizes, uses = columns
        return replace(self, keys=keys, words=words, ends=ends, sizes=sizes, uses=uses)


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """Keys that are asked about.

    Attributes:
        lives: Whether each is asked for its own life, and ``ends`` whether as the moment at which it ends.
        used: What each is asked of its use.
        options: What each is asked for its size with.
    """

    keys: Sequence[bytes]
    words: Sequence[bytes]
    lives: bool
    ends: bool
    used: Used
    options: tuple[bytes, ...]
    answers: asyncio.Future[list[Answer]]


class Looking:
    """Asks about keys over one connection.

    No key is asked for its life where none in the database has one: a server that counts them (``INFO keyspace``) is
    asked for that count each time instead.
    """

    def __init__(
        self,
        pipe: Pipe,
        known: Knowledge,
        *,
        key_cap: int = WHOLE,
        touched: UsedBefore | None = None,
    ) -> None:
        """Ask over this connection; ``known`` is what its server tells, keys over ``key_cap`` bytes aren't dumped.

        ``touched`` are those that were dumped before, as ``UsedBefore``.
        """
        self._touched = touched or {}
        self._pipe = pipe
        self._known = known
        self._lives = self._tells = True  # as far as is known
        self._sizes = Sizes(pipe, whole=key_cap)

    def ask(self, keys: Sequence[bytes]) -> Look:
        """Ask about the keys, in one write."""
        words, lives, ends, used = last_words(keys), self._lives, self._known.ends is True, self._known.used or ""
        commands = [*([self._life] if lives else []), *([_USES[used]] if used else []), USAGE]
        # Who may not know is an entry in the ACL LOG each time it asks.
        first = _TIME.then(_KEYSPACE if self._tells else _TIME)
        options = self._sizes.options
        asked = self._pipe.ask(first.then(pack_each(commands, words, options)), 2 + len(commands) * len(keys))
        return Look(keys, words, lives, ends, used, options, asked)

    async def looks(self, look: Look) -> Looks:
        """What is known of the keys.

        Raises:
            LinkError: If the link is lost.
            Refused: If the server refuses PTTL or TIME for a reason that isn't one key's.
        """
        (now, keyspace, *rest), count = await look.answers, len(look.keys)
        self._tells = self._tells and isinstance(keyspace, bytes)
        self._lives = not self._is_without(keyspace)
        lives, rest = (rest[:count], rest[count:]) if look.lives else ([_NEVER] * count, rest)
        uses, sizes = (rest[:count], rest[count:]) if look.used else ([], rest)
        exact = look.ends
        keys_turned_away(look.keys, "PTTL", lives, self._pipe)
        await self._probe(look.keys, ends=lives.count(_NEVER) < count)
        late = not look.lives and self._lives  # a key was given a life since the question before
        if late or (look.lives and not exact and self._known.ends and lives.count(_NEVER) < count):
            now, *lives = await self._pipe.ask(_TIME.then(pack_each([self._life], look.words)), 1 + count)
            exact = self._known.ends is True
        if self._known.used and not look.used:
            uses = await self._pipe.ask(pack_each([_USES[self._known.used]], look.words), count)
        if isinstance(now, ResponseError):
            raise Refused("TIME", now, self._pipe.user)
        ends = [0] * count
        clean = {*map(type, lives)} <= {int} and _GONE not in lives
        if not clean or lives.count(_NEVER) < count:
            clock = 0 if exact else int(now[0]) * 1000 + int(now[1]) // 1000
            ends = [clock + life if isinstance(life, int) and life >= 0 else 0 for life in lives]
        sizes = await self._sizes.checked(look.words, sizes, look.options)
        if {*map(type, sizes)} - {int}:
            sizes = [size if isinstance(size, int) else UNKNOWN for size in sizes]
        if {*map(type, uses)} - {int}:
            uses = [use if isinstance(use, int) else 0 for use in uses]
        used: Used = (self._known.used or "") if uses else ""
        known: Sequence[int] = uses  # type: ignore[assignment]  # as just seen to
        known = untouched(look.keys, known, self._touched) if used == "idle" else known
        found = Looks(look.keys, look.words, ends, sizes, [], 0, [], used, known)  # type: ignore[arg-type]  # numbers
        return found if clean else self._there(found, lives)

    @property
    def _life(self) -> tuple[bytes, ...]:
        return _PEXPIRETIME if self._known.ends else _PTTL

    async def _probe(self, keys: Sequence[bytes], *, ends: bool) -> None:
        """Learn from one key whether our user may ask what the server knows; ``ends`` is whether any of them ends."""
        known = self._known
        if keys and ends and known.ends is None:
            answer = await self._pipe.ask_one(*_PEXPIRETIME, keys[0])
            if not _is_of_one_key(answer):
                known.ends = not isinstance(answer, ResponseError)
        if keys and known.used is None and known.may_tell:
            answer = await self._pipe.ask_one(*_USES[known.may_tell], keys[0])
            if not _is_of_one_key(answer):
                known.used = "" if isinstance(answer, ResponseError) else known.may_tell

    def _there(self, found: Looks, lives: Sequence[Answer]) -> Looks:
        turned_away = keys_turned_away(found.keys, "PTTL", lives, self._pipe)
        there = [isinstance(life, int) and life != _GONE for life in lives]
        return found.where(there, turned_away=turned_away, gone=there.count(False) - turned_away.count)

    def _is_without(self, keyspace: Answer) -> bool:
        """Whether no key of the database has a life, by the server's own count."""
        if not isinstance(keyspace, bytes):
            return False
        try:
            databases = parse_keyspace(parse_info(keyspace)).databases
        except ValueError:  # it doesn't tell
            return False
        return any(each.index == self._pipe.endpoint.db and each.expires == 0 for each in databases)


def _is_of_one_key(answer: Answer) -> bool:
    return isinstance(answer, ResponseError) and (is_of_key(answer) or is_redirect(answer))


def keys_turned_away(keys: Sequence[bytes], command: str, answers: Sequence[Answer], pipe: Pipe) -> TurnedAway:
    """The keys that the answers refuse, and those that they say another node has.

    Raises:
        Refused: If one of them isn't for its key's sake.
    """
    turned_away = TurnedAway([], [])
    if {*map(type, answers)} <= _PLAIN:  # none is turned away
        return turned_away
    for key, answer in zip(keys, answers, strict=True):
        if isinstance(answer, ResponseError):
            if is_redirect(answer):
                turned_away.moved.append(key)
            elif is_of_key(answer):
                turned_away.refused.append(key)
            else:
                raise Refused(command, answer, pipe.user)
    return turned_away
