"""Replies recorded from real servers, byte by byte as they came: ``<command>.<server>.<protocol>``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import hiredis

_HERE = Path(__file__).parent


def recorded(name: str) -> Any:
    """The reply in this file, as the connection reads it: bytes, numbers, lists and maps."""
    reader = hiredis.Reader()
    reader.feed((_HERE / name).read_bytes())
    return reader.gets()
