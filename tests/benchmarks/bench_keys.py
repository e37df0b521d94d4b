"""From a key press to the painted answer, while the overview refreshes: on the demo, in a crowd, and in a flood."""

from __future__ import annotations

import random
import statistics
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import NamedTuple

from pymon_tui.demo.embedded import EmbeddedServer
from pymon_tui.demo.running import running_demo
from pymon_tui.ui.app import DEMO_RATE, DEMO_SEED
from pymon_tui.ui.theme import DARK
from tests.benchmarks.figures import Figure, percentile, spread
from tests.benchmarks.load import load, raise_open_files
from tests.benchmarks.watched import WatchedRun, cpu_seconds
from tests.ui.replay import Terminal

PRESSES = 100
ROUNDS = 3
LIMIT = 50.0
GAP = (0.2, 0.45)
"""Seconds from one press to the next, at random: any phase of the refresh."""
RUN = 6
"""Presses in one direction: fewer than there are clients of the demo below the first. At the end of the list a press
moves nothing, and would be taken for one that isn't answered."""
CLIENTS, MESSAGES = 10_000, 20_000
_CURSOR = DARK.variables["ink-cursor"].lstrip("#")
_ID_CELLS = 8


@dataclass(frozen=True, slots=True)
class Press:
    """One press, in milliseconds: until its answer was painted, and of that at most in line for a core."""

    took: float
    waited: float

    @property
    def own(self) -> float:
        """What was not the machine's fault."""
        return max(0.0, self.took - self.waited)


class Cursor(NamedTuple):
    """The row under the cursor: its place on the screen, and the client's id."""

    y: int
    client: str


def figures() -> list[Figure]:
    """Each situation in turn."""
    raise_open_files()
    return [_figure(what, [_round(situation, seed) for seed in range(ROUNDS)]) for what, situation in SITUATIONS]


def _round(situation: Callable[[], AbstractContextManager[str]], seed: int) -> tuple[list[Press], float]:
    with situation() as path, WatchedRun(["-s", path]) as run:
        return _pressed(run, random.Random(seed))


@contextmanager
def _demo() -> Iterator[str]:
    with running_demo(seed=DEMO_SEED, rate=DEMO_RATE) as server:
        yield server.socket


@contextmanager
def _crowd() -> Iterator[str]:
    with EmbeddedServer({"maxclients": str(CLIENTS + 100)}) as server, load(server.socket, "clients", CLIENTS):
        yield server.socket


@contextmanager
def _flood() -> Iterator[str]:
    with _demo() as path, load(path, "messages", MESSAGES):
        yield path


SITUATIONS: Sequence[tuple[str, Callable[[], AbstractContextManager[str]]]] = (
    ("on the demo", _demo),
    (f"{CLIENTS:,} connected clients", _crowd),
    (f"{MESSAGES:,} messages/s in the feed", _flood),
)


def _pressed(run: WatchedRun, dice: random.Random) -> tuple[list[Press], float]:
    """Move the cursor of the clients down and up again; each press, and CPU in percent of a core."""
    run.until(lambda: b"alkey" in run.output)
    run.read_for(5.0)
    for key in b"41ss":  # the clients in full and back, so that they have the focus; sorted by memory, then by id
        run.send(bytes([key]))
        run.read_for(1.0)
    run.send(b"\x1b[H")  # wherever it stood: by so many presses it is led down from the first, and up again
    run.read_for(1.0)
    began, cpu, pressed = time.perf_counter(), cpu_seconds(run.pid), []
    for number in range(PRESSES):
        pressed.append(time.perf_counter())
        run.send(b"j" if number % (2 * RUN) < RUN else b"k")
        # Before the cursor turns back, all must be answered: there and back is nowhere.
        run.read_for(dice.uniform(*GAP) + (number % RUN == RUN - 1))
    cpu = (cpu_seconds(run.pid) - cpu) / (time.perf_counter() - began)
    return _answers(run, pressed), cpu * 100


def _answers(run: WatchedRun, pressed: Sequence[float]) -> list[Press]:
    """The first arrival after each press that shows the cursor on another client, or the second next for two.

    A client is known by its id: rows that only change places would be no answer.
    """
    found: list[Press] = []
    waiting: deque[tuple[float, float]] = deque()  # pressed when, and how long had been stood in line until then
    coming = deque(pressed)
    cursor: Cursor | None = None
    stood = 0.0
    for arrival, terminal in run.replayed():
        while coming and arrival.at > coming[0]:
            waiting.append((coming.popleft(), stood))
        stood = arrival.waited
        now = _cursor(terminal) if waiting or cursor is None else None
        if now is None:
            continue
        if waiting and cursor is not None and now.client != cursor.client:
            assert "by id" in terminal.text, "the clients are not sorted by what doesn't change"
            for _ in range(min(len(waiting), max(1, abs(now.y - cursor.y)))):
                at, before = waiting.popleft()
                found.append(Press((arrival.at - at) * 1e3, (stood - before) * 1e3))
        cursor = now
    missing = len(pressed) - len(found)
    assert not missing, f"{missing} of {len(pressed)} presses were not answered"
    return found


def _cursor(terminal: Terminal) -> Cursor | None:
    for y in range(terminal.screen.lines):
        cells = terminal.screen.buffer[y]
        first = next((x for x in range(terminal.screen.columns) if cells[x].bg == _CURSOR), None)
        if first is not None:
            return Cursor(y, "".join(cells[x].data for x in range(first, first + _ID_CELLS)).strip())
    return None


def _figure(what: str, rounds: Sequence[tuple[Sequence[Press], float]]) -> Figure:
    worst = [max(press.took for press in presses) for presses, _ in rounds]
    own = [max(press.own for press in presses) for presses, _ in rounds]
    took = [press.took for presses, _ in rounds for press in presses]
    cpu = statistics.median(percent for _, percent in rounds)
    middle = statistics.median(worst)
    return Figure(
        f"key press to painted answer, {what}",
        f"worst of {PRESSES} ≤ {LIMIT:.0f} ms",
        f"{spread(worst, '.1f')} ms",
        middle <= LIMIT,
        f"worst of each of {len(rounds)} rounds; without the time in line for a core {spread(own, '.1f')} ms; "
        f"of all presses p95 {percentile(took, 0.95):.1f} ms, median {statistics.median(took):.1f} ms; CPU {cpu:.0f} %",
    )
