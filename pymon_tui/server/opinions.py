"""What the Sentinels of a service say together: all of them are asked, and the newest configuration is believed."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from pymon_tui.model.deployment import Address
from pymon_tui.model.link import Trouble
from pymon_tui.readings.info import parse_info
from pymon_tui.readings.sentinel import Seen
from pymon_tui.server import clock
from pymon_tui.server.backoff import backoff
from pymon_tui.server.connection import open_session
from pymon_tui.server.endpoint import Endpoint, Service
from pymon_tui.server.reasons import LinkError
from pymon_tui.server.sentinel import BRIEF, WORDS, Opinion, nobody_tells, open_sentinel, opinion, sentinel_at
from pymon_tui.server.session import Session

MOST = 32
"""Sentinels that are asked; five are many."""

PATIENCE = 1.0
"""Seconds that the others have once one Sentinel has told."""

_COSTLY = (Trouble.LOCKED, Trouble.REFUSED, Trouble.CROWDED)
"""Where each try counts for a lock, is noted, or takes a place: they aren't asked at each beat."""

_UNHEARD = 30.0  # seconds for which one that was silent isn't asked again, where others are


@dataclass(frozen=True, slots=True)
class Naming:
    """A primary that Sentinels name.

    Attributes:
        told: The newest opinion of those that name it.
        by: Who names it.
    """

    told: Opinion
    by: tuple[Address, ...]

    @property
    def primary(self) -> Address:
        """Where it is, as they announce it."""
        return self.told.primary


def ranked(told: Mapping[Address, Opinion]) -> tuple[Naming, ...]:
    """The primaries that are named, the one to believe first.

    That is the one of the newest configuration, for the others haven't heard of the failover yet; of the same one,
    that which most Sentinels name.
    """
    named: dict[Address, list[Address]] = {}
    for sentinel, one in told.items():
        named.setdefault(one.primary, []).append(sentinel)
    found = [Naming(max((told[each] for each in by), key=lambda one: one.epoch), tuple(by)) for by in named.values()]
    return tuple(sorted(found, key=lambda one: (-one.told.epoch, -len(one.by))))


def unmet(told: Iterable[Opinion], others: Iterable[Seen], reached: Collection[str], endpoint: Endpoint) -> list[Seen]:
    """The Sentinels that others tell of, but for those that are asked at another address already.

    Args:
        told: What those say that are asked.
        others: Those that are told of.
        reached: The addresses that are asked, as they are reached from here.
        endpoint: How they are reached.
    """
    ids = {one.own_id for one in told}
    return [one for one in others if one.run_id not in ids and endpoint.at(one.address).address not in reached]


class Council:
    """Asks the Sentinels of a service side by side, over lines that stay open until ``close``.

    It asks those that the user named, and those that they tell of.
    """

    def __init__(self, endpoint: Endpoint, service: Service, patience: float = PATIENCE) -> None:
        """``endpoint`` is how they are reached, but for their addresses."""
        self._endpoint = endpoint
        self._service = service
        self._patience = patience
        self._places = list(service.sentinels)
        self._lines: dict[Address, Session] = {}
        self._refused: dict[Address, set[str]] = {}
        self._failed: dict[Address, tuple[LinkError, int, float]] = {}  # how often in a row, and when it is tried again
        self._words: tuple[str, ...] = WORDS
        self._dice = random.Random()

    async def namings(self) -> tuple[Naming, ...]:
        """The primaries that they name, as ``ranked``.

        Raises:
            LinkError: If none of them tells, with what each said.
        """
        told: dict[Address, Opinion] = {}
        failures: dict[Address, LinkError] = {}
        silent = [place for place in self._places if self._is_silent(place)]
        await self._ask([place for place in self._places if place not in silent], told, failures)
        if not told:
            await self._ask(silent, told, failures)
        if not told:
            raise nobody_tells(self._service.name, failures)
        if self._words != BRIEF:
            met = self._met(told.values())
            self._places += met
            await self._ask([place for place in met if not self._is_silent(place)], told, {})
            self._words = BRIEF  # the rest doesn't tell whom to believe
        return ranked(told)

    async def close(self) -> None:
        """End all lines."""
        lines, self._lines = self._lines, {}
        for line in lines.values():
            await line.close()

    def _met(self, told: Collection[Opinion]) -> list[Address]:
        reached = {self._endpoint.at(place).address for place in self._places}
        others = [seen for one in told for seen in one.sentinels if not seen.is_down]
        met = dict.fromkeys(seen.address for seen in unmet(told, others, reached, self._endpoint))
        return list(met)[: max(0, MOST - len(self._places))]

    def _is_silent(self, place: Address) -> bool:
        """Whether it was, a moment ago: whoever asks again doesn't wait for it again, where others tell."""
        at = self._service.unheard.get(place)
        return at is not None and clock.now() - at < _UNHEARD

    async def _ask(
        self, places: Collection[Address], told: dict[Address, Opinion], failures: dict[Address, LinkError]
    ) -> None:
        """Ask these; once one has told, here or before, the others have some time more."""
        tasks: dict[asyncio.Task[Opinion], Address] = {}
        for place in places:
            error, _, due = self._failed.get(place, (None, 0, 0.0))
            if error is not None and error.trouble in _COSTLY and clock.now() < due:
                failures[place] = error
            else:
                tasks[asyncio.create_task(self._one(place))] = place
        waiting = set(tasks)
        try:
            while waiting and not told:
                done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
                self._take(done, tasks, told, failures)
            if waiting:
                done, waiting = await asyncio.wait(waiting, timeout=self._patience)
                self._take(done, tasks, told, failures)
            self._service.unheard.update((tasks[task], clock.now()) for task in waiting)
        finally:
            for task in waiting:
                task.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)

    def _take(
        self,
        done: Collection[asyncio.Task[Opinion]],
        tasks: Mapping[asyncio.Task[Opinion], Address],
        told: dict[Address, Opinion],
        failures: dict[Address, LinkError],
    ) -> None:
        for task, place in tasks.items():  # in the order in which they were named
            if task not in done:
                continue
            try:
                told[place] = task.result()
                self._failed.pop(place, None)
                self._service.unheard.pop(place, None)
            except LinkError as error:
                failures[place] = error
                tries = 1 + self._failed.get(place, (error, 0, 0.0))[1]
                self._failed[place] = error, tries, clock.now() + backoff(error.trouble, tries, self._dice)

    async def _one(self, place: Address) -> Opinion:
        try:
            if place not in self._lines:
                self._lines[place] = await open_sentinel(sentinel_at(self._endpoint, self._service, place))
            refused = self._refused.setdefault(place, set())
            return await opinion(self._lines[place], self._service.name, refused, self._words)
        except BaseException:  # what was asked on this line is answered to nobody
            if (line := self._lines.pop(place, None)) is not None:
                await line.close()
            raise


async def namings(endpoint: Endpoint, service: Service, patience: float = PATIENCE) -> tuple[Naming, ...]:
    """As ``Council.namings``, once."""
    council = Council(endpoint, service, patience)
    try:
        return await council.namings()
    finally:
        await council.close()


async def primary_of(endpoint: Endpoint, service: Service, patience: float = PATIENCE) -> Endpoint:
    """The present primary: of those that are named the first that is reached, and is one.

    Raises:
        LinkError: If no Sentinel tells, or none of those is, with why the one to believe isn't.
    """
    failure: LinkError | None = None
    for naming in await namings(endpoint, service, patience):
        try:
            return await proved(endpoint, service, naming)
        except LinkError as error:
            if error.trouble is Trouble.LOCKED:
                raise
            failure = failure or error
    assert failure is not None  # at least one is named
    raise failure


async def proved(endpoint: Endpoint, service: Service, naming: Naming) -> Endpoint:
    """The primary that is named, if it is reached, and is one as far as it tells.

    Raises:
        LinkError: If it isn't, with which Sentinels led there.
    """
    there = endpoint.at(naming.primary)
    try:
        session, _ = await open_session(there)
        try:
            (text,) = await session.ask([("INFO", "replication")])
        finally:
            await session.close()
    except LinkError as error:
        raise led_to(error, service, naming) from None
    info = parse_info(text) if isinstance(text, bytes) else None
    if info is not None and info.text("role") == "slave":
        what, remedy = f"{there.address} is a replica", "a failover may be under way: try again in a moment"
        raise led_to(LinkError(Trouble.UNREACHABLE, what, remedy), service, naming)
    return there


def led_to(error: LinkError, service: Service, naming: Naming) -> LinkError:
    """The error with the Sentinels that led to where it comes from."""
    names = f"Sentinel {naming.by[0]} names" if len(naming.by) == 1 else f"{len(naming.by)} Sentinels name"
    what = f"{error.what}, and {names} it the primary of {service.name}"
    return LinkError(error.trouble, what, error.remedy)
