"""Making a plan: one pass over the database that reads and removes nothing."""

from __future__ import annotations

import time
from contextlib import aclosing
from dataclasses import dataclass, replace
from random import Random

from pymon_tui.invalidation.ahead import ahead
from pymon_tui.invalidation.brake import FIRST, first_page
from pymon_tui.invalidation.counting import Count
from pymon_tui.invalidation.facts import Facts
from pymon_tui.invalidation.found_keys import MOST, FoundKeys
from pymon_tui.invalidation.given_up import Abandonable
from pymon_tui.invalidation.key_bytes import Total
from pymon_tui.invalidation.measuring import Asked, Measuring
from pymon_tui.invalidation.namespaces import Namespaces
from pymon_tui.invalidation.pattern import Pattern
from pymon_tui.invalidation.pipe import Pipe, open_pipe
from pymon_tui.invalidation.plan import Plan
from pymon_tui.invalidation.plan_pages import PlanPages
from pymon_tui.invalidation.preflight import Mode, permissions, replica_problem, role_of
from pymon_tui.invalidation.room_warnings import room_warnings
from pymon_tui.invalidation.sampling import (
    SIZE,
    Reservoir,
    Sample,
    expiry_counts,
    idle_times,
    type_counts,
)
from pymon_tui.invalidation.selection import Selection, check
from pymon_tui.invalidation.sweep import Page, Sweep
from pymon_tui.invalidation.touched import Touched
from pymon_tui.invalidation.trash_estimate import TrashEstimate, trash_estimate
from pymon_tui.model.text import SafeText
from pymon_tui.server.endpoint import Endpoint

_FEW = 500  # keys in the sample of a plan that nobody reads: for what an undo of them would take
_NAMED = 10  # where there is no undo: keys that it is asked about whether they may be removed
_AHEAD = 2  # pages that are found before they are looked into


@dataclass(frozen=True, slots=True)
class PlanProgress:
    """How far a plan has come.

    Attributes:
        scanned: Keys looked at, about; never more than ``total``.
        total: Keys to look at: those of the database, once per pattern; None where the server doesn't tell.
        seconds: Since it began.
    """

    scanned: int
    total: int | None
    matched: int
    protected: int
    seconds: float


@dataclass(frozen=True, slots=True, eq=False)
class _Taken:
    """Keys of a page that are asked about, and the places in the sample that some of them take."""

    places: list[int]
    asked: Asked


class Planning:
    """A plan in the making, on a connection of its own. To be run once."""

    def __init__(
        self,
        endpoint: Endpoint,
        selection: Selection,
        *,
        mode: Mode,
        undo: bool,
        key_cap: int,
        read: bool = True,
        share: int = 1,
        evicted: int | None = None,
    ) -> None:
        """What to plan for.

        Args:
            mode: What the run would do to the keys: it is asked whether we may.
            undo: Whether it would keep dumps: some keys are dumped to see how big they would be.
            key_cap: Bytes of memory above which a key is not kept for an undo.
            read: Whether anybody reads it, and is told the size of each key; else a few keys alone are looked at for
                the undo, and none where there is no undo, and the plan holds the keys for the run that follows.
            share: How many plans share the memory that keys may be held in.
            evicted: Keys that the server had evicted when it was looked at before; None where that isn't known.

        Raises:
            SelectionError: If the selection is not one to run.
        """
        check(selection)
        self._endpoint = endpoint
        self._selection = selection
        self._mode: Mode = mode
        self._undo = undo
        self._key_cap = key_cap
        self._read = read
        self._asks = read or undo
        self._evicted = evicted
        self._touched = Touched()
        self._pages = PlanPages(FIRST)
        self._sweep: Sweep | None = None
        self._work = Abandonable()
        self._began: float | None = None
        self._total: int | None = None
        self._count = Count()
        self._protected = 0
        self._namespaces = Namespaces()
        self._reservoir = Reservoir(SIZE if read else _FEW if undo else _NAMED, Random())
        self._samples: dict[int, Sample] = {}
        self._found = None if read else FoundKeys(selection, most=MOST // share)

    @property
    def progress(self) -> PlanProgress:
        """How far it has come by now."""
        seconds = 0.0 if self._began is None else time.monotonic() - self._began
        return PlanProgress(self._scanned, self._total, self._count.matched, self._protected, seconds)

    @property
    def namespaces(self) -> Namespaces:
        """What was counted by name until now."""
        return self._namespaces

    def cancel(self) -> None:
        """Give up: ``run`` raises PlanCancelled once the connection is closed."""
        self._work.cancel()

    async def run(self) -> Plan:
        """Look at every key of the database, once per pattern, and at a sample of those that match.

        Raises:
            LinkError: If there is no connection, or it is lost.
            PlanCancelled: After ``cancel``.
            Refused: If the server refuses SCAN, or a command that a filter needs.
        """
        self._began = time.monotonic()
        return await self._work.run(self._run)

    async def _run(self) -> Plan:
        pipe = await open_pipe(self._endpoint)
        try:
            return await self._plan(pipe)
        finally:
            await pipe.close()

    async def _plan(self, pipe: Pipe) -> Plan:
        asked = time.monotonic()
        before = await _dbsize(pipe)
        self._pages = PlanPages(first_page(time.monotonic() - asked), self._evicted)
        page = await self._pages.begin(pipe)
        self._total = None if before is None else before * len(self._selection.patterns)
        facts = Facts(pipe, few=not self._read)
        measuring = Measuring(pipe, facts, key_cap=self._key_cap, every=self._read)
        await self._scan(pipe, measuring, page)
        after = await _dbsize(pipe)
        samples = tuple(self._samples[place] for place in sorted(self._samples))
        plan = await self._summary(pipe, facts, measuring, samples, before, after)
        return replace(plan, touched=self._touched.before)

    async def _scan(self, pipe: Pipe, measuring: Measuring, page: int) -> None:
        self._sweep = Sweep(pipe, self._selection, page=page)
        # What is asked of a page's keys is on its way while the next pages are.
        before: _Taken | None = None
        async with aclosing(ahead(self._sweep.pages(), _AHEAD)) as pages:
            async for found in pages:
                self._sweep.page = self._pages.next(self._sweep.page, self._sweep.took, found.keys)
                if self._pages.wants_look:
                    await self._pages.look(pipe)
                taken = self._take(found, measuring)
                await self._note(before, measuring)
                before = taken
                if self._capped:
                    break
        await self._note(before, measuring)

    def _take(self, page: Page, measuring: Measuring) -> _Taken:
        """Count a page's keys, and ask about them."""
        self._protected += page.protected
        if self._found is not None:
            self._found.add(page)
        # One more than the cap is enough to know that there are more.
        keys = self._count.add(page.keys, self._selection.max_keys + 1)
        if self._read:
            self._namespaces.add(keys)
        taken = list(self._reservoir.take(len(keys)))
        if not self._asks:
            self._samples.update((place, Sample(keys[index])) for index, place in taken)
            taken = []
            keys = []
        return _Taken([place for _, place in taken], measuring.ask(keys, [index for index, _ in taken]))

    async def _note(self, taken: _Taken | None, measuring: Measuring) -> None:
        """Put what was told of a page into the sample."""
        if taken is not None:
            samples = await measuring.told(taken.asked)
            self._samples.update(zip(taken.places, samples, strict=True))

    async def _summary(
        self,
        pipe: Pipe,
        facts: Facts,
        measuring: Measuring,
        samples: tuple[Sample, ...],
        before: int | None,
        after: int | None,
    ) -> Plan:
        endpoint, matched, about = self._endpoint, self._count.matched, self._count.about(before, after)
        total = measuring.sampled(samples)
        await self._pages.look(pipe)
        allowed = await permissions(pipe, [sample.key for sample in samples], mode=self._mode, undo=self._undo)
        trash = await self._trash(pipe, samples, total, allowed.undo_problem) if self._undo else None
        pages, kept = self._pages, trash is not None and trash.problem is None
        warnings = room_warnings(pages.memory, total, matched, mode=self._mode, undo=kept, evicted=pages.evicted)
        return Plan(
            node=endpoint.label,
            address=endpoint.address,
            environment=endpoint.environment,
            run_id=pipe.identity.run_id,
            db=endpoint.db,
            role=role_of(pipe),
            acl_user=pipe.user,
            made_at=time.time(),
            selection=self._selection,
            matched=matched,
            about=about,
            capped=self._capped,
            protected=self._protected,
            matching=self._matching,
            rights=allowed.keys,
            back=allowed.back,
            held=tuple(self._sweep.held) if self._sweep is not None else (),
            scanned=self._scanned,
            dbsize=after,
            seconds=self.progress.seconds,
            bytes=measuring.bytes(samples, matched, about=about),
            undo_bytes=None if trash is None else trash.bytes,
            undo_sizes=() if trash is None else trash.sizes,
            undo_possible=kept,
            undo_problem=None if trash is None else trash.problem,
            oversized=0 if trash is None else trash.oversized,
            types=type_counts(samples, matched),
            expiry=expiry_counts(samples, matched),
            idle=idle_times(samples),
            namespaces=self._namespaces.counts(),
            samples=samples,
            refusals=(*facts.refusals, *allowed.refusals),
            removal_problem=replica_problem(pipe) or allowed.removal_problem,
            room=self._pages.memory.room,
            warnings=warnings,
            found=self._found,
            name=self._pages.name,
            evicted=self._pages.evicted,
            evicted_at=self._pages.evicted_at,
        )

    async def _trash(
        self, pipe: Pipe, samples: tuple[Sample, ...], total: Total, problem: SafeText | None
    ) -> TrashEstimate:
        estimate = await trash_estimate(
            pipe,
            samples,
            total,
            self._count.matched,
            key_cap=self._key_cap,
            memory=self._pages.memory,
            problem=problem,
            # A dump ends a key's idle time where the server has no CLIENT NO-TOUCH; the run would pass it over.
            untouched=self._selection.filters.idle_over is not None,
            touched=self._touched,
        )
        await self._pages.look(pipe)  # at what that has cost
        return estimate

    @property
    def _matching(self) -> tuple[Pattern, ...]:
        means = self._sweep.means if self._sweep is not None else ()
        return tuple(pattern for pattern, any_goes in zip(self._selection.patterns, means, strict=False) if any_goes)

    @property
    def _capped(self) -> bool:
        return self._count.matched > self._selection.max_keys

    @property
    def _scanned(self) -> int:
        scanned = 0 if self._sweep is None else self._sweep.scanned
        return scanned if self._total is None else min(scanned, self._total)


async def _dbsize(pipe: Pipe) -> int | None:
    answer = await pipe.ask_one(b"DBSIZE")
    return answer if isinstance(answer, int) else None
