"""One pass over a database with SCAN: the keys that a selection means, page by page."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, Collection, Iterable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace

from redis.exceptions import InvalidResponse, ResponseError

from pymon_tui.invalidation.packing import pack, pack_all
from pymon_tui.invalidation.pattern import matcher, sorter
from pymon_tui.invalidation.pipe import Answer, Pipe
from pymon_tui.invalidation.redirect import is_redirect
from pymon_tui.invalidation.selection import Selection
from pymon_tui.invalidation.sizes import USAGE, Sizes
from pymon_tui.model.text import SafeText
from pymon_tui.server.reasons import answer_text, is_of_key, link_error, remedy_of

PAGE = 1_000
"""Keys that the server looks at for one page: it is held up for one to two milliseconds."""

_RECENT = 1_000
"""Keys that are remembered at least: a table that shrinks to an eighth shows those of eight buckets again, at once."""

_ASKED = {"pttl": (b"PTTL",), "idle": (b"OBJECT", b"IDLETIME"), "bytes": USAGE}
"""What tells a filter what it needs to know of a key, in the order of ``Filters.keep``."""


class Refused(Exception):  # noqa: N818 - an answer of the server, and no fault of ours
    """The server refused a command that the work can't do without. Its text is one line.

    Attributes:
        what: What was refused, and the server's own words.
        remedy: What to do about it; empty where nothing is known.
        error: The answer itself.
    """

    def __init__(self, command: str, error: ResponseError, user: SafeText) -> None:
        self.error = error
        self.what = f"{command} was refused: {answer_text(error)}"
        self.remedy = remedy_of(error, command.lower().replace(" ", "|"), user)
        super().__init__(f"{self.what}; {self.remedy}" if self.remedy else self.what)


@dataclass(frozen=True, slots=True)
class Place:
    """How far a pass has come: the pattern that is looked for, and the cursor to go on from.

    A cursor means the same to a server for as long as its process lives, on any connection.
    """

    pattern: int = 0
    cursor: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Page:
    """What one SCAN found.

    Attributes:
        keys: The keys that the selection means, each once.
        protected: How many more matched and are protected.
        place: Where the pass goes on after this page.
        moved: Keys that may be meant, which only another node of the cluster could tell.
    """

    keys: list[bytes]
    protected: int
    place: Place
    moved: list[bytes] = field(default_factory=list)


async def without(pages: AsyncGenerator[Page], done: Collection[bytes]) -> AsyncGenerator[Page]:
    """The same pages without these keys."""
    async with aclosing(pages):
        async for page in pages:
            yield replace(page, keys=[key for key in page.keys if key not in done])


class _Recent:
    """The keys that were found last. SCAN shows a key twice where a table is resized, one after the other."""

    def __init__(self) -> None:
        self._older: dict[bytes, None] = {}
        self._newer: dict[bytes, None] = {}

    def new(self, found: Sequence[bytes]) -> list[bytes]:
        """Those that weren't found just before, each once."""
        keys = dict.fromkeys(found)
        for before in (self._older, self._newer):
            if not before.keys().isdisjoint(keys):
                keys = {key: None for key in keys if key not in before}
        self._newer |= keys
        if len(self._newer) >= _RECENT:
            self._older, self._newer = self._newer, {}
        return list(keys)


class Sweep:
    """Looks through the database once per pattern; keys that an earlier pattern matches are left to it.

    A key that is there from the beginning to the end of the pass is found, and once: what SCAN shows again while the
    server's table is resized is passed over. One that comes or goes meanwhile may be found or not.

    Attributes:
        page: Keys to look at for one page (SCAN's COUNT); may be changed on the way.
        scanned: Keys looked at, about: COUNT for each page.
        means: Whether each pattern of the selection has matched a key that is meant, also one that is another's too.
        held: Keys that each protected pattern holds back, those that two protect with the first of them.
        took: Seconds from the question for the last page to its answer.
    """

    def __init__(self, pipe: Pipe, selection: Selection, *, page: int = PAGE, start: Place | None = None) -> None:
        self.page = page
        self.scanned = 0
        self.took = 0.0
        self._asked_at = 0.0
        self._pipe = pipe
        self._sizes = Sizes(pipe)
        self._selection = selection
        self._start = start or Place()
        self._type = (b"TYPE", selection.filters.type.encode()) if selection.filters.type else ()
        self._protects = selection.protects if selection.protected else None
        self.means = [False] * len(selection.patterns)
        self.held = [0] * len(selection.protected)

    async def pages(self) -> AsyncGenerator[Page]:
        """Every page, also those that hold nothing: a caller who waits, or ends it, does so between two SCANs.

        The next page is asked for before one is handed out, so that the server looks while the caller works.

        Raises:
            LinkError: If the link is lost; what was handed out is all that was found.
            Refused: If the server refuses SCAN, or what a filter needs to know.
        """
        patterns = self._selection.patterns
        for index in range(self._start.pattern, len(patterns)):
            taken = matcher(patterns[:index])
            cursor = self._start.cursor if index == self._start.pattern else 0
            recent = _Recent()
            asked: asyncio.Future[list[Answer]] | None = self._scan(index, cursor)
            while asked is not None:
                (answer,) = await asked
                self.took = time.monotonic() - self._asked_at
                if isinstance(answer, ResponseError):
                    raise Refused("SCAN", answer, self._pipe.user)
                cursor, found = self._read(answer)
                asked = self._scan(index, cursor) if cursor else None
                place = Place(index, cursor) if cursor else Place(index + 1, 0)
                if index:
                    self.means[index] = self.means[index] or self._any_goes(key for key in found if taken(key))
                    found = [key for key in found if not taken(key)]
                page = await self._page(recent.new(found), place)
                self.means[index] = self.means[index] or bool(page.keys)
                yield page

    def _read(self, answer: Answer) -> tuple[int, list[bytes]]:
        """The next cursor and the keys."""
        with contextlib.suppress(TypeError, ValueError):
            cursor, found = answer  # type: ignore[misc]  # whatever it is
            if isinstance(found, list):
                return int(cursor), found
        raise link_error(
            InvalidResponse("SCAN is answered with something else than a cursor and keys"), self._pipe.endpoint
        )

    def _scan(self, index: int, cursor: int) -> asyncio.Future[list[Answer]]:
        self.scanned += self.page
        self._asked_at = time.monotonic()
        glob, count = self._selection.patterns[index].glob, b"%d" % self.page
        return self._pipe.ask(pack(b"SCAN", b"%d" % cursor, b"MATCH", glob, b"COUNT", count, *self._type), 1)

    async def _page(self, keys: list[bytes], place: Place) -> Page:
        protected = 0
        if self._protects is not None:
            kept = [key for key in keys if not self._protects(key)]
            if len(kept) < len(keys):
                self._hold(keys)
            protected, keys = len(keys) - len(kept), kept
        if keys and self._selection.filters.needs:
            keys, moved = await self._filtered(keys)
            return Page(keys, protected, place, moved)
        return Page(keys, protected, place)

    def _any_goes(self, keys: Iterable[bytes]) -> bool:
        """Whether any of these keys isn't protected."""
        return any(self._protects is None or not self._protects(key) for key in keys)

    def _hold(self, keys: Sequence[bytes]) -> None:
        which = sorter(self._selection.protected)
        for key in keys:
            if (pattern := which(key)) is not None:
                self.held[pattern] += 1

    async def _filtered(self, keys: list[bytes]) -> tuple[list[bytes], list[bytes]]:
        """Ask what the filters need to know of each key: those they keep, and those of which another node knows."""
        filters = self._selection.filters
        moved: dict[bytes, None] = {}
        known: dict[str, list[Answer]] = {}
        for need in filters.needs:
            command = _ASKED[need]
            if command == USAGE:
                answers = await self._sizes.told(self._sizes.ask(keys))
            else:
                answers = await self._pipe.ask(pack_all((*command, key) for key in keys), len(keys))
            for key, answer in zip(keys, answers, strict=True):
                if isinstance(answer, ResponseError) and is_redirect(answer):
                    moved[key] = None
                elif isinstance(answer, ResponseError) and not is_of_key(answer):
                    raise Refused(b" ".join(command).decode(), answer, self._pipe.user)
            # Of a key that our user may not touch nothing is known, and it is left out.
            known[need] = [None if isinstance(answer, ResponseError) else answer for answer in answers]
        unknown: list[Answer] = [None] * len(keys)
        facts = zip(*(known.get(need, unknown) for need in _ASKED), strict=True)
        rows = [(key, fact) for key, fact in zip(keys, facts, strict=True) if key not in moved]
        return [key for key, (pttl, idle, size) in rows if filters.keep(pttl, idle, size)], list(moved)
