"""What one cell of a terminal shows: the pen it is drawn with, and how sure its width is."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import NamedTuple

from rich.cells import cell_len
from rich.color import ColorSystem
from rich.style import Style

# (attribute of rich's Style, SGR code that turns it on, SGR code that turns it off)
_ATTRIBUTES = (
    ("bold", "1", "22"),
    ("dim", "2", "22"),
    ("italic", "3", "23"),
    ("underline", "4", "24"),
    ("blink", "5", "25"),
    ("blink2", "6", "25"),
    ("reverse", "7", "27"),
    ("conceal", "8", "28"),
    ("strike", "9", "29"),
    ("underline2", "21", "24"),
    ("frame", "51", "54"),
    ("encircle", "52", "54"),
    ("overline", "53", "55"),
)
_OFF = {on: off for _, on, off in _ATTRIBUTES}


def _is_plain(character: str) -> bool:
    ambiguous_or_wide = unicodedata.east_asian_width(character) in "AFW"
    return not ambiguous_or_wide and unicodedata.category(character)[0] in "LNPS"


# Characters that take one cell in every terminal, so that the cursor is known after them. Box drawing and
# blocks are ambiguous on paper only: a terminal that draws them wide can't show any program of this kind.
PLAIN = frozenset(
    [chr(code) for code in range(0x20, 0x7F)]
    + [chr(code) for code in range(0xA0, 0x590) if _is_plain(chr(code))]
    + [chr(code) for code in range(0x2500, 0x25A0)]
    + [chr(code) for code in range(0x2800, 0x2900)]
)
_PLAIN_STRETCH = re.compile(f"[{re.escape(''.join(sorted(PLAIN)))}]+")


class Pen(NamedTuple):
    """What of a style the eye sees, as SGR parameters; a link or an action behind the text is no part of it.

    Attributes:
        foreground: Such as ``38;2;255;0;0``, or empty for the terminal's own colour.
        background: The same for the background.
        attributes: The codes that turn on bold, italic and so on, in ascending order.
    """

    foreground: str
    background: str
    attributes: tuple[str, ...]


DEFAULT_PEN = Pen("", "", ())


_UNSEEN = frozenset(("1", "2", "3"))
"""Attributes that a blank doesn't show: bold, dim, italic."""


@lru_cache(maxsize=4096)
def blank_alike(one: Pen, other: Pen) -> bool:
    """Whether a blank that is drawn with one pen looks as with the other: it shows the background alone."""
    return one.background == other.background and _UNSEEN.issuperset((*one.attributes, *other.attributes))


def pen_of(style: Style, color_system: ColorSystem | None) -> Pen:
    """The pen that draws a style in the colours that the terminal has; without colours where it has none."""
    attributes = tuple(on for name, on, _ in _ATTRIBUTES if getattr(style, name))
    if color_system is None:
        return Pen("", "", attributes)
    foreground = background = ""
    if style.color is not None and not style.color.is_default:
        foreground = ";".join(style.color.downgrade(color_system).get_ansi_codes())
    if style.bgcolor is not None and not style.bgcolor.is_default:
        background = ";".join(style.bgcolor.downgrade(color_system).get_ansi_codes(foreground=False))
    return Pen(foreground, background, attributes)


@lru_cache(maxsize=4096)
def sgr(before: Pen, after: Pen) -> str:
    """The shortest escape sequence that turns one pen into another; empty when they are the same."""
    if before == after:
        return ""
    if after == DEFAULT_PEN:
        return "\x1b[m"
    cleared = dict.fromkeys(_OFF[code] for code in before.attributes if code not in after.attributes)
    changes = list(cleared)
    # One code ends both bold and dim (and both underlines): what stays is turned on again.
    changes += [code for code in after.attributes if code not in before.attributes or _OFF[code] in cleared]
    if after.foreground != before.foreground:
        changes.append(after.foreground or "39")
    if after.background != before.background:
        changes.append(after.background or "49")
    complete = ["0", *after.attributes, *filter(None, (after.foreground, after.background))]
    return f"\x1b[{min(';'.join(changes), ';'.join(complete), key=len)}m"


@lru_cache(maxsize=1024)
def clusters(text: str) -> tuple[tuple[str, int, int], ...]:
    """What stands together in a text: ``(characters, cells by Rich's measure, cells some terminal may use)``.

    Control characters are left out, and so is a combining character that has nothing before it.
    """
    found: list[str] = []
    joined = False
    for character in text:
        if unicodedata.category(character) in {"Cc", "Cs"}:
            continue
        if found and (joined or cell_len(character) == 0):
            found[-1] += character
        else:
            found.append(character)
        joined = character == "\u200d"
    return tuple(measured for measured in map(_measured, found) if measured[1])


@lru_cache(maxsize=1024)
def stretches(text: str) -> tuple[tuple[str, int, int], ...]:
    """As ``clusters``, but plain characters that stand side by side come as one."""
    if "\u200d" in text:  # it joins what stands on either side of it
        return clusters(text)
    found: list[tuple[str, int, int]] = []
    at = 0
    for match in _PLAIN_STRETCH.finditer(text):
        # What follows a character may combine with it.
        start, end = match.start(), match.end() - (match.end() < len(text))
        if start < end:
            found += clusters(text[at:start])
            found.append((text[start:end], end - start, end - start))
            at = end
    return (*found, *clusters(text[at:]))


def is_agreed(cluster: str) -> bool:
    """Whether it is a letter (Hangul, kana, an ideograph) of whose width terminals agree, and nothing besides."""
    return len(cluster) == 1 and unicodedata.category(cluster) == "Lo"


@lru_cache(maxsize=1024)
def _measured(cluster: str) -> tuple[str, int, int]:
    # One and the same in all texts remembered: each character would take some hundred bytes in each of them.
    width = cell_len(cluster)
    return cluster, width, max(width, _reach(cluster))


def _reach(cluster: str) -> int:
    if len(cluster) > 1:
        return sum(1 if character in PLAIN else 2 for character in cluster)
    if is_agreed(cluster):
        return cell_len(cluster)
    return 1 if cluster in PLAIN else 2
