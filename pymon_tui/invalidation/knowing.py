"""Whether a server knows a command, asked without an error (COMMAND INFO), once a connection."""

from __future__ import annotations

from weakref import WeakKeyDictionary

from pymon_tui.invalidation.pipe import Line

_KNOWN: WeakKeyDictionary[Line, dict[bytes, bool]] = WeakKeyDictionary()


async def knows(line: Line, name: bytes) -> bool:
    """Whether the server behind this connection has the command; False where it doesn't tell.

    Raises:
        LinkError: If the link is lost.
    """
    known = _KNOWN.setdefault(line, {})
    if name not in known:
        answer = await line.ask_one(b"COMMAND", b"INFO", name)
        known[name] = isinstance(answer, list) and bool(answer) and answer[0] is not None
    return known[name]
