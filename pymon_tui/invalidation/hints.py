"""Why a selection may match nothing: what was probably meant."""

from __future__ import annotations

import re
import unicodedata
from difflib import get_close_matches

from pymon_tui.invalidation.pattern import Pattern, PatternError, is_one_set, is_unclosed, parse_pattern
from pymon_tui.invalidation.selection import Selection
from pymon_tui.model.text import SafeText, safe

_BRACES = re.compile(r"\{[^{}]*,[^{}]*\}")
_REGEX = re.compile(r"(^|[^\w*?\]])\.(\*|\{\d+(,\d*)?\})|\.\+|[\])](\+|\{\d+(,\d*)?\})")
"""What repeats as in a regular expression. A namespace may end in a dot: ``config.*`` is a glob."""
_BLANK = re.compile(r"^\s|\s$|\*\s|\s\*|[\r\n]")
_LINES = ("n", "r", "t")
_ACL = re.compile(r"%[RW]{1,2}~|allkeys$", re.IGNORECASE)
"""What names keys in ACL rules, besides a ~ alone."""
_WILD = re.compile(r"[*?\[]")
_AROUND = frozenset(("<>", "()"))
_NAMED = re.compile(r"(prefix|pattern|patterns|key|keys|match|glob|protected|protect)\s*=", re.IGNORECASE)
_STAR_ALONE = re.compile(r"\[[*?]\]$")
_GROUP = re.compile(r"\([^()]*[*|?][^()]*\)|\(\?")
_PERCENT = re.compile(r"^%(?![0-9A-Fa-f]{2}|[a-z](\W|$))|%$|:%:")
"""What SQL would take for any text. It may encode a character, ``a%20b``, or stand in a name as of printf."""
_VALUE = re.compile(r"\$\{\w+\}")
_ADDRESS = re.compile(r"(rediss?|valkeys?|unix)://", re.IGNORECASE)
_SET = re.compile(r"\[[^\]]*\]")
_FLAGS = re.compile(r"^\(\?[a-zA-Z]+\)")
_SLASH = re.compile(r"/[a-z]*$")
_REPEATED = re.compile(r"(\.|\\[wdsSWD]|\[[^\]]*\])[*+](?!\?)")
"""What repeats in a regular expression, and may be any text."""
_ODD = re.compile(r"[\\^$()|+{}\[\]\"]")
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
    escaped = [found[1] for found in _ESCAPED.finditer(typed)]
    if (line := next((each for each in escaped if each in _LINES), None)) is not None:
        return rf"has \{line}, which stands for the letter {line}; give each pattern as an item of its own"
    is_class = any(len(each) == 1 and each.isalnum() for each in escaped)  # such as \\d
    if is_class or typed.startswith(("^", "(?")) or plain.endswith("$") or _REGEX.search(plain) is not None:
        return _as_glob(typed)
    if _ACL.match(typed) is not None:
        return "is an ACL rule; write the pattern that stands in it, * for all keys, allkey[s] for the key of that name"
    if typed.startswith(("~", "!", "-")) and not typed[1:2].isdigit():
        return "begins with a sign of ACL rules or of negation, which stands for itself; write the pattern without it"
    if typed.startswith("@") and not _WILD.search(plain):
        return "begins with @, which stands for itself: no file is read, and no category of commands is meant"
    if len(plain) > 1 and not _QUOTES.isdisjoint((plain[0], plain[-1])):
        return "has quotes, which stand for themselves; write the pattern without them"
    if len(plain) > 1 and plain[0] + plain[-1] in _AROUND:
        return f"stands between {plain[0]} and {plain[-1]}, which stand for themselves; write the pattern without them"
    if _ADDRESS.match(plain) is not None:
        return "is an address; write the pattern of the keys alone"
    if _VALUE.search(plain) is not None:
        return "has a ${…} for a value, which stands for itself; write * in its place"
    if (named := _NAMED.match(plain)) is not None:
        return f"begins with {named[0]}, which stands for itself; write the pattern alone"
    if _BLANK.search(typed) is not None:
        return r"has a blank at its edge or beside a star; give a pattern for each, or write the blank as \x20"
    if is_unclosed(pattern.glob):
        return r"has a [ without its ], and all that follows is one byte of a set; a [ of the key is \["
    if is_one_set(pattern.glob):
        return "is a set, which matches one byte at most; brackets and quotes belong around a whole list"
    if _STAR_ALONE.search(plain) is not None:
        return "has a wildcard within brackets, where it is that one character; a * without them is any text"
    return _of_characters(plain)


def _of_characters(plain: str) -> str | None:
    """What is said of characters that are a syntax elsewhere, and stand for themselves in a glob."""
    if _BRACES.search(plain) is not None or (plain.startswith("{") and plain.endswith("}")):
        return "has braces, which stand for themselves in a glob; give a pattern for each alternative"
    if _GROUP.search(plain) is not None:
        return "has parentheses, which stand for themselves in a glob; give a pattern for each alternative"
    if _PERCENT.search(plain) is not None:
        return "has a % for any text, which stands for itself in a glob; write * in its place"
    plain = _SET.sub("", plain)  # what stands there is meant
    # Ids with a | have parts that are no patterns.
    odd = plain if all(each.strip("*") and not each.isdigit() for each in plain.split("|")) else plain.replace("|", "")
    # Names in a script of wide characters have its punctuation.
    is_wide = any(unicodedata.category(character) == "Lo" for character in plain)
    told = (_ALONE.get(character) or _unlike_ascii(character, is_wide=is_wide) for character in odd)
    return next((what for what in told if what), None)


def _unlike_ascii(character: str, *, is_wide: bool) -> str | None:
    """What is said of a character that is taken for another, or for none; ``is_wide`` is whether letters are."""
    if unicodedata.category(character) == "Cf":
        return f"has a character that isn't seen (U+{ord(character):04X}), which stands for itself; leave it out"
    if (unicodedata.east_asian_width(character) == "F" and not is_wide) or (
        character.isspace() and not character.isascii()
    ):
        return "has a wide character, which stands for itself; write it as ASCII has it"
    return None


def _of_pattern(pattern: Pattern) -> SafeText | None:
    what = mistake(pattern.shown, pattern)
    if what is None and b".*" in pattern.glob:  # also one that may be a namespace, for it matches nothing
        what = _as_glob(pattern.shown)
    return None if what is None else safe(f'"{pattern.shown}" {what}', 400)


def _as_glob(typed: str) -> str:
    r"""What is said of a regular expression, with the glob that it probably means where one does.

    Nothing holds a regular expression's end but $: ``^a:`` is ``a:*``.
    """
    signs = ": ^ and $ stand for themselves" if "^" in typed or "$" in typed else ""
    what = f"is a glob and no regular expression{signs}"
    text = _FLAGS.sub("", typed)
    if len(text) > 1 and text.startswith("/") and (end := _SLASH.search(text)) is not None:
        text = text[1 : end.start()]
    begins, ends = text.startswith("^"), text.endswith("$")
    meant = _REPEATED.sub("*", text.removeprefix("^").removesuffix("$"))
    meant = re.sub(r"\*+", "*", f"{'*' if ends and not begins else ''}{meant}{'*' if begins and not ends else ''}")
    if meant == typed or not _is_plain(meant):
        return f"{what}; write it as one, such as a:*"
    return f'{what}; "{meant}"?'


def _is_plain(glob: str) -> bool:
    """Whether this can be suggested: a glob without any other syntax, that doesn't match every key."""
    if not glob or _ODD.search(glob) is not None:
        return False
    try:
        pattern = parse_pattern(glob)
    except PatternError:
        return False
    return not pattern.is_catch_all and mistake(glob, pattern) is None
