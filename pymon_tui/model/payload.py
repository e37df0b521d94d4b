"""What a message says: JSON on one line or pretty-printed, and any other bytes as text."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import Any, TypeAlias

from pymon_tui.model.text import SafeText, safe

ONE_LINE = 240
"""Characters of a payload that are made ready for one line; the widest terminals show fewer."""

DEEPEST = 40
"""Levels of objects and lists that are opened; what lies deeper is one ellipsis."""

MOST_LINES = 2_000
_LONGEST = 65_536

_LEVELS = ("level", "severity")
_TELLING = ("title", "message", "text")


class Bare(str):
    """A number, or a constant such as NaN, as it was written."""

    __slots__ = ()


class Members(list[tuple[str, Any]]):
    """The members of an object in their order; a name may come twice."""


Json: TypeAlias = Members | list[Any] | Bare | str | bool | None
"""Parsed JSON. Numbers stay as they were written, so nothing is rounded."""

# Numbers stay text: they are shown as they came, and a number of 16,000 digits costs nothing.
_DECODER = json.JSONDecoder(object_pairs_hook=Members, parse_float=Bare, parse_int=Bare, parse_constant=Bare)


@dataclass(frozen=True, slots=True)
class Summary:
    """A payload on one line.

    Attributes:
        line: All of it; JSON without blanks between its parts.
        telling: What a person reads first: the title and message of an object that has them, else ``line``.
        level: What an object calls its level or severity, a word or a number; None where it doesn't.
    """

    line: SafeText
    telling: SafeText
    level: SafeText | None


@dataclass(frozen=True, slots=True)
class JsonLine:
    """One line of pretty-printed JSON: how deep it stands, the member's name in quotes if it has one, and the rest."""

    depth: int
    name: SafeText | None
    text: SafeText


@lru_cache(maxsize=256)
def summary(payload: bytes) -> Summary:
    """The payload on one line. Remembered, because a message is drawn many times."""
    value = parsed(payload)
    if value is None:
        line = safe(payload, ONE_LINE)
        return Summary(line, line, None)
    line = _compact(value)
    if not isinstance(value, Members):
        return Summary(line, line, None)
    texts = {name: text for name, text in value if isinstance(text, str) and text.strip()}
    said = [texts[name] for name in _TELLING if name in texts and not isinstance(texts[name], Bare)]
    telling = " · ".join(text[:ONE_LINE] for text in said)
    level = next((safe(texts[name].strip(), 20) for name in _LEVELS if name in texts), None)
    return Summary(line, safe(telling, ONE_LINE) if telling else line, level)


def parsed(payload: bytes) -> Members | list[Any] | None:
    """The object or list that the payload is in JSON; None if it is anything else, or was cut."""
    if payload[:64].lstrip()[:1] not in (b"{", b"["):
        return None
    try:
        value: Members | list[Any] = _DECODER.decode(payload.decode())
    except (ValueError, RecursionError):
        return None
    return value


def pretty(value: Json) -> Iterator[JsonLine]:
    """Parsed JSON line by line, at most ``MOST_LINES`` and an ellipsis."""
    lines = _pretty(value, 0, None, "")
    yield from islice(lines, MOST_LINES)
    if next(lines, None) is not None:
        yield JsonLine(0, None, safe("…"))


def _pretty(value: Json, depth: int, name: str | None, after: str) -> Iterator[JsonLine]:
    shown_name = None if name is None else safe(_string(name), _LONGEST)
    if not isinstance(value, list) or not value or depth == DEEPEST:
        yield JsonLine(depth, shown_name, safe(_flat(value) + after, _LONGEST))
        return
    opened, closed = _brackets(value)
    yield JsonLine(depth, shown_name, safe(opened))
    last = len(value) - 1
    for index, (member, item) in enumerate(_items(value)):
        yield from _pretty(item, depth + 1, member, "," if index < last else "")
    yield JsonLine(depth, None, safe(closed + after))


def _compact(value: Json) -> SafeText:
    pieces: list[str] = []
    length = 0
    for piece in _pieces(value, 0):
        pieces.append(piece)
        length += len(piece)
        if length > ONE_LINE:
            break
    return safe("".join(pieces), ONE_LINE)


def _pieces(value: Json, depth: int) -> Iterator[str]:
    if not isinstance(value, list) or not value or depth == DEEPEST:
        yield _flat(value)
        return
    opened, closed = _brackets(value)
    before = opened
    for name, item in _items(value):
        yield before if name is None else f"{before}{_string(name)}:"
        yield from _pieces(item, depth + 1)
        before = ","
    yield closed


def _items(value: list[Any]) -> Iterator[tuple[str | None, Json]]:
    return iter(value) if isinstance(value, Members) else ((None, item) for item in value)


def _flat(value: Json) -> str:
    """A value that isn't opened."""
    if isinstance(value, list):
        opened, closed = _brackets(value)
        return f"{opened}…{closed}" if value else opened + closed
    return value if isinstance(value, Bare) else _string(value)


def _brackets(value: list[Any]) -> tuple[str, str]:
    return ("{", "}") if isinstance(value, Members) else ("[", "]")


def _string(value: str | bool | None) -> str:  # noqa: FBT001
    return json.dumps(value, ensure_ascii=False)
