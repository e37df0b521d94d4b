"""Whether this machine is the same as before, without a start of it in between."""

from __future__ import annotations

from functools import cache
from pathlib import Path

_BOOT = Path("/proc/sys/kernel/random/boot_id")


@cache
def boot_id() -> str | None:
    """What is another one after each start of this machine; None where the system doesn't tell."""
    try:
        return _BOOT.read_text(encoding="ascii").strip() or None
    except (OSError, ValueError):
        return None
