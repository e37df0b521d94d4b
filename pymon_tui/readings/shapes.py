"""Slow commands by shape: what is left of a command when ids and values are taken out of it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from pymon_tui.model.key_shape import without_ids
from pymon_tui.model.text import SafeText, join, safe
from pymon_tui.readings.slowlog import SlowEntry

ANY = safe("*")
REST = safe("…")

# Commands whose second word says what they do.
_CONTAINERS = frozenset(
    b"ACL CLIENT CLUSTER COMMAND COMMANDLOG CONFIG DEBUG FUNCTION LATENCY MEMORY MODULE OBJECT PUBSUB SCRIPT SLOWLOG "
    b"XGROUP XINFO".split()
)
_OPTIONS = frozenset(
    b"AGGREGATE ALPHA ASC BLOCK BY BYBOX BYLEX BYRADIUS BYSCORE CH COUNT DESC EX FROMLONLAT FROMMEMBER GET GROUP GT "
    b"IDLE KEEPTTL KM LIMIT LT M MATCH MAXLEN MAX MIN MINID NOACK NOVALUES NX PX REPLACE REV STORE STOREDIST STREAMS "
    b"SUM TYPE WEIGHTS WITHCOORD WITHDIST WITHSCORES WITHVALUES XX".split()
)
# What these are followed by is a key or a pattern of keys, and tells one command from another.
_KEYED = frozenset((b"MATCH", b"STREAMS", b"STORE", b"STOREDIST", b"BY", b"TYPE"))
_STREAM_READS = frozenset((b"XREAD", b"XREADGROUP"))
_SCRIPTS = frozenset((b"EVAL", b"EVAL_RO", b"EVALSHA", b"EVALSHA_RO", b"FCALL", b"FCALL_RO"))

# Before their key these have a word, or say how many keys there are.
_BEHIND_WORD = frozenset(b"LMPOP MEMORY OBJECT SINTERCARD XGROUP XINFO ZDIFF ZINTER ZINTERCARD ZMPOP ZUNION".split())
_KEYLESS = frozenset(
    b"ASKING AUTH BGREWRITEAOF BGSAVE CONFIG DBSIZE DISCARD ECHO EXEC FAILOVER FLUSHALL FLUSHDB HELLO INFO KEYS "
    b"LASTSAVE LOLWUT MONITOR MULTI PING PSUBSCRIBE PSYNC PUBLISH PUNSUBSCRIBE QUIT RANDOMKEY READONLY READWRITE "
    b"REPLCONF REPLICAOF RESET ROLE SAVE SCAN SELECT SHUTDOWN SLAVEOF SPUBLISH SSUBSCRIBE SUBSCRIBE SUNSUBSCRIBE "
    b"SWAPDB SYNC TIME UNSUBSCRIBE UNWATCH WAIT WAITAOF".split()
)

_LONGEST = 64

_NUMBER = re.compile(rb"[(\[]?[-+]?(?:inf|\d+(?:\.\d+)?(?:e[-+]?\d+)?)|[-+$]", re.IGNORECASE)
_CUT = re.compile(rb"\.\.\. \(\d+ more (?:bytes|arguments)\)$")


@dataclass(frozen=True, slots=True)
class Shape:
    """The entries of one shape; times in microseconds, ``last`` in Unix seconds by the server's clock.

    Attributes:
        shape: Such as ``HGETALL user:*``.
        share: Of the time of all entries counted, from 0 to 1.
        clients: Who sent them, by name or else by address, the busiest first.
    """

    shape: SafeText
    count: int
    total: int
    worst: SlowEntry
    share: float
    last: int
    clients: tuple[SafeText, ...]

    @property
    def mean(self) -> float:
        """Microseconds per command."""
        return self.total / self.count


def shapes_of(entries: Iterable[SlowEntry]) -> tuple[Shape, ...]:
    """The entries grouped, the shape that took the most time first."""
    groups: dict[SafeText, list[SlowEntry]] = {}
    for entry in entries:
        groups.setdefault(shape_of(entry.arguments), []).append(entry)
    totals = {shape: sum(entry.duration for entry in group) for shape, group in groups.items()}
    time = sum(totals.values())
    shapes = [
        Shape(
            shape=shape,
            count=len(group),
            total=totals[shape],
            worst=max(group, key=lambda entry: entry.duration),
            share=totals[shape] / time if time else 0.0,
            last=max(entry.timestamp for entry in group),
            clients=_clients(group),
        )
        for shape, group in groups.items()
    ]
    return tuple(sorted(shapes, key=lambda shape: (-shape.total, shape.shape)))


def _clients(entries: list[SlowEntry]) -> tuple[SafeText, ...]:
    senders = Counter(entry.client_name or entry.client_host for entry in entries)
    return tuple(sender for sender, _ in senders.most_common() if sender is not None)


@lru_cache(maxsize=4_096)
def shape_of(arguments: tuple[bytes, ...]) -> SafeText:
    """The command in capitals, its key with ``*`` for ids, then options and ``*`` for numbers; ``…`` for the rest."""
    if not arguments:
        return REST
    name, rest = arguments[0].upper(), arguments[1:]
    words = [safe(name, 32)]
    if name in _CONTAINERS and rest:
        words.append(safe(rest[0].upper(), 32))
        rest = rest[1:]
    if name in _STREAM_READS:
        words.append(safe(b"STREAMS"))
        rest = _from_streams(rest)
    if name in _SCRIPTS and rest:
        words.append(_script(rest[0]))
        rest = _keys_of_script(rest)
    if rest:
        words.append(_pattern(rest[0]))
        words += _options(rest[1:])
    return join(" ", words)


def _options(arguments: tuple[bytes, ...]) -> list[SafeText]:
    """What follows the key, until the first value that says nothing about the kind of command."""
    words: list[SafeText] = []
    keyed = False
    for argument in arguments:
        word = argument.upper()
        if word in _OPTIONS:
            words.append(safe(word))
        elif keyed:
            words.append(_pattern(argument))
        elif not _NUMBER.fullmatch(argument) or words[-2:] == [ANY, ANY]:
            return [*words, REST]
        else:
            words.append(ANY)
        keyed = word in _KEYED
    return words


def _from_streams(arguments: tuple[bytes, ...]) -> tuple[bytes, ...]:
    """The keys and ids of XREAD, which stand behind all of its options."""
    words = [argument.upper() for argument in arguments]
    return arguments[words.index(b"STREAMS") + 1 :] if b"STREAMS" in words else arguments


def key_of(arguments: tuple[bytes, ...]) -> tuple[bytes, bool] | None:
    """The first key that a command names, and whether that is only its beginning; None where it names no key."""
    if not arguments:
        return None
    name, rest = arguments[0].upper(), arguments[1:]
    if name in _STREAM_READS:
        rest = _from_streams(rest)
    elif name in _SCRIPTS:
        rest = _keys_of_script(rest)
    elif name in _BEHIND_WORD:
        rest = rest[1:]
    elif name in _KEYLESS or name in _CONTAINERS:
        rest = ()
    if not rest:
        return None
    key = _CUT.sub(b"", rest[0])
    return key, key != rest[0]


def _keys_of_script(rest: tuple[bytes, ...]) -> tuple[bytes, ...]:
    """What follows a script and the number of its keys, if it is not 0."""
    return rest[2:] if len(rest) > 2 and rest[1] != b"0" else ()


def _pattern(key: bytes) -> SafeText:
    """A key with ``*`` for each id in it; the remark that the server cut it becomes an ellipsis."""
    whole = _CUT.sub(b"", key)
    pattern = safe(without_ids(whole), _LONGEST)
    return pattern if len(whole) == len(key) else safe(pattern.removesuffix(REST) + REST)


def _script(script: bytes) -> SafeText:
    """A script's digest or function as it is, which tells it from others, and of a text its beginning."""
    text = b" ".join(script.split())
    return safe(f'"{safe(text, 40)}"') if b" " in text else safe(text, 16)
