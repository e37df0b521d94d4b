"""Keys counted by the part of the keyspace they are in: ``user:cache:*``."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from pymon_tui.invalidation.pattern import Pattern
from pymon_tui.model.key_shape import without_ids
from pymon_tui.model.text import SafeText, safe

_MOST = 1_000  # parts of names that are told apart
_MOST_FIRST = 256  # first parts, before they are taken for ids that are words
_MOST_SIBLINGS = 32  # the same for the parts that follow one prefix
_MOST_PARTS = 8
_LONGEST = 128  # bytes of a key's name that are looked at
_MOST_REMEMBERED = 4_096
_SEPARATOR = b":"
_ANY = b"*"
_ONE_DIGIT = bytes(0x30 if 0x30 <= byte <= 0x39 else byte for byte in range(256))
_SYNTAX = re.compile(rb"[?\[\\]")  # of a glob, but for the star
_LARGE = 0.5  # of all keys: a namespace with more is told by what it consists of
_NEARLY_ALL = 0.9

Path = tuple[bytes, ...]
"""Parts of a name, from the first; ``*`` stands for ids."""
_NAMELESS: Path = (b"",)
"""The key whose name is empty: no pattern means it alone."""


@dataclass(frozen=True, slots=True)
class Namespace:
    """Keys that one pattern means, as far as names that are made of ids don't come under it by chance.

    Attributes:
        path: The parts that their names begin with; the last is ``*`` where more follows them.
    """

    path: Path
    keys: int

    @property
    def pattern(self) -> Pattern:
        """What SCAN finds them by."""
        return Pattern(_SYNTAX.sub(rb"\\\g<0>", _SEPARATOR.join(self.path)))


class _Part:
    """One part of a name between colons: how many keys end in it, and the parts that follow."""

    __slots__ = ("any", "count", "parts")

    def __init__(self) -> None:
        self.count = 0
        self.any = False
        self.parts: dict[bytes, _Part] = {}

    def follow(self, name: bytes) -> _Part | None:
        """The next part of this name, if it is told apart already."""
        return self.parts.get(_ANY if self.any else name)

    def merge(self) -> None:
        """Tell the parts that follow no longer apart: they are ids, or as many as ids."""
        merged = _Part()
        for part in self.parts.values():
            merged.absorb(part)
        self.parts = {_ANY: merged}
        self.any = True

    def absorb(self, other: _Part) -> None:
        """Count here what was counted there, name by name."""
        self.count += other.count
        if other.any and not self.any:
            self.merge()
        for name, part in other.parts.items():
            self.parts.setdefault(_ANY if self.any else name, _Part()).absorb(part)

    def size(self) -> int:
        """How many parts are kept under this one."""
        return sum(1 + part.size() for part in self.parts.values())

    def walk(self, path: Path) -> Iterator[tuple[Path, int]]:
        """Each name under this one and how many keys have it."""
        if self.count:
            yield path, self.count
        for name, part in self.parts.items():
            yield from part.walk((*path, name))

    def narrow(self, most: int, siblings: int) -> None:
        """Tell no more than ``most`` parts apart, and no more than ``siblings`` under each of them."""
        if len(self.parts) > most:
            self.merge()
        for part in self.parts.values():
            part.narrow(siblings, siblings)

    @property
    def below(self) -> int:
        """Keys whose names go on after this part."""
        return sum(part.count + part.below for part in self.parts.values())

    @property
    def is_of_namespaces(self) -> bool:
        """Whether the parts that follow name nearly all of these keys, and are no ids themselves."""
        named = sum(
            part.count + part.below
            for name, part in self.parts.items()
            if name != _ANY and (part.parts or _ANY in name)
        )
        return named >= _NEARLY_ALL * self.below


class Namespaces:
    """Exact counts of keys by their names without the ids, in bounded memory.

    Numbers, UUIDs and tokens become ``*``, and so do the parts that follow one prefix when they are more than 32, for
    user names are ids too. Where a thousand parts aren't enough, the widest prefixes go the same way. Names are looked
    at for 128 bytes: longer ones end in ``*``.
    """

    def __init__(self) -> None:
        self._root = _Part()
        self._parts = 0
        # The part where names that differ only in their digits are counted: one look for most keys.
        self._remembered: dict[bytes, _Part] = {}

    def add(self, keys: Iterable[bytes]) -> None:
        """Count these keys."""
        for key in keys:
            digits_alike = key[: _LONGEST + 1].translate(_ONE_DIGIT)
            part = self._remembered.get(digits_alike)
            if part is None:
                part = self._part_of(digits_alike)
                if len(self._remembered) < _MOST_REMEMBERED:
                    self._remembered[digits_alike] = part
            part.count += 1

    def counts(self) -> tuple[tuple[SafeText, int], ...]:
        """Namespace and number of keys, the largest first."""
        counted: dict[SafeText, int] = {}
        for path, count in self._root.walk(()):
            name = safe(_SEPARATOR.join(path))
            counted[name] = counted.get(name, 0) + count
        return tuple(sorted(counted.items(), key=lambda each: (-each[1], each[0])))

    def joined(self, other: Namespaces) -> Namespaces:
        """What both have counted; neither is changed."""
        both = Namespaces()
        both._root.absorb(self._root)
        both._root.absorb(other._root)
        both._root.narrow(_MOST_FIRST, _MOST_SIBLINGS)
        both._parts = both._root.size()
        both._make_room()
        return both

    def largest(self, most: int, apart: Collection[Path]) -> tuple[Namespace, ...]:
        """The namespaces with the most keys, the largest first, no key in two of them.

        A namespace is what has the same first part. One that holds most of all keys is told by its own namespaces, if
        it consists of them (``shop:user:*``, ``shop:cart:*``). Names that are an id belong to none.

        Args:
            most: How many of them.
            apart: Names of which the pattern would mean other keys too: they are told by what is under them.
        """
        large = _LARGE * self._root.below
        found = [
            Namespace(path, keys) for path, keys in _divided((), self._root, large, frozenset(((), (_ANY,), *apart)))
        ]
        return tuple(sorted(found, key=lambda one: (-one.keys, one.path))[:most])

    def _part_of(self, name: bytes) -> _Part:
        """Where keys of this name are counted."""
        self._make_room()
        cut = name[:_LONGEST] + _ANY if len(name) > _LONGEST else name
        here = self._root
        for piece in cut.split(_SEPARATOR, _MOST_PARTS - 1):
            without = piece if piece.isalpha() else without_ids(piece)
            here = here.follow(without) or self._told_apart(here, without)
        return here

    def _told_apart(self, here: _Part, name: bytes) -> _Part:
        if len(here.parts) >= (_MOST_FIRST if here is self._root else _MOST_SIBLINGS):
            self._merge(here)
            return here.parts[_ANY]
        self._parts += 1
        here.parts[name] = following = _Part()
        return following

    def _make_room(self) -> None:
        """Where there are too many parts, tell the many under one prefix no longer apart, until half are left."""
        if self._parts <= _MOST - _MOST_PARTS:
            return
        most = _MOST_FIRST
        while self._root.size() > _MOST // 2:
            most //= 2
            self._root.narrow(most, min(most, _MOST_SIBLINGS))
        self._remembered.clear()
        self._parts = self._root.size()

    def _merge(self, part: _Part) -> None:
        part.merge()
        self._remembered.clear()  # of parts that may have been merged away
        self._parts = self._root.size()


def _divided(path: Path, part: _Part, large: float, apart: frozenset[Path]) -> Iterator[tuple[Path, int]]:
    """The namespaces that the keys under a part make up, each as far as it is told apart."""
    if part.count and path not in apart and path != _NAMELESS:
        yield path, part.count
    below = part.below
    if path in apart or (below > large and part.is_of_namespaces):
        for name, following in part.parts.items():
            if name != _ANY or not path:
                yield from _divided((*path, name), following, large, apart)
    elif below:
        yield (*path, _ANY), below
