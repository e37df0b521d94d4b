"""The Sentinels of a service, each asked at its own pace, and what they say together."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from pydantic import SecretStr

from pymon_tui.model.deployment import Address
from pymon_tui.model.link import Lost
from pymon_tui.model.snapshot import SentinelView
from pymon_tui.model.text import SafeText, safe
from pymon_tui.model.units import duration
from pymon_tui.readings.sentinel import Seen
from pymon_tui.server import clock
from pymon_tui.server.backoff import backoff
from pymon_tui.server.endpoint import Endpoint, Service
from pymon_tui.server.opinions import MOST, ranked, unmet
from pymon_tui.server.reasons import LinkError
from pymon_tui.server.sentinel import Opinion, nobody_tells, open_sentinel, opinion, sentinel_at
from pymon_tui.server.session import Session

EVERY = 1.0
"""Seconds between two askings of a Sentinel."""


@dataclass(slots=True, eq=False)
class _Sentinel:
    """A Sentinel: its newest opinion, or why it has none."""

    told: Opinion | None = None
    failure: LinkError | None = None
    since: float = field(default_factory=clock.now)
    next_try: float = 0.0
    tries: int = 0


class Sentinels:
    """Follows what the Sentinels of a service say, for as long as ``run`` does."""

    def __init__(self, endpoint: Endpoint, service: Service, *, every: float, news: Callable[[], None]) -> None:
        """Ask those that the user named, and those that they tell of.

        Args:
            endpoint: How they are reached, but for their addresses.
            service: Whom to ask for what, and as whom.
            every: Seconds between two askings of each.
            news: Called whenever one of them has said something, or nothing.
        """
        self._endpoint = endpoint
        self._service = service
        self._every = every
        self._news = news
        self._asked: dict[Address, _Sentinel] = {}
        self._changes: list[SafeText] = []
        self._best: Opinion | None = None
        self._dice = random.Random()
        self._woken = asyncio.Event()
        self._group: asyncio.TaskGroup
        for address in service.sentinels:
            self._asked[address] = _Sentinel()

    @property
    def best(self) -> Opinion | None:
        """What is believed: of those that answer the one with the newest configuration, else the last one known."""
        return self._best

    @property
    def lost(self) -> Lost | None:
        """Why nothing is known at all; None where something is, or not all have failed yet."""
        failures = {address: one.failure for address, one in self._asked.items() if one.failure is not None}
        if self._best is not None or len(failures) < len(self._asked):
            return None
        error = nobody_tells(self._service.name, failures)
        ones = self._asked.values()
        return Lost(
            error.trouble,
            error.what,
            error.remedy,
            min(one.since for one in ones),
            min(one.next_try for one in ones),
            max(one.tries for one in ones),
        )

    def view(self, primary: str) -> SentinelView:
        """What a screen is told; ``primary`` is the name that the primary is followed by."""
        told = [(address, one.told) for address, one in self._asked.items() if one.told is not None]
        answering = {opinion.own_id or str(address) for address, opinion in told}
        best = self._best
        watch = best.watch if best is not None else None
        quorum = best.quorum if best is not None else None
        return SentinelView(
            service=safe(self._service.name),
            primary=primary,
            answering=len(answering),
            known=max(watch.others + 1 if watch is not None else 0, len(self._service.sentinels)),
            quorum=watch.quorum if watch is not None else None,
            problem=quorum[0] if quorum is not None and not quorum[1] and answering else None,
            away=tuple(one.failure.what for one in self._asked.values() if one.failure is not None),
        )

    def changes(self) -> tuple[SafeText, ...]:
        """What has happened since this was asked last."""
        changes, self._changes = tuple(self._changes), []
        return changes

    def wake(self) -> None:
        """Ask all of them now, also what they have refused."""
        self._woken.set()

    def log_in(self, password: SecretStr) -> None:
        """Speak to them with this password from now on, and try at once."""
        self._service = replace(self._service, password=password)
        self.wake()

    async def run(self) -> None:
        """Go on asking; never returns."""
        async with asyncio.TaskGroup() as group:
            self._group = group
            for address, one in self._asked.items():
                group.create_task(self._ask(address, one))

    async def _ask(self, address: Address, one: _Sentinel) -> None:
        session: Session | None = None
        refused: set[str] = set()
        try:
            while True:
                self._woken.clear()
                try:
                    if session is None:
                        session = await open_sentinel(sentinel_at(self._endpoint, self._service, address))
                        refused.clear()
                    self._hear(address, one, await opinion(session, self._service.name, refused))
                    wait = self._every
                except LinkError as error:
                    if session is not None:
                        await session.close()
                        session = None
                    wait = self._miss(address, one, error)
                self._news()
                if await self._woken_within(wait):
                    refused.clear()
        finally:
            if session is not None:
                await session.close()

    async def _woken_within(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                return await self._woken.wait()
        except TimeoutError:
            return False

    def _hear(self, address: Address, one: _Sentinel, told: Opinion) -> None:
        if one.failure is not None and one.told is None and one.tries and self._best is not None:
            self._changes.append(safe(f"Sentinel {address} is back after {duration(clock.now() - one.since)}"))
        one.told, one.failure, one.tries, one.since = told, None, 0, clock.now()
        self._judge()
        self._meet(told.sentinels)

    def _miss(self, address: Address, one: _Sentinel, error: LinkError) -> float:
        if one.told is not None:
            self._changes.append(safe(f"Sentinel {address} is lost: {error.what}"))
        if one.failure is None:
            one.since = clock.now()
        one.told, one.failure, one.tries = None, error, one.tries + 1
        wait = backoff(error.trouble, one.tries, self._dice)
        one.next_try = clock.now() + wait
        self._judge()
        return wait

    def _judge(self) -> None:
        """Believe who is to be believed, as everywhere else."""
        told = {address: one.told for address, one in self._asked.items() if one.told is not None}
        if not told:
            return
        before, best = self._best, ranked(told)[0].told
        self._best = best
        if before is None:
            return
        if before.primary != best.primary:
            self._changes.append(safe(f"switch-master {self._service.name}: {before.primary} to {best.primary}"))
        elif _down(best) and not _down(before):
            self._changes.append(safe(f"the Sentinels agree that {best.primary} is down"))
        if _fails_over(best) and not _fails_over(before):
            self._changes.append(safe(f"a failover of {self._service.name} has begun"))

    def _meet(self, others: tuple[Seen, ...]) -> None:
        """Ask the Sentinels as well that one tells of, where they aren't asked at another address already."""
        told = [one.told for one in self._asked.values() if one.told is not None]
        unsure = any(one.told is None and one.failure is None for one in self._asked.values())
        reached = {self._endpoint.at(address).address for address in self._asked}
        for seen in unmet(told, others, reached, self._endpoint):
            if unsure or seen.address in self._asked or len(self._asked) >= MOST:
                continue  # whoever hasn't said yet who it is may be this one
            self._asked[seen.address] = one = _Sentinel()
            self._group.create_task(self._ask(seen.address, one))


def _down(told: Opinion) -> bool:
    return told.watch is not None and "o_down" in told.watch.flags


def _fails_over(told: Opinion) -> bool:
    return told.watch is not None and "failover_in_progress" in told.watch.flags
