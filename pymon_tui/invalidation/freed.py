"""What the keys took that a run has removed, and how that is known."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self, TypeAlias

from pymon_tui.model import units
from pymon_tui.model.text import SafeText, safe

By: TypeAlias = Literal["run", "plan"]


@dataclass(frozen=True, slots=True)
class Freed:
    """Bytes that keys took.

    Attributes:
        bytes: How many, about; None where that isn't known.
        by: Who knows it: the run, which asked about keys just before they went, or the plan, before that.
        at_least: Whether it may be much more, as not all of the keys were asked about.
    """

    bytes: int | None = None
    by: By = "plan"
    at_least: bool = False

    @property
    def text(self) -> SafeText:
        """As a person reads it."""
        if self.bytes is None:
            return safe("unknown")
        size = f"{'at least' if self.at_least else 'about'} {units.bytes_(self.bytes)}"
        return safe(size if self.by == "run" else f"{size} by the plan")

    def as_json(self) -> dict[str, Any]:
        """For the journal and ``--json``."""
        return {"bytes_estimated": self.bytes, "bytes_by": self.by, "bytes_at_least": self.at_least}

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> Self:
        """What ``as_json`` gave; an older version went by the plan."""
        size = told.get("bytes_estimated")
        by: By = "run" if told.get("bytes_by") == "run" else "plan"
        return cls(size if isinstance(size, int) else None, by, told.get("bytes_at_least") is True)


def added(parts: Iterable[Freed]) -> Freed:
    """All of them together."""
    total, by, at_least = 0, "run", False
    for part in parts:
        if part.bytes is None:
            return Freed()
        total, by, at_least = total + part.bytes, part.by if by == "run" else by, at_least or part.at_least
    return Freed(total, "run" if by == "run" else "plan", at_least)
