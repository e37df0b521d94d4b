"""Time that only goes forward, also while this machine sleeps."""

from __future__ import annotations

import time

# Linux stops its monotonic clock in a suspend, and has another that goes on; that of macOS goes on anyway.
_CLOCK: int = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def now() -> float:
    """Monotonic seconds, of which only differences mean anything.

    A server works on while the machine that watches it sleeps: its growth in a night, divided by the second that the
    usual clock has moved, would be a peak that never was.
    """
    return time.clock_gettime(_CLOCK)
