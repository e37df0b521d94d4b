"""The one door through which bytes from strangers become text that a widget may draw.

A key name, a client name, a payload or a field of INFO can hold escape codes, markup, invalid UTF-8, or characters
that a terminal draws in a width of its own choosing. ``safe`` turns any of them into a ``SafeText``: one line, no
control characters, and only characters that every terminal draws one or two cells wide.
"""

from __future__ import annotations

import unicodedata
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
    shown: list[str] = []
    length = 0
    for character in unicodedata.normalize("NFC", text[: _MOST_COMPOSED * (limit + 1)]):
        piece = _shown(character)
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


def _decoded(raw: bytes | bytearray | memoryview, limit: int) -> str:
    # Four bytes are the longest code point: enough is read for limit + 1 characters, whatever the size of the rest.
    return bytes(raw[: 4 * _MOST_COMPOSED * (limit + 1)]).decode("utf-8", "surrogateescape")


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
        if code <= 0xFF:
            return f"\\x{code:02x}"
        return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
    return character
