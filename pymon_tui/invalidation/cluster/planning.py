"""A plan for whatever the named server belongs to: for its primary, or for all primaries of a cluster side by side."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace

from pymon_tui.invalidation.cluster.merging import merged_plan
from pymon_tui.invalidation.cluster.primaries import Found, find
from pymon_tui.invalidation.given_up import Abandonable
from pymon_tui.invalidation.plan import Plan
from pymon_tui.invalidation.planning import Planning, PlanProgress
from pymon_tui.invalidation.preflight import Mode
from pymon_tui.invalidation.pulses import Pulses
from pymon_tui.invalidation.rules import Rules
from pymon_tui.invalidation.selection import Selection, check
from pymon_tui.server.endpoint import Endpoint


class WholePlanning:
    """A plan in the making. To be run once."""

    def __init__(
        self,
        endpoint: Endpoint,
        selection: Selection,
        *,
        mode: Mode,
        undo: bool,
        key_cap: int,
        rules: Callable[[Found], Awaitable[Rules]],
        read: bool = True,
        pulses: Pulses | None = None,
    ) -> None:
        """Plan on what ``endpoint`` belongs to, by the ``rules`` of what is found there; the rest as for ``Planning``.

        ``pulses`` are begun as soon as it is known whose.

        Raises:
            SelectionError: If the selection is not one to run.
        """
        check(selection)
        self._endpoint = endpoint
        self._selection = selection
        self._mode: Mode = mode
        self._undo = undo
        self._key_cap = key_cap
        self._rules_of = rules
        self._read = read
        self._pulses = pulses
        self._parts: tuple[Planning, ...] = ()
        self._work = Abandonable()
        self._began: float | None = None

    @property
    def progress(self) -> PlanProgress:
        """How far all of it has come by now."""
        parts = [part.progress for part in self._parts]
        totals = [part.total for part in parts]
        return PlanProgress(
            scanned=sum(part.scanned for part in parts),
            total=sum(total for total in totals if total is not None) if totals and None not in totals else None,
            matched=sum(part.matched for part in parts),
            protected=sum(part.protected for part in parts),
            seconds=0.0 if self._began is None else time.monotonic() - self._began,
        )

    def cancel(self) -> None:
        """Give up: ``run`` raises PlanCancelled once all connections are closed."""
        self._work.cancel()

    async def run(self) -> Plan:
        """Find the primaries, and make the plan of each.

        Raises:
            LinkError: If one of them can't be reached, or is lost, or no node serves some of a cluster's slots.
            PlanCancelled: After ``cancel``.
            Refused: If one of them refuses SCAN, a command that a filter needs, or to tell the cluster's nodes.
        """
        self._began = time.monotonic()
        return await self._work.run(self._run)

    async def _run(self) -> Plan:
        found = await find(self._endpoint)
        rules = await self._rules_of(found)
        selection = self._selection.under(rules)
        if self._pulses is not None:
            for one in found.primaries:
                self._pulses.begin(one.endpoint)
        self._parts = tuple(
            Planning(
                one.endpoint,
                selection,
                mode=self._mode,
                undo=self._undo,
                key_cap=self._key_cap,
                read=self._read,
                share=len(found.primaries),
                evicted=one.evicted,
            )
            for one in found.primaries
        )
        plan = await self._of_all(found) if found.is_cluster else await self._parts[0].run()
        note = rules.noted(found.note)
        return replace(plan, note=note, environment=rules.environment or plan.environment, rules=rules)

    async def _of_all(self, found: Found) -> Plan:
        tasks = [asyncio.create_task(part.run()) for part in self._parts]
        try:
            plans = await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        parts = [
            replace(plan, node_id=one.node_id, slots=one.slots)
            for plan, one in zip(plans, found.primaries, strict=True)
        ]
        namespaces = [part.namespaces for part in self._parts]
        return merged_plan(parts, self._endpoint, namespaces, self.progress.seconds)
