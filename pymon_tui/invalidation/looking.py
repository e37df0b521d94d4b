"""What must be known of keys before they are dumped: that they are there, when they end, and that they aren't too big.

Nothing is done to one key alone: there are many of them, and their answers are mostly alike.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate, compress

from redis.exceptions import ResponseError

from pymon_tui.invalidation.pipe import Answer, Pipe, last_words, pack, pack_each
from pymon_tui.invalidation.redirect import is_redirect
from pymon_tui.invalidation.sizes import USAGE, Sizes
from pymon_tui.invalidation.sweep import Refused
from pymon_tui.readings.info import parse_info
from pymon_tui.readings.keyspace import parse_keyspace
from pymon_tui.server.reasons import is_of_key

UNKNOWN = 131_072
"""Bytes that a key is taken for where the server doesn't tell."""

_GONE, _NEVER = -2, -1  # PTTL's answers for a key that isn't there, and for one that doesn't end
_TIME, _KEYSPACE = pack(b"TIME"), pack(b"INFO", b"keyspace")
_PTTL = (b"PTTL",)


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
    """

    keys: Sequence[bytes]
    words: Sequence[bytes]
    ends: Sequence[int]
    sizes: Sequence[int]
    refused: list[bytes]
    gone: int
    moved: list[bytes] = field(default_factory=list)

    def where(self, wanted: Iterable[bool], *, turned_away: TurnedAway, gone: int) -> Looks:
        """Those of the keys that are wanted."""
        rows = list(compress(zip(self.keys, self.words, self.ends, self.sizes, strict=True), wanted))
        keys, words, ends, sizes = zip(*rows, strict=True) if rows else ((), (), (), ())
        return Looks(keys, words, ends, sizes, turned_away.refused, gone, turned_away.moved)

    def parted(self, most: int | None, size: int) -> tuple[Looks, Looks | None]:
        """The first keys, at most so many of at most ``size`` bytes, or one; and the others, None if that was all.

        Those that are refused, gone or moved are with the last.
        """
        if sum(self.sizes) <= size and (most is None or len(self.keys) <= most):
            return self, None
        count = next((place for place, bytes_ in enumerate(accumulate(self.sizes)) if bytes_ > size), len(self.keys))
        count = max(1, count if most is None else min(count, most))
        if count >= len(self.keys):
            return self, None
        first, rest = slice(count), slice(count, None)
        others = replace(
            self, keys=self.keys[rest], words=self.words[rest], ends=self.ends[rest], sizes=self.sizes[rest]
        )
        return Looks(self.keys[first], self.words[first], self.ends[first], self.sizes[first], [], 0), others

    def smallest_first(self) -> Looks:
        """The same keys in the order of their sizes: each that goes makes room for the next."""
        order = sorted(range(len(self.keys)), key=self.sizes.__getitem__)
        return replace(
            self,
            keys=[self.keys[place] for place in order],
            words=[self.words[place] for place in order],
            ends=[self.ends[place] for place in order],
            sizes=[self.sizes[place] for place in order],
        )


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """Keys that are asked about; ``lives`` is whether each is asked for its own, ``options`` what for its size."""

    keys: Sequence[bytes]
    words: Sequence[bytes]
    lives: bool
    options: tuple[bytes, ...]
    answers: asyncio.Future[list[Answer]]


class Looking:
    """Asks about keys over one connection.

    No key is asked for its life where none in the database has one: a server that counts them (``INFO keyspace``) is
    asked for that count each time instead.
    """

    def __init__(self, pipe: Pipe) -> None:
        self._pipe = pipe
        self._lives = self._tells = True  # as far as is known
        self._sizes = Sizes(pipe)

    def ask(self, keys: Sequence[bytes]) -> Look:
        """Ask about the keys, in one write."""
        words, lives = last_words(keys), self._lives
        commands = (_PTTL, USAGE) if lives else (USAGE,)
        # Who may not know is an entry in the ACL LOG each time it asks.
        first = _TIME + (_KEYSPACE if self._tells else _TIME)
        options = self._sizes.options
        packed = first + pack_each(commands, words, options)
        return Look(keys, words, lives, options, self._pipe.ask(packed, 2 + len(commands) * len(keys)))

    async def looks(self, look: Look) -> Looks:
        """What is known of the keys.

        Raises:
            LinkError: If the link is lost.
            Refused: If the server refuses PTTL or TIME for a reason that isn't one key's.
        """
        (now, keyspace, *rest), count = await look.answers, len(look.keys)
        self._tells = self._tells and isinstance(keyspace, bytes)
        self._lives = not self._is_without(keyspace)
        if look.lives:
            lives, sizes = rest[:count], rest[count:]
        elif self._lives:  # since the question before
            sizes = rest
            now, *lives = await self._pipe.ask(_TIME + pack_each([_PTTL], look.words), 1 + count)
        else:
            lives, sizes = [_NEVER] * count, rest
        if isinstance(now, ResponseError):
            raise Refused("TIME", now, self._pipe.user)
        ends = [0] * count
        clean = {*map(type, lives)} <= {int} and _GONE not in lives
        if not clean or lives.count(_NEVER) < count:
            clock = int(now[0]) * 1000 + int(now[1]) // 1000
            ends = [clock + life if isinstance(life, int) and life >= 0 else 0 for life in lives]
        sizes = await self._sizes.checked(look.words, sizes, look.options)
        if {*map(type, sizes)} - {int}:
            sizes = [size if isinstance(size, int) else UNKNOWN for size in sizes]
        found = Looks(look.keys, look.words, ends, sizes, [], 0)  # type: ignore[arg-type]  # they are whole numbers now
        return found if clean else self._there(found, lives)

    def _there(self, found: Looks, lives: Sequence[Answer]) -> Looks:
        turned_away = keys_turned_away(found.keys, "PTTL", lives, self._pipe)
        there = [isinstance(life, int) and life != _GONE for life in lives]
        return found.where(there, turned_away=turned_away, gone=there.count(False) - turned_away.count)

    def _is_without(self, keyspace: Answer) -> bool:
        """Whether no key of the database has a life, by the server's own count."""
        if not isinstance(keyspace, bytes):
            return False
        databases = parse_keyspace(parse_info(keyspace)).databases
        return any(each.index == self._pipe.endpoint.db and each.expires == 0 for each in databases)


def keys_turned_away(keys: Sequence[bytes], command: str, answers: Sequence[Answer], pipe: Pipe) -> TurnedAway:
    """The keys that the answers refuse, and those that they say another node has.

    Raises:
        Refused: If one of them isn't for its key's sake.
    """
    turned_away = TurnedAway([], [])
    for key, answer in zip(keys, answers, strict=True):
        if isinstance(answer, ResponseError):
            if is_redirect(answer):
                turned_away.moved.append(key)
            elif is_of_key(answer):
                turned_away.refused.append(key)
            else:
                raise Refused(command, answer, pipe.user)
    return turned_away
