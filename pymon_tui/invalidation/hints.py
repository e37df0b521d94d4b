"""Why a selection may match nothing: what was probably meant."""

from __future__ import annotations

import re
import unicodedata
from difflib import get_close_matches

from pymon_tui.invalidation.pattern import Pattern, is_one_set, is_unclosed
from pymon_tui.invalidation.selection import Selection
from pymon_tui.model.text import SafeText, safe

_BRACES = re.compile(r"\{[^{}]*,[^{}]*\}")
_REGEX = re.compile(r"(^|[^\w*?\]])\.\*|\.\+|[\])]\+")
"""What repeats as in a regular expression. A namespace may end in a dot: ``config.*`` is a glob."""
_BLANK = re.compile(r"^\s|\s$|\*\s|\s\*|[\r\n]")
_ACL = re.compile(r"%[RW]{1,2}~|allkeys$", re.IGNORECASE)
"""What names keys in ACL rules, besides a ~ alone."""
_ESCAPED = re.compile(r"\\(x[0-9A-Fa-f]{2}|.)", re.DOTALL)
_ALONE = {
    ",": "has a comma, which stands for itself; several patterns are separated by blanks",
    ";": "has a semicolon, which stands for itself; give a pattern for each",
    "|": "has a |, which stands for itself; give a pattern for each alternative",
    "、": "has a comma of another script, which stands for itself; give a pattern for each",
}
"""Characters that are no syntax of a glob, and what is said of each."""
_QUOTES = frozenset("\"'`‘’‚“”„«»‹›「」『』")

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


def mistake(typed: str, pattern: Pattern) -> str | None:
    r"""What a pattern that names hardly any key was probably meant as; None for one that may be meant as it is.

    A character that is typed behind a backslash or as ``\xNN`` is meant: ``\^a`` is the key that begins with it.
    """
    plain = _ESCAPED.sub("", typed)
    is_class = any(len(found[1]) == 1 and found[1].isalnum() for found in _ESCAPED.finditer(typed))  # such as \\d
    if is_class or typed.startswith("^") or plain.endswith("$") or _REGEX.search(plain) is not None:
        return _as_glob(pattern.shown)
    if _ACL.match(typed) is not None:
        return "is an ACL rule; write the pattern that stands in it, * for all keys, allkey[s] for the key of that name"
    if typed.startswith(("~", "!")):
        return "begins with a sign of ACL rules or of negation, which stands for itself; write the pattern without it"
    if len(plain) > 1 and not _QUOTES.isdisjoint((plain[0], plain[-1])):
        return "has quotes, which stand for themselves; write the pattern without them"
    if _BLANK.search(typed) is not None:
        return r"has a blank at its edge or beside a star; give a pattern for each, or write the blank as \x20"
    if is_unclosed(pattern.glob):
        return r"has a [ without its ], and all that follows is one byte of a set; a [ of the key is \["
    if is_one_set(pattern.glob):
        return "is a set, which matches one byte at most; brackets and quotes belong around a whole list"
    if _BRACES.search(plain) is not None or (plain.startswith("{") and plain.endswith("}")):
        return "has braces, which stand for themselves in a glob; give a pattern for each alternative"
    return next((what for character in plain if (what := _ALONE.get(character) or _unlike_ascii(character))), None)


def _unlike_ascii(character: str) -> str | None:
    """What is said of a character that is taken for another, or for none."""
    if unicodedata.category(character) == "Cf":
        return f"has a character that isn't seen (U+{ord(character):04X}), which stands for itself; leave it out"
    if unicodedata.east_asian_width(character) == "F" or (character.isspace() and not character.isascii()):
        return "has a wide character, which stands for itself; write it as ASCII has it"
    return None


def _of_pattern(pattern: Pattern) -> SafeText | None:
    what = mistake(pattern.shown, pattern)
    if what is None and b".*" in pattern.glob:
        what = _as_glob(pattern.shown)
    return None if what is None else safe(f'"{pattern.shown}" {what}', 400)


def _as_glob(shown: SafeText) -> str:
    meant = shown.removeprefix("^").removesuffix("$").replace(".*", "*")
    return f'is a glob and no regular expression: ^ and $ stand for themselves; "{meant}"?'
