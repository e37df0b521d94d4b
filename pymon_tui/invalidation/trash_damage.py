"""What is lost of a trash that isn't whole, and how that is told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import reduce
from typing import Any, Self

from pymon_tui.model import units
from pymon_tui.model.text import SafeText, safe

TORN = safe("the end of the trash is missing: the run was cut off there, or the file")
"""What it means that a trash isn't whole, where nothing of it is damaged."""


@dataclass(frozen=True, slots=True)
class Promised:
    """What the journal tells of a trash.

    Attributes:
        keys: How many keys went that were kept, by the account of the run; None where it gave none.
        at_least: How many of them went for certain.
        noted: Of how many of its records undos have noted what they found.
        every: Whether the run came to its end, and removed each of the keys that it had found.
        size: Bytes that the run had written when it told that last; 0 where it told nothing.
        is_settled: Whether what it wrote last is surely on the disk: not where the machine was started again since.
    """

    keys: int | None = None
    at_least: int = 0
    noted: int = 0
    every: bool = False
    size: int = 0
    is_settled: bool = True


UNTOLD = Promised()
"""Of a trash of which the journal tells nothing."""


@dataclass(frozen=True, slots=True)
class Damage:
    """What isn't known any more of a trash that is damaged; it is true where that is anything.

    Attributes:
        unreadable: Copies of keys that can't be read.
        at_least: Whether there may be more of them.
        unproven: Copies that can be read, of which it isn't known whether the run removed their keys.
        endless: Keys that were given an end which isn't known any more.
        unnoted: Keys of which it isn't known any more what undos before found.
    """

    unreadable: int = 0
    at_least: bool = False
    unproven: int = 0
    endless: int = 0
    unnoted: int = 0

    def plus(self, other: Damage) -> Damage:
        """Both together."""
        unreadable, unproven = self.unreadable + other.unreadable, self.unproven + other.unproven
        endless, unnoted = self.endless + other.endless, self.unnoted + other.unnoted
        return Damage(unreadable, self.at_least or other.at_least, unproven, endless, unnoted)

    def __bool__(self) -> bool:
        return self != Damage()

    @property
    def where_replaced(self) -> Damage:
        """What of it matters where keys are replaced, whatever became of them."""
        return replace(self, unproven=0, endless=0, unnoted=0)

    def without(self, settled: int) -> Damage:
        """What of it matters where so many of the keys that can't be read were settled before."""
        return replace(self, unreadable=max(0, self.unreadable - settled))

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
        # An older version tells nothing of the last two.
        endless, unnoted = (each if isinstance(each := told.get(name), int) else 0 for name in ("endless", "unnoted"))
        return cls(unreadable, told.get("at_least") is True, unproven, endless, unnoted)


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
            f"{units.keys(damage.unproven)} in it {'is' if one else 'are'} left alone unless all are replaced, since "
            f"the marks are lost that tell if the run removed {'it' if one else 'them'}"
        )
    if damage.endless:
        keep = "that one stays as it is if it is" if damage.endless == 1 else "those stay as they are that are"
        lost.append(f"the ends are lost that the run gave {units.keys(damage.endless)}: {keep} there")
    if damage.unnoted:
        stay = "it stays gone if it is" if damage.unnoted == 1 else "those that are gone stay so"
        lost.append(
            f"it is lost what undos before found of {units.keys(damage.unnoted)}: {stay}, unless all are replaced"
        )
    return safe(f"the trash is damaged: {'; '.join(lost) or 'all that the run removed can be read all the same'}", 400)
