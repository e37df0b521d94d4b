"""The users of least privilege, as lines of ACL SETUSER, made from the table of what is sent."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pymon_tui.model.text import SafeText, safe
from pymon_tui.server.commands import PANES, SENT, Access, Sent, Use
from pymon_tui.server.known import Known
from pymon_tui.services.keys import NOTIFICATIONS_RECENT, SESSION, STATS_HITS, STATS_MISSES, Family

PLACEHOLDER = ">CHOOSE A PASSWORD"
"""Where the password goes. Its blanks let the server refuse the line for as long as nobody has put one there."""

READ_OF: Mapping[str, tuple[Family, ...]] = {
    "hmget": (SESSION,),
    "hgetall": (STATS_HITS, STATS_MISSES),
    "lrange": (NOTIFICATIONS_RECENT,),
}
"""The commands of panes that read values, and of which keys."""

_WATCH = frozenset((Use.CONNECTION, Use.CHECK, Use.SHARDS, *PANES))
_RUN = frozenset((Use.PLAN, Use.REMOVE, Use.UNDO))
_INSTEAD = {"del": "unlink"}
"""What is sent only to a server that hasn't the other."""

_NO_PATTERN = re.compile(rb"[\s\x00\"'\xff]")
"""What selectors can't hold. Valkey drops a byte ``\\xff`` without a word, and ``~\\xff*`` would be all keys."""

_PLAIN = re.compile(r"[^\s\x00-\x1f\x7f\"'\ud800-\udfff]+")


class RuleError(ValueError):
    """A pattern or a channel that ACL rules can't hold. Its text is one line."""


@dataclass(frozen=True, slots=True)
class User:
    """One user.

    Attributes:
        name: Its name.
        may: What it may do, in a few words.
        rules: The words after ``ACL SETUSER`` and the name, the placeholder of the password among them.
    """

    name: str
    may: SafeText
    rules: tuple[bytes, ...]

    @property
    def line(self) -> str:
        """The whole command, as it is pasted into ``redis-cli``."""
        return " ".join(("ACL SETUSER", self.name, *map(_word, self.rules)))


def users(known: Known, patterns: Sequence[bytes], channels: Sequence[bytes]) -> tuple[User, ...]:
    """A user who watches, one who may kill clients as well, and one who invalidates instead.

    Args:
        known: What the server knows.
        patterns: The keys that may be invalidated, as globs.
        channels: The channels and patterns of channels that may be listened to.

    Raises:
        RuleError: If one of them can't be written as a rule.
    """
    followed = tuple(b"&" + _held(channel, "channel") for channel in channels)
    keys = tuple(b"~" + _held(pattern, "pattern") for pattern in patterns)
    there = [sent for sent in SENT if sent.name in known.commands and _INSTEAD.get(sent.name) not in known.commands]
    watch = [sent for sent in there if not sent.changes and sent.uses & _WATCH]
    kill = [sent for sent in there if Use.KILL in sent.uses]
    run = [sent for sent in there if sent.uses & _RUN]
    shown = safe(b" ".join(patterns))
    make = _with_selectors if known.selectors else _without_selectors
    return (
        User("pymon-watch", safe("sees every pane, and changes nothing"), make(followed, watch, [], ())),
        User("pymon-kill", safe("watches, and kills clients"), make(followed, [*watch, *kill], [], ())),
        User("pymon-invalidate", safe(f"watches, invalidates {shown} and undoes it"), make(followed, watch, run, keys)),
    )


def _with_selectors(
    channels: tuple[bytes, ...], watch: Sequence[Sent], run: Sequence[Sent], keys: tuple[bytes, ...]
) -> tuple[bytes, ...]:
    """All keys may be looked at, a few of them read; what reads or changes others is in a set of its own."""
    on_keys = [sent for sent in run if sent not in watch and sent.access in (Access.READ, Access.WRITE)]
    everywhere = [sent for sent in (*watch, *run) if sent not in on_keys and sent.name not in READ_OF]
    rules = [*_user(channels), b"%R~*", *_allowed(everywhere)]
    for sent in watch:
        if sent.name in READ_OF:
            rules += _selector([b"%R~" + family.glob for family in READ_OF[sent.name]], [sent])
    if on_keys:
        rules += _selector(keys, on_keys)
    return tuple(rules)


def _without_selectors(
    channels: tuple[bytes, ...], watch: Sequence[Sent], run: Sequence[Sent], keys: tuple[bytes, ...]
) -> tuple[bytes, ...]:
    """One set of keys for all commands (Redis 6.2): who may write some keys can't look at any others."""
    return (*_user(channels), *(keys or (b"~*",)), *_allowed((*watch, *run)))


def _user(channels: tuple[bytes, ...]) -> tuple[bytes, ...]:
    return (b"reset", b"on", PLACEHOLDER.encode(), b"resetchannels", *channels)


def _allowed(commands: Iterable[Sent]) -> list[bytes]:
    return [f"+{name}".encode() for name in dict.fromkeys(sent.name for sent in commands)]


def _selector(keys: Sequence[bytes], commands: Iterable[Sent]) -> list[bytes]:
    first, *rest = (*keys, *_allowed(commands))
    return [b"(" + first, *rest[:-1], rest[-1] + b")"]


def _held(pattern: bytes, what: str) -> bytes:
    """The pattern, if a rule can hold it.

    Raises:
        RuleError: If it can't.
    """
    if _NO_PATTERN.search(pattern) or pattern.endswith(b")"):
        remedy = r"write ? for a blank, a quote, \xff or the last )"
        raise RuleError(f'no ACL rule can hold the {what} "{safe(pattern, 60)}": {remedy}')
    return pattern


def _word(rule: bytes) -> str:
    """A rule as ``redis-cli`` reads it: in quotes where it holds what can't be typed."""
    text = rule.decode("utf-8", "surrogateescape")
    if text == PLACEHOLDER or _PLAIN.fullmatch(text):
        return text
    escaped = (chr(byte) if 0x20 <= byte < 0x7F and byte not in b'"\\' else f"\\x{byte:02x}" for byte in rule)
    return f'"{"".join(escaped)}"'
