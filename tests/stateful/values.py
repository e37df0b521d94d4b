"""Values of every type, small and large, as the commands that make them and as a typed read gives them back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

Command: TypeAlias = tuple[bytes | int | float, ...]
Value: TypeAlias = object
"""What a typed read gives, in a form that can be compared and hashed."""

TYPES = ("string", "list", "set", "zset", "hash", "stream")
HUGE = 150_000
"""Bytes of a large string: beyond `KEY_CAP`, which every other value stays below."""
KEY_CAP = 100_000
"""Bytes above which a run with a small `key_cap` keeps no key."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What a value is to be.

    Attributes:
        type: As TYPE says.
        large: Whether it has the encoding of many elements.
        salt: Makes values of one shape differ.
    """

    type: str
    large: bool
    salt: int


def makes(key: bytes, shape: Shape) -> list[Command]:
    """The commands that put a value of this shape at a key that isn't there."""
    return _MAKES[shape.type](key, shape.large, shape.salt)


def changes(key: bytes, type_: str, salt: int) -> Command:
    """A command that changes a value of this type in place, and leaves its end as it is."""
    name = b"changed:%d" % salt
    commands: dict[str, Command] = {
        "string": (b"APPEND", key, name),
        "list": (b"RPUSH", key, name),
        "set": (b"SADD", key, name),
        "zset": (b"ZADD", key, salt, name),
        "hash": (b"HSET", key, name, name),
        "stream": (b"XADD", key, b"*", b"changed", name),
    }
    return commands[type_]


def _string(key: bytes, large: bool, salt: int) -> list[Command]:  # noqa: FBT001 - one of a table
    small = (b"%d" % salt, b"short %d" % salt, b"\x00\xff" * 60 + b"%d" % salt, b"")[salt % 4]
    return [(b"SET", key, b"%06d" % salt * (HUGE // 6) if large else small)]


def _list(key: bytes, large: bool, salt: int) -> list[Command]:  # noqa: FBT001
    return [(b"RPUSH", key, *(b"element %d of %d" % (number, salt) for number in range(700 if large else 3)))]


def _set(key: bytes, large: bool, salt: int) -> list[Command]:  # noqa: FBT001
    members = [b"%d" % number if salt % 3 == 0 else b"member %d" % number for number in range(salt, salt + 4)]
    return [(b"SADD", key, *((b"member %d of %d" % (number, salt) for number in range(200)) if large else members))]


def _zset(key: bytes, large: bool, salt: int) -> list[Command]:  # noqa: FBT001
    pairs = ((number / 7 + salt, b"member %d" % number) for number in range(200 if large else 3))
    return [(b"ZADD", key, *(word for pair in pairs for word in pair))]


def _hash(key: bytes, large: bool, salt: int) -> list[Command]:  # noqa: FBT001
    pairs = ((b"field %d" % number, b"%d" % (salt + number)) for number in range(600 if large else 3))
    return [(b"HSET", key, *(word for pair in pairs for word in pair))]


def _stream(key: bytes, large: bool, salt: int) -> list[Command]:  # noqa: FBT001
    added: list[Command] = [
        (b"XADD", key, b"%d-1" % (number + 1), b"f", b"%d" % salt) for number in range(130 if large else 2)
    ]
    group: list[Command] = [
        (b"XGROUP", b"CREATE", key, b"workers", b"0"),
        (b"XREADGROUP", b"GROUP", b"workers", b"worker", b"COUNT", 1, b"STREAMS", key, b">"),
        (b"XDEL", key, b"2-1"),
    ]
    return added + (group if salt % 2 else [])


_MAKES = {"string": _string, "list": _list, "set": _set, "zset": _zset, "hash": _hash, "stream": _stream}

READS: dict[str, tuple[bytes, ...]] = {
    "string": (b"GET",),
    "list": (b"LRANGE", b"0", b"-1"),
    "set": (b"SMEMBERS",),
    "zset": (b"ZRANGE", b"0", b"-1", b"WITHSCORES"),
    "hash": (b"HGETALL",),
    "stream": (b"XINFO", b"STREAM", b"FULL", b"COUNT", b"0"),
}


def read_of(key: bytes, type_: str) -> Command:
    """The command that reads the whole of a value."""
    words = READS[type_]
    at = 2 if type_ == "stream" else 1
    return (*words[:at], key, *words[at:])


def value_of(type_: str, reply: Any) -> Value:
    """A reply to `read_of` as it is compared; of a hash without the ends of its fields."""
    if type_ == "string":
        return reply
    if type_ == "set":
        return frozenset(reply)
    if type_ == "hash":
        return frozenset((name, value, 0) for name, value in _pairs(reply))
    if type_ == "stream":
        return _told_of_stream(reply)
    return tuple(reply)


def _told_of_stream(reply: Sequence[Any]) -> Value:
    """Entries, the last id, and groups with what is pending: not how the nodes of the tree are laid out."""
    told = dict(_pairs(reply))
    groups = []
    for group in told[b"groups"]:
        of_group = dict(_pairs(group))
        consumers = [dict(_pairs(consumer)) for consumer in of_group[b"consumers"]]
        names = (b"name", b"last-delivered-id", b"entries-read", b"pending")
        groups.append(
            (
                *(frozen(of_group[name]) for name in names),
                *((one[b"name"], frozen(one[b"pending"])) for one in consumers),
            )
        )
    whole = (b"length", b"last-generated-id", b"max-deleted-entry-id", b"entries-added", b"entries")
    return (*(frozen(told[name]) for name in whole), *groups)


def _pairs(flat: Sequence[Any]) -> list[tuple[Any, Any]]:
    return list(zip(flat[::2], flat[1::2], strict=True))


def frozen(reply: Any) -> Value:
    """A reply with tuples for lists."""
    return tuple(map(frozen, reply)) if isinstance(reply, list) else reply
