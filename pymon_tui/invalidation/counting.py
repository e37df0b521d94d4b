"""How many keys match, although SCAN may show one of them twice."""

from __future__ import annotations

from collections.abc import Sequence

_MOST_REMEMBERED = 100_000
_BUCKET = 7  # entries in a bucket of Valkey's table (8.1), which grows at powers of two of buckets, not of keys


class Count:
    """Counts keys once each, exactly up to 100 000 and well enough above, in bounded memory.

    While the server changes the size of its table, SCAN may show a key again. Up to 100 000 keys are remembered (by
    hash) and recognised. Beyond them the count is about right, and says so where one of three things shows that
    repeats are likely: one of the remembered keys was shown again, the number of keys in the database went from one
    size of table to another, or more keys were counted than there are.

    Attributes:
        matched: Keys counted.
    """

    def __init__(self) -> None:
        self.matched = 0
        self._remembered: set[int] = set()
        self._repeats = False

    def add(self, keys: Sequence[bytes], most: int) -> list[bytes]:
        """Count keys until there are ``most`` in all; returns those that were counted now."""
        remembered = self._remembered
        marks = list(map(hash, keys))
        if self.matched + len(keys) <= most and remembered.isdisjoint(marks) and len({*marks}) == len(marks):
            remembered.update(marks[: _MOST_REMEMBERED - len(remembered)])
            self.matched += len(keys)
            return list(keys)
        fresh: list[bytes] = []
        for key in keys:
            if self.matched + len(fresh) == most:
                break
            mark = hash(key)
            if mark in remembered:
                self._repeats = True
                continue
            if len(remembered) < _MOST_REMEMBERED:
                remembered.add(mark)
            fresh.append(key)
        self.matched += len(fresh)
        return fresh

    def about(self, dbsize_before: int | None, dbsize_after: int | None) -> bool:
        """Whether some keys may have been counted twice; DBSIZE is None where the server doesn't tell."""
        if self.matched <= len(self._remembered):
            return False
        if self._repeats or dbsize_before is None or dbsize_after is None:
            return True
        return self.matched > max(dbsize_before, dbsize_after) or _table(dbsize_before) != _table(dbsize_after)


def _table(keys: int) -> tuple[int, int]:
    return keys.bit_length(), (keys // _BUCKET).bit_length()
