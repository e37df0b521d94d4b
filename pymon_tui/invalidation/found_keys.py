"""The keys that a plan found, for a run that follows at once: it names them without looking for them again."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator

from pymon_tui.invalidation.filters import Filters
from pymon_tui.invalidation.selection import Selection
from pymon_tui.invalidation.sweep import Page

MOST = 64 * 2**20
"""Bytes of names that are held at most; where a plan finds more, the run looks for its keys itself."""

_EACH = 41  # bytes that Python takes for a name besides its own


class FoundKeys:
    """Holds a plan's pages until one run takes them.

    A name goes on to match the selection's patterns, whatever becomes of the key. What a filter asks for (a type, an
    expiry, a size, an idle time) can change meanwhile, so that nothing is held where there is one.
    """

    def __init__(self, selection: Selection, *, most: int = MOST) -> None:
        """``most``: bytes of names."""
        self._selection = selection
        self._pages: deque[Page] | None = deque() if selection.filters == Filters() else None
        self._bytes = 0
        self._most = most

    def add(self, page: Page) -> None:
        """Hold a page, unless it is one too many."""
        if self._pages is None:
            return
        self._bytes += sum(map(len, page.keys)) + _EACH * len(page.keys)
        if self._bytes > self._most:
            self._pages = None
        else:
            self._pages.append(page)

    def mean(self, selection: Selection) -> bool:
        """Whether all keys of this selection are held."""
        return self._pages is not None and selection == self._selection

    def any_begins(self, prefix: bytes) -> bool:
        """Whether any key that is held begins with this."""
        return any(key.startswith(prefix) for page in self._pages or () for key in page.keys)

    def take(self) -> deque[Page]:
        """All pages; there are none afterwards."""
        pages, self._pages = self._pages, None
        return pages if pages is not None else deque()


class Recall:
    """Hands out the pages that were found before, as a ``Sweep`` hands out those that it finds.

    Attributes:
        scanned: Keys that were looked at for the pages until now, about.
    """

    def __init__(self, pages: deque[Page], *, scan: int) -> None:
        """``scan``: keys that were looked at for all of them."""
        self.scanned = 0
        self._pages = pages
        self._scan = scan

    async def pages(self) -> AsyncGenerator[Page]:
        """Every page, as it was found. None of it is held once it was handed out."""
        count = len(self._pages)
        while self._pages:
            yield self._pages.popleft()
            self.scanned = self._scan * (count - len(self._pages)) // count
            await asyncio.sleep(0)  # a Sweep waits for the server here
