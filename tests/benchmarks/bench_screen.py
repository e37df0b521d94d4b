"""What the overview costs while it refreshes once a second on the demo: bytes on the wire, CPU and memory."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from pymon_tui.demo.running import running_demo
from pymon_tui.ui.app import DEMO_RATE, DEMO_SEED
from tests.benchmarks.figures import Figure, spread
from tests.benchmarks.watched import Arrival, Replay, WatchedRun, cpu_seconds, rss_mib

LARGE, SMALL = (200, 50), (80, 24)
WARM_UP, SECONDS = 6.0, 22.0
ROUNDS = 3
KB = 1000
BYTES_LIMIT = {LARGE: 4 * KB, SMALL: 1.2 * KB}
BYTES_PER_CELL, CPU_LIMIT, RSS_LIMIT = 9.0, 4.0, 70.0


@dataclass(frozen=True, slots=True)
class Window:
    """One second: the bytes written in it, and the cells that look different at its end."""

    written: int
    changed: int


@dataclass(frozen=True, slots=True)
class Watched:
    """One run: its seconds, CPU in percent of a core, and RSS in MiB after the start and at the end."""

    windows: tuple[Window, ...]
    cpu: float
    started: float
    ended: float


def figures() -> list[Figure]:
    """Bytes at both sizes, with the diff and without; CPU and RSS at the large one."""
    found = []
    for size in (LARGE, SMALL):
        ours = [watch(size) for _ in range(ROUNDS)]
        full = watch(size, "--full-redraw")
        found += _bytes(size, ours, full)
        found += _costs(size, ours, full)
    return found


def watch(size: tuple[int, int], *flags: str) -> Watched:
    """Run the overview on a demo of its own, always of the same seed."""
    with (
        running_demo(seed=DEMO_SEED, rate=DEMO_RATE) as server,
        WatchedRun(["-s", server.socket, *flags], size=size) as run,
    ):
        run.until(lambda: b"alkey" in run.output or b"edis" in run.output)
        run.read_for(1.0)
        started = rss_mib(run.pid)
        run.read_for(WARM_UP - 1.0)
        first, cpu = len(run.arrivals), cpu_seconds(run.pid)
        run.read_for(SECONDS)
        cpu = (cpu_seconds(run.pid) - cpu) / SECONDS * 100
        return Watched(tuple(_windows(run, first)), cpu, started, rss_mib(run.pid))


def _windows(run: WatchedRun, first: int) -> list[Window]:
    """The run from its ``first`` arrival on, in seconds that begin and end where least is written."""
    arrivals = run.arrivals
    boundary = arrivals[first].at + _quiet(run, arrivals[first:])
    replay = Replay(run.size)
    written = before = 0
    shown: list[list[tuple[object, ...]]] | None = None
    found = []
    for arrival in arrivals:
        while arrival.at >= boundary:
            cells = replay.terminal.cells
            if shown is not None:
                found.append(Window(written, _differing(shown, cells)))
            shown, written, boundary = cells, 0, boundary + 1.0
        data = run.output[before : arrival.length]
        before = arrival.length
        written += len(data)
        replay.feed(data)
    return found


def _quiet(run: WatchedRun, arrivals: Sequence[Arrival]) -> float:
    """Where in a second, from the first arrival on, least is written: a tenth before and after."""
    lengths = [0] * 20
    for before, arrival in pairwise(arrivals):
        lengths[int((arrival.at - arrivals[0].at) % 1.0 * 20)] += arrival.length - before.length
    around = [sum(lengths[(slot + near) % 20] for near in range(-2, 2)) for slot in range(20)]
    return around.index(min(around)) / 20


def _differing(before: list[list[tuple[object, ...]]], after: list[list[tuple[object, ...]]]) -> int:
    return sum(old != new for rows in zip(before, after, strict=True) for old, new in zip(*rows, strict=True))


def _bytes(size: tuple[int, int], ours: Sequence[Watched], full: Watched) -> list[Figure]:
    windows = [window for one in ours for window in one.windows]
    written = [window.written for window in windows]
    changed = [window.changed for window in windows]
    a_cell, full_cell = _per_cell(windows), _per_cell(full.windows)
    middle, without = statistics.median(written), statistics.median(window.written for window in full.windows)
    name, limit = f"{size[0]}x{size[1]}", BYTES_LIMIT[size]
    return [
        Figure(
            f"bytes per refresh, {name}",
            f"≤ {limit / KB:g} KB",
            f"median {middle / KB:.2f} KB, max {max(written) / KB:.2f} KB",
            middle <= limit,
            f"{without / middle:.0f} times less than with the diff off ({without / KB:.1f} KB); "
            f"{len(windows)} s, {spread(changed)} cells change",
        ),
        Figure(
            f"bytes per changed cell, {name}",
            f"≤ {BYTES_PER_CELL:.0f}",
            f"{a_cell:.1f}",
            a_cell <= BYTES_PER_CELL,
            f"diff off: {full_cell:.0f}; all bytes by all changed cells, pyte replay",
        ),
    ]


def _per_cell(windows: Sequence[Window]) -> float:
    return sum(window.written for window in windows) / max(1, sum(window.changed for window in windows))


def _costs(size: tuple[int, int], ours: Sequence[Watched], full: Watched) -> list[Figure]:
    cpu, rss = [one.cpu for one in ours], [one.started for one in ours]
    name = f"{size[0]}x{size[1]}"
    large = size == LARGE
    middle, most = statistics.median(cpu), max(rss)
    return [
        Figure(
            f"CPU of a core at 1 s, {name}",
            f"≤ {CPU_LIMIT:.0f} %" if large else "",
            f"{spread(cpu, '.2f')} %",
            middle <= CPU_LIMIT if large else None,
            f"diff off: {full.cpu:.2f} %; {len(ours)} runs of {SECONDS:.0f} s, the monitor's process alone",
        ),
        Figure(
            f"RSS after start, {name}",
            f"≤ {RSS_LIMIT:.0f} MiB" if large else "",
            f"{most:.1f} MiB",
            most <= RSS_LIMIT if large else None,
            f"{max(one.ended for one in ours):.1f} MiB {WARM_UP + SECONDS:.0f} s later",
        ),
    ]
