"""Keys that are named and unanswered, and where in the trash their copies are."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from pymon_tui.invalidation.naming import Batch
from pymon_tui.invalidation.pipe import Answer

_NONE: frozenset[bytes] = frozenset()


@dataclass(frozen=True, slots=True)
class Copies:
    """Where the first of some keys are in the trash: so many records of one block, in the keys' order."""

    block: int = 0
    first: int = 0
    count: int = 0

    def of(self, start: int, most: int) -> Copies:
        """Those of the keys from this one on, of so many."""
        return Copies(self.block, self.first + start, max(0, min(most, self.count - start)))

    def places(self, keys: Sequence[bytes]) -> dict[bytes, tuple[int, int]]:
        """Block and index of each of the keys that is there."""
        return {key: (self.block, self.first + index) for index, key in enumerate(keys[: self.count])}


NO_COPIES = Copies()


@dataclass(slots=True, eq=False)
class Sent:
    """Keys that are named and unanswered, and the question who the server is, which is answered after them.

    Attributes:
        copies: Where in the trash the keys are.
        kept: Whether there is a trash; what is not in it then goes for good.
    """

    batch: Batch
    copies: Copies
    kept: bool
    role: asyncio.Future[list[Answer]] | None

    @property
    def unkept(self) -> frozenset[bytes]:
        """Those of the keys that aren't in the trash, though there is one."""
        return frozenset(self.batch.keys[self.copies.count :]) if self.kept else _NONE
