"""What a glob matches, in words, place by place."""

from __future__ import annotations

from itertools import groupby

from pymon_tui.invalidation.pattern import Pattern, Token, tokens
from pymon_tui.model.text import SafeText, safe

_BYTES = 256
_RUN = 3  # bytes in a row that are written as a range


def explained(pattern: Pattern) -> tuple[SafeText, ...]:
    """Its places in order: ``cart:``, ``one of 0-4``, ``anything``.

    Bytes that stand for themselves are one place, ``?`` side by side are one, and so are stars.
    """
    found: list[SafeText] = []
    for kind, some in groupby(tokens(pattern.glob), _kind):
        places = list(some)
        if kind == "bytes":
            found.append(safe(b"".join(bytes(place) for place in places if place is not None), 2_000))
        elif kind == "star":
            found.append(safe("anything"))
        elif kind == "any":
            found.append(safe(f"any {len(places)} bytes" if len(places) > 1 else "any byte"))
        else:
            found += [_set(place) for place in places if place is not None]
    return tuple(found)


def matches_nothing(pattern: Pattern) -> bool:
    """Whether no key can match: it has a set without a member."""
    return any(token is not None and not token for token in tokens(pattern.glob))


def _kind(token: Token) -> str:
    if token is None:
        return "star"
    return {1: "bytes", _BYTES: "any"}.get(len(token), f"set {sorted(token)}")


def _set(token: frozenset[int]) -> SafeText:
    if len(token) > _BYTES // 2:
        return safe(f"a byte other than {_members(frozenset(range(_BYTES)) - token)}", 400)
    return safe(f"one of {_members(token)}", 400)


def _members(token: frozenset[int]) -> str:
    pieces: list[str] = []
    for _, some in groupby(enumerate(sorted(token)), lambda each: each[1] - each[0]):
        row = [byte for _, byte in some]
        if len(row) >= _RUN:
            pieces.append(f"{safe(bytes((row[0],)))}-{safe(bytes((row[-1],)))}")
        else:
            pieces += [safe(bytes((byte,))) for byte in row]
    return " ".join(pieces)
