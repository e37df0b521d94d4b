"""The keys of one pattern, some at a time as somebody reads on, each with its type, time to live and size."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from time import monotonic
from types import TracebackType
from typing import Self

from redis.exceptions import ResponseError

from pymon_tui.invalidation.facts import Facts
from pymon_tui.invalidation.filters import Filters
from pymon_tui.invalidation.pattern import Pattern
from pymon_tui.invalidation.pipe import Pipe, open_pipe
from pymon_tui.invalidation.sampling import Sample
from pymon_tui.invalidation.selection import Selection
from pymon_tui.invalidation.sweep import Page, Sweep
from pymon_tui.model.text import SafeText, safe
from pymon_tui.server.endpoint import Endpoint
from pymon_tui.server.reasons import gap, is_of_key

AT_ONCE = 200
"""Keys that one `Browsing.more` gives at most."""
SECONDS = 2.0
"""How long one `Browsing.more` looks for them."""
MOST = 10_000
"""Keys that are listed at most."""

_REST = 0.005  # seconds between two pages of SCAN, of which each takes the server one or two milliseconds


@dataclass(frozen=True, slots=True)
class BrowsingProgress:
    """How far the listing has come.

    Attributes:
        scanned: Keys looked at, about; never more than ``total``.
        total: Keys in the database; None where the server doesn't tell.
        listed: Keys handed out.
        ended: Whether there are no more.
        capped: Whether there may be more, but ``MOST`` were listed.
    """

    scanned: int
    total: int | None
    listed: int
    ended: bool
    capped: bool


@dataclass(frozen=True, slots=True)
class KeyFacts:
    """What the server tells of one key, but for its value; the encoding as OBJECT ENCODING says, None if unknown."""

    sample: Sample
    encoding: SafeText | None


class Browsing:
    """A listing on a connection of its own, which is open inside ``async with``.

    Nothing is asked but when ``more`` or ``facts`` are called, and nothing counts as use of a key.

    Raises:
        LinkError: On entering, if there is no connection.
    """

    def __init__(self, endpoint: Endpoint, pattern: Pattern) -> None:
        self._endpoint = endpoint
        self._pattern = pattern
        self._total: int | None = None
        self._listed: set[bytes] = set()
        self._waiting: deque[bytes] = deque()
        self._exhausted = self._capped = False
        self._encodings = True

    async def __aenter__(self) -> Self:
        self._pipe: Pipe = await open_pipe(self._endpoint)
        size = await self._pipe.ask_one(b"DBSIZE")
        self._total = size if isinstance(size, int) else None
        self._facts = Facts(self._pipe)
        self._sweep = Sweep(self._pipe, Selection((self._pattern,), Filters(), (), max_keys=MOST, every=True))
        self._pages: AsyncGenerator[Page] = self._sweep.pages()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._pages.aclose()
        await self._pipe.close()

    @property
    def progress(self) -> BrowsingProgress:
        """How far it has come by now."""
        ended = self._exhausted and not self._capped and not self._waiting
        scanned = self._sweep.scanned if self._total is None else min(self._sweep.scanned, self._total)
        return BrowsingProgress(
            scanned=self._total if ended and self._total is not None else scanned,
            total=self._total,
            listed=len(self._listed) - len(self._waiting),
            ended=ended,
            capped=self._capped and not self._waiting,
        )

    @property
    def refusals(self) -> Sequence[SafeText]:
        """What is unknown of every key, why, and what to do about it, a line each."""
        return tuple(self._facts.refusals)

    async def more(self) -> tuple[Sample, ...]:
        """The next keys, each once: at most ``AT_ONCE``, fewer where no more were found in ``SECONDS``.

        Raises:
            LinkError: If the link is lost.
            Refused: If the server refuses SCAN.
        """
        began = monotonic()
        while len(self._waiting) < AT_ONCE and not self._exhausted and not self._capped:
            await self._look()
            if monotonic() - began >= SECONDS:
                break
            await asyncio.sleep(_REST)
        some = [self._waiting.popleft() for _ in range(min(AT_ONCE, len(self._waiting)))]
        return tuple(await self._facts.ask(some))

    async def facts(self, key: bytes) -> KeyFacts:
        """What is known of one key by now.

        Raises:
            LinkError: If the link is lost.
        """
        (sample,) = await self._facts.ask([key])
        return KeyFacts(sample, await self._encoding(key))

    async def _look(self) -> None:
        """Take the keys of one more page."""
        only = self._pattern.only_key
        if only is not None:
            self._exhausted = True
            found = [only] if await self._pipe.ask_one(b"TYPE", only) not in (b"none", "none") else []
        else:
            page = await anext(self._pages, None)
            self._exhausted = page is None or page.place.pattern > 0
            found = page.keys if page is not None else []
        # While the server's table is rehashed, SCAN may show a key again.
        fresh = [key for key in found if key not in self._listed]
        some = fresh[: MOST - len(self._listed)]
        self._capped = len(some) < len(fresh)
        self._listed.update(some)
        self._waiting += some

    async def _encoding(self, key: bytes) -> SafeText | None:
        if not self._encodings:
            return None
        answer = await self._pipe.ask_one(b"OBJECT", b"ENCODING", key)
        if isinstance(answer, ResponseError) and not is_of_key(answer) and "no such key" not in str(answer):
            self._encodings = False
            why = gap(answer, "object|encoding", self._pipe.user)
            self._facts.refusals.append(safe(f"encodings unknown: {why.detail}; {why.remedy}".removesuffix("; ")))
        return safe(answer) if isinstance(answer, bytes | str) else None
