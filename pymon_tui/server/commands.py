"""Every command that is sent to a watched server: what it is for, whether it changes anything, what it must be allowed.

Nothing else leaves the program for a server that is only to be read: what isn't here can't be judged, and is refused.
The list is written out, and not gathered from those who send: a gate that takes its rules from its guests is none.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache

from pymon_tui.model.query import Argument
from pymon_tui.model.text import safe


class Kind(Enum):
    """What a command does, by the flags and categories that COMMAND INFO gives it."""

    READ = "read"  # changes nothing, or our own connection alone
    WRITE = "write"  # changes keys: the flag "write"
    ADMIN = "admin"  # changes the server or its clients: the flag "admin", which what only tells may have too
    SCRIPT = "script"  # runs what it is given: the category "@scripting"
    PUBLISH = "publish"  # sends messages to others: of the category "@pubsub"


class Access(Enum):
    """What a user needs besides the command: a permission on the keys or channels that it names."""

    NONE = "none"
    NAME = "name"  # any permission on the key: its value is neither read nor written
    READ = "read"  # %R~
    WRITE = "write"  # %W~
    READ_WRITE = "read and write"  # %RW~, the same as ~
    CHANNEL = "channel"  # &


class Use(Enum):
    """What a command is sent for. The value is what people read; a pane's is its title."""

    CONNECTION = "Connection"
    SERVER = "Server"
    CLIENTS = "Clients"
    HITS = "Hit rate"
    MEMORY = "Memory"
    SLOWLOG = "Slow log"
    NOTIFICATIONS = "Notifications"
    SESSIONS = "Sessions"
    APPLICATION = "Application"
    FLEET = "Fleet"
    SHARDS = "Shard channels"
    PLAN = "plan"
    REMOVE = "invalidate"
    UNDO = "undo"
    KILL = "kill clients"
    SLOWLOG_ACTIONS = "set slow log"
    PUBLISH = "publish"
    SESSION_ACTIONS = "end sessions"
    CHECK = "doctor"


PANES = (
    Use.SERVER,
    Use.CLIENTS,
    Use.HITS,
    Use.MEMORY,
    Use.SLOWLOG,
    Use.NOTIFICATIONS,
    Use.SESSIONS,
    Use.APPLICATION,
    Use.FLEET,
)
"""The uses that are panes."""


@dataclass(frozen=True, slots=True)
class Sent:
    """One command that is sent.

    Attributes:
        name: What ACL rules and ``INFO commandstats`` call it, such as ``client|list``.
        kind: What it does.
        access: What it must be allowed besides.
        uses: What it is sent for.
    """

    name: str
    kind: Kind
    access: Access
    uses: frozenset[Use]

    @property
    def changes(self) -> bool:
        """Whether anybody else may notice that it was sent."""
        return self.kind is not Kind.READ


class WriteRefused(Exception):  # noqa: N818 - what was done about it
    """A command that may change the server was to go to one that is only to be read. Its text is one line."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{safe(name.upper().replace('|', ' '))} was not sent: this connection is read-only")


def _sent(name: str, *uses: Use, kind: Kind = Kind.READ, access: Access = Access.NONE) -> Sent:
    return Sent(name, kind, access, frozenset(uses))


_KEYS = (Use.APPLICATION, Use.SESSIONS, Use.NOTIFICATIONS)
_RUN = (Use.PLAN, Use.REMOVE, Use.UNDO)

SENT: tuple[Sent, ...] = (
    _sent("hello", Use.CONNECTION),
    _sent("auth", Use.CONNECTION),
    _sent("select", Use.CONNECTION),
    _sent("ping", Use.CONNECTION, Use.NOTIFICATIONS, Use.CHECK, *_RUN),
    _sent("client|setname", Use.CONNECTION),
    _sent("client|id", Use.CONNECTION),
    _sent("client|no-touch", Use.CONNECTION),
    _sent("command|info", Use.CONNECTION, Use.CHECK, Use.REMOVE, Use.UNDO),
    _sent("info", *(use for use in PANES if use is not Use.CLIENTS), Use.CHECK, *_RUN),
    _sent("client|list", Use.CLIENTS),
    _sent("latency|histogram", Use.SERVER),
    _sent("slowlog|get", Use.SLOWLOG),
    _sent("config|get", Use.SLOWLOG, Use.REMOVE),
    _sent("pubsub|channels", Use.NOTIFICATIONS),
    _sent("pubsub|numsub", Use.NOTIFICATIONS),
    _sent("subscribe", Use.NOTIFICATIONS, access=Access.CHANNEL),
    _sent("psubscribe", Use.NOTIFICATIONS, access=Access.CHANNEL),
    _sent("unsubscribe", Use.NOTIFICATIONS),
    _sent("punsubscribe", Use.NOTIFICATIONS),
    _sent("pubsub|shardchannels", Use.SHARDS),
    _sent("pubsub|shardnumsub", Use.SHARDS),
    _sent("ssubscribe", Use.SHARDS, access=Access.CHANNEL),
    _sent("sunsubscribe", Use.SHARDS),
    _sent("scan", *_KEYS, *_RUN),
    # Panes that read keys of one type ask for it first, and can do without: it is no reason to call them denied.
    _sent("type", Use.APPLICATION, Use.SESSION_ACTIONS, *_RUN, access=Access.NAME),
    _sent("pttl", Use.APPLICATION, Use.SESSIONS, Use.SESSION_ACTIONS, *_RUN, access=Access.READ),
    _sent("memory|usage", Use.APPLICATION, Use.SESSIONS, *_RUN, access=Access.NAME),
    _sent("object|encoding", Use.APPLICATION, access=Access.NAME),
    _sent("object|idletime", Use.APPLICATION, *_RUN, access=Access.NAME),
    _sent("object|freq", Use.REMOVE, access=Access.NAME),
    _sent("hmget", Use.SESSIONS, Use.SESSION_ACTIONS, access=Access.READ),
    _sent("hgetall", Use.APPLICATION, Use.HITS, access=Access.READ),
    _sent("lrange", Use.NOTIFICATIONS, access=Access.READ),
    _sent("cluster|nodes", Use.FLEET, *_RUN),
    _sent("cluster|shards", Use.FLEET, *_RUN),
    _sent("cluster|slots", Use.FLEET, *_RUN),
    _sent("dbsize", Use.APPLICATION, Use.SESSIONS, Use.PLAN, Use.REMOVE),
    _sent("time", Use.CHECK, Use.SESSION_ACTIONS, Use.REMOVE, Use.UNDO),
    _sent("role", Use.FLEET, Use.REMOVE),
    _sent("acl|whoami", Use.CHECK, *_RUN),
    _sent("acl|dryrun", Use.PLAN),
    _sent("exists", Use.REMOVE, Use.UNDO, Use.SESSION_ACTIONS, access=Access.NAME),
    _sent("dump", *_RUN, access=Access.READ),
    _sent("pexpiretime", Use.REMOVE, Use.UNDO, access=Access.READ),
    _sent("asking", Use.REMOVE, Use.UNDO),
    _sent("unlink", Use.REMOVE, Use.SESSION_ACTIONS, kind=Kind.WRITE, access=Access.WRITE),
    _sent("del", Use.REMOVE, kind=Kind.WRITE, access=Access.WRITE),
    _sent("pexpire", Use.REMOVE, Use.SESSION_ACTIONS, kind=Kind.WRITE, access=Access.WRITE),
    _sent("restore", Use.UNDO, kind=Kind.WRITE, access=Access.WRITE),
    _sent("pexpireat", Use.REMOVE, Use.UNDO, kind=Kind.WRITE, access=Access.WRITE),
    _sent("persist", Use.UNDO, kind=Kind.WRITE, access=Access.WRITE),
    _sent("multi", Use.SESSION_ACTIONS, Use.PUBLISH),
    _sent("exec", Use.SESSION_ACTIONS, Use.PUBLISH),
    _sent("client|kill", Use.KILL, kind=Kind.ADMIN),
    _sent("slowlog|reset", Use.SLOWLOG_ACTIONS, kind=Kind.ADMIN),
    _sent("config|set", Use.SLOWLOG_ACTIONS, kind=Kind.ADMIN),
    _sent("zrange", Use.SESSION_ACTIONS, access=Access.READ),
    _sent("eval", Use.SESSION_ACTIONS, kind=Kind.SCRIPT, access=Access.READ_WRITE),
    _sent("zrem", Use.SESSION_ACTIONS, kind=Kind.WRITE, access=Access.WRITE),
    _sent("zadd", Use.SESSION_ACTIONS, kind=Kind.WRITE, access=Access.WRITE),
    _sent("zremrangebyscore", Use.SESSION_ACTIONS, kind=Kind.WRITE, access=Access.WRITE),
    _sent("lpush", Use.PUBLISH, kind=Kind.WRITE, access=Access.WRITE),
    _sent("ltrim", Use.PUBLISH, kind=Kind.WRITE, access=Access.WRITE),
    _sent("expire", Use.PUBLISH, kind=Kind.WRITE, access=Access.WRITE),
    _sent("publish", Use.PUBLISH, kind=Kind.PUBLISH, access=Access.CHANNEL),
)
"""Every command that is sent or called by a script that is, with all that it is for."""

OF_SENTINEL = tuple(
    _sent(f"sentinel|{name}", Use.FLEET)
    for name in ("get-master-addr-by-name", "master", "replicas", "sentinels", "ckquorum", "myid")
)
"""What is sent to Sentinels besides: no server that they watch knows it, so no user there is to be granted it."""

_BY_NAME = {sent.name: sent for sent in SENT}
_BY_WORDS = {tuple(sent.name.split("|")): sent for sent in (*SENT, *OF_SENTINEL)}
_CONTAINERS = frozenset(words[0] for words in _BY_WORDS if len(words) > 1)


def sent(name: str) -> Sent | None:
    """What is known of a command, by its name in ACL rules; None for one that is never sent."""
    return _BY_NAME.get(name)


def changes_keys(name: str) -> bool:
    """Whether a command, by its name in ACL rules, is for a primary alone: it writes keys, or may."""
    known = sent(name)
    return known is not None and known.kind in (Kind.WRITE, Kind.SCRIPT)


def name_of(command: Sequence[Argument]) -> str:
    """The name that ACL rules give a command: ``("CLIENT", "LIST", "TYPE", "normal")`` is ``client|list``."""
    return "|".join(_words(command))


def refuse_writes(commands: Iterable[Sequence[Argument]]) -> None:
    """Let pass only commands that are known to change nothing.

    Raises:
        WriteRefused: At the first that may; then none of them is to be sent.
    """
    for command in commands:
        known = _BY_WORDS.get(_words(command))
        if known is None or known.changes:
            raise WriteRefused(name_of(command))


def _words(command: Sequence[Argument]) -> tuple[str, ...]:
    """The words that name a command: one, or two where the first has subcommands."""
    first = _lower(command[0]) if command else ""
    return (first, _lower(command[1])) if first in _CONTAINERS and len(command) > 1 else (first,)


@lru_cache(maxsize=256)
def _lower(word: Argument) -> str:
    return (word.decode("utf-8", "replace") if isinstance(word, bytes) else str(word)).lower()
