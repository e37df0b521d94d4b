"""What can be told of the payload of DUMP without a server: its version, its type, and whether two hold the same.

A payload is a type byte, the value in the form of an RDB file, two bytes of RDB version and eight of checksum. Two
payloads of one value may differ: a hash table is written in the order of its buckets, which RESTORE changes.
"""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Callable, Iterable

from pymon_tui.invalidation.listpack import decompressed, elements
from pymon_tui.model.text import SafeText, safe

_FOOTER = 10
_BROKEN = (IndexError, KeyError, ValueError, struct.error)
_MODULE = 7
_SET, _ZSET, _HASH = 2, 5, 4
_ENDING, _ENDING_REDIS, _ENDING_LISTPACK = 22, 24, 25  # hashes with ends: Valkey 9's, and those of Redis 7.4
_WITH_ENDS = (_ENDING, _ENDING_REDIS, _ENDING_LISTPACK)
_NAME = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

LINKED = {"TSDB-TYPE": "compaction rules"}
"""What RESTORE doesn't bring back, by the types that have it: the value alone is in the payload."""


def links_lost(types: Iterable[str]) -> SafeText | None:
    """What an undo doesn't bring back of keys of these types (as TYPE calls them); None where that is nothing."""
    lost = [f"{name} comes back without its {LINKED[name]}" for name in types if name in LINKED]
    return safe("; ".join(lost)) if lost else None


def rdb_version(payload: bytes) -> int | None:
    """The RDB version that the server which dumped it writes; None where this is no payload."""
    if len(payload) < _FOOTER + 1:
        return None
    (version,) = struct.unpack_from("<H", payload, len(payload) - _FOOTER)
    return int(version)


def has_ended(payload: bytes, now: int) -> bool:
    """Whether it is a hash all of whose fields have ended by now (unix ms): RESTORE says OK to it, and it is gone."""
    if not payload or payload[0] not in _WITH_ENDS:
        return False
    try:
        return all(0 < end <= now for _, end in _items(payload))
    except _BROKEN:
        return False


def module_type(payload: bytes) -> str:
    """The type of a module's value, as TYPE calls it; empty for any other."""
    if len(payload) < 10 or payload[0] != _MODULE or payload[1] != 0x81:
        return ""
    (number,) = struct.unpack_from(">Q", payload, 2)
    return "".join(_NAME[number >> shift & 63] for shift in range(58, 9, -6))


def same_value(one: bytes, other: bytes, now: int) -> bool:
    """Whether two payloads hold the same value.

    Args:
        one: What was dumped before.
        other: What was dumped at ``now``: it may lack fields that have ended since.
        now: Unix milliseconds of the server's clock.
    """
    if one == other or (len(one) > _FOOTER and one[:-_FOOTER] == other[:-_FOOTER]):
        return True
    try:
        before, after = _items(one), _items(other)
    except _BROKEN:
        return False
    ended = Counter({item: count for item, count in before.items() if 0 < item[1] <= now})
    return not after - before and not (before - after) - ended


def _items(payload: bytes) -> Counter[tuple[bytes, int]]:
    """The members or fields of a set, a sorted set or a hash, each with its end (unix ms) or 0.

    Raises:
        IndexError, KeyError, ValueError, struct.error: If it is something else.
    """
    kind, place, base = payload[0], 1, 0
    if kind in (_ENDING_REDIS, _ENDING_LISTPACK):
        (base,) = struct.unpack_from("<Q", payload, place)
        place += 8
    if kind == _ENDING_LISTPACK:
        parts = elements(_string(payload, place))
        rows = zip(parts[::3], parts[1::3], parts[2::3], strict=True)
        return Counter((b"%d:%b%b" % (len(field), field, value), int(end)) for field, value, end in rows)
    part = _PARTS[kind]
    count, place = _length(payload, place)
    items: Counter[tuple[bytes, int]] = Counter()
    for _ in range(count):
        item, place = part(payload, place, base)
        items[item] += 1
    if place != len(payload) - _FOOTER:
        raise ValueError("not of this form")
    return items


def _member(payload: bytes, place: int, _: int) -> tuple[tuple[bytes, int], int]:
    end = _after_string(payload, place)
    return (payload[place:end], 0), end


def _scored(payload: bytes, place: int, _: int) -> tuple[tuple[bytes, int], int]:
    end = _after_string(payload, place) + 8
    return (payload[place:end], 0), end


def _field(payload: bytes, place: int, _: int) -> tuple[tuple[bytes, int], int]:
    end = _after_string(payload, _after_string(payload, place))
    return (payload[place:end], 0), end


def _field_and_end(payload: bytes, place: int, _: int) -> tuple[tuple[bytes, int], int]:
    end = _after_string(payload, _after_string(payload, place))
    (at,) = struct.unpack_from("<q", payload, end)
    return (payload[place:end], max(0, at)), end + 8


def _end_and_field(payload: bytes, place: int, base: int) -> tuple[tuple[bytes, int], int]:
    left, place = _length(payload, place)
    end = _after_string(payload, _after_string(payload, place))
    return (payload[place:end], base + left - 1 if left else 0), end


_PARTS: dict[int, Callable[[bytes, int, int], tuple[tuple[bytes, int], int]]] = {
    _SET: _member,
    _ZSET: _scored,
    _HASH: _field,
    _ENDING: _field_and_end,
    _ENDING_REDIS: _end_and_field,
}


def _length(payload: bytes, place: int) -> tuple[int, int]:
    first = payload[place]
    kind = first >> 6
    if kind == 0:
        return first & 63, place + 1
    if kind == 1:
        return (first & 63) << 8 | payload[place + 1], place + 2
    if first == 0x80:
        return int.from_bytes(payload[place + 1 : place + 5], "big"), place + 5
    if first == 0x81:
        return int.from_bytes(payload[place + 1 : place + 9], "big"), place + 9
    raise ValueError("no length")


def _string(payload: bytes, place: int) -> bytes:
    """A string that isn't written as a number."""
    if payload[place] == 0xC3:
        packed, place = _length(payload, place + 1)
        size, place = _length(payload, place)
        return decompressed(payload[place : place + packed], size)
    size, place = _length(payload, place)
    return payload[place : place + size]


def _after_string(payload: bytes, place: int) -> int:
    """Where a string that begins here ends; it need not be read."""
    first = payload[place]
    if first in (0xC0, 0xC1, 0xC2):  # a whole number of one, two or four bytes
        return place + 1 + (1 << (first & 3))
    if first == 0xC3:  # compressed: both lengths before the bytes
        size, place = _length(payload, place + 1)
        _, place = _length(payload, place)
        return place + size
    size, place = _length(payload, place)
    return place + size
