"""The first tier: what this process has read of Redis lately, held for as long as it is told of each change.

Nothing is held that could be out of date without our knowing: who reads a key says so before asking for it (``begin``),
and what is read is held (``fill``) only if no change of that key was heard of in between.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

from cachetools import TLRUCache

from pymon_tui.invalidation.pattern import Pattern, matcher

ABSENT: Final = object()
"""What ``get`` returns for a key that isn't held; None may be a value."""


@dataclass(frozen=True, slots=True)
class _Held:
    """A value and the seconds that it may be held."""

    value: Any
    life: float


class Ticket:
    """The right to hold what is read of one key, until that key changes. Compared by identity."""

    __slots__ = ()


class LocalCache:
    """A bounded cache of decoded values in this process; the least recently used goes first, each ends by itself.

    It holds nothing until ``open``, and drops everything at ``close``: it is open just while changes are heard of.
    Of one event loop, and not of several threads.

    Values are handed out as they are, and not copied: whoever changes one changes what the others get.
    """

    def __init__(self, max_entries: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        """An empty, closed cache.

        Args:
            max_entries: Keys that it holds at most.
            clock: Seconds that only grow.

        Raises:
            ValueError: If ``max_entries`` isn't at least 1.
        """
        if max_entries < 1:
            raise ValueError("max_entries: should be a number from 1")
        self._held: TLRUCache[bytes, _Held] = TLRUCache(max_entries, lambda _, held, now: now + held.life, timer=clock)
        self._tickets: dict[bytes, Ticket] = {}
        self._is_open = False

    def __len__(self) -> int:
        """Keys held; those that have ended since the last ``fill`` are among them."""
        return len(self._held)

    @property
    def is_open(self) -> bool:
        """Whether changes are heard of, so that values may be held."""
        return self._is_open

    def open(self) -> None:
        """Begin to hold: from now on every change is told."""
        self._is_open = True

    def close(self) -> None:
        """Drop everything, what is being read included, and hold nothing: changes may go unheard."""
        self._is_open = False
        self.clear()

    def get(self, key: bytes) -> Any:
        """The value of this key, or ``ABSENT``."""
        try:
            return self._held[key].value
        except KeyError:
            return ABSENT

    def begin(self, key: bytes) -> Ticket | None:
        """Say that the key is about to be read; None where nothing can be held. To be ended by ``fill`` or ``end``."""
        return self._tickets.setdefault(key, Ticket()) if self._is_open else None

    def fill(self, key: bytes, ticket: Ticket | None, value: Any, life: float) -> bool:
        """Hold what was read after ``begin``, for ``life`` seconds, and say so; not if the key has changed since."""
        if not self.end(key, ticket) or life <= 0:
            return False
        self._held[key] = _Held(value, life)
        return True

    def end(self, key: bytes, ticket: Ticket | None) -> bool:
        """Nothing more is read for this ticket; returns whether it was still good."""
        good = ticket is not None and self._tickets.get(key) is ticket
        if good:
            del self._tickets[key]
        return good

    def discard(self, keys: Iterable[bytes]) -> None:
        """Drop these keys, which have changed, where they are held or being read."""
        for key in keys:
            self._tickets.pop(key, None)
            self._held.pop(key, None)

    def discard_matching(self, patterns: Iterable[Pattern]) -> None:
        """Drop every key that a pattern matches, as the server matches it; reads of such keys aren't held."""
        left_open = []
        for pattern in patterns:
            if pattern.only_key is not None:
                self.discard([pattern.only_key])
            else:
                left_open.append(pattern)
        if left_open:
            matches = matcher(tuple(left_open))
            self.discard([key for key in (*self._held, *self._tickets) if matches(key)])

    def clear(self) -> None:
        """Drop everything; what is being read isn't held either."""
        self._tickets.clear()
        self._held.clear()
