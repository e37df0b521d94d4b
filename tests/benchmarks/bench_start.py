"""From the start of the process to the first useful picture, next to the smallest Textual app."""

from __future__ import annotations

import re
import statistics

from pymon_tui.demo.embedded import EmbeddedServer
from tests.benchmarks.figures import Figure, spread
from tests.benchmarks.watched import WatchedRun

ROUNDS = 11
SECONDS = 2.5
LIMIT = 1.5
USEFUL = re.compile(r"(valkey|redis) \d+\.\d+.*used +\d+(\.\d+)? [KMG]iB", re.DOTALL | re.IGNORECASE)
"""The server's name and version in the title, and a number in a pane."""
HELLO = re.compile("Hello, World!")


def figures() -> list[Figure]:
    """Our first useful picture, and the other app's only one, started in turn."""
    ours, hello = [], []
    with EmbeddedServer() as server:
        for number in range(ROUNDS + 1):
            first = _seconds(WatchedRun(["-s", server.socket]), USEFUL)
            second = _seconds(WatchedRun([], module="tests.benchmarks.hello"), HELLO)
            if number:  # the first ones compile what isn't compiled yet
                ours.append(first * 1e3)
                hello.append(second * 1e3)
    ratio = statistics.median(ours) / statistics.median(hello)
    return [
        Figure(
            "first useful picture, 200x50",
            f"≤ {LIMIT} times hello world in Textual",
            f"{ratio:.2f} times",
            ratio <= LIMIT,
            f"{spread(ours)} ms and {spread(hello)} ms, medians of {ROUNDS} in turn; "
            f"fastest of each: {min(ours) / min(hello):.2f} times",
        )
    ]


def _seconds(run: WatchedRun, seen: re.Pattern[str]) -> float:
    with run:
        run.read_for(SECONDS)
    for arrival, terminal in run.replayed():
        if seen.search(terminal.text):
            return arrival.at - run.began
    raise AssertionError(f"{seen.pattern} was not shown within {SECONDS} s")
