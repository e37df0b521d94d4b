"""What the form holds: texts as they were typed, and the selection that they make."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pymon_tui.invalidation.filters import Filters
from pymon_tui.invalidation.pattern import Pattern, parse_pattern
from pymon_tui.invalidation.presets import Preset
from pymon_tui.model.text import SafeText, join, safe
from pymon_tui.ui.screens.invalidate.typed import ANY, expiry_of, idle_of, size_of

_BLANK = re.compile(r"(\\\\)|\\? ")
"""A blank, escaped or not; a backslash that is escaped itself comes first."""

TYPES = (ANY, "string", "hash", "list", "set", "zset", "stream")


@dataclass(frozen=True, slots=True)
class Draft:
    r"""A selection in the making.

    Attributes:
        pattern: Patterns with blanks between them; a blank of a key is ``\x20``.
        preset: The preset that is chosen in their place, or None.
        values: Of the preset's parameters.
        every: Whether a person said that every key may go.
    """

    pattern: str = ""
    preset: Preset | None = None
    values: Mapping[str, str] = field(default_factory=dict)
    type: str = ANY
    expiry: str = ""
    idle: str = ""
    larger: str = ""
    every: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether nothing is said yet of which keys are meant."""
        return self.preset is None and not self.pattern.strip()

    @property
    def patterns(self) -> tuple[Pattern, ...]:
        """The patterns that are meant.

        Raises:
            PatternError: If one can't be used, or a parameter has no value.
        """
        if self.preset is not None:
            return self.preset.filled({name: self.values.get(name, "") for name in self.preset.parameters})
        return tuple(map(parse_pattern, self.pattern.split()))

    @property
    def filters(self) -> Filters:
        """The filters that are meant.

        Raises:
            FilterError: If one can't be used.
        """
        expiry, seconds = expiry_of(self.expiry)
        return Filters(
            type=None if self.type == ANY else self.type,
            expiry=expiry,
            expiry_seconds=seconds,
            idle_over=idle_of(self.idle),
            larger_than=size_of(self.larger),
        )

    @property
    def is_catch_all(self) -> bool:
        """Whether one of the patterns matches every key.

        Raises:
            PatternError: As ``patterns``.
        """
        return any(pattern.is_catch_all for pattern in self.patterns)


def typed(patterns: Sequence[Pattern]) -> SafeText:
    """Patterns as they are typed into one field."""
    blankless = (_BLANK.sub(lambda found: found[1] or "\\x20", pattern.shown) for pattern in patterns)
    return join(" ", [safe(text, limit=8_192) for text in blankless])
