"""How many keys a plan looks at for one page, so that neither the time nor the memory that it takes is felt."""

from __future__ import annotations

from collections.abc import Sequence

from pymon_tui.invalidation.brake import LARGEST
from pymon_tui.invalidation.memory import FEWEST, Memory, memory_and_evicted
from pymon_tui.invalidation.pipe import Pipe
from pymon_tui.server import clock

_LONG = 1_024  # bytes of a name, where none was seen and there is little room
_GENTLE = 0.0015  # seconds that a page may take, with its way, to be followed by a larger one
_STEEPEST = 1.5  # times as many keys as before, at most
_TURN = 16  # pages between two looks at the server's memory, where there is little room


class PlanPages:
    """Begins with a page that is known to fit, and goes on by what the pages before it took.

    Attributes:
        memory: The server's, as last told.
        evicted: Keys that the server evicted since then, for us or for other clients; None where it doesn't tell.
        evicted_at: Those that it had evicted in all when it told last, and when that was (monotonic seconds).
        name: Bytes of a name, on average in the page with the longest; None before one was seen.
    """

    def __init__(self, least: int, evicted: int | None = None) -> None:
        """Prepare for a server that had evicted so many keys before; None where that isn't known.

        ``least`` keys a page are enough for the way to it.
        """
        self.memory = Memory()
        self.evicted: int | None = None
        self.name: int | None = None
        self._least = least
        self.evicted_at: tuple[int, float] | None = None
        self._before = evicted
        self._pages = 0

    async def begin(self, pipe: Pipe) -> int:
        """Ask for the server's memory; returns the keys of the first page.

        Raises:
            LinkError: If the link is lost.
        """
        self.memory, now = await memory_and_evicted(pipe)
        if now is not None:
            self._before = now if self._before is None or self._before > now else self._before
            self.evicted_at = now, clock.now()
        return FEWEST if self.memory.is_tight else self._least

    async def look(self, pipe: Pipe) -> None:
        """Ask for the memory again where the server has a limit.

        Raises:
            LinkError: If the link is lost.
        """
        if self.memory.limit:
            self.memory, now = await memory_and_evicted(pipe)
            if now is not None and self._before is not None and now >= self._before:
                self.evicted = now - self._before
                self.evicted_at = now, clock.now()

    @property
    def wants_look(self) -> bool:
        """Whether the memory is to be asked for now."""
        return self.memory.is_tight and self._pages % _TURN == 0

    def next(self, page: int, took: float, keys: Sequence[bytes]) -> int:
        """Keys of the next page, after one of ``page`` keys that took so many seconds and had these names."""
        self._pages += 1
        if keys:
            self.name = max(self.name or 0, sum(map(len, keys)) // len(keys))
        if not self.memory.is_tight:
            return self.memory.page(next_page(page, took, least=self._least), 1.0, self.name or 0)
        if self.name is None:  # the next may all match, and have long names
            return self.memory.page(min(2 * page, self._least), 1.0, _LONG)
        return self.memory.page(min(4 * page, self._least), 1.0, self.name)


def next_page(page: int, took: float, *, least: int) -> int:
    """Keys of the next page, after one of ``page`` keys took so many seconds: more where that was short.

    Never fewer than ``least``: where the way is long, smaller pages hold nobody up less.
    """
    times = min(_STEEPEST, _GENTLE / took) if took > 0 else _STEEPEST
    return max(least, min(LARGEST, int(page * times)))
