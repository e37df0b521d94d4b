"""Ways to remove keys, each in a process of its own: ``python -m tests.benchmarks.remover WAY PORT PATTERN``.

It prints what it measured as JSON: see ``Removed``.
"""

from __future__ import annotations

import asyncio
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from redis import Redis

from pymon_tui.invalidation.account import Options
from pymon_tui.invalidation.filters import Filters
from pymon_tui.invalidation.order import Order
from pymon_tui.invalidation.pattern import parse_pattern
from pymon_tui.invalidation.planning import Planning
from pymon_tui.invalidation.removal import Removal
from pymon_tui.invalidation.selection import Selection
from pymon_tui.journal.journal import Journal
from pymon_tui.server.endpoint import Endpoint

PAGE = 1_000
POLL = 0.005
COMMANDS = ("scan", "unlink")


@dataclass(frozen=True, slots=True)
class Removed:
    """What a removal cost; of ours, the part from its first SCAN to the last UNLINK's answer.

    Attributes:
        keys: Removed.
        began: When it began, in ``monotonic`` seconds.
        ended: When it had ended.
        cpu: CPU seconds of the client, user and system.
        server: Seconds that the server spent on SCAN and UNLINK meanwhile (``INFO commandstats``).
        busy: Seconds of CPU that its main thread took meanwhile for everything: no run can be quicker.
        scans: How many times it was asked for a page.
        rss: The most memory that the client had, planning included, in MiB.
        before: Seconds from the start of the run to its first SCAN.
        after: Seconds from the last answer to the end: a last look at what is left.
        planned: Seconds that the plan took before.
    """

    keys: int
    began: float
    ended: float
    cpu: float
    server: float
    busy: float
    scans: int
    rss: float
    before: float = 0.0
    after: float = 0.0
    planned: float = 0.0

    @property
    def wall(self) -> float:
        """Seconds that it took."""
        return self.ended - self.began


def removed(way: str, port: int, pattern: str) -> Removed:
    """Remove the keys in one of the ways."""
    command = [sys.executable, "-m", "tests.benchmarks.remover", way, str(port), pattern]
    return Removed(**json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True).stdout))


@dataclass(frozen=True, slots=True)
class _Moment:
    at: float
    cpu: float
    server: float
    busy: float
    scans: int


def _moment(client: Redis, who: int) -> _Moment:
    stats = client.info("commandstats")
    used = [stats.get(f"cmdstat_{name}", {"usec": 0, "calls": 0}) for name in COMMANDS]
    usage = resource.getrusage(who)
    server = sum(one["usec"] for one in used) / 1e6
    cpu = client.info("cpu")
    busy = cpu["used_cpu_sys_main_thread"] + cpu["used_cpu_user_main_thread"]
    return _Moment(time.monotonic(), usage.ru_utime + usage.ru_stime, server, busy, used[0]["calls"])


def _account(
    keys: int, began: _Moment, ended: _Moment, *, before: float = 0.0, after: float = 0.0, planned: float = 0.0
) -> Removed:
    return Removed(
        keys=keys,
        began=began.at,
        ended=ended.at,
        cpu=ended.cpu - began.cpu,
        server=ended.server - began.server,
        busy=ended.busy - began.busy,
        scans=ended.scans - began.scans,
        rss=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        before=before,
        after=after,
        planned=planned,
    )


def _ours(client: Redis, port: int, pattern: str, *, undo: bool) -> Removed:
    return asyncio.run(_run(client, port, pattern, undo=undo))


async def _run(client: Redis, port: int, pattern: str, *, undo: bool) -> Removed:
    endpoint = Endpoint(port=port)
    selection = Selection((parse_pattern(pattern),), Filters(), (), max_keys=10_000_000, every=False)
    options = Options(undo=undo, trash_cap=2 << 30)
    plan = await Planning(endpoint, selection, mode="unlink", undo=undo, key_cap=options.key_cap).run()
    with tempfile.TemporaryDirectory() as folder:
        removal = Removal(endpoint, Order.of(plan, None), options, Journal(Path(folder)), read_only=False)
        start = time.monotonic()
        run = asyncio.create_task(removal.run())
        began = await _reached(removal, {"running", "paused", "holding", "asking"}, client)
        ended = await _reached(removal, {"verifying", "ended"}, client)
        result = await run
        assert result.outcome == "done", result.why
    return _account(
        result.tally.removed,
        began,
        ended,
        before=began.at - start,
        after=time.monotonic() - ended.at,
        planned=plan.seconds,
    )


async def _reached(removal: Removal, states: set[str], client: Redis) -> _Moment:
    while removal.progress.state not in states:  # noqa: ASYNC110 - a run sets no events
        await asyncio.sleep(POLL)
    return _moment(client, resource.RUSAGE_SELF)


def _page_by_page(client: Redis, _: int, pattern: str) -> Removed:
    """As one writes it with redis-py: a page of SCAN, and one UNLINK for it."""
    began = _moment(client, resource.RUSAGE_SELF)
    keys = cursor = 0
    while True:
        cursor, found = client.scan(cursor, match=pattern, count=PAGE)
        keys += client.unlink(*found) if found else 0
        if not cursor:
            return _account(keys, began, _moment(client, resource.RUSAGE_SELF))


def _shell(client: Redis, port: int, pattern: str) -> Removed:
    """As one writes it in a shell."""
    line = f"redis-cli -p {port} --scan --pattern '{pattern}' | xargs -n 1000 redis-cli -p {port} unlink | paste -sd+"
    began = _moment(client, resource.RUSAGE_CHILDREN)
    answers = subprocess.run(line, shell=True, stdout=subprocess.PIPE, check=True, text=True).stdout
    return _account(sum(map(int, answers.split("+"))), began, _moment(client, resource.RUSAGE_CHILDREN))


WAYS: dict[str, Callable[[Redis, int, str], Removed]] = {
    "ours": lambda client, port, pattern: _ours(client, port, pattern, undo=False),
    "undo": lambda client, port, pattern: _ours(client, port, pattern, undo=True),
    "redis-py": _page_by_page,
    "shell": _shell,
}


if __name__ == "__main__":
    _, how, where, glob = sys.argv
    with Redis(port=int(where)) as asking:
        print(json.dumps(asdict(WAYS[how](asking, int(where), glob))))
