"""How many keys a run has removed, or an undo restored: at least and at most, by all that is known of it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple


class KeyCount(NamedTuple):
    """Two numbers of keys.

    Attributes:
        least: That they are for certain.
        most: That they may be; None where nobody knows.
    """

    least: int
    most: int | None

    def plus(self, other: KeyCount) -> KeyCount:
        """Both together."""
        most = None if self.most is None or other.most is None else self.most + other.most
        return KeyCount(self.least + other.least, most)

    def proven(self, keys: int) -> KeyCount:
        """The same, where so many are proven in another way: none of what else was said holds against that."""
        least = max(self.least, keys)
        return KeyCount(least, None if self.most is None else max(self.most, least))

    def within(self, most: int | None) -> KeyCount:
        """The same, where they can't be more than so many; None where that isn't known."""
        if most is None:
            return self
        return KeyCount(self.least, max(self.least, most if self.most is None else min(self.most, most)))

    def without(self, others: KeyCount) -> KeyCount:
        """Those that are left of these once the others are taken off."""
        least = 0 if others.most is None else max(0, self.least - others.most)
        return KeyCount(least, None if self.most is None else max(least, self.most - others.least))


NONE = KeyCount(0, 0)


def added(parts: Iterable[KeyCount]) -> KeyCount:
    """All of them together."""
    total = NONE
    for part in parts:
        total = total.plus(part)
    return total


def counted(keys: int, uncertain: int | None, *, back: int = 0, may_match: int | None = None) -> KeyCount:
    """What is known by the last count.

    Args:
        keys: That were counted.
        uncertain: That may have gone as well; None where nobody knows how many.
        back: That undos have found gone, and brought back.
        may_match: That there were for it at most; None where that isn't known.
    """
    told = KeyCount(max(0, keys), None if uncertain is None else max(0, keys) + max(0, uncertain))
    return told.within(may_match).proven(back)
