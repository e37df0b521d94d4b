"""Keys that are named and unanswered, and where in the trash their copies are."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from pymon_tui.invalidation.looking import UNKNOWN
from pymon_tui.invalidation.naming import Account, Batch
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


@dataclass(slots=True)
class Weighed:
    """What keys took when they went.

    Attributes:
        keys: Of how many that is known.
        bytes: That they took, about; where more keys went than these, at least.
    """

    keys: int = 0
    bytes: int = 0


@dataclass(slots=True, eq=False)
class Sent:
    """Keys that are named and unanswered, and the question who the server is, which is answered after them.

    Attributes:
        copies: Where in the trash the keys are.
        kept: Whether there is a trash; what is not in it then goes for good.
        sizes: Bytes that each of the keys takes; empty where they weren't looked at.
        oversized: Those of the keys that are too big to be kept.
    """

    batch: Batch
    copies: Copies
    kept: bool
    role: asyncio.Future[list[Answer]] | None
    sizes: Sequence[int] = ()
    oversized: frozenset[bytes] = _NONE

    @property
    def unkept(self) -> frozenset[bytes]:
        """Those of the keys that aren't in the trash, though there is one."""
        return frozenset(self.batch.keys[self.copies.count :]) if self.kept else _NONE

    def weigh(self, account: Account, into: Weighed) -> None:
        """Add what those of the keys took that are gone: which they are isn't known where only their number is told."""
        if self.sizes and UNKNOWN not in self.sizes:
            is_sure = account.removed == len(self.sizes)
            into.keys += account.removed if is_sure else 0
            into.bytes += sum(self.sizes if is_sure else sorted(self.sizes)[: account.removed])

    def oversized_gone(self, account: Account) -> list[bytes]:
        """Those of the keys that are gone, and were too big to be kept, as far as each one's answer is told."""
        if not self.oversized:
            return []
        stayed = {*account.refused, *account.moved, *account.untouched}
        is_told = account.removed + len(stayed) == len(self.batch.keys)
        return [key for key in self.batch.keys if key in self.oversized and key not in stayed] if is_told else []
