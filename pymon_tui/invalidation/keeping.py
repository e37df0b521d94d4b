"""What is to go is kept first: dumps of the keys, with the moment at which each would have expired."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from pymon_tui.invalidation.ahead import ahead, ready
from pymon_tui.invalidation.headroom import Headroom
from pymon_tui.invalidation.knowing import knowledge_of
from pymon_tui.invalidation.looking import Look, Looking, Looks, TurnedAway, keys_turned_away
from pymon_tui.invalidation.packing import pack_each
from pymon_tui.invalidation.pipe import Answer, Pipe
from pymon_tui.invalidation.sweep import Page, Place
from pymon_tui.invalidation.touched import UsedBefore
from pymon_tui.invalidation.trash_format import Used
from pymon_tui.server import clock

Dump: TypeAlias = tuple[bytes, int, bytes]
"""A key, its end in unix milliseconds (0 for none), and what DUMP gave for it."""


_PAGES = 8  # that are found before they are wanted
_IN_FLIGHT = 2  # portions whose dumps are asked for before they are wanted

FRESH = 2.0
"""Seconds after which a dump is made anew before its key goes: an undo brings back what was there when it went."""


@dataclass(frozen=True, slots=True, eq=False)
class Portion:
    """Keys that are to go next.

    Attributes:
        keys: What is to be named.
        dumps: What is to be in the trash before: of all of the keys, or of none where they are too big or don't fit.
        oversized: Those of them that are too big, however much room there is.
        refused: Keys that can't be kept because our user may not read them; they stay.
        gone: How many more were gone before they could be kept.
        protected: How many more matched and are protected.
        place: Where the pass goes on after them; None while more of the same page follows.
        dumped_at: When the dumps were asked for, in monotonic seconds; 0 where there is none.
        moved: Keys that another node of the cluster has by now, or is about to get; they stay here.
        used: What is known of how each of the dumped keys was used; empty for nothing.
        uses: That, for each of them.
        sizes: Bytes that each of them takes on the server; empty where they weren't looked at.
        words: The keys as ``last_words`` of commands, where they are at hand; else empty.
    """

    keys: list[bytes]
    dumps: list[Dump] = field(default_factory=list)
    oversized: list[bytes] = field(default_factory=list)
    refused: list[bytes] = field(default_factory=list)
    gone: int = 0
    protected: int = 0
    place: Place | None = None
    dumped_at: float = 0.0
    moved: list[bytes] = field(default_factory=list)
    used: Used = ""
    uses: Sequence[int] = ()
    sizes: Sequence[int] = ()
    words: Sequence[bytes] = ()

    def kept_first(self, kept: Sequence[int]) -> Portion:
        """The same keys, those at these places in front: they are in the trash, and the others don't fit."""
        places = set(kept)
        order = [*kept, *(place for place in range(len(self.keys)) if place not in places)]
        sizes = [self.sizes[place] for place in order if self.sizes]
        return replace(self, keys=[self.keys[place] for place in order], sizes=sizes, words=())


async def unkept(pages: AsyncGenerator[Page]) -> AsyncGenerator[Portion]:
    """Each page as it is, for a run that can't be taken back."""
    async with aclosing(pages):
        async for page in pages:
            yield _as_it_is(page)


async def gathered(pages: AsyncGenerator[Page], enough: Callable[[], int]) -> AsyncGenerator[Page]:
    """The same keys in fewer pages: those that are there already make one, of about as many keys as are ``enough``.

    No page waits for another one: while much is on its way, more of them come before the last are taken.
    """
    async with aclosing(ready(pages, _PAGES)) as several:
        async for some in several:
            keys: list[bytes] = []
            moved: list[bytes] = []
            protected = 0
            for place, page in enumerate(some, start=1):
                keys += page.keys
                moved += page.moved
                protected += page.protected
                if len(keys) >= enough() or place == len(some):
                    yield Page(keys, protected, page.place, moved)
                    keys, moved, protected = [], [], 0


async def kept(
    pages: AsyncGenerator[Page],
    pipe: Pipe,
    key_cap: int,
    most: int | None,
    least: Callable[[], float],
    headroom: Headroom,
    touched: UsedBefore | None = None,
) -> AsyncGenerator[Portion]:
    """Each page with what must be kept of it, in portions that neither side finds hard to hold.

    The server goes from one to the next while we read what it told; where it has little room, one at a time.

    Args:
        key_cap: Bytes above which a key isn't kept.
        most: Keys of a portion, where a rate is to be kept: none is dumped long before its turn. None for any.
        least: Bytes of the smallest key that there is no room for any more: as large ones aren't dumped; 0 where
            nothing has room, and nothing is looked at.
        headroom: Bytes that the server may hold of the answers.
        touched: Keys that were dumped for the plan, as ``UsedBefore``.

    Raises:
        Cancelled: If nobody wants it any more.
        LinkError: If the link is lost.
        NoRoom: If the server has no room for one key's dump, and doesn't come to have it.
        Refused: If the server refuses DUMP, PTTL or TIME for a reason that isn't one key's.
    """
    looking = Looking(pipe, await knowledge_of(pipe), key_cap=key_cap, touched=touched)
    dumping = _dumping(ahead(_asked(pages, looking, least), 1), looking, pipe, key_cap, least, most, headroom)
    async with aclosing(ahead(dumping, _IN_FLIGHT)) as portions:
        async for portion in portions:
            yield await _dumped(portion, pipe) if isinstance(portion, _Dumping) else portion


async def renewed(portion: Portion, pipe: Pipe) -> Portion:
    """The same keys, dumped anew.

    Raises:
        LinkError, Refused: As ``kept``.
    """
    looking = Looking(pipe, await knowledge_of(pipe))
    looks = await looking.looks(looking.ask(portion.keys))
    anew = await _dumped(_dump(replace(portion, gone=portion.gone + looks.gone), looks, pipe), pipe)
    # The dump before may have been the last use of the key.
    before = dict(zip(portion.keys, portion.uses, strict=False))
    return replace(anew, uses=[before.get(key, use) for key, use in zip(anew.keys, anew.uses, strict=False)])


@dataclass(frozen=True, slots=True, eq=False)
class _Dumping:
    """A portion whose dumps are on their way; ``answers`` is None where there is no key to dump."""

    portion: Portion
    looks: Looks
    answers: asyncio.Future[list[Answer]] | None


async def _asked(
    pages: AsyncGenerator[Page], looking: Looking, least: Callable[[], float]
) -> AsyncGenerator[tuple[Page, Look | None]]:
    """Each page with the answers to come, if it is looked at."""
    async with aclosing(pages):
        async for page in pages:
            yield page, looking.ask(page.keys) if page.keys and least() else None


async def _dumping(
    asked: AsyncGenerator[tuple[Page, Look | None]],
    looking: Looking,
    pipe: Pipe,
    key_cap: int,
    least: Callable[[], float],
    most: int | None,
    headroom: Headroom,
) -> AsyncGenerator[Portion | _Dumping]:
    """The portions of each page, their dumps asked for."""
    async with aclosing(asked):
        async for page, look in asked:
            if look is None:
                yield _as_it_is(page)
                continue
            looks = await looking.looks(look)
            unkept: list[bytes] = []
            sizes: list[int] = []
            oversized: list[bytes] = []
            if max(looks.sizes, default=0) >= (bound := min(key_cap + 1, least())):
                unkept = [key for key, size in zip(looks.keys, looks.sizes, strict=True) if size >= bound]
                sizes = [size for size in looks.sizes if size >= bound]
                oversized = [key for key, size in zip(looks.keys, looks.sizes, strict=True) if size > key_cap]
                turned_away = TurnedAway(looks.refused, looks.moved)
                looks = looks.where([size < bound for size in looks.sizes], turned_away=turned_away, gone=looks.gone)
            async for some, is_last in _fitting(looks, most, headroom):
                rest = _rest_of(page, gone=some.gone)
                dumping = _dump(rest if is_last and not unkept else Portion([], gone=some.gone), some, pipe)
                if dumping.answers is not None:
                    await headroom.drained(dumping.answers, max(some.sizes))
                yield dumping
            if unkept:  # after those that can be kept, as a person may be asked about them
                yield replace(_rest_of(page), keys=unkept, oversized=oversized, sizes=sizes)


def _rest_of(page: Page, *, gone: int = 0) -> Portion:
    """What the last portion of a page tells of those that stay: a page that is cut off is looked at again."""
    return Portion([], gone=gone, protected=page.protected, place=page.place, moved=page.moved)


async def _fitting(looks: Looks, most: int | None, headroom: Headroom) -> AsyncGenerator[tuple[Looks, bool]]:
    """The keys in portions that the server has room for when each is asked for, and whether one is the last."""
    looks = looks.smallest_first() if headroom.is_tight else looks
    rest: Looks | None = looks
    while rest is not None:
        portion = await headroom.portion(rest.sizes[0] if rest.sizes else 0)
        some, rest = rest.parted(most, portion)
        yield some, rest is None


def _as_it_is(page: Page) -> Portion:
    return Portion(page.keys, protected=page.protected, place=page.place, moved=page.moved)


def _dump(portion: Portion, looks: Looks, pipe: Pipe) -> _Dumping:
    """Ask for the dumps of a portion's keys."""
    answers = pipe.ask(pack_each([(b"DUMP",)], looks.words), len(looks.words)) if looks.words else None
    return _Dumping(replace(portion, dumped_at=clock.now()), looks, answers)


async def _dumped(dumping: _Dumping, pipe: Pipe) -> Portion:
    """The portion with its dumps."""
    portion, looks = dumping.portion, dumping.looks
    answers = await dumping.answers if dumping.answers is not None else []
    keys, refused, gone = list(looks.keys), portion.refused + looks.refused, portion.gone
    moved = portion.moved + looks.moved
    rows, uses, sizes = zip(keys, looks.ends, answers, strict=True), looks.uses, looks.sizes
    if {*map(type, answers)} == {bytes}:
        dumps: list[Dump] = list(rows)  # type: ignore[arg-type]  # just looked at
    else:
        turned_away = keys_turned_away(keys, "DUMP", answers, pipe)
        dumps = [(key, end, answer) for key, end, answer in rows if isinstance(answer, bytes)]
        uses = [use for use, answer in zip(uses, answers, strict=False) if isinstance(answer, bytes)]
        sizes = [size for size, answer in zip(sizes, answers, strict=True) if isinstance(answer, bytes)]
        gone += len(keys) - len(dumps) - turned_away.count
        keys, refused, moved = [key for key, _, _ in dumps], refused + turned_away.refused, moved + turned_away.moved
    return Portion(
        keys,
        dumps,
        oversized=portion.oversized,
        refused=refused,
        gone=gone,
        protected=portion.protected,
        place=portion.place,
        dumped_at=portion.dumped_at,
        moved=moved,
        used=looks.used,
        uses=uses,
        sizes=sizes,
        words=looks.words if len(keys) == len(looks.words) else (),
    )
