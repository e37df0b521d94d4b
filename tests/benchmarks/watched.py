"""A program on a pty that is watched: what it wrote when, and what it cost. Linux only, for its /proc."""

from __future__ import annotations

import codecs
import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from tests.ui.pty_run import PtyRun
from tests.ui.replay import Terminal

_QUERY = b"\x1b[?2026$p"
_ANSWER = b"\x1b[?2026;2$y"


class Arrival(NamedTuple):
    """Something was read: when (``perf_counter`` seconds), and how much output there was then.

    ``waited`` is how many seconds the program's threads had been ready to run in all, without a core to run on.
    """

    at: float
    length: int
    waited: float


class WatchedRun(PtyRun):
    """A `PtyRun` that notes each arrival, on a terminal that answers that it can show whole frames at once.

    Most terminals do (mode 2026), and each frame is 16 bytes longer for that.
    """

    def __init__(
        self, arguments: Sequence[str], *, module: str = "pymon_tui", size: tuple[int, int] = (200, 50)
    ) -> None:
        self.size = size
        self.arrivals: list[Arrival] = []
        self._answered = False
        self.began = time.perf_counter()
        super().__init__(arguments, module=module, size=size, anew=True)

    @property
    def pid(self) -> int:
        """The program's process."""
        return self.process.pid

    def read(self, seconds: float) -> bool:
        """Read once, and note when."""
        came = super().read(seconds)
        if came:
            self.arrivals.append(Arrival(time.perf_counter(), len(self.output), waited(self.pid)))
        if not self._answered and _QUERY in self.output:
            self._answered = True
            self.send(_ANSWER)
        return came

    def read_for(self, seconds: float) -> None:
        """Read all that comes in this time."""
        end = time.perf_counter() + seconds
        while (left := end - time.perf_counter()) > 0:
            self.read(left)

    def replayed(self) -> Iterator[tuple[Arrival, Terminal]]:
        """The terminal after each arrival; it is one and the same that changes."""
        replay = Replay(self.size)
        before = 0
        for arrival in self.arrivals:
            replay.feed(self.output[before : arrival.length])
            before = arrival.length
            yield arrival, replay.terminal


class Replay:
    """A terminal that is fed bytes, cut anywhere."""

    def __init__(self, size: tuple[int, int]) -> None:
        self.terminal = Terminal(*size)
        self._decoder = codecs.getincrementaldecoder("utf-8")()

    def feed(self, data: bytes) -> None:
        """Show what these bytes change."""
        self.terminal.feed(self._decoder.decode(data))


def cpu_seconds(pid: int) -> float:
    """CPU time of a process, user and system, without its children."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def rss_mib(pid: int | str) -> float:
    """Resident memory of a process, in MiB."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / (1 << 20)


def waited(pid: int) -> float:
    """Seconds that a process' threads have stood in line for a core."""
    total = 0
    for task in Path(f"/proc/{pid}/task").glob("*/schedstat"):
        try:
            total += int(task.read_text().split()[1])
        except OSError:  # the thread has ended
            continue
    return total / 1e9
