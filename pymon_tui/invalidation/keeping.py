"""What is to go is kept first: dumps of the keys, with the moment at which each would have expired."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import TypeAlias, TypeVar

from redis.exceptions import ResponseError

from pymon_tui.invalidation.pipe import Answer, Pipe, pack, pack_each
from pymon_tui.invalidation.sweep import Page, Place, Refused
from pymon_tui.server.reasons import is_of_key

Dump: TypeAlias = tuple[bytes, int, bytes]
"""A key, its end in unix milliseconds (0 for none), and what DUMP gave for it."""

PORTION = 8 * 2**20
"""Bytes (MEMORY USAGE) of keys that are dumped at once, so that neither side holds many at a time."""

_UNKNOWN = PORTION // 64  # bytes that a key is taken for
_GONE = -2  # PTTL's answer for a key that isn't there
_TIME, _LOOK = pack(b"TIME"), ((b"PTTL",), (b"MEMORY", b"USAGE"))
T = TypeVar("T")

FRESH = 2.0
"""Seconds after which a dump is made anew before its key goes: an undo brings back what was there when it went."""


@dataclass(frozen=True, slots=True, eq=False)
class Portion:
    """Keys that are to go next.

    Attributes:
        keys: What is to be named.
        dumps: What is to be in the trash before: of all of the keys, or of none where they are too big or it is full.
        oversized: Those keys.
        refused: Keys that can't be kept because our user may not read them; they stay.
        gone: How many more were gone before they could be kept.
        protected: How many more matched and are protected.
        place: Where the pass goes on after them; None while more of the same page follows.
        dumped_at: When the dumps were asked for, in monotonic seconds; 0 where there is none.
    """

    keys: list[bytes]
    dumps: list[Dump]
    oversized: list[bytes]
    refused: list[bytes]
    gone: int
    protected: int
    place: Place | None
    dumped_at: float


@dataclass(frozen=True, slots=True, eq=False)
class _Looks:
    """Keys that are there, column by column: there are many of them, and nothing is done to one alone.

    Attributes:
        keys: In the order in which they were found.
        ends: When each ends (unix ms), 0 for never.
        sizes: Bytes that each takes, ``_UNKNOWN`` where the server doesn't tell.
        refused: Further keys, which our user may not look at.
        gone: How many more are gone.
    """

    keys: list[bytes]
    ends: list[int]
    sizes: list[int]
    refused: list[bytes]
    gone: int

    @property
    def rows(self) -> Iterator[tuple[bytes, int, int]]:
        """Each key with its end and its size."""
        return zip(self.keys, self.ends, self.sizes, strict=True)


async def unkept(pages: AsyncGenerator[Page]) -> AsyncGenerator[Portion]:
    """Each page as it is, for a run that can't be taken back."""
    async with aclosing(pages):
        async for page in pages:
            yield Portion(page.keys, [], [], [], 0, page.protected, page.place, 0.0)


async def kept(
    pages: AsyncGenerator[Page], pipe: Pipe, key_cap: int, most: int | None, is_full: Callable[[], bool]
) -> AsyncGenerator[Portion]:
    """Each page with what must be kept of it, in portions that neither side finds hard to hold.

    Args:
        key_cap: Bytes above which a key isn't kept.
        most: Keys of a portion, where a rate is to be kept: none is dumped long before its turn. None for any.
        is_full: Whether there is no room any more: then nothing is looked at or dumped.

    Raises:
        LinkError: If the link is lost.
        Refused: If the server refuses DUMP, PTTL or TIME for a reason that isn't one key's.
    """
    async with aclosing(ahead(_asked(pages, pipe, is_full), 1)) as asked:
        async for page, answers in asked:
            if answers is None:
                yield Portion(page.keys, [], [], [], 0, page.protected, page.place, 0.0)
                continue
            looks = _looks(page.keys, await answers, pipe)
            if max(looks.sizes, default=0) > key_cap:
                oversized = [key for key, _, size in looks.rows if size > key_cap]
                looks = _columns((row for row in looks.rows if row[2] <= key_cap), looks.refused, looks.gone)
                yield Portion(oversized, [], oversized, [], 0, 0, None, 0.0)
            *earlier, last = _portions(looks, most)
            for some in earlier:
                yield await _dumped(some, pipe, None)
            # Those that stay are told of with the place behind them: a page that is cut off is looked at again.
            yield replace(await _dumped(last, pipe, page.place), protected=page.protected)


async def _asked(
    pages: AsyncGenerator[Page], pipe: Pipe, is_full: Callable[[], bool]
) -> AsyncGenerator[tuple[Page, asyncio.Future[list[Answer]] | None]]:
    """Each page with the answers to come; the server goes from one to the next while we read what it told."""
    async with aclosing(pages):
        async for page in pages:
            yield page, _ask(page.keys, pipe) if page.keys and not is_full() else None


async def renewed(portion: Portion, pipe: Pipe) -> Portion:
    """The same keys, dumped anew.

    Raises:
        LinkError, Refused: As ``kept``.
    """
    dumped = await _dumped(await _looked_at(portion.keys, pipe), pipe, portion.place)
    return replace(
        dumped,
        refused=portion.refused + dumped.refused,
        gone=portion.gone + dumped.gone,
        protected=portion.protected,
    )


async def ahead(items: AsyncGenerator[T], room: int) -> AsyncGenerator[T]:
    """The same items, made in a task of their own up to ``room`` items before they are wanted."""
    queue: asyncio.Queue[tuple[T] | None] = asyncio.Queue(room)

    async def fill() -> None:
        try:
            async with aclosing(items):
                async for item in items:
                    await queue.put((item,))
        finally:
            await queue.put(None)

    filling = asyncio.create_task(fill())
    try:
        while (item := await queue.get()) is not None:
            yield item[0]
        await filling  # raises what ended it
    finally:
        filling.cancel()
        while not queue.empty():
            queue.get_nowait()  # who fills it would wait for ever to put its last item into a full one
        await asyncio.gather(filling, return_exceptions=True)


async def _looked_at(keys: list[bytes], pipe: Pipe) -> _Looks:
    return _looks(keys, await _ask(keys, pipe), pipe)


def _ask(keys: list[bytes], pipe: Pipe) -> asyncio.Future[list[Answer]]:
    return pipe.ask(_TIME + pack_each(_LOOK, keys), 1 + len(_LOOK) * len(keys))


def _looks(keys: list[bytes], answers: list[Answer], pipe: Pipe) -> _Looks:
    now, lives, sizes = answers[0], answers[1 : len(keys) + 1], answers[len(keys) + 1 :]
    if isinstance(now, ResponseError):
        raise Refused("TIME", now, pipe.user)
    clock = int(now[0]) * 1000 + int(now[1]) // 1000
    known: list[int] = [size if isinstance(size, int) else _UNKNOWN for size in sizes]
    if {*map(type, lives)} == {int} and _GONE not in lives:
        return _Looks(keys, _ends(lives, clock), known, [], 0)
    refused = _refused(keys, "PTTL", lives, pipe)
    rows = zip(keys, _ends(lives, clock), known, strict=True)
    there = [row for row, life in zip(rows, lives, strict=True) if isinstance(life, int) and life != _GONE]
    return _columns(there, refused, len(keys) - len(there) - len(refused))


def _ends(lives: Iterable[Answer], clock: int) -> list[int]:
    return [clock + life if isinstance(life, int) and life >= 0 else 0 for life in lives]


def _columns(rows: Iterable[tuple[bytes, int, int]], refused: list[bytes], gone: int) -> _Looks:
    looks = _Looks([], [], [], refused, gone)
    for key, end, size in rows:
        looks.keys.append(key)
        looks.ends.append(end)
        looks.sizes.append(size)
    return looks


def _portions(looks: _Looks, most: int | None) -> Iterator[_Looks]:
    """The keys in groups of at most ``PORTION`` bytes, or of one; at least one group, which may be empty.

    The last has those that are refused or gone as well.
    """
    if sum(looks.sizes) <= PORTION and (most is None or len(looks.keys) <= most):
        yield looks
        return
    begin, room = 0, PORTION
    for place, size in enumerate(looks.sizes):
        if place > begin and (size > room or place - begin == most):
            yield _Looks(looks.keys[begin:place], looks.ends[begin:place], looks.sizes[begin:place], [], 0)
            begin, room = place, PORTION
        room -= size
    yield _Looks(looks.keys[begin:], looks.ends[begin:], looks.sizes[begin:], looks.refused, looks.gone)


async def _dumped(looks: _Looks, pipe: Pipe, place: Place | None) -> Portion:
    keys = looks.keys
    dumped_at = time.monotonic()
    answers = await pipe.ask(pack_each([(b"DUMP",)], keys), len(keys)) if keys else []
    dumps: list[Dump] = list(zip(keys, looks.ends, answers, strict=True))  # type: ignore[arg-type]  # looked at below
    refused: list[bytes] = []
    if {*map(type, answers)} != {bytes}:
        refused = _refused(keys, "DUMP", answers, pipe)
        dumps = [dump for dump, answer in zip(dumps, answers, strict=True) if isinstance(answer, bytes)]
        keys = [key for key, _, _ in dumps]
    gone = looks.gone + len(looks.keys) - len(keys) - len(refused)
    return Portion(keys, dumps, [], looks.refused + refused, gone, 0, place, dumped_at)


def _refused(keys: Sequence[bytes], command: str, answers: Sequence[Answer], pipe: Pipe) -> list[bytes]:
    """The keys that the answers refuse.

    Raises:
        Refused: If one of them isn't for its key's sake.
    """
    refused = []
    for key, answer in zip(keys, answers, strict=True):
        if isinstance(answer, ResponseError):
            if not is_of_key(answer):
                raise Refused(command, answer, pipe.user)
            refused.append(key)
    return refused
