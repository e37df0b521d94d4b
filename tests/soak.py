"""The soak: ``python -m tests.soak [--minutes 30] [--seed N]`` breaks a server under load again and again, and counts.

The real screens run headless on the real source; the line to the server and the server itself fail at random, keys are
pressed and keys are removed meanwhile. It ends with a table; the exit code is 0 where nothing crashed, leaked or was
counted wrongly. It needs Linux or macOS and no network.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import multiprocessing
import random
import resource
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import SecretStr
from redis import Redis
from redis.exceptions import RedisError
from textual.pilot import Pilot
from textual.widgets import Input

from pymon_tui.invalidation.account import Tally
from pymon_tui.invalidation.order import OrderError
from pymon_tui.model.link import Lost
from pymon_tui.readings.metrics import COMMANDS, HITS, MISSES
from pymon_tui.server import clock
from pymon_tui.server.endpoint import Endpoint
from pymon_tui.server.reasons import LinkError
from pymon_tui.settings import Settings
from pymon_tui.ui.app import PymonApp
from pymon_tui.ui.screens.monitor import MonitorScreen
from pymon_tui.ui.screens.password import PasswordScreen
from tests.faults.happenings import BORNE, FAULTS, Happening
from tests.faults.watching import heard, open_files, source_of, until
from tests.invalidation.planned import selecting
from tests.invalidation.removing import removal_of, under_way
from tests.servers.clients import client_of
from tests.servers.node import Node
from tests.servers.ports import free_port
from tests.servers.proxy import Proxy, proxied
from tests.ui.stage import no_ways

PATIENCE = 0.5
"""Seconds of the connect and command timeouts."""
INTERVAL = 0.25
MOST_AT_ONCE = 150_000.0
"""Commands a second, beyond which a rate is none that the load, a run and a flood can make; a life in one tick is."""
REMOVED = 3_000
GIVEN_UP = 60.0
"""Seconds after a fault, beyond which the program has not recovered."""
KEYS = ("1", "2", "3", "4", "5", "6", "7", "8", "tab", "r", "question_mark", "escape", "space", "space", "escape")
KEEPING = ("SIGSTOP", "black hole", "half open", "reset", "held", "CLIENT PAUSE", "reply cut", "garbage", "CLIENT KILL")
"""The faults that leave the keys where they are, so that what a run says can be compared with what is there."""
CONFIG = {
    "lua-time-limit": "20",
    "enable-debug-command": "yes",
    "loading-process-events-interval-bytes": "1024",
}


@dataclass(slots=True)
class Account:
    """What became of it."""

    survived: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    recoveries: list[tuple[float, str]] = field(default_factory=list)
    beyond_a_step: float = 0.0
    busiest_away: float = 0.0
    runs: Counter[str] = field(default_factory=Counter)
    leaked: Counter[str] = field(default_factory=Counter)
    files: tuple[int, int] = (0, 0)
    presses: int = 0


class Soak:
    """A server, a line to it, and the app at the end of that."""

    def __init__(self, node: Node, line: Proxy, pilot: Pilot[int], dice: random.Random, folder: Path) -> None:
        self.account = Account()
        self._node, self._line, self._pilot, self._dice, self._folder = node, line, pilot, dice, folder
        self._endpoint = endpoint_of(line)
        self._happenings: dict[str, Happening] = {name: fault.happening for name, fault in FAULTS.items()} | BORNE
        self._happenings |= {"password rotated": self._rotated, "machine asleep": self._asleep}
        self._runs = 0
        self._judged = 0

    @property
    def _monitor(self) -> MonitorScreen:
        return next(screen for screen in self._pilot.app.screen_stack if isinstance(screen, MonitorScreen))

    async def run(self, seconds: float) -> None:
        """Let one fault follow the other for so long."""
        self._monitor.source.set_interval(INTERVAL)
        await self._recovered("start")
        async with self._removing():
            pass  # what is opened once is no leak
        before = await self._held()
        end = time.monotonic() + seconds
        while time.monotonic() < end and not self.account.failures:
            await self._round(self._dice.choice(list(self._happenings)))
        after = await self._held()
        self.account.files, self.account.leaked = (before[0], after[0]), after[1] - before[1]

    async def _round(self, name: str) -> None:
        async with AsyncExitStack() as stack:
            if name in KEEPING and self._dice.random() < 0.5:
                await stack.enter_async_context(self._removing())
            async with self._happenings[name](self._node, self._line):
                await self._live_through(self._dice.uniform(0.3, 6.0))
            await self._recovered(name)
        self.account.survived[name] += 1

    async def _live_through(self, seconds: float) -> None:
        """Press keys, look at the numbers, and measure what being away costs."""
        end, away, spent = time.monotonic() + seconds, 0.0, 0.0
        while time.monotonic() < end:
            lost, began, cpu = isinstance(self._link(), Lost), time.monotonic(), _cpu()
            await asyncio.sleep(0.2)
            self._judge()
            if lost and isinstance(self._link(), Lost):
                away, spent = away + time.monotonic() - began, spent + _cpu() - cpu
            elif self._dice.random() < 0.5:
                await self._press(self._dice.choice(KEYS))
        if away > 2.0:
            self.account.busiest_away = max(self.account.busiest_away, spent / away)

    async def _press(self, key: str) -> None:
        if not isinstance(self._pilot.app.screen, PasswordScreen):
            self.account.presses += 1
            await self._pilot.press(key)

    async def _recovered(self, name: str) -> None:
        began, link = time.monotonic(), self._link()
        due = max(0.0, link.next_try - clock.now()) if isinstance(link, Lost) else 0.0
        while (newest := self._monitor.newest) is None or not heard(newest):
            await asyncio.sleep(0.02)
            if self._pilot.app.return_code is not None:
                self.account.failures.append(f"{name}: the app has ended")
                return
            if time.monotonic() - began > GIVEN_UP:
                self.account.failures.append(f"{name}: not recovered after {GIVEN_UP:g} s: {self._link()}")
                return
        self.account.recoveries.append((time.monotonic() - began, name))
        self.account.beyond_a_step = max(self.account.beyond_a_step, time.monotonic() - began - due)

    def _link(self) -> object:
        newest = self._monitor.newest
        return newest.link if newest is not None else None

    def _judge(self) -> None:
        newest = self._monitor.newest
        if newest is None or newest.history.end == self._judged:
            return
        self._judged = newest.history.end
        for metric in (COMMANDS, HITS, MISSES):
            rate = newest.history.latest(metric.name)
            if rate is not None and not 0 <= rate <= MOST_AT_ONCE:
                self.account.wrong.append(f"{metric.name}: {rate:g}/s")

    async def _held(self) -> tuple[int, Counter[str]]:
        """The descriptors, and the tasks by what they run, when all is well, every pane is there, and nobody away."""
        while self._pilot.app.screen is not self._monitor:
            await self._pilot.press("escape")
        for key in (*KEYS[:8], "1"):
            await self._pilot.press(key)
        # A toast has a task of its own for as long as it is seen.
        await until(lambda: len(self._line._links) == 2 and not self._pilot.app.query("Toast"))
        gc.collect()
        tasks = (task.get_coro() for task in asyncio.all_tasks())
        return open_files(), Counter(getattr(running, "__qualname__", "?") for running in tasks)

    @asynccontextmanager
    async def _rotated(self, node: Node, line: Proxy) -> AsyncIterator[None]:
        """Another password, which is typed where it is asked for, and then none."""
        password = f"s3same-{self._runs}-{self._dice.random()}"
        async with client_of(node.server) as admin:
            await admin.config_set("requirepass", password)
            line.cut()
            yield
            while not isinstance(self._pilot.app.screen, PasswordScreen):
                # It isn't asked in the middle of a help, and a key may have closed it as it came.
                await self._pilot.press("r" if self._pilot.app.screen is self._monitor else "escape")
                await asyncio.sleep(0.1)
            self._pilot.app.screen.query_one(Input).value = password
            await self._pilot.press("enter")
            await self._recovered("password typed")
            await admin.config_set("requirepass", "")
        self._monitor.source.log_in(SecretStr(""))

    @asynccontextmanager
    async def _asleep(self, node: Node, line: Proxy) -> AsyncIterator[None]:
        sleep.seconds += 3_600.0
        yield

    @asynccontextmanager
    async def _removing(self) -> AsyncIterator[None]:
        """A run over keys of its own, whose account is compared with what is left of them."""
        self._runs += 1
        prefix = f"soak:{self._runs}:"
        async with client_of(self._node.server) as client:
            await client.eval(f"for n = 1, {REMOVED} do redis.call('SET', '{prefix}' .. n, n) end", 0)
        try:
            removal = await removal_of(self._endpoint, selecting(f"{prefix}*"), self._folder)
        except (LinkError, OrderError):
            self.account.runs["not planned"] += 1
            yield
            return
        tally, outcome = Tally(), "not begun"
        async with under_way(removal) as task:
            yield
            with contextlib.suppress(LinkError, OrderError):
                async with asyncio.timeout(2 * GIVEN_UP):
                    result = await task
                tally, outcome = result.tally, result.outcome
        async with client_of(self._node.server) as client:
            left = await client.eval(f"return #redis.call('KEYS', '{prefix}*')", 0)
        gone = REMOVED - int(left)
        self.account.runs[outcome] += 1
        if not tally.removed <= gone <= tally.removed + tally.already_gone + tally.unknown:
            self.account.wrong.append(f"a run that says {tally} where {gone} keys are gone")


class Sleep:
    """How long the machine has seemed to sleep."""

    seconds = 0.0


sleep = Sleep()


def endpoint_of(line: Proxy) -> Endpoint:
    """Where the line begins, with little patience."""
    return Endpoint(port=line.port, connect_timeout=PATIENCE, command_timeout=PATIENCE)


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def load(socket: str) -> None:
    """Some hundred commands and messages a second, whatever becomes of them; for ever."""
    dice, number = random.Random(1), 0
    client = Redis(unix_socket_path=socket, socket_timeout=2)
    while True:
        number += 1
        with contextlib.suppress(RedisError, OSError), client.pipeline(transaction=False) as pipe:
            for _ in range(20):
                pipe.set(f"load:{dice.randrange(5_000)}", "x" * 100)
                pipe.get(f"load:{dice.randrange(10_000)}")
            pipe.publish("news", str(number))
            pipe.execute()
        time.sleep(0.05)


async def soak(seconds: float, seed: int) -> Account:
    """All of it."""
    real = clock.now
    clock.now = lambda: real() + sleep.seconds
    with tempfile.TemporaryDirectory() as folder:
        node = Node(Path(folder, "node"), CONFIG, port=free_port())
        node.start()
        loading = multiprocessing.get_context("spawn").Process(target=load, args=(node.server.socket,), daemon=True)
        loading.start()
        try:
            async with proxied(node.server.socket) as line:
                endpoint = endpoint_of(line)
                app = PymonApp(
                    Settings(host="soaked"),
                    source_of,
                    lambda *_: endpoint,
                    no_ways,
                    endpoint=endpoint,
                    clock=lambda: real() + sleep.seconds,
                )
                async with app.run_test(size=(120, 36)) as pilot:
                    soaking = Soak(node, line, pilot, random.Random(seed), Path(folder))
                    await soaking.run(seconds)
                    return soaking.account
        finally:
            loading.kill()
            node.stop()


def table(account: Account) -> str:
    """The account as a person reads it."""
    worst = sorted(account.recoveries, reverse=True)[:3]
    rows = [
        ("faults survived", f"{account.survived.total()} of {len(account.survived)} kinds"),
        ("keys pressed", str(account.presses)),
        ("runs of an invalidation", ", ".join(f"{count} {name}" for name, count in sorted(account.runs.items()))),
        ("crashes and faults not recovered from", "; ".join(account.failures) or "0"),
        ("leaked tasks", ", ".join(f"{count} {name}" for name, count in account.leaked.items()) or "0"),
        ("leaked descriptors", str(account.files[1] - account.files[0])),
        ("wrong counts", "; ".join(account.wrong) or "0"),
        ("worst recovery", ", ".join(f"{seconds:.1f} s ({name})" for seconds, name in worst)),
        ("the same beyond the next try", f"{account.beyond_a_step:.1f} s"),
        ("CPU of a core while away, at most", f"{account.busiest_away:.1%}"),
    ]
    return "\n".join(f"{name:<40} {value}" for name, value in rows)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description="Break a server again and again.")
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--seed", type=int, default=random.randrange(10_000))
    chosen = parser.parse_args()
    print(f"{chosen.minutes:g} minutes, --seed {chosen.seed}", file=sys.stderr, flush=True)  # noqa: T201
    account = asyncio.run(soak(chosen.minutes * 60, chosen.seed))
    print(table(account))  # noqa: T201
    leaked = account.leaked or account.files[1] > account.files[0]
    return 1 if leaked or account.failures or account.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
