"""Connections that are lost before anything is done on them: less is asked at once, and in the end no more at all.

A server closes the connection of a client that has it hold more than its limits allow: what is asked again as it was
is lost again.
"""

from __future__ import annotations

from pymon_tui.invalidation.pacing import Stopped
from pymon_tui.server.reasons import LinkError

PORTION = 8 * 2**20
"""Bytes (MEMORY USAGE) of keys that are dumped at once, so that neither side holds many at a time."""

MOST = 8
"""Connections in a row on which nothing is done before nobody tries another."""

REPLIES = (
    "where the line is good, the server holds less for a client than the copies for an undo take "
    "(client-output-buffer-limit normal, maxmemory-clients): raise that, or let them go without an undo"
)
"""What to do about a run that keeps an undo."""

LINE = "look at the line and at the server's log, and resume the run"
"""What to do about a run that keeps no undo."""

QUERIES = (
    "where the line is good, a key is larger than the server takes from a client (client-query-buffer-limit, "
    "proto-max-bulk-len): raise that, and undo again"
)
"""What to do about an undo."""

_LESS = 4  # times less is asked at once after each of them


class Fruitless:
    """Counts the connections in a row on which a run or an undo got nothing done.

    Attributes:
        portion: Bytes of keys that are best asked for at once from now on.
        in_a_row: How many there were since the last on which something was.
    """

    def __init__(self, done: object, remedy: str) -> None:
        """``done`` is what is done by now, equal to itself for as long as nothing more is; ``remedy`` what to do."""
        self.portion = PORTION
        self.in_a_row = 0
        self._done = done
        self._remedy = remedy

    def lost(self, done: object, error: LinkError) -> None:
        """A connection is lost.

        Raises:
            Stopped: If it is no use to try another.
        """
        self.in_a_row = self.in_a_row + 1 if done == self._done else 0
        self._done = done
        if self.in_a_row == MOST:
            raise Stopped(
                f"{MOST} connections in a row were lost before anything was done: {error.what}; {self._remedy}"
            )
        if self.in_a_row:
            self.portion = max(1, self.portion // _LESS)
