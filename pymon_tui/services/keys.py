"""The keys of Py_Monitor, each family declared once: its name, its pattern, its life, and what it holds.

Values are put into a key with everything in them percent-encoded that means something in a key or in a glob, so a value
can't forge a part, nor match more than itself: ``a:b*`` becomes ``a%3Ab%2A``. Letters of any script stay readable.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from hashlib import blake2b
from string import Formatter
from urllib.parse import unquote
from uuid import UUID

from pymon_tui.invalidation.pattern import Pattern, literal
from pymon_tui.model.key_part import escape

Part = str | int | UUID | date
"""What a part of a key is made of; it is written as ``str`` writes it."""

LONGEST_PART = 96
"""Characters of one part of `cache_key`, as it is written; a longer one is cut and ends in a hash of the whole."""

_UNSAFE_IN_PREFIX = re.compile(r"[^\w.@+=/,:-]")
_CUT = "~"  # never in an escaped part, so a cut part is no other part's name
_HASH_BYTES = 16


@dataclass(frozen=True, slots=True)
class Family:
    """Keys, or channels, that are named alike and hold the same.

    Attributes:
        name: What the family is called.
        template: The key with its parameters in braces: ``session:{id}``.
        life: Seconds until a key expires after it was written (or read, where the meaning says so); None if it stays.
        meaning: What it holds, for whom, and in which type of Redis.
    """

    name: str
    template: str
    life: int | None
    meaning: str

    @property
    def parameters(self) -> tuple[str, ...]:
        """The names of its parameters, in their order."""
        return _parameters(self.template)

    @property
    def begins(self) -> bytes:
        """What all of its keys begin with: ``session:``."""
        return self.template.partition("{")[0].encode()

    def key(self, **values: Part) -> str:
        """The key of these values.

        Raises:
            ValueError: If a parameter has no value or a value no parameter, if one is empty or not valid Unicode.
        """
        self._check(values)
        if len(values) != len(self.parameters):
            missing = ", ".join(name for name in self.parameters if name not in values)
            raise ValueError(f"a key of {self.name} needs a value for {missing}")
        return self.template.format_map({name: _filled(name, value) for name, value in values.items()})

    def pattern(self, **values: Part) -> Pattern:
        """The glob of the keys that have these values, whatever their other parameters are.

        Raises:
            ValueError: If a value has no parameter, is empty or not valid Unicode, or makes the glob too long.
        """
        self._check(values)
        filled = {name: literal(_filled(name, value).encode()).decode() for name, value in values.items()}
        return Pattern(self.template.format_map(dict.fromkeys(self.parameters, "*") | filled).encode())

    @property
    def glob(self) -> bytes:
        """The glob of all its keys, as SCAN's MATCH takes it."""
        return self.pattern().glob

    @property
    def prefix(self) -> str:
        """What all its keys begin with, without the last colon: ``monitoring:result``."""
        return self.template.partition("{")[0].rstrip(":")

    def values(self, key: str | bytes) -> dict[str, str] | None:
        """The values that ``key`` was made of, as text; None if it isn't a key of this family."""
        text = key.decode("utf-8", "replace") if isinstance(key, bytes) else key
        found = _reader(self.template).fullmatch(text)
        return {name: unquote(value) for name, value in found.groupdict().items()} if found else None

    def _check(self, values: Mapping[str, Part]) -> None:
        for name in values:
            if name not in self.parameters:
                raise ValueError(f"keys of {self.name} have no {name}; they have {', '.join(self.parameters)}")


_MINUTE, _HOUR, _DAY = 60, 3600, 86_400

MONITORING_RESULT = Family(
    "monitoring results",
    "monitoring:result:{project_id}",
    5 * _MINUTE,
    "the last result of a project's checks (string)",
)
ALERTS_RECENT = Family(
    "recent alerts", "alerts:recent:{project_id}:{limit}", _MINUTE, "the newest alerts of a project, so many (string)"
)
PROJECT_STATS = Family("project statistics", "project:stats:{project_id}", None, "what a project's checks add up to")
PROJECT_CONFIG = Family("project settings", "project:config:{project_id}", None, "how a project is checked (string)")
SESSION = Family(
    "sessions", "session:{id}", _HOUR, "who is logged in, by a secret id; the life begins anew at each use (hash)"
)
USER_SESSIONS = Family(
    "sessions by user",
    "user:sessions:{user_id}",
    _HOUR,
    "which sessions a user has; it lives as long as the last of them (sorted set)",
)
USER_PREFERENCES = Family("preferences", "user:preferences:{user_id}", None, "what a user has chosen (string)")
NOTIFICATIONS_RECENT = Family(
    "recent notifications",
    "notifications:recent:{user_id}",
    _DAY,
    "a user's newest 100 notifications, newest first (list)",
)
STATS_HITS = Family("cache hits", "cache:stats:hits:{day}", 90 * _DAY, "hits of one day by namespace (hash of counts)")
STATS_MISSES = Family(
    "cache misses", "cache:stats:misses:{day}", 90 * _DAY, "misses of one day by namespace (hash of counts)"
)
CACHE_REFRESH = Family(
    "cache refreshes", "cache:refresh:{key}", 10, "which process loads a value anew before it expires (string)"
)
SYSTEM_STATS = Family("system statistics", "system:stats:{name}", None, "figures of the whole system")
GLOBAL_CONFIG = Family("global settings", "global:config:{name}", None, "settings of the whole system")
CACHE_VERSION = Family("cache versions", "cache:version:{name}", None, "versions of what is cached for everybody")

FAMILIES = (
    MONITORING_RESULT,
    ALERTS_RECENT,
    PROJECT_STATS,
    PROJECT_CONFIG,
    SESSION,
    USER_SESSIONS,
    USER_PREFERENCES,
    NOTIFICATIONS_RECENT,
    STATS_HITS,
    STATS_MISSES,
    CACHE_REFRESH,
    SYSTEM_STATS,
    GLOBAL_CONFIG,
    CACHE_VERSION,
)
"""Every family of keys."""

NOTIFICATIONS_CHANNEL = Family(
    "notifications", "notifications:{user_id}", None, "the channel on which a user's notifications are published"
)
"""A channel, and no key."""

OF_PROJECT = (MONITORING_RESULT, ALERTS_RECENT, PROJECT_STATS, PROJECT_CONFIG)
"""What is invalidated with a project: all families that have a ``project_id``."""
OF_USER = (USER_SESSIONS, USER_PREFERENCES, NOTIFICATIONS_RECENT)
"""What is invalidated with a user: all families that have a ``user_id``."""
OF_ALL = (SYSTEM_STATS, GLOBAL_CONFIG, CACHE_VERSION)
"""What is invalidated for everybody."""

_PREFIXES = frozenset(family.prefix for family in FAMILIES)


def cache_key(prefix: str, *parts: Part) -> str:
    """A readable key of any parts, of the glob ``prefix:*``; different parts never make the same key.

    A part is escaped as a family's values are. One that would be longer than 96 characters is cut, and ends in ``~``
    and 128 bits of BLAKE2b of the whole.

    Raises:
        ValueError: If the prefix is empty, or has a character that a value would have to escape (but ``:``), or ends in
            ``:``; if no part is given; if a part isn't valid Unicode.
    """
    if not prefix or prefix.endswith(":") or _UNSAFE_IN_PREFIX.search(prefix):
        raise ValueError("the prefix of a cache key should be words with colons between them, as in project:report")
    if not parts:
        raise ValueError(f"a cache key of {prefix} needs a part that tells it from the others")
    return ":".join((prefix, *[_shortened(escape(str(part))) for part in parts]))


def namespace_of(key: str) -> str:
    """The namespace that hits and misses of ``key`` are counted under: its family's prefix, or its first part."""
    parts = key.split(":", 2)
    prefix = ":".join(parts[:2])
    return prefix if len(parts) > 2 and prefix in _PREFIXES else parts[0]


def family_of(key: bytes) -> Family | None:
    """The family that a key belongs to; None if to none."""
    found = _ANY.fullmatch(key)
    return FAMILIES[found.lastindex - 1] if found and found.lastindex else None


def _shortened(part: str) -> str:
    if len(part) <= LONGEST_PART:
        return part
    digest = blake2b(part.encode(), digest_size=_HASH_BYTES).hexdigest()
    return f"{part[: LONGEST_PART - len(digest) - 1]}{_CUT}{digest}"


def _filled(name: str, value: Part) -> str:
    filled = escape(str(value))
    if not filled:
        raise ValueError(f"{name} can't be empty in a key")
    return filled


def _key_of(family: Family) -> bytes:
    pieces = (
        re.escape(text) + ("[^:]+" if name is not None else "")
        for text, name, _, _ in Formatter().parse(family.template)
    )
    return "".join(pieces).encode()


_ANY = re.compile(b"|".join(b"(%b)" % _key_of(family) for family in FAMILIES))
"""A key of any family; the group tells which."""


@lru_cache(maxsize=64)
def _parameters(template: str) -> tuple[str, ...]:
    return tuple(name for _, name, _, _ in Formatter().parse(template) if name is not None)


@lru_cache(maxsize=64)
def _reader(template: str) -> re.Pattern[str]:
    pieces = (
        re.escape(text) + (f"(?P<{name}>[^:]+)" if name is not None else "")
        for text, name, _, _ in Formatter().parse(template)
    )
    return re.compile("".join(pieces))
