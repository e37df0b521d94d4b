"""What the soaks have in common: the real screens on a deployment, keys, numbers, recoveries and what is left over."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import random
import resource
import time
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

from redis.exceptions import RedisError
from textual.pilot import Pilot

from pymon_tui.demo.embedded import NoServer
from pymon_tui.invalidation.account import Result
from pymon_tui.invalidation.cluster.removal import WholeRemoval
from pymon_tui.invalidation.desk import Desk
from pymon_tui.invalidation.order import OrderError
from pymon_tui.invalidation.sweep import Refused
from pymon_tui.model.link import Lost
from pymon_tui.model.snapshot import Snapshot
from pymon_tui.readings.metrics import COMMANDS, HITS, MISSES
from pymon_tui.server import clock
from pymon_tui.server.endpoint import Endpoint
from pymon_tui.server.reasons import LinkError
from pymon_tui.ui.screens.monitor import MonitorScreen
from pymon_tui.ui.screens.password import PasswordScreen
from tests.faults.watching import open_files
from tests.invalidation.cluster.clusters import RULES
from tests.invalidation.planned import selecting
from tests.invalidation.removing import under_way
from tests.soak.account import Account, wrong_in

Fault = Callable[[], AbstractAsyncContextManager[None]]

INTERVAL = 0.25
CEILING = 0.005
RATES = (None, 2_000.0)
"""Keys a second that a run may remove: as many as its brake allows, or so few that it lasts."""
MOST_AT_ONCE = 150_000.0
"""Commands a second, beyond which a rate is none that the load, a run and a flood can make; a life in one tick is."""
REMOVED = 3_000
GIVEN_UP = 60.0
"""Seconds after a fault, beyond which the program has not recovered."""
SETTLED = 40.0
"""Seconds for what was needed during the faults to go: a toast, the sharded channels that nobody else follows."""
PANES = ("1", "2", "3", "4", "5", "6", "7", "8", "9", "f")
KEYS = (*PANES[:8], "tab", "r", "question_mark", "escape", "space", "space", "escape")
FAILED = (AssertionError, NoServer, RedisError, OSError, TimeoutError)
"""What keeps the soak itself from going on."""


class Soak(ABC):
    """The app on a deployment that breaks again and again; what can happen to that, its subclasses know."""

    keys: ClassVar[tuple[str, ...]] = KEYS
    keys_away: ClassVar[tuple[str, ...]] = ()
    """Those that are pressed while something is away."""
    removing_in: ClassVar[frozenset[str]]
    """The faults in which keys are removed meanwhile."""
    keeping: ClassVar[frozenset[str]]
    """Of these the ones that leave the other keys where they are: what a run says is compared with what is there."""

    def __init__(self, account: Account, pilot: Pilot[int], dice: random.Random, folder: Path) -> None:
        self.account = account
        self._pilot, self._dice, self._folder = pilot, dice, folder
        self._runs = 0
        self._judged: object = None

    # What the deployment is

    @property
    @abstractmethod
    def faults(self) -> Mapping[str, Fault]:
        """What can happen, by name, for as long as its block lasts."""

    @abstractmethod
    def endpoint(self) -> Endpoint:
        """The server that a person would name now."""

    @abstractmethod
    def is_back(self, newest: Snapshot) -> bool:
        """Whether all that runs is live on the screen."""

    def is_true(self, newest: Snapshot) -> bool:
        """Whether the screen shows the deployment as it is."""
        return self.is_back(newest)

    @abstractmethod
    async def settled(self) -> None:
        """Wait until the deployment itself has recovered."""

    def keeps(self, name: str) -> bool:
        """Whether this fault, which is over, has left the keys where they were."""
        return name in self.keeping

    @abstractmethod
    async def fill(self, prefix: str) -> None:
        """Set ``REMOVED`` keys that begin so."""

    @abstractmethod
    async def left(self, prefix: str) -> int:
        """How many keys begin so."""

    @abstractmethod
    def release(self) -> None:
        """Let go of what the soak itself holds open."""

    # What is done to it

    @property
    def monitor(self) -> MonitorScreen:
        """The monitor, whatever is shown on top of it."""
        return next(screen for screen in self._pilot.app.screen_stack if isinstance(screen, MonitorScreen))

    async def run(self, seconds: float) -> None:
        """Let one fault follow the other for so long."""
        self.monitor.source.set_interval(INTERVAL)
        await self.recovered("start")
        async with self._removing("start"):
            pass  # what is opened once is no leak
        self.account.runs.clear()
        before = await self._held(None)
        end, name, ahead = time.monotonic() + seconds, "start", list[str]()
        try:
            while time.monotonic() < end and not self.account.failures:
                # In any order, but each before one comes again.
                ahead = ahead or self._dice.sample(list(self.faults), len(self.faults))
                name = ahead.pop()
                await self._round(name)
        except FAILED as error:
            self.account.failures.append(f"{name}: {type(error).__name__}: {error}")
        if not self.account.failures:
            after = await self._held(before)
            self.account.files, self.account.leaked = (before[0], after[0]), after[1] - before[1]

    async def _round(self, name: str) -> None:
        async with AsyncExitStack() as stack:
            removing = name in self.removing_in and self._dice.random() < 0.5
            if removing:
                await stack.enter_async_context(self._removing(name))
            async with self.faults[name]():
                await self._live_through(name, self._dice.uniform(0.3, 6.0), removing=removing)
            await self.recovered(name)
        await self.settled()
        await self._until(self.is_true, f"{name}: the screen doesn't show what is there")
        self.account.survived[name] += 1

    async def _live_through(self, name: str, seconds: float, *, removing: bool) -> None:
        """Press keys, look at the numbers, and measure what being away costs, where no run takes its part of that."""
        end, away, spent = time.monotonic() + seconds, 0.0, 0.0
        while time.monotonic() < end:
            lost, began, cpu = self._is_away(), time.monotonic(), _cpu()
            await asyncio.sleep(0.2)
            self._judge()
            elapsed, used = time.monotonic() - began, _cpu() - cpu
            if lost and self._is_away():
                away, spent = away + elapsed, spent + used
            elif not (lost or removing):
                self.account.present = (self.account.present[0] + elapsed, self.account.present[1] + used)
            keys = self.keys_away if lost else self.keys
            if keys and self._dice.random() < 0.5:
                await self._press(self._dice.choice(keys))
        if away > 2.0 and not removing:
            self.account.busiest_away = max(self.account.busiest_away, (spent / away, name))

    async def _press(self, key: str) -> None:
        if not isinstance(self._pilot.app.screen, PasswordScreen):
            self.account.presses += 1
            await self._pilot.press(key)

    async def recovered(self, name: str) -> None:
        """Wait until all is live again, and note how long that took."""
        began, lost = time.monotonic(), max(self._lost(), key=lambda link: link.next_try, default=None)
        due = max(0.0, lost.next_try - clock.now()) if lost is not None else 0.0
        if not await self._until(self.is_back, f"{name}: not recovered"):
            return
        taken = time.monotonic() - began
        told = f"{name}: {lost.what}, try {lost.tries} in {due:.1f} s" if lost is not None else name
        self.account.recoveries.append((taken, told))
        self.account.beyond_a_step = max(self.account.beyond_a_step, (taken - due, told))

    async def _until(self, holds: Callable[[Snapshot], bool], failure: str) -> bool:
        deadline = time.monotonic() + GIVEN_UP
        while (newest := self.monitor.newest) is None or not holds(newest):
            await asyncio.sleep(0.02)
            if self._pilot.app.return_code is not None:
                self.account.failures.append(f"{failure}: the app has ended")
                return False
            if time.monotonic() > deadline:
                lost = [f"{link.what}, try {link.tries}" for link in self._lost()]
                self.account.failures.append(f"{failure} after {GIVEN_UP:g} s; away: {lost or 'nothing'}")
                return False
        return True

    def _lost(self) -> list[Lost]:
        """What is away: the node that is shown, others, or the feed."""
        newest = self.monitor.newest
        if newest is None:
            return []
        nodes = newest.fleet.nodes if newest.fleet is not None else ()
        links = (newest.link, newest.feed.status, *(node.snapshot.link for node in nodes))
        return [link for link in links if isinstance(link, Lost)]

    def _is_away(self) -> bool:
        newest = self.monitor.newest
        return newest is not None and any(link is not newest.feed.status for link in self._lost())

    def _judge(self) -> None:
        newest = self.monitor.newest
        if newest is None:
            return
        sample = (newest.fleet.chosen if newest.fleet is not None else None, newest.history.end)
        if sample == self._judged:
            return
        self._judged = sample
        for metric in (COMMANDS, HITS, MISSES):
            rate = newest.history.latest(metric.name)
            if rate is not None and not 0 <= rate <= MOST_AT_ONCE:
                self.account.wrong.append(f"{metric.name}: {rate:g}/s")

    async def _held(self, before: tuple[int, Counter[str]] | None) -> tuple[int, Counter[str]]:
        """The descriptors, and the tasks by what they run, when all is well and every pane is there.

        What comes and goes is no leak: of several looks the least counts, and what there was ``before`` is waited for.
        """
        while self._pilot.app.screen is not self.monitor:
            await self._pilot.press("escape")
        for key in (*PANES, "1"):
            await self._pilot.press(key)
        deadline = time.monotonic() + SETTLED
        while True:
            self.release()
            gc.collect()
            looks = []
            for _ in range(10):
                await asyncio.sleep(0.25)
                looks.append((open_files(), _tasks()))
            files, tasks = min(look[0] for look in looks), looks[0][1]
            for look in looks:
                tasks &= look[1]
            if before is not None and files <= before[0] and not tasks - before[1]:
                return files, tasks
            if time.monotonic() > deadline or (before is None and not self._pilot.app.query("Toast")):
                return files, tasks

    # Keys that are removed meanwhile

    @asynccontextmanager
    async def _removing(self, name: str) -> AsyncIterator[None]:
        """A run over keys of its own, whose account is compared with what is left of them."""
        self._runs += 1
        prefix = f"soak:{self._runs}:"
        await self.fill(prefix)
        desk = Desk(self.endpoint(), replace(RULES, rate=self._dice.choice(RATES), ceiling=CEILING), self._folder)
        options = desk.options("unlink", expire=0, jitter=0, undo=self._dice.random() < 0.5, dry_run=False)
        try:
            plan = await desk.planning(selecting(f"{prefix}*"), options.mode, undo=options.undo).run()
        except (LinkError, OrderError, Refused):
            self.account.runs["not planned"] += 1
            yield
            return
        removal = desk.removal(plan, options, None)
        async with under_way(removal) as task:
            await self._begun(removal, task, self._dice.randrange(REMOVED))
            self.account.met += name != "start" and not task.done()
            yield
            result = await self._ended(name, removal, task)
        self.account.runs[result.outcome if result is not None else "not begun"] += 1
        await self.settled()
        if result is not None and self.keeps(name):
            self.account.compared += 1
            self.account.wrong += wrong_in(result, REMOVED, await self.left(prefix))

    async def _begun(self, removal: WholeRemoval, task: asyncio.Task[Result], count: int) -> None:
        """Wait until a run is in the middle."""
        until = time.monotonic() + 10.0
        while not task.done() and removal.progress.tally.removed < count and time.monotonic() < until:
            await asyncio.wait([task], timeout=0.005)

    async def _ended(self, name: str, removal: WholeRemoval, task: asyncio.Task[Result]) -> Result | None:
        """The account of a run, which is told to go on where it asks; None if it couldn't begin."""
        with contextlib.suppress(LinkError, OrderError, Refused):
            deadline = time.monotonic() + 2 * GIVEN_UP
            while not task.done() and time.monotonic() < deadline:
                if removal.progress.state == "asking":
                    removal.go_on(removal.progress.why)
                await asyncio.wait([task], timeout=0.1)
            if task.done():
                return await task
            progress = removal.progress
            self.account.failures.append(f"{name}: a run that doesn't end: {progress.state}, {progress.why}")
        return None


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _tasks() -> Counter[str]:
    running = (task.get_coro() for task in asyncio.all_tasks())
    return Counter(getattr(each, "__qualname__", "?") for each in running)
