"""The keyspace in groups of keys: Py_Monitor's families, and the largest namespaces of the keys of no family."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from pymon_tui.application.walk import WALK, Round, Walk
from pymon_tui.invalidation.namespaces import Namespace, Path
from pymon_tui.invalidation.pattern import Pattern, sorter
from pymon_tui.model.query import Command, Query, Reply, fixed, itself
from pymon_tui.services.keys import FAMILIES, Family, family_of

MOST_NAMESPACES = 24
"""Namespaces that are told apart; the other keys of no family are the rest."""

_ANY = b"*"
_REMEMBERED = 16_384  # keys of which is known which group they are in
_PATTERNS = {family.name: family.pattern() for family in FAMILIES}


@dataclass(frozen=True, slots=True)
class Group:
    """Keys that are looked at together.

    Attributes:
        pattern: What SCAN finds them by.
        keys: How many of them the walk has met.
        family: Which they are of; None for a namespace of keys of no family.
        counted_as: The namespace that their hits and misses are counted under; None where that holds others too.
    """

    pattern: Pattern
    keys: int
    family: Family | None
    counted_as: str | None


@dataclass(frozen=True, slots=True, eq=False)
class Groups:
    """What a round of the walk has met, or is meeting.

    Attributes:
        families: Every family, in the order they are declared; also those without any key.
        namespaces: The largest namespaces of the other keys, the largest first.
        rest: Keys that are in neither.
        seen: Keys in all.
        complete: Whether the round came to its end; until then there are more keys of each kind.
    """

    families: tuple[Group, ...]
    namespaces: tuple[Group, ...]
    rest: int
    seen: int
    complete: bool

    @property
    def finder(self) -> Callable[[bytes], Pattern | None]:
        """Tells of a key the pattern of the group that it is in; None of one of the rest."""
        return _finder(tuple(sorted((group.pattern for group in self.namespaces), key=_narrowest_first)))


def groups_of(walk: Walk) -> Groups:
    """The groups of the newest whole round, or of what there is of one that has met many more keys."""
    return _groups(walk.known, complete=walk.complete)


@lru_cache(maxsize=2)
def _groups(met: Round, *, complete: bool) -> Groups:
    families = tuple(
        Group(_PATTERNS[family.name], met.counts.get(family.name, 0), family, family.prefix) for family in FAMILIES
    )
    apart = {path for group in families if group.keys and group.family for path in _paths(group.family)}
    found = met.others.largest(MOST_NAMESPACES, apart)
    namespaces = tuple(Group(one.pattern, one.keys, None, _counted_as(one)) for one in found)
    rest = met.counts.get(None, 0) - sum(group.keys for group in namespaces)
    return Groups(families, namespaces, rest, met.seen, complete)


def _paths(family: Family) -> tuple[Path, ...]:
    """The beginnings of a family's names, of which the pattern would mean its keys too."""
    parts = family.prefix.encode().split(b":")
    return tuple(tuple(parts[:length]) for length in range(1, len(parts) + 1))


def _counted_as(namespace: Namespace) -> str | None:
    first, *more = namespace.path
    return first.decode("utf-8", "replace") if more in ([], [_ANY]) and _ANY not in first else None


def _narrowest_first(pattern: Pattern) -> tuple[int, bytes]:
    return -len(pattern.glob), pattern.glob


@lru_cache(maxsize=2)
def _finder(patterns: tuple[Pattern, ...]) -> Callable[[bytes], Pattern | None]:
    which = sorter(patterns)

    @lru_cache(maxsize=_REMEMBERED)
    def find(key: bytes) -> Pattern | None:
        family = family_of(key)
        if family is not None:
            return _PATTERNS[family.name]
        index = which(key)
        return None if index is None else patterns[index]

    return find


def _decode_dbsize(reply: Reply) -> int:
    if not isinstance(reply, int):
        raise ValueError("DBSIZE answered with something other than a number")
    return reply


KEY_GROUPS: Query[Groups] = Query("key_groups", WALK, groups_of)
DATABASE_SIZE: Query[int] = Query(
    "database_size", Command("dbsize", fixed("DBSIZE"), _decode_dbsize, every=5.0), itself
)
"""Keys of our own database; INFO tells those of all."""
