"""Whether the keys of a plan may be removed, as far as some of them tell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

By: TypeAlias = Literal["keys", "command", "nothing", ""]

_WEAKEST: tuple[By, ...] = ("", "command", "keys", "nothing")


@dataclass(frozen=True, slots=True)
class KeyRights:
    """What the server said of some keys (ACL DRYRUN), or of the command itself where it says nothing of keys.

    Attributes:
        asked: Keys that it was asked about; 0 where it can't be asked.
        refused: Those of them that a run would have to leave alone.
        by: What it was asked about: ``keys``, the ``command`` alone, ``nothing`` since there is no key to ask about, or
            empty where it can't be asked.
    """

    asked: int = 0
    refused: int = 0
    by: By = ""

    def plus(self, other: KeyRights) -> KeyRights:
        """These and those."""
        by = min(self.by, other.by, key=_WEAKEST.index)
        return KeyRights(self.asked + other.asked, self.refused + other.refused, by)

    def is_whole(self, keys: int) -> bool:
        """Whether so many keys are no more than were asked about."""
        return self.asked >= keys

    def refused_of(self, keys: int) -> int:
        """How many of ``keys`` keys would be refused: exact where all were asked about, else as the sample has it."""
        if self.is_whole(keys):
            return min(self.refused, keys)
        return round(keys * self.refused / self.asked) if self.asked else 0

    def as_json(self) -> dict[str, Any]:
        """For ``--json``."""
        return {"asked": self.asked, "refused": self.refused, "by": self.by or None}


UNASKED = KeyRights()
"""Nobody was asked."""
