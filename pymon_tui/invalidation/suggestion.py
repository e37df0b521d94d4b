"""The pattern that an invalidation may begin with: what somebody just did to which keys."""

from __future__ import annotations

from pymon_tui.invalidation.pattern import Pattern, PatternError, literal
from pymon_tui.model.key_shape import around_ids
from pymon_tui.readings.shapes import key_of


def suggested(arguments: tuple[bytes, ...], *, like: bool) -> Pattern | None:
    """The pattern of the key that a command names; None where it names none, or nothing of it that could be used.

    Args:
        arguments: The command as the slow log keeps it.
        like: Whether keys that differ only in their ids are meant, and not this one alone.
    """
    glob = _globbed(arguments)
    if glob is None:
        found = key_of(arguments)
        if found is None:
            return None
        key, is_beginning = found
        first, *others = around_ids(key) if like else (key,)
        # Between two ids that touch there is nothing, and one star is as much as two.
        pieces = [first, *filter(None, others[:-1]), *others[-1:]]
        if is_beginning and pieces[-1]:
            pieces.append(b"")
        glob = b"*".join(map(literal, pieces))
    try:
        return Pattern(glob)
    except PatternError:
        return None


def _globbed(arguments: tuple[bytes, ...]) -> bytes | None:
    """The pattern that KEYS and SCAN are given themselves."""
    match [word.upper() for word in arguments]:
        case [b"KEYS", _]:
            return arguments[1]
        case [b"SCAN", _, *options] if b"MATCH" in options[:-1]:
            return arguments[options.index(b"MATCH") + 3]
    return None
