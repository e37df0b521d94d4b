"""Where a screen or a command goes for everything about invalidation, with the settings applied.

Whether the server that was named stands alone, is a replica or a node of a cluster is asked when the work begins.
"""

from __future__ import annotations

import asyncio
import dataclasses
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from pymon_tui.invalidation.account import Mode, Options
from pymon_tui.invalidation.agreed import under
from pymon_tui.invalidation.browsing import Browsing
from pymon_tui.invalidation.cluster import orders
from pymon_tui.invalidation.cluster.estimating import estimated
from pymon_tui.invalidation.cluster.kept import other_than_then
from pymon_tui.invalidation.cluster.planning import WholePlanning
from pymon_tui.invalidation.cluster.primaries import Found, find
from pymon_tui.invalidation.cluster.removal import WholeRemoval
from pymon_tui.invalidation.cluster.restore import WholeRestore
from pymon_tui.invalidation.cluster.server import Server
from pymon_tui.invalidation.estimate import Estimate
from pymon_tui.invalidation.filters import Filters
from pymon_tui.invalidation.guarding import rules_of
from pymon_tui.invalidation.history import Last, last_to_undo, undo_problem
from pymon_tui.invalidation.known import known
from pymon_tui.invalidation.order import Order, OrderError
from pymon_tui.invalidation.pattern import Pattern
from pymon_tui.invalidation.plan import Plan
from pymon_tui.invalidation.pulses import Pulses
from pymon_tui.invalidation.restore_load import count_of
from pymon_tui.invalidation.restore_part import RestoreError, other_process
from pymon_tui.invalidation.rules import Rules
from pymon_tui.invalidation.selection import Selection
from pymon_tui.invalidation.shelves import Shelves, hold
from pymon_tui.invalidation.trash import TrashError
from pymon_tui.invalidation.trash_files import trashed
from pymon_tui.invalidation.verdict import Verdict, because_of_undo, of_plan, of_resume, of_undo, typed_because
from pymon_tui.journal import records
from pymon_tui.journal.journal import Journal
from pymon_tui.journal.met import Met
from pymon_tui.journal.records import Record, Whose
from pymon_tui.model.text import SafeText, safe
from pymon_tui.server.endpoint import Endpoint
from pymon_tui.server.opinions import primary_of
from pymon_tui.server.reasons import LinkError

_ESTIMATE_SECONDS = 0.3
_KNOWN_SECONDS = 10.0  # that the nodes are taken to be the same, while somebody types


class Desk:
    """Plans, runs and undoes on what the named server belongs to, and reads the journal."""

    def __init__(self, endpoint: Endpoint, rules: Rules, folder: Path) -> None:
        """``folder`` is the state folder: the journal's, the trash's and the locks'."""
        self.endpoint = endpoint
        self.rules = rules
        self._folder = folder
        self._journal = Journal(folder, keep=rules.journal_keep)
        self._met = Met(folder)
        self._relations = records.Relations(self._journal)
        self._found: tuple[float, Found] | None = None
        self._shelves = Shelves(folder, self.record)

    async def at_present(self) -> Desk:
        """The desk of the server that Sentinels name by now; this one, where none are asked.

        Raises:
            LinkError: If they name none that is reached.
        """
        service = self.endpoint.watched
        there = self.endpoint if service is None else await primary_of(self.endpoint, service)
        return self if there.address == self.endpoint.address else Desk(there, self.rules, self._folder)

    def selection(self, patterns: Sequence[Pattern], filters: Filters, *, every: bool) -> Selection:
        """What is meant, with what is protected and the cap."""
        return Selection(tuple(dict.fromkeys(patterns)), filters, self.rules.protected, self.rules.max_keys, every)

    def options(self, mode: Mode, *, expire: float, jitter: float, undo: bool, dry_run: bool) -> Options:
        """How a run goes about it; ``expire`` and ``jitter`` are seconds, 0 with ``unlink``."""
        rules = self.rules
        return Options(
            mode=mode,
            expire=expire,
            jitter=jitter,
            rate=rules.rate,
            undo=undo,
            dry_run=dry_run,
            ceiling=rules.ceiling,
            trash_cap=rules.trash_cap,
            key_cap=rules.key_cap,
        )

    async def estimate(self, selection: Selection) -> Estimate | None:
        """How many keys match, about, within a third of a second on all primaries; as ``estimate.estimate``."""
        found = await self._look()
        try:
            return await estimated(found, selection, _ESTIMATE_SECONDS)
        except LinkError:
            self._found = None
            raise

    def browsing(self, pattern: Pattern) -> Browsing:
        """A listing of the keys that a pattern means."""
        return Browsing(self.endpoint, pattern)

    def planning(
        self, selection: Selection, mode: Mode, *, undo: bool, read: bool = True, pulses: Pulses | None = None
    ) -> WholePlanning:
        """A plan to be made, by the rules of the server that it turns out to be of.

        Args:
            read: Whether anybody reads it; else it tells what its verdict needs, and little more.
            pulses: To be begun with the plan, for the run.
        """
        cap, rules = self.rules.key_cap, self._rules_of
        return WholePlanning(
            self.endpoint, selection, mode=mode, undo=undo, key_cap=cap, rules=rules, read=read, pulses=pulses
        )

    def judge(self, plan: Plan, options: Options) -> Verdict:
        """Whether this plan may be carried out with these options, how it is confirmed, and what can be taken back."""
        rules, shelf = plan.rules or self.rules, self._shelves.now() if options.undo else None
        return of_plan(plan, options, rules, shelf, self._shelves.unwritable() if options.dry_run else None)

    async def judge_resume(self, record: Record) -> Verdict:
        """Whether a run may be gone on with, and how that is confirmed.

        Raises:
            LinkError: If the server can't be reached.
            Refused: If a cluster doesn't let us know its nodes.
            JournalError: If the journal can't be read.
        """
        # It may have been undone since somebody looked.
        if (now := await asyncio.to_thread(self.record, record.id)) is not None:
            record = now
        try:
            order, options, problem = *self._rest_of(record), ""
        except OrderError as error:
            order, options, problem = None, None, str(error)
        found = await self._look(anew=True)
        if order is not None and not found.is_cluster and not record.parts:
            try:
                order.check(found.primaries[0].run_id, record.db, "", found.primaries[0].endpoint.label)
            except OrderError as error:
                order, problem = None, f"run {record.id} can't be resumed: {error}"
        shelf = await asyncio.to_thread(self._shelves.now, [record.id, *(part.id for part in record.parts)])
        return of_resume(record, order, options, await self._rules_of(found), problem, shelf)

    async def rules_here(self) -> Rules:
        """The rules of the server that is here; raises as ``judge_resume``."""
        return await self._rules_of(await self._look())

    async def judge_undo(self, record: Record, *, replace: bool) -> Verdict:
        """Whether a run can be undone, and how that is confirmed; raises as ``judge_resume``, and JournalError."""
        way = self.endpoint.way
        if (now := await asyncio.to_thread(self.record, record.id)) is not None:
            record = now  # its trash may have been given up since somebody looked
        problem = await asyncio.to_thread(lambda: undo_problem(record, self._relations.of(record.id), way))
        rules = await self._rules_of(await self._look())
        return of_undo(record, problem, rules, replace=replace)

    def hold(self, record: Record) -> ExitStack:
        """Keep every run from giving up the trash of this one while somebody is asked about its undo, until closed."""
        return hold(self._folder, record)

    async def other_server(self, record: Record) -> SafeText | None:
        """Why an undo of this run would go to another server process than it was on; None where it is the same.

        Raises:
            LinkError, Refused: As ``judge_resume``.
        """
        return other_than_then(record, await self._look(anew=True), self.endpoint.username or "default")

    def untold(self, run: str) -> SafeText | None:
        """Why an undo will ask for another server to be allowed: none told the run which process it is; else None."""
        record = self.record(run)
        parts = () if record is None else (record.parts or (record,))
        here = next((part.node for part in parts if not part.run_id), None)
        return None if here is None else other_process(safe(here), "", "", then=(here, ""))

    async def last_to_undo(self) -> Last:
        """The newest run on this server that can be undone; raises as ``judge_undo``."""
        server, way = await self.server(), self.endpoint.way
        return await asyncio.to_thread(
            lambda: last_to_undo(self.newest(server.whose), server, trashed(self._folder), way)
        )

    def removal(
        self,
        plan: Plan,
        options: Options,
        preset: str | None,
        pulses: Pulses | None = None,
        agreed: Verdict | None = None,
    ) -> WholeRemoval:
        """A run of this plan; ``pulses`` are those that were begun with it, ``agreed`` what a person has agreed to.

        Raises:
            OrderError: If it must not begin.
        """
        verdict = self.judge(plan, options)
        if not verdict.begins:
            raise OrderError(verdict.why)
        order = Order.of(plan, preset)
        return self._removal(self.endpoint, order, orders.of_plan(plan, preset), options, verdict, agreed, pulses)

    async def resumed(self, record: Record, agreed: Verdict | None = None) -> WholeRemoval:
        """A run that goes on where this one was cut off; what is protected now is protected as well.

        ``agreed`` is what a person is shown before it begins: no other undo is given up than is named there.

        Raises:
            OrderError: If it must not begin, or the journal doesn't tell enough of it.
            LinkError, Refused: As ``judge_resume``.
        """
        verdict = await self.judge_resume(record)
        if not verdict.begins:
            raise OrderError(verdict.why)
        order, options = self._rest_of(record)
        order = orders.protecting(order, self.rules.protected)
        # In its own database: another one must not be gone through by mistake.
        endpoint = dataclasses.replace(self.endpoint, db=record.db)
        return self._removal(endpoint, order, orders.resumed(record, order), options, verdict, agreed)

    async def server(self) -> Server:
        """Which server is here, by whatever name it was reached.

        Raises:
            LinkError: If it can't be reached.
            Refused: If a cluster doesn't let us know its nodes.
        """
        return Server.of(await self._look())

    async def kept(self, record: Record, *, replace: bool) -> int | None:
        """How many keys an undo of this run would bring back, by its trash; None where that can't be read."""
        try:
            return await asyncio.to_thread(count_of, record.parts or (record,), replace=replace)
        except TrashError:
            return None

    def restore(
        self, record: Record, *, replace: bool, elsewhere: bool, agreed: Verdict | None = None
    ) -> WholeRestore | None:
        """An undo of this run as of ``Restore``, to which a person has ``agreed``; None where it has no trash."""
        if record.undo_path is None:
            return None
        return WholeRestore(
            self.endpoint,
            record,
            self._journal,
            ceiling=self.rules.ceiling,
            replace=replace,
            elsewhere=elsewhere,
            rules=under(self._rules_of, agreed, RestoreError, partial(because_of_undo, replace=replace)),
            relations=self._relations,
        )

    def _rest_of(self, record: Record) -> tuple[Order, Options]:
        """What is left to do of a run, and how: as it was told, but that it keeps as much as is allowed now."""
        order, options = Order.resuming(record)
        return order, dataclasses.replace(options, trash_cap=self.rules.trash_cap, key_cap=self.rules.key_cap)

    def _removal(
        self,
        endpoint: Endpoint,
        order: Order,
        hand_out: orders.HandOut,
        options: Options,
        verdict: Verdict,
        agreed: Verdict | None,
        pulses: Pulses | None = None,
    ) -> WholeRemoval:
        undo = (agreed or verdict).undo
        return WholeRemoval(
            endpoint,
            order,
            hand_out,
            options,
            self._journal,
            rules=under(self._rules_of, agreed, OrderError, lambda rules: typed_because(order.planned, rules, undo)),
            undo=undo,
            pulses=pulses,
        )

    async def _look(self, *, anew: bool = False) -> Found:
        """What the named server belongs to, by a look that is a few seconds old at most, or by one of now."""
        if anew or self._found is None or time.monotonic() - self._found[0] > _KNOWN_SECONDS:
            self._found = (time.monotonic(), await find(self.endpoint))
        return self._found[1]

    async def _rules_of(self, found: Found) -> Rules:
        return await rules_of(found, self.endpoint, self.rules, self._met)

    def newest(self, whose: Whose | None = None) -> Iterator[Record]:
        """The runs and undos of the journal, the newest first; it is read as far as they are asked for.

        Args:
            whose: Only those on this server; None for all.

        Raises:
            JournalError: If it can't be read.
        """
        found = records.newest(self._journal, whose=whose)
        return (known(record) for record in found if isinstance(record, Record))

    def record(self, run: str) -> Record | None:
        """The run or undo of this id; None if the journal has none.

        Raises:
            JournalError: If it can't be read.
        """
        return next((known(record) for record in self._relations.read(run) if record.id == run), None)
