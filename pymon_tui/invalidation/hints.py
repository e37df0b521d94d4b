"""Why a selection may match nothing: what was probably meant."""

from __future__ import annotations

from difflib import get_close_matches

from pymon_tui.invalidation.pattern import Pattern
from pymon_tui.invalidation.selection import Selection
from pymon_tui.model.text import SafeText, safe

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
    glob = pattern.glob
    is_regular = glob.startswith(b"^") or glob.endswith(b"$") or b".*" in glob
    if not is_regular:
        return None
    meant = pattern.shown.removeprefix("^").removesuffix("$").replace(".*", "*")
    return safe(f'"{pattern.shown}" is a glob and no regular expression: ^ and $ stand for themselves; "{meant}"?', 400)
