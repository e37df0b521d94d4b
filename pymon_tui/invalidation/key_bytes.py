"""What many keys take in memory: the exact sum of all that were measured, or what it is at least."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

_SMALL = 1_024
_TRIMMED = 10  # the largest tenth of a sample says nothing of the keys that weren't seen: there may be no other such


@dataclass(frozen=True, slots=True)
class KeyBytes:
    """Bytes that keys take by MEMORY USAGE.

    Attributes:
        value: All of them together; at least so many, where not all were looked at.
        is_exact: Whether each was looked at.
        largest: Bytes of the largest that was seen.
    """

    value: int
    is_exact: bool
    largest: int

    def plus(self, other: KeyBytes) -> KeyBytes:
        """These keys and those."""
        is_exact = self.is_exact and other.is_exact
        return KeyBytes(self.value + other.value, is_exact, max(self.largest, other.largest))


def size_class(size: int) -> int:
    """The class of keys of similar size: 0 up to 1 KiB, then one for each factor of four."""
    return 0 if size <= _SMALL else (size.bit_length() + 1) // 2


class Total:
    """Bytes of keys, added up.

    Attributes:
        count: Keys.
        bytes: All of theirs.
        largest: Of the largest; 0 without any.
        kept: Of those that may be kept for an undo.
        largest_kept: Of the largest of them.
        by_size: Bytes of those that may be kept, by ``size_class``.
        counts: How many they are, by the same.
        oversized: How many keys are too big for that.
    """

    def __init__(self, key_cap: int) -> None:
        """Keys of more than ``key_cap`` bytes aren't kept."""
        self.count = self.bytes = self.largest = self.kept = self.largest_kept = self.oversized = 0
        self.by_size: dict[int, int] = {}
        self.counts: dict[int, int] = {}
        self._key_cap = key_cap

    def add(self, sizes: Sequence[int]) -> None:
        """Count these keys as well."""
        kept = sizes
        if max(sizes, default=0) > self._key_cap:
            kept = [size for size in sizes if size <= self._key_cap]
        self.count += len(sizes)
        self.bytes += sum(sizes)
        self.largest = max(self.largest, max(sizes, default=0))
        self.kept += sum(kept)
        self.largest_kept = max(self.largest_kept, max(kept, default=0))
        self.oversized += len(sizes) - len(kept)
        larger = [size for size in kept if size > _SMALL]
        if len(kept) > len(larger):
            self._add(0, sum(kept) - sum(larger), len(kept) - len(larger))
        for size in larger:
            self._add(size_class(size), size, 1)

    def _add(self, which: int, size: int, keys: int) -> None:
        self.by_size[which] = self.by_size.get(which, 0) + size
        self.counts[which] = self.counts.get(which, 0) + keys


def at_least(sizes: Sequence[int], keys: int) -> KeyBytes | None:
    """What ``keys`` keys take, of which these were looked at at random; None if it was none of them.

    All that were seen count, and the others as the smaller ones that were seen.
    """
    if not keys:
        return KeyBytes(0, is_exact=True, largest=0)
    if not sizes:
        return None
    small = sorted(sizes)[: max(1, len(sizes) - len(sizes) // _TRIMMED)]
    unseen = max(0, keys - len(sizes))
    return KeyBytes(sum(sizes) + unseen * sum(small) // len(small), is_exact=not unseen, largest=max(sizes))
