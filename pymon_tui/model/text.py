"""The one door through which bytes from strangers become text that a widget may draw.

A key name, a client name, a payload or a field of INFO can hold escape codes, markup, invalid UTF-8, or characters
that a terminal draws in a width of its own choosing. ``safe`` turns any of them into a ``SafeText``: one line, no
control characters, and only characters that every terminal draws one or two cells wide.

Names that only look alike are the other trick. A Cyrillic, Greek or Armenian letter that looks like a Latin one is
shown by its code where its word has Latin letters, too: ``\\u0430dmin`` is not ``admin``. Words of one script stay as
they are; where it matters, the bytes are compared and not what is seen.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect
from functools import lru_cache

LIMIT = 512
"""Characters kept of one text; more would never be seen on one line, and a payload can have 10 MB."""

_MOST_COMPOSED = 4
"""Code points that become one character at most: a letter with three marks, a Hangul syllable of three jamo."""

_ESCAPES = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
# Widths that depend on the neighbours or on the terminal: flags, skin tones, Hangul jamo written apart, tag letters.
_UNSTEADY = ((0x1100, 0x11FF), (0xA960, 0xA97F), (0xD7B0, 0xD7FF), (0x1F1E6, 0x1F1FF), (0x1F3FB, 0x1F3FF))
_HIDDEN_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Mn", "Me", "Mc"})
_BLANKS = frozenset("\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f")
_FILLERS = frozenset("\u115f\u1160\u3164\uffa0\u2800")  # drawn blank, some of them in no width at all

# In the order of the Latin letters that they look like: capitals, then small ones.
_LOOK_ALIKES = (
    "\u0410\u0412\u0421\u0415\u041d\u0406\u0408\u041a\u041c\u041e\u0420\u0405\u0422\u0425\u04ae\u04c0"  # Cyrillic
    "\u0430\u0441\u0501\u0435\u04bb\u0456\u0458\u043a\u04cf\u043e\u0440\u051b\u0455\u0475\u051d\u0445\u0443\u04af"
    "\u0391\u0392\u0395\u0396\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a5\u03a7"  # Greek
    "\u03b1\u03b9\u03ba\u03bd\u03bf\u03c1\u03c5\u03f2\u03f3"
    "\u0555\u054f\u0570\u0578\u057d\u0581\u0585"  # Armenian
)
_LATIN = "A-Za-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f"
_IS_LATIN, _IS_LOOK_ALIKE = re.compile(f"[{_LATIN}]"), re.compile(f"[{_LOOK_ALIKES}]")
_WRITTEN = r"\\(?:x[0-9a-f]{2}|u[0-9a-f]{4}|U[0-9a-f]{8}|[nrt])"
_WORD = re.compile(f"{_WRITTEN}|([{_LATIN}\u0370-\u03ff\u0400-\u052f\u0531-\u0587]+)")
"""A word of these scripts; what stands for a character that isn't drawn is none, whatever letters it is made of."""
_NEAR = 32
"""Letters of a word between which two of them are compared: of a text that is cut, so many more are looked at."""


class SafeText(str):
    """One line of text that a terminal draws as it is. Only ``safe`` and the functions of this module make it."""

    __slots__ = ()


def safe(raw: bytes | bytearray | memoryview | str, limit: int = LIMIT) -> SafeText:
    """Text for display: escapes for all that is not plainly drawn, at most ``limit`` characters and an ellipsis.

    Bytes are read as UTF-8; what isn't valid is shown as ``\\xNN``. What was cut off is said by ``…`` at the end.
    A text that is safe already stays as it is, so a line may be put together from safe parts and passed again.
    """
    if isinstance(raw, SafeText) and len(raw) <= limit:
        return raw
    text = raw if isinstance(raw, str) else _decoded(raw, limit)
    if len(text) <= limit and text.isascii() and text.isprintable():
        return SafeText(text)
    composed = unicodedata.normalize("NFC", text[: _MOST_COMPOSED * (limit + 1 + _NEAR)])
    strangers = look_alikes(composed)
    shown: list[str] = []
    length = 0
    for index, character in enumerate(composed):
        piece = _code(character) if index in strangers else _shown(character)
        length += len(piece)
        if length > limit:
            shown.append("…")
            break
        shown.append(piece)
    return SafeText("".join(shown))


def join(separator: str, parts: tuple[SafeText, ...] | list[SafeText]) -> SafeText:
    """The parts in one text, which is as safe as they are."""
    return SafeText(safe(separator).join(parts))


def lines(raw: bytes | str, limit: int = 65_536) -> tuple[SafeText, ...]:
    """A text of several lines, such as pretty-printed JSON, each of them safe; tabs become two blanks."""
    text = raw if isinstance(raw, str) else _decoded(raw, limit)
    kept = text[:limit].replace("\r\n", "\n").replace("\t", "  ").split("\n")
    cut = (safe("…"),) if len(text) > limit else ()
    return tuple(safe(line, limit) for line in kept) + cut


def look_alikes(text: str) -> frozenset[int]:
    """Where in a text a letter stands that looks like a Latin one and isn't, in a word that has Latin ones near it."""
    if _IS_LOOK_ALIKE.search(text) is None:
        return frozenset()
    found: set[int] = set()
    for match in _WORD.finditer(text):
        word = match[1] or ""
        latin = [letter.start() for letter in _IS_LATIN.finditer(word)]
        if latin:
            others = (letter.start() for letter in _IS_LOOK_ALIKE.finditer(word))
            found.update(match.start() + at for at in others if _is_near(at, latin))
    return frozenset(found)


def _is_near(at: int, places: list[int]) -> bool:
    after = bisect(places, at)
    return any(abs(place - at) <= _NEAR for place in places[max(0, after - 1) : after + 1])


def _decoded(raw: bytes | bytearray | memoryview, limit: int) -> str:
    # Four bytes are the longest code point: enough is read for limit + 1 characters, whatever the size of the rest.
    return bytes(raw[: 4 * _MOST_COMPOSED * (limit + 1 + _NEAR)]).decode("utf-8", "surrogateescape")


@lru_cache(maxsize=8192)
def _shown(character: str) -> str:
    if character in _ESCAPES:
        return _ESCAPES[character]
    code = ord(character)
    if 0x20 <= code < 0x7F:
        return character
    if 0xDC80 <= code <= 0xDCFF:  # one byte that isn't UTF-8, as surrogateescape carries it
        return f"\\x{code - 0xDC00:02x}"
    if (
        unicodedata.category(character) in _HIDDEN_CATEGORIES
        or character in _BLANKS
        or character in _FILLERS
        or any(low <= code <= high for low, high in _UNSTEADY)
    ):
        return _code(character)
    return character


def _code(character: str) -> str:
    code = ord(character)
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
