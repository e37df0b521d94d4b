"""Keys counted by the part of the keyspace they are in: ``user:cache:*``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

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

    def widest(self) -> _Part | None:
        """Which part under this one has the most that follow it, if any has more than one."""
        below = [each for part in self.parts.values() for each in (part, part.widest()) if each is not None]
        most = max(below, key=lambda part: len(part.parts), default=None)
        return most if most is not None and len(most.parts) > 1 else None

    def walk(self, path: tuple[bytes, ...]) -> Iterator[tuple[tuple[bytes, ...], int]]:
        """Each name under this one and how many keys have it."""
        if self.count:
            yield path, self.count
        for name, part in self.parts.items():
            yield from part.walk((*path, name))


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

    def _part_of(self, name: bytes) -> _Part:
        """Where keys of this name are counted."""
        while self._parts > _MOST - _MOST_PARTS:
            self._merge(self._root.widest() or self._root)
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

    def _merge(self, part: _Part) -> None:
        part.merge()
        self._remembered.clear()  # of parts that may have been merged away
        self._parts = self._root.size()
