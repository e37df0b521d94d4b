"""What keys really take in memory: MEMORY USAGE's five samples of a collection tell little where its elements differ.

The server multiplies the mean of a collection's first elements by their number. For small collections as many samples
are asked for as they have elements; each larger one is asked about again, with up to ``MOST_SAMPLES``, which takes half
a millisecond at most. The first elements of a sorted set have the lowest scores, and tell nothing of the others: a
collection that by them is small enough to be dumped is looked at whole before it is, which takes a fifth of the time of
its DUMP.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from redis.exceptions import ResponseError

from pymon_tui.invalidation.packing import last_words, pack_each
from pymon_tui.invalidation.pipe import Answer, Pipe

USAGE = (b"MEMORY", b"USAGE")
FIVE, MORE = 192, 1_536
"""Bytes that five elements of a collection take at most, and 64: what is estimated to be smaller was looked at whole.

Five are looked at where nothing else is asked for; a command that asks for more costs the server a tenth of a
microsecond more, of any key.
"""

MOST_SAMPLES = 10_000
"""Elements of one collection that are looked at first; of those not looked at whole, so many tell of the others."""

WHOLE = 16 * 2**20
"""Bytes that a collection takes by its first elements up to which it is looked at whole, if not told otherwise."""

_SAMPLES, _ALL = (b"SAMPLES", b"64"), (b"SAMPLES", b"0")
_LEAST = 24  # bytes that an element takes at least, with its place in the table
_SEEN = MOST_SAMPLES * _LEAST  # bytes; a collection that takes less has no element that wasn't looked at
_AT_ONCE = 20_000  # elements that are looked at in one write: the server is held up for a millisecond
_TYPE = (b"TYPE",)
_STRING = b"string"


@dataclass(frozen=True, slots=True, eq=False)
class AskedSizes:
    """Keys that are asked about, as ``last_words`` of commands, and with which options."""

    words: Sequence[bytes]
    options: tuple[bytes, ...]
    answers: asyncio.Future[list[Answer]]


class Sizes:
    """Asks over one connection.

    Attributes:
        options: What to ask ``USAGE`` of the next keys with: for more samples where the last keys weren't tiny.
    """

    def __init__(self, pipe: Pipe, *, whole: int = WHOLE) -> None:
        """Ask over this connection; what by its first elements takes up to ``whole`` bytes is seen whole."""
        self.options: tuple[bytes, ...] = ()
        self._pipe = pipe
        self._whole = whole
        self._tells_type: bool | None = None  # not asked yet

    def ask(self, keys: Sequence[bytes]) -> AskedSizes:
        """Ask about these keys, of which there is at least one, now."""
        words, options = last_words(keys), self.options
        return AskedSizes(words, options, self._pipe.ask(pack_each([USAGE], words, options), len(words)))

    async def told(self, asked: AskedSizes) -> list[Answer]:
        """What MEMORY USAGE answers of each key, an error where it is refused and None where the key is gone.

        Raises:
            LinkError: If the link is lost.
        """
        return await self.checked(asked.words, await asked.answers, asked.options)

    async def checked(self, words: Sequence[bytes], answers: list[Answer], options: tuple[bytes, ...]) -> list[Answer]:
        """The answers to ``USAGE``, those of larger collections replaced by what more samples tell.

        Args:
            words: The keys as ``last_words`` of commands.
            options: What was asked with.

        Raises:
            LinkError: If the link is lost.
        """
        sure = MORE if options else FIVE
        if {*map(type, answers)} <= {int} and max(answers, default=0) < sure:  # type: ignore[type-var,operator]
            return answers
        sizes = list(answers)
        large = [place for place, size in enumerate(sizes) if isinstance(size, int) and size >= sure]
        self.options = _SAMPLES if large else self.options
        large = await self._without_strings(words, large)
        await self._look(words, large, sizes, (b"SAMPLES", b"%d" % MOST_SAMPLES))
        unseen = [place for place in large if _is_within(sizes[place], _SEEN, self._whole)]
        await self._look(words, unseen, sizes, _ALL)
        return sizes

    async def _look(
        self, words: Sequence[bytes], places: Sequence[int], sizes: list[Answer], options: tuple[bytes, ...]
    ) -> None:
        """Ask about the keys at these places with these options, and put what they take into ``sizes``."""
        for some in _portions(places, sizes, MOST_SAMPLES if options != _ALL else None):
            asked = pack_each([USAGE], [words[place] for place in some], options)
            for place, size in zip(some, await self._pipe.ask(asked, len(some)), strict=True):
                sizes[place] = sizes[place] if isinstance(size, ResponseError) else size

    async def _without_strings(self, words: Sequence[bytes], places: list[int]) -> list[int]:
        """Those that aren't strings, whose size is no estimate."""
        if places and self._tells_type is None:  # one alone first: each refusal is an entry in the ACL LOG
            (answer,) = await self._pipe.ask(pack_each([_TYPE], [words[places[0]]]), 1)
            self._tells_type = not isinstance(answer, ResponseError)
        if not places or not self._tells_type:
            return places
        types = await self._pipe.ask(pack_each([_TYPE], [words[place] for place in places]), len(places))
        return [place for place, type_ in zip(places, types, strict=True) if type_ != _STRING]


def _is_within(size: Answer, least: int, most: int) -> bool:
    return isinstance(size, int) and least <= size <= most


def _portions(places: Sequence[int], sizes: Sequence[Answer], most: int | None) -> Iterator[list[int]]:
    """Groups that the server doesn't take long for; ``most`` elements of each are looked at, None for all."""
    some: list[int] = []
    elements = 0
    for place in places:
        size = sizes[place]
        few = size // _LEAST if isinstance(size, int) else MOST_SAMPLES
        few = few if most is None else min(most, few)
        if some and elements + few > _AT_ONCE:
            yield some
            some, elements = [], 0
        some.append(place)
        elements += few
    if some:
        yield some
