"""The sizes of all keys that a plan finds: exact sums where each is asked for, and what a sample tells where not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from pymon_tui.invalidation.facts import Facts
from pymon_tui.invalidation.key_bytes import KeyBytes, Total, at_least
from pymon_tui.invalidation.pipe import Pipe
from pymon_tui.invalidation.sampling import Sample
from pymon_tui.invalidation.sizes import AskedSizes, Sizes


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """Keys that are asked about: the sample, its places among all of them, those to measure, and what is on its way."""

    sample: Sequence[bytes]
    taken: Sequence[int]
    measured: Sequence[bytes]
    sizes: AskedSizes | None


class Measuring:
    """Asks for the size of each key, one page after another.

    Attributes:
        total: Of the keys that were measured.
    """

    def __init__(self, pipe: Pipe, facts: Facts, *, key_cap: int, every: bool) -> None:
        """Measure ``every`` key, or those alone that are in the sample; ``key_cap`` as for ``Total``."""
        self.total = Total(key_cap)
        self._facts = facts
        self._sizes = Sizes(pipe, whole=key_cap)
        self._key_cap = key_cap
        self._every = every
        self._unknown = 0

    def ask(self, keys: Sequence[bytes], taken: Sequence[int]) -> Asked:
        """Ask about these keys; those that are taken as a sample are told by their index."""
        measured = keys if self._every else [keys[index] for index in taken]
        # Not before one key has shown that it isn't refused: each refusal is an entry in the ACL LOG.
        can = bool(measured) and self._facts.is_tried and self._facts.tells_bytes
        return Asked([keys[index] for index in taken], taken, measured, self._sizes.ask(measured) if can else None)

    async def told(self, asked: Asked) -> list[Sample]:
        """Measure the keys; returns the facts of those that are taken as a sample.

        Raises:
            LinkError: If the link is lost.
        """
        samples = await self._facts.ask(asked.sample)
        if not asked.measured or not self._facts.tells_bytes:
            return samples
        answers = await self._sizes.told(asked.sizes or self._sizes.ask(asked.measured))
        sizes = [size if isinstance(size, int) else None for size in answers]
        if not self._every:
            return [replace(sample, bytes=size) for sample, size in zip(samples, sizes, strict=True)]
        known = [size for size in sizes if size is not None]
        self.total.add(known)
        self._unknown += len(sizes) - len(known)
        return [replace(sample, bytes=sizes[place]) for sample, place in zip(samples, asked.taken, strict=True)]

    def bytes(self, samples: Sequence[Sample], keys: int, *, about: bool) -> KeyBytes | None:
        """What ``keys`` keys take, by these samples if not every one was measured; None if nothing is known.

        ``about`` is whether some may have been counted twice.
        """
        if self.is_whole:
            is_exact = not about and not self._unknown
            return KeyBytes(self.total.bytes, is_exact=is_exact, largest=self.total.largest)
        return at_least(_known(samples), keys)

    def sampled(self, samples: Sequence[Sample]) -> Total:
        """The keys that were measured: all, or the samples."""
        if self.is_whole:
            return self.total
        total = Total(self._key_cap)
        total.add(_known(samples))
        return total

    @property
    def is_whole(self) -> bool:
        """Whether every key was measured that could be."""
        return self._every and self._facts.tells_bytes and bool(self.total.count or not self._unknown)


def _known(samples: Sequence[Sample]) -> list[int]:
    return [sample.bytes for sample in samples if sample.bytes is not None]
