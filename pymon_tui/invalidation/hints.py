"""Why a selection may match nothing: what was probably meant."""

from __future__ import annotations

import re
from difflib import get_close_matches

from pymon_tui.invalidation.pattern import Pattern, is_unclosed
from pymon_tui.invalidation.selection import Selection
from pymon_tui.model.text import SafeText, safe

_BRACES = re.compile(rb"\{[^{}]*,[^{}]*\}")

TYPES = ("string", "list", "set", "zset", "hash", "stream")
"""The types of Redis itself, as TYPE says them. Modules add others, such as ReJSON-RL."""


def hints(selection: Selection) -> tuple[SafeText, ...]:
    """One line for each part of a selection that looks like a mistake; for a selection that has matched nothing."""
    found = [hint for pattern in selection.patterns if (hint := _of_pattern(pattern)) is not None]
    named = selection.filters.type
    if named is not None and named.lower() not in TYPES:
        near = get_close_matches(named.lower(), TYPES, n=1)
        meant = f'did you mean "{near[0]}"?' if near else "a module's type is spelled as TYPE says it"
        found.append(safe(f'Redis itself has no type "{safe(named, 60)}": {meant}'))
    return tuple(found)


def _of_pattern(pattern: Pattern) -> SafeText | None:
    glob, shown = pattern.glob, pattern.shown
    if glob.startswith(b"^") or glob.endswith(b"$") or b".*" in glob:
        meant = shown.removeprefix("^").removesuffix("$").replace(".*", "*")
        return _hint(shown, f'is a glob and no regular expression: ^ and $ stand for themselves; "{meant}"?')
    if is_unclosed(glob):
        return _hint(shown, r"has a [ without its ], and all that follows is one byte of a set; a [ of the key is \[")
    if _BRACES.search(glob) is not None:
        return _hint(shown, "has braces, which stand for themselves in a glob; give a pattern for each alternative")
    if b"," in glob:
        return _hint(shown, "has a comma, which stands for itself; several patterns are separated by blanks")
    return None


def _hint(shown: SafeText, what: str) -> SafeText:
    return safe(f'"{shown}" {what}', 400)
