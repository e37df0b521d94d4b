"""What keys really take in memory: MEMORY USAGE's five samples of a collection tell little where its elements differ.

The server multiplies the mean of a collection's first elements by their number. For small collections as many samples
are asked for as they have elements; each larger one is asked about again, alone, with up to ``MOST_SAMPLES``: that
takes a fifth of the time of its DUMP, and half a millisecond at most.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from redis.exceptions import ResponseError

from pymon_tui.invalidation.pipe import Answer, Pipe, last_words, pack_each

USAGE = (b"MEMORY", b"USAGE")
SAMPLES = (b"SAMPLES", b"64")
"""Elements of every collection that are looked at: all, where an estimate of its size is below ``SURE``."""

SURE = 1_536
"""Bytes: 64 elements take more. What is estimated to be smaller was looked at as a whole."""

MOST_SAMPLES = 10_000
"""Elements of one collection that are looked at at most; of larger ones the first so many tell of the others."""

_LEAST = 24  # bytes that an element takes at least, with its place in the table
_AT_ONCE = 20_000  # elements that are looked at in one write: the server is held up for a millisecond
_TYPE = (b"TYPE",)
_STRING = b"string"


class Sizes:
    """Asks over one connection."""

    def __init__(self, pipe: Pipe) -> None:
        self._pipe = pipe
        self._tells_type: bool | None = None  # not asked yet

    async def of(self, keys: Sequence[bytes]) -> list[Answer]:
        """What MEMORY USAGE answers of each key, an error where it is refused and None where the key is gone.

        Raises:
            LinkError: If the link is lost.
        """
        words = last_words(keys)
        answers = await self._pipe.ask(pack_each([USAGE], words, SAMPLES), len(words)) if words else []
        return await self.checked(words, answers)

    async def checked(self, words: Sequence[bytes], answers: Sequence[Answer]) -> list[Answer]:
        """The answers to ``USAGE`` with ``SAMPLES``, those of larger collections replaced by what more samples tell.

        Args:
            words: The keys as ``last_words`` of commands.

        Raises:
            LinkError: If the link is lost.
        """
        sizes = list(answers)
        large = [place for place, size in enumerate(sizes) if isinstance(size, int) and size >= SURE]
        large = await self._without_strings(words, large)
        for some in _portions(large, sizes):
            asked = pack_each([USAGE], [words[place] for place in some], (b"SAMPLES", b"%d" % MOST_SAMPLES))
            for place, size in zip(some, await self._pipe.ask(asked, len(some)), strict=True):
                sizes[place] = sizes[place] if isinstance(size, ResponseError) else size
        return sizes

    async def _without_strings(self, words: Sequence[bytes], places: list[int]) -> list[int]:
        """Those that aren't strings, whose size is no estimate."""
        if places and self._tells_type is None:  # one alone first: each refusal is an entry in the ACL LOG
            (answer,) = await self._pipe.ask(pack_each([_TYPE], [words[places[0]]]), 1)
            self._tells_type = not isinstance(answer, ResponseError)
        if not places or not self._tells_type:
            return places
        types = await self._pipe.ask(pack_each([_TYPE], [words[place] for place in places]), len(places))
        return [place for place, type_ in zip(places, types, strict=True) if type_ != _STRING]


def _portions(places: Sequence[int], sizes: Sequence[Answer]) -> Iterator[list[int]]:
    """Groups that the server doesn't take long for."""
    some: list[int] = []
    elements = 0
    for place in places:
        size = sizes[place]
        few = min(MOST_SAMPLES, size // _LEAST) if isinstance(size, int) else MOST_SAMPLES
        if some and elements + few > _AT_ONCE:
            yield some
            some, elements = [], 0
        some.append(place)
        elements += few
    if some:
        yield some
