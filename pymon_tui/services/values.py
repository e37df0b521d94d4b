"""Values as JSON that anyone can read, and that come back as exactly what they were.

What JSON has no word for is an object with one key: ``{"$datetime": "2026-11-22T09:00:00+09:00[Asia/Seoul]"}``,
``{"$date": "2026-11-22"}``, ``{"$decimal": "1.50"}``, ``{"$uuid": …}``, ``{"$tuple": […]}``. An object of the
application's with one key that begins with ``$`` has another ``$`` before it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_TAG = "$"
_PLAIN = frozenset((str, int, bool, type(None)))


def dumps(value: Any) -> bytes:
    """A value as UTF-8 JSON.

    Args:
        value: None, bool, int, float, str, date, datetime, Decimal, UUID, and lists, tuples and dicts (with keys that
            are strings) of these. A subclass of one of them isn't it: it would not come back as what it was. A datetime
            keeps its instant, and its time zone if that is a `ZoneInfo`, else its offset.

    Raises:
        ValueError: If a value is of another type, or the nesting is too deep.
    """
    try:
        tagged = _tagged(value)
        text = _WRITER.encode(tagged)
    except RecursionError:
        raise ValueError("a value nested this deep can't be stored") from None
    try:
        return text.encode()
    except UnicodeEncodeError:  # half of a character, which JSON can only write as an escape
        return _ESCAPER.encode(tagged).encode()


def loads(data: bytes | str) -> Any:
    """The value that `dumps` wrote, or that of any other JSON without its tags.

    Raises:
        ValueError: If it is no UTF-8 JSON, or a tag in it is unknown or has a value that it can't have.
    """
    try:
        text = data.decode() if isinstance(data, bytes) else data
        return (_TAG_READER if f'"{_TAG}' in text else _READER).decode(text)
    except (TypeError, AttributeError, ArithmeticError, ZoneInfoNotFoundError, OSError) as error:
        raise ValueError(f"a tagged value can't be read: {error}") from None
    except RecursionError:
        raise ValueError("a value nested this deep can't be read") from None


def _tagged(value: Any) -> Any:
    kind = type(value)
    if kind in _PLAIN:
        return value
    if kind is list:
        return [each if type(each) in _PLAIN else _tagged(each) for each in value]
    if kind is dict:
        return _object(value)
    if kind is float and math.isfinite(value):
        return value
    write = _WRITE.get(kind)
    if write is None:
        raise ValueError(f"a value of type {kind.__qualname__} can't be stored as JSON and come back as what it was")
    name, written = write(value)
    return {_TAG + name: written}


def _object(value: dict[Any, Any]) -> dict[str, Any]:
    for key in value:
        if type(key) is not str:
            raise ValueError(f"a dict with a key of type {type(key).__qualname__} can't be stored as JSON")
    tagged = {key: each if type(each) in _PLAIN else _tagged(each) for key, each in value.items()}
    if len(tagged) == 1:
        ((key, each),) = tagged.items()
        if key.startswith(_TAG):
            return {_TAG + key: each}
    return tagged


def _untagged(value: dict[str, Any]) -> Any:
    if len(value) != 1:
        return value
    ((key, each),) = value.items()
    if not key.startswith(_TAG):
        return value
    if key.startswith(_TAG * 2):
        return {key[len(_TAG) :]: each}
    read = _READ.get(key[len(_TAG) :])
    if read is None:
        raise ValueError(f"{key} is not the name of a type")
    return read(each)


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def _write_datetime(value: datetime) -> tuple[str, str]:
    written = value.isoformat()
    if isinstance(value.tzinfo, ZoneInfo):
        if value.tzinfo.key is None:
            raise ValueError("a time zone without a name can't be stored")
        written += f"[{value.tzinfo.key}]"
    return "datetime", written


def _read_datetime(written: str) -> datetime:
    text, _, zone = written.removesuffix("]").partition("[")
    at = datetime.fromisoformat(text)
    if not zone:
        return at
    if at.tzinfo is None:
        raise ValueError("a datetime with a time zone needs its offset")
    for fold in (0, 1):
        local = at.replace(tzinfo=ZoneInfo(zone), fold=fold)
        if local.utcoffset() == at.utcoffset():
            return local
    # The zone's rules are others by now: the instant is kept, and not the time on the clock.
    return at.astimezone(ZoneInfo(zone))


_WRITE: Mapping[type, Callable[[Any], tuple[str, Any]]] = {
    datetime: _write_datetime,
    date: lambda value: ("date", value.isoformat()),
    Decimal: lambda value: ("decimal", str(value)),
    UUID: lambda value: ("uuid", str(value)),
    tuple: lambda value: ("tuple", [_tagged(each) for each in value]),
    float: lambda value: ("float", str(value)),
}
_READ: Mapping[str, Callable[[Any], Any]] = {
    "datetime": _read_datetime,
    "date": date.fromisoformat,
    "decimal": Decimal,
    "uuid": UUID,
    "tuple": tuple,
    "float": float,
}

# Made once: json.dumps and json.loads make theirs anew at each call that has options.
_WRITER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, check_circular=False, separators=(",", ":"))
_ESCAPER = json.JSONEncoder(allow_nan=False, check_circular=False, separators=(",", ":"))
_READER = json.JSONDecoder(parse_constant=_no_constant)
_TAG_READER = json.JSONDecoder(parse_constant=_no_constant, object_hook=_untagged)
