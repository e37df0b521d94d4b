"""How long to wait before the next try to connect."""

from __future__ import annotations

import random

from pymon_tui.model.link import Trouble

LONGEST_WAIT = 12.8
"""Seconds between two tries, at most, before they are spread: 16 then. Who refused us is asked less often still."""

_FIRST_WAIT = {
    Trouble.UNREACHABLE: 0.25,
    Trouble.SILENT: 1.0,
    Trouble.CROWDED: 7.0,  # spread as it is, never within 5 s
    Trouble.FOREIGN: 5.0,
    Trouble.UNTRUSTED: 1.0,
    Trouble.REFUSED: 45.0,
    # Each try counts for a lock: more than three times a minute, of both our connections, locks accounts out.
    Trouble.LOCKED: 45.0,
}


def backoff(trouble: Trouble, tries: int, dice: random.Random) -> float:
    """Seconds until the next try: doubled at each, capped, and spread, so that many monitors don't come at once."""
    wait = min(_FIRST_WAIT[trouble] * 2.0 ** min(tries - 1, 10), max(LONGEST_WAIT, _FIRST_WAIT[trouble]))
    return wait * dice.uniform(0.75, 1.25)
