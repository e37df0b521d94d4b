"""From the start of the process to the first useful picture, next to the smallest Textual app."""

from __future__ import annotations

import re
import statistics
from collections.abc import Sequence

from pymon_tui.demo.embedded import EmbeddedServer
from tests.benchmarks.figures import Figure, spread
from tests.benchmarks.watched import WatchedRun

ROUNDS = 11
SECONDS = 2.5
LIMIT = 1.5
LIBRARIES = ("click", "pydantic_settings", "redis.asyncio")
"""What the program can't do without, besides Textual."""
HELLO_MODULE = "tests.benchmarks.hello"

FRAME = re.compile("╭─ Server ─.*Help", re.DOTALL)
"""The panes' frames and the keys, no number yet."""
USEFUL = re.compile(r"(valkey|redis) \d+\.\d+.*used +\d+(\.\d+)? [KMG]iB", re.DOTALL | re.IGNORECASE)
"""The server's name and version in the title, and a number in a pane."""
HELLO = re.compile("Hello, World!")


def figures() -> list[Figure]:
    """Our first useful picture and our first frame, next to the other app's only one, started in turn.

    The other app is started twice: as it is, and with the libraries that ours needs, which is the least it can take.
    """
    rounds: list[tuple[float, ...]] = []
    with EmbeddedServer() as server:
        for number in range(ROUNDS + 1):
            ours = _milliseconds(WatchedRun(["-s", server.socket]), (FRAME, USEFUL))
            hello = _milliseconds(WatchedRun([], module=HELLO_MODULE), (HELLO,))
            floor = _milliseconds(WatchedRun(LIBRARIES, module=HELLO_MODULE), (HELLO,))
            if number:  # the first ones compile what isn't compiled yet
                rounds.append((*ours, *hello, *floor))
    frame, useful, hello, floor = zip(*rounds, strict=True)
    ratio = statistics.median(useful) / statistics.median(hello)
    return [
        Figure(
            "first useful picture, 200x50",
            f"≤ {LIMIT} times hello world in Textual",
            f"{ratio:.2f} times",
            ratio <= LIMIT,
            f"{_against(useful, hello)}; the floor is {statistics.median(floor) / statistics.median(hello):.2f} times, "
            f"{spread(floor)} ms: hello world that also imports {', '.join(LIBRARIES)}",
        ),
        Figure(
            "first frame, without numbers, 200x50",
            "",
            f"{statistics.median(frame) / statistics.median(hello):.2f} times",
            None,
            _against(frame, hello),
        ),
    ]


def _against(ours: Sequence[float], hello: Sequence[float]) -> str:
    return (
        f"{spread(ours)} ms and {spread(hello)} ms, medians of {ROUNDS} in turn; "
        f"fastest of each: {min(ours) / min(hello):.2f} times"
    )


def _milliseconds(run: WatchedRun, wanted: Sequence[re.Pattern[str]]) -> tuple[float, ...]:
    """When each of these was first seen, after the start of the process."""
    with run:
        run.read_for(SECONDS)
    seen: dict[re.Pattern[str], float] = {}
    for arrival, terminal in run.replayed():
        text = terminal.text
        for pattern in wanted:
            if pattern not in seen and pattern.search(text):
                seen[pattern] = (arrival.at - run.began) * 1e3
    if missing := [pattern.pattern for pattern in wanted if pattern not in seen]:
        raise AssertionError(f"{', '.join(missing)} was not shown within {SECONDS} s")
    return tuple(seen[pattern] for pattern in wanted)
