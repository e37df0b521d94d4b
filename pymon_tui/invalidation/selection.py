"""Which keys are to go, and which never: patterns, filters, protected patterns and a cap."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from operator import index
from typing import Any, Self

from pymon_tui.invalidation.filters import Filters
from pymon_tui.invalidation.pattern import Pattern, PatternError, matcher, parse_pattern
from pymon_tui.invalidation.rules import Rules
from pymon_tui.model.text import SafeText, join


class SelectionError(PatternError):
    """A selection that can't be used. Its text is one safe line."""


class EveryKey(SelectionError):  # noqa: N818 - what was found
    """A selection of every key, which nobody has said apart. Each door has its own name for how that is said."""


@dataclass(frozen=True, slots=True)
class Selection:
    """What is to be removed from one database.

    Attributes:
        patterns: A key goes that any of them matches, once.
        filters: What must be so for it besides.
        protected: Keys that any of these matches are never touched.
        max_keys: More than this many matches are refused.
        every: Whether the user said that every key may go, so that a pattern may match them all.
    """

    patterns: tuple[Pattern, ...]
    filters: Filters
    protected: tuple[Pattern, ...]
    max_keys: int
    every: bool

    @property
    def protects(self) -> Callable[[bytes], bool]:
        """``is_protected`` to be called a million times."""
        return matcher(self.protected)

    def is_protected(self, key: bytes) -> bool:
        """Whether a protected pattern matches the key."""
        return self.protects(key)

    @property
    def shown(self) -> SafeText:
        """Patterns as they are typed, and the filters in words: ``user:* alerts:* · hash``."""
        patterns = join(" ", [pattern.shown for pattern in self.patterns])
        return join(" · ", (patterns, self.filters.shown)) if self.filters.shown else patterns

    def under(self, rules: Rules) -> Selection:
        """The same, with what these rules protect protected as well, and no more keys than they allow."""
        protected = tuple(dict.fromkeys((*self.protected, *rules.protected)))
        return replace(self, protected=protected, max_keys=min(self.max_keys, rules.max_keys))

    def as_json(self) -> dict[str, Any]:
        """All of it, patterns as they are typed, as ``from_json`` reads it."""
        return {
            "patterns": [pattern.shown for pattern in self.patterns],
            "filters": self.filters.as_json(),
            "protected": [pattern.shown for pattern in self.protected],
            "max_keys": self.max_keys,
            "every": self.every,
        }

    @classmethod
    def from_json(cls, written: Mapping[str, Any]) -> Self:
        """The selection that ``as_json`` wrote.

        Raises:
            PatternError: If it is something else, or one of its patterns can't be used.
        """
        try:
            return cls(
                patterns=tuple(parse_pattern(text) for text in written["patterns"]),
                filters=Filters.from_json(written["filters"]),
                protected=tuple(parse_pattern(text) for text in written["protected"]),
                max_keys=index(written["max_keys"]),
                every=written["every"] is True,
            )
        except (KeyError, TypeError):
            raise SelectionError("the selection written down can't be read") from None


def check(selection: Selection) -> None:
    """Refuse what no run may begin with.

    Raises:
        SelectionError: If it has no pattern, may remove no key, or matches every key unasked (``EveryKey``).
    """
    if not selection.patterns:
        raise SelectionError("no pattern says which keys are to go")
    if selection.max_keys < 1:
        raise SelectionError("max_keys: should be a number from 1")
    everything = next((pattern for pattern in selection.patterns if pattern.is_catch_all), None)
    if everything is not None and not selection.every:
        raise EveryKey(f'"{everything.shown}" matches every key')
