"""What a run is asked for, in the terms of the model: patterns as predicates, filters, the way it is done."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tests.stateful.keyspace import Key

NAMES = (
    *(b"a:%d" % number for number in range(10)),
    *(b"b:%d" % number for number in range(6)),
    *(b"c\xff:%d" % number for number in range(4)),
    *(b"a:keep:%d" % number for number in range(3)),
    b"a:\x00\r\n*[",
    "a:열쇠".encode(),
    b"keep:1",
    b"b:{a}:1",
    b"x",
)
"""The names that keys have: few, so that they come back often."""

PATTERNS: dict[str, Callable[[bytes], bool]] = {
    "a:*": lambda name: name.startswith(b"a:"),
    "b:*": lambda name: name.startswith(b"b:"),
    r"c\xff:*": lambda name: name.startswith(b"c\xff:"),
    "[ab]:?": lambda name: len(name) == 3 and name[:1] in b"ab" and name[1:2] == b":",
    "*:[^1-3]": lambda name: name[-2:-1] == b":" and name[-1:] not in b"123",
    "*keep*": lambda name: b"keep" in name,
    "*": lambda name: True,
    "nothing:*": lambda name: name.startswith(b"nothing:"),
}
"""Globs as they are typed, and what each of them means."""


@dataclass(frozen=True, slots=True)
class Filter:
    """What a key must be besides its name.

    Attributes:
        flags: As the command line takes it.
        keeps: Whether a key with this use of memory (bytes) stays in the selection at a moment (unix ms).
    """

    flags: tuple[str, ...]
    keeps: Callable[[Key, int, int], bool]


_DAY = 86_400
FILTERS: dict[str, Filter] = {
    "": Filter((), lambda key, usage, now: True),
    "set": Filter(("--type", "set"), lambda key, usage, now: key.type == "set"),
    "hash": Filter(("--type", "hash"), lambda key, usage, now: key.type == "hash"),
    "no-ttl": Filter(("--no-ttl",), lambda key, usage, now: not key.end),
    "within": Filter(
        ("--expires-within", str(_DAY)), lambda key, usage, now: bool(key.end) and key.end - now <= 1000 * _DAY
    ),
    "later": Filter(("--expires-later", str(_DAY)), lambda key, usage, now: key.end - now > 1000 * _DAY),
    "larger": Filter(("--larger", "3000"), lambda key, usage, now: usage > 3000),
    "idle": Filter(("--idle", "1000"), lambda key, usage, now: False),
}


@dataclass(frozen=True, slots=True)
class Wish:
    """A run, as somebody asks for it.

    Attributes:
        patterns: As they are typed.
        filter: One of `FILTERS`.
        protected: As the settings say it.
        expire: Seconds until the keys end; 0 to remove them.
        jitter: Seconds over which their ends are spread.
        undo: Whether what goes is kept.
        key_cap: Bytes above which a key isn't kept.
        max_keys: Keys that may match.
        read: Whether the plan is read; else it tells the run its keys.
    """

    patterns: tuple[str, ...]
    filter: str
    protected: tuple[str, ...]
    expire: int
    jitter: int
    undo: bool
    key_cap: int
    max_keys: int
    read: bool

    @property
    def mode(self) -> str:
        """As the journal says it."""
        return "expire" if self.expire else "unlink"

    def named(self, name: bytes) -> bool:
        """Whether one of its patterns matches."""
        return any(PATTERNS[typed](name) for typed in self.patterns)

    def protects(self, name: bytes) -> bool:
        """Whether what is protected keeps the key."""
        return any(PATTERNS[typed](name) for typed in self.protected)

    def meant(self, keys: Mapping[bytes, Key], usage: Mapping[bytes, int], now: int) -> set[bytes]:
        """The keys that are to go."""
        keeps = FILTERS[self.filter].keeps
        return {
            name
            for name, key in keys.items()
            if self.named(name) and not self.protects(name) and keeps(key, usage.get(name, 0), now)
        }

    def keeps_none_of(self, names: set[bytes], usage: Mapping[bytes, int]) -> bool:
        """Whether all of the keys are too big to be kept, though that is wanted."""
        return self.undo and bool(names) and all(usage.get(name, 0) > self.key_cap for name in names)

    def held_back(self, keys: Mapping[bytes, Key]) -> set[bytes]:
        """The keys that match and are protected; of the filters, the type alone is asked for before."""
        types = {"set": "set", "hash": "hash"}.get(self.filter)
        return {
            name for name, key in keys.items() if self.named(name) and self.protects(name) and types in (None, key.type)
        }
