"""What is to go is kept first: dumps of the keys, with the moment at which each would have expired."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import NamedTuple, TypeAlias, TypeVar

from redis.exceptions import ResponseError

from pymon_tui.invalidation.pipe import Answer, Pipe, pack, pack_all
from pymon_tui.invalidation.sweep import Page, Place, Refused
from pymon_tui.server.reasons import is_of_key

Dump: TypeAlias = tuple[bytes, int, bytes]
"""A key, its end in unix milliseconds (0 for none), and what DUMP gave for it."""

PORTION = 8 * 2**20
"""Bytes (MEMORY USAGE) of keys that are dumped at once, so that neither side holds many at a time."""

_UNKNOWN = PORTION // 64  # bytes that a key is taken for
_GONE = -2  # PTTL's answer for a key that isn't there
_TIME = pack(b"TIME")
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


class _Looked(NamedTuple):
    """A key, its end (unix ms, 0 for never) and the bytes it takes (``_UNKNOWN`` where the server doesn't tell)."""

    key: bytes
    end: int
    size: int


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
    async with aclosing(pages):
        async for page in pages:
            if not page.keys or is_full():
                yield Portion(page.keys, [], [], [], 0, page.protected, page.place, 0.0)
                continue
            looked, refused = await _looked_at(page.keys, pipe)
            gone = len(page.keys) - len(looked) - len(refused)
            oversized = [key for key, _, size in looked if size > key_cap]
            if oversized:
                yield Portion(oversized, [], oversized, [], 0, 0, None, 0.0)
            *earlier, last = _portions([one for one in looked if one.size <= key_cap], most)
            for some in earlier:
                yield await _dumped(some, pipe, None)
            # Those that stay are told of with the place behind them: a page that is cut off is looked at again.
            dumped = await _dumped(last, pipe, page.place)
            yield replace(dumped, refused=refused + dumped.refused, gone=gone + dumped.gone, protected=page.protected)


async def renewed(portion: Portion, pipe: Pipe) -> Portion:
    """The same keys, dumped anew.

    Raises:
        LinkError, Refused: As ``kept``.
    """
    looked, refused = await _looked_at(portion.keys, pipe)
    dumped = await _dumped(looked, pipe, portion.place)
    gone = len(portion.keys) - len(looked) - len(refused)
    return replace(
        dumped,
        refused=portion.refused + refused + dumped.refused,
        gone=portion.gone + gone + dumped.gone,
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


async def _looked_at(keys: list[bytes], pipe: Pipe) -> tuple[list[_Looked], list[bytes]]:
    """What is known of the keys that are there, and those that our user may not look at."""
    commands = (command for key in keys for command in ((b"PTTL", key), (b"MEMORY", b"USAGE", key)))
    now, *answers = await pipe.ask(_TIME + pack_all(commands), 1 + 2 * len(keys))
    if isinstance(now, ResponseError):
        raise Refused("TIME", now, pipe.user)
    clock = int(now[0]) * 1000 + int(now[1]) // 1000
    looked: list[_Looked] = []
    refused: list[bytes] = []
    for key, life, size in zip(keys, answers[::2], answers[1::2], strict=True):
        if isinstance(life, ResponseError):
            refused.append(_for_the_key(key, "PTTL", life, pipe))
        elif life != _GONE:
            looked.append(_Looked(key, clock + life if life >= 0 else 0, size if isinstance(size, int) else _UNKNOWN))
    return looked, refused


def _portions(looked: list[_Looked], most: int | None) -> Iterator[list[_Looked]]:
    """The keys in groups of at most ``PORTION`` bytes, or of one; at least one group, which may be empty."""
    some: list[_Looked] = []
    room = PORTION
    for one in looked:
        if some and (one.size > room or len(some) == most):
            yield some
            some, room = [], PORTION
        some.append(one)
        room -= one.size
    yield some


async def _dumped(some: list[_Looked], pipe: Pipe, place: Place | None) -> Portion:
    answers: list[Answer] = []
    dumped_at = time.monotonic()
    if some:
        answers = await pipe.ask(pack_all((b"DUMP", one.key) for one in some), len(some))
    dumps: list[Dump] = []
    refused: list[bytes] = []
    for (key, end, _), answer in zip(some, answers, strict=True):
        if isinstance(answer, ResponseError):
            refused.append(_for_the_key(key, "DUMP", answer, pipe))
        elif answer is not None:
            dumps.append((key, end, answer))
    gone = len(some) - len(dumps) - len(refused)
    return Portion([key for key, _, _ in dumps], dumps, [], refused, gone, 0, place, dumped_at)


def _for_the_key(key: bytes, command: str, error: ResponseError, pipe: Pipe) -> bytes:
    if not is_of_key(error):
        raise Refused(command, error, pipe.user)
    return key
