"""What is in a database by the model: keys with their values and ends, and what time does to them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TypeAlias

from tests.stateful.values import Value


@dataclass(frozen=True, slots=True)
class Key:
    """What a typed read and PEXPIRETIME say of a key.

    Attributes:
        type: As TYPE says.
        value: Of a hash, triples of field, value and the field's end.
        end: Unix milliseconds, 0 for never.
    """

    type: str
    value: Value
    end: int

    def at(self, now: int) -> Key | None:
        """What is left of it at this moment; None where it has ended, or all its fields have."""
        if 0 < self.end <= now:
            return None
        if self.type != "hash":
            return self
        assert isinstance(self.value, frozenset)
        fields = frozenset(field for field in self.value if not 0 < field[2] <= now)
        return replace(self, value=fields) if fields else None

    @property
    def ends(self) -> set[int]:
        """The moments at which it changes by itself."""
        ends = {self.end}
        if self.type == "hash":
            assert isinstance(self.value, frozenset)
            ends |= {field[2] for field in self.value}
        return ends - {0}

    def __str__(self) -> str:
        shown = repr(self.value)
        return f"{self.type} {shown if len(shown) < 80 else shown[:77] + '...'} end={self.end}"


Keyspace: TypeAlias = dict[bytes, Key]


@dataclass(frozen=True, slots=True)
class Span:
    """Two moments by the server's clock between which something happened, in unix milliseconds."""

    begin: int
    end: int


@dataclass(frozen=True, slots=True)
class Given:
    """A key with an end that a run has given it, somewhere between two moments."""

    key: Key
    first: int
    last: int


Expected: TypeAlias = Key | Given | None


def is_as(expected: Expected, actual: Key | None, span: Span) -> bool:
    """Whether a key is as it is expected to be, at one of the moments of a span: it may end within it."""
    if isinstance(expected, Given):
        endless = replace(expected.key, end=0)
        alive = [endless.at(span.begin), endless.at(span.end)]
        if actual is None and expected.first <= span.end:
            return True
        return actual is not None and any(
            key is not None
            and replace(key, end=0) == replace(actual, end=0)
            and expected.first <= actual.end <= expected.last
            for key in alive
        )
    if expected is None:
        return actual is None
    now = None if actual is None else actual.at(span.end)
    return any(actual == then or now == then for then in (expected.at(span.begin), expected.at(span.end)))


def ends_within(keys: Iterable[Key], span: Span) -> set[int]:
    """Moments within a span at which one of the keys changes by itself."""
    return {end for key in keys for end in key.ends if span.begin <= end <= span.end}
