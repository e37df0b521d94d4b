"""How Py_Monitor spells a value inside a key."""

from __future__ import annotations

import re

_UNSAFE = re.compile(r"[^\w.@+=/,-]+")


def escape(value: str) -> str:
    """A value as a part of a key: all but letters, digits and ``_.@+=/,-`` as ``%XX`` of its UTF-8.

    Raises:
        ValueError: If it holds half of a character (a lone surrogate).
    """
    return _UNSAFE.sub(lambda found: "".join(f"%{byte:02X}" for byte in found.group().encode()), value)
