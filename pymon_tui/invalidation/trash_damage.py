"""What is lost of a trash that isn't whole, and how that is told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import reduce
from typing import Any, Self

from pymon_tui.model import units
from pymon_tui.model.text import SafeText, safe

TORN = safe("the end of the trash was never written: the run was cut off there")
"""What it means that a trash isn't whole, where nothing of it is damaged."""


@dataclass(frozen=True, slots=True)
class Damage:
    """What isn't known any more of a trash that is damaged; it is true where that is anything.

    Attributes:
        unreadable: Copies of keys that can't be read.
        at_least: Whether there may be more of them.
        unproven: Copies that can be read, of which it isn't known whether the run removed their keys.
    """

    unreadable: int = 0
    at_least: bool = False
    unproven: int = 0

    def plus(self, other: Damage) -> Damage:
        """Both together."""
        unreadable, unproven = self.unreadable + other.unreadable, self.unproven + other.unproven
        return Damage(unreadable, self.at_least or other.at_least, unproven)

    def __bool__(self) -> bool:
        return bool(self.unreadable or self.at_least or self.unproven)

    def as_json(self) -> dict[str, Any]:
        """For the journal and ``--json``."""
        return asdict(self)

    @classmethod
    def from_json(cls, told: object) -> Self | None:
        """What ``as_json`` gave; None where it isn't that."""
        if not isinstance(told, Mapping):
            return None
        unreadable, unproven = told.get("unreadable"), told.get("unproven")
        if not isinstance(unreadable, int) or not isinstance(unproven, int):
            return None
        return cls(unreadable, told.get("at_least") is True, unproven)


def added(damage: Sequence[Damage]) -> Damage | None:
    """All of it together; None for none."""
    return reduce(Damage.plus, damage) if damage else None


def torn_text(damage: Damage | None) -> SafeText:
    """What it means that a trash isn't whole, by what is lost."""
    if damage is None:
        return TORN
    lost = []
    if damage.unreadable:
        least = "at least " if damage.at_least else ""
        lost.append(f"what was kept of {least}{units.keys(damage.unreadable)} can't be read, and doesn't come back")
    elif damage.at_least:
        lost.append("what can't be read of it may have been of more keys")
    if damage.unproven:
        one = damage.unproven == 1
        lost.append(
            f"{units.keys(damage.unproven)} in it {'is' if one else 'are'} left alone, since the marks are lost that "
            f"tell if the run removed {'it' if one else 'them'}"
        )
    return safe(f"the trash is damaged: {'; '.join(lost) or 'all that the run removed can be read all the same'}", 400)
