"""What a person types into the form's fields: times, sizes and expiries, as the screens show them."""

from __future__ import annotations

import re

from pymon_tui.invalidation.filters import Expiry, FilterError
from pymon_tui.model.text import safe

ANY = "any"

_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
_TIMES = re.compile(r"(?:\d+(?:\.\d+)?\s*[smhd]\s*)+|\d+(?:\.\d+)?")
_TIME = re.compile(r"(\d+(?:\.\d+)?)\s*([smhd]?)")
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([kmgt]?)(?:i?b)?")
_POWERS = "kmgt"


def seconds_of(name: str, text: str) -> float:
    """The seconds of ``90``, ``90s``, ``10m``, ``1h 30m`` or ``2d``.

    Raises:
        FilterError: If it is none of these; ``name`` says which field it stands in.
    """
    typed = text.strip().lower()
    if not _TIMES.fullmatch(typed):
        raise FilterError(f'{name}: should be a time as 90s, 10m, 1h or 2d, not "{safe(text, limit=40)}"')
    return sum(float(number) * _UNITS[unit or "s"] for number, unit in _TIME.findall(typed))


def expiry_of(text: str) -> tuple[Expiry | None, float | None]:
    """The filter of ``any``, ``none``, ``<1h`` (within) or ``>1h`` (later).

    Raises:
        FilterError: If it is none of these.
    """
    typed = text.strip().lower()
    if typed in ("", ANY):
        return None, None
    if typed in ("none", "never"):
        return "none", None
    if typed[0] not in "<>":
        raise FilterError(f'expiry: should be none, <1h or >1h, not "{safe(text, limit=40)}"')
    return ("within" if typed[0] == "<" else "later"), seconds_of("expiry", typed[1:])


def idle_of(text: str) -> float | None:
    """The seconds of ``>1h``, or ``1h``; None for ``any``.

    Raises:
        FilterError: If it is no time.
    """
    typed = text.strip().lower()
    return None if typed in ("", ANY) else seconds_of("idle", typed.removeprefix(">"))


def size_of(text: str) -> int | None:
    """The bytes of ``>1M``, ``512``, ``10 KiB``; None for ``any``.

    Raises:
        FilterError: If it is no size.
    """
    typed = text.strip().lower()
    if typed in ("", ANY):
        return None
    found = _SIZE.fullmatch(typed.removeprefix(">").strip())
    if found is None:
        raise FilterError(f'size: should be bytes as 512, 10K or 1M, not "{safe(text, limit=40)}"')
    power = _POWERS.index(found[2]) + 1 if found[2] else 0
    return int(float(found[1]) * 1024**power)
