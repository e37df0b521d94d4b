"""Settings that are lists: the forms in which one is written, the same for all of them."""

from __future__ import annotations

import json
import re
from typing import Any

FORM = 'write it as a, b or as ["a", "b"]'
"""What is said of a text that can't be meant."""

LISTS = frozenset(("channels", "map", "protected", "sentinels"))
"""The settings that are lists of texts, but for the patterns of a preset."""

_BETWEEN = re.compile(r"[\s,]+")
_JSON = re.compile(r"\[\s*(\"|\]$)")
_ESCAPED = re.compile(r"\\.")
_NOTHING = ("null", "none", "nil", "undefined", "true", "false")
_WRONG = {
    "\"'`“”„«»": "quotes",
    ";；": "semicolons",
    "，、": "commas of another script",
    "\u200b\u200c\u200d\u2060\ufeff": "invisible characters",
}
"""What stands between or around items by mistake; in a pattern of its own it is written as ``\\xNN`` or in JSON."""


def items(value: Any) -> tuple[str, ...]:
    """The items of a list.

    Args:
        value: One text, which is JSON or has blanks, commas or newlines between its items; or a list of items, each as
            it is.

    Raises:
        ValueError: If it is neither, or a text that can't be meant; one line.
    """
    if isinstance(value, str):
        return _of_text(value)
    if isinstance(value, list | tuple) and all(isinstance(item, str) for item in value):
        return tuple(value)
    raise ValueError("should be a list of texts")


def of_flags(value: Any) -> Any:
    """The items of a flag that may be given several times, each time with one text; another value as it is.

    Raises:
        ValueError: As ``items``.
    """
    if not isinstance(value, list | tuple) or not all(isinstance(text, str) for text in value):
        return value
    return tuple(item for text in value for item in _of_text(text))


def _of_text(text: str) -> tuple[str, ...]:
    text = text.strip()
    if text.lower() in _NOTHING:
        raise ValueError(f"is a word for nothing; {FORM}, or as [] for none")
    if _JSON.match(text):
        return _of_json(text)
    found = tuple(filter(None, _BETWEEN.split(text)))
    if text and not found:
        raise ValueError(f"has commas and nothing between them; {FORM}")
    for item in found:
        for wrong, what in _WRONG.items():
            if any(character in item for character in wrong):
                raise ValueError(f"has {what} that would be part of an item; {FORM}")
        plain = _ESCAPED.sub("", item)
        if any(plain.count(opened) != plain.count(closed) for opened, closed in ("[]", "{}", "()")):
            raise ValueError(f"has brackets with a comma or a blank in them; {FORM}")
    return found


def _of_json(text: str) -> tuple[str, ...]:
    try:
        told = json.loads(text)
    except (ValueError, RecursionError):
        raise ValueError(f"begins as JSON and is none; {FORM}") from None
    if not all(isinstance(item, str) for item in told):
        raise ValueError(f"holds something else than texts; {FORM}")
    return tuple(told)
