"""A run on whatever the named server belongs to: on its primary, or on all primaries of a cluster side by side."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any

from pymon_tui.invalidation.account import NOTHING, Options, Outcome, Progress, Result
from pymon_tui.invalidation.blocking import to_its_end
from pymon_tui.invalidation.bounds import Bounds, Rate
from pymon_tui.invalidation.cluster.accounts import (
    KEPT_FROM,
    by_node,
    cut_off,
    cut_short,
    merged_result,
    not_begun,
    remarks,
    together,
)
from pymon_tui.invalidation.cluster.orders import HandOut, Work, again
from pymon_tui.invalidation.cluster.primaries import Found, Primary, find, ranges_text
from pymon_tui.invalidation.cluster.resharding import moved_between, require_same_nodes, still_the_same
from pymon_tui.invalidation.entries import begun
from pymon_tui.invalidation.named import Named
from pymon_tui.invalidation.order import Order, OrderError
from pymon_tui.invalidation.part import Part
from pymon_tui.invalidation.pulses import Pulses
from pymon_tui.invalidation.removal import Removal
from pymon_tui.invalidation.room import Room, room_for
from pymon_tui.invalidation.rules import Rules
from pymon_tui.invalidation.sweep import Refused
from pymon_tui.invalidation.tidying import tidied
from pymon_tui.invalidation.trash import trash_folder
from pymon_tui.invalidation.verdict import Verdict, of_more
from pymon_tui.invalidation.way_back import Undo
from pymon_tui.journal.ids import new_id
from pymon_tui.journal.journal import Journal, JournalError
from pymon_tui.journal.lock import Locked, holder, patient_lock
from pymon_tui.model.text import SafeText, safe
from pymon_tui.server.endpoint import Endpoint

ROUNDS = 8
"""Times that keys of slots which are on their way are looked for again."""

_PAUSE = 0.05  # seconds before the first of them; each is twice as long as the one before


class WholeRemoval:
    """One run, told what to do and asked how it stands as a ``Removal``.

    Attributes:
        id: As the journal and the trash know it.
        order: What it carries out, in all.
        options: How it goes about it.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        order: Order,
        hand_out: HandOut,
        options: Options,
        journal: Journal,
        *,
        rules: Callable[[Found], Awaitable[Rules]],
        undo: Undo,
        pulses: Pulses | None = None,
    ) -> None:
        """Prepare a run; nothing is opened yet.

        Args:
            hand_out: Gives the primaries their parts of the order.
            rules: Tells those of the servers that are found there; where they are stricter, they hold.
            undo: What could be taken back of it.
            pulses: Those that are felt already.
        """
        self.id = new_id()
        self.order = order
        self.options = options
        self._endpoint = endpoint
        self._hand_out = hand_out
        self._journal = journal
        self._rules_of, self._undo = rules, undo
        self._pulses = pulses or Pulses()
        self._bounds = Bounds(order.planned, order.selection.max_keys, order.again)
        self._rate: Rate | None = None
        self._alone: Removal | None = None
        self._parts: list[tuple[str, Removal]] = []
        self._results: list[tuple[str, Result]] = []
        self._began = time.monotonic()
        self._paused = self._cancelled = self._ended = False
        self._room: Room | None = None  # that the parts share

    @property
    def progress(self) -> Progress:
        """How all of it stands now."""
        if self._alone is not None:
            return self._alone.progress
        seconds = time.monotonic() - self._began
        if not self._parts:
            return not_begun(self.order, seconds)
        nodes: dict[str, Progress] = {}
        for name, part in self._parts:
            now, before = part.progress, nodes.get(name)
            if before is not None:
                now = replace(now, tally=before.tally.plus(now.tally), scanned=before.scanned, total=before.total)
            nodes[name] = now
        progress = together(list(nodes.items()), planned=self.order.planned, seconds=seconds)
        if progress.state == "asking":  # the answer is for all who ask: what the last of them asked for
            progress = replace(progress, why=safe(self._bounds.question))
        return replace(progress, state="ended", why=NOTHING) if self._ended else progress

    def pause(self) -> None:
        """Name no more keys until ``resume``."""
        self._paused = True
        for part in self._all():
            part.pause()

    def resume(self) -> None:
        """Go on after ``pause``."""
        self._paused = False
        for part in self._all():
            part.resume()

    @property
    def growth(self) -> Verdict | None:
        """How it is confirmed that more keys may go, or go for good, where that is asked."""
        return self._bounds.verdict

    @property
    def unanswered(self) -> SafeText:
        """What ends the run where nobody is there to answer its question."""
        return self._bounds.unanswered

    def go_on(self, question: str, typed: str = "") -> None:
        """Answer whether more keys may go: they may as ``growth`` says, unless a part has asked for more by then."""
        for part in self._all():
            part.go_on(question, typed)

    def cancel(self, why: str = "") -> None:
        """End after the keys that are named already; ``run`` returns the account of what was done, and ``why``."""
        self._cancelled = True
        for part in self._all():
            part.cancel(why)

    async def run(self) -> Result:
        """Carry the order out. To be awaited once; a task that is cancelled leaves an entry of how far it came.

        Raises:
            LinkError: If one of the primaries can't be reached to begin with.
            OrderError: If they aren't those that the plan was made on.
            Locked: If another run is under way on one of them.
            StateError: If the journal or the trash can't be written; then nothing was removed.
            Refused: If a cluster doesn't let us know its nodes.
        """
        result = await self._run()
        if not self.options.dry_run:
            await tidied(self._journal)
        return result

    async def _run(self) -> Result:
        self._began = time.monotonic()
        found = await find(self._endpoint)
        rules = await self._rules_of(found)
        if rules.read_only and not self.options.dry_run:
            raise OrderError(f"nothing is removed: {rules.read_only_because}")
        self.options = self.options.under(rules)
        self.order = replace(self.order, selection=self.order.selection.under(rules))
        judge = partial(of_more, self.order, self.options, rules, self._undo)
        self._bounds = self._bounds.judged(self.order.selection.max_keys, judge, self._undo)
        parts = self._hand_out(found)
        work = tuple((one, replace(order, selection=order.selection.under(rules))) for one, order in parts)
        self._room = await asyncio.to_thread(room_for, self._journal, self.options, self._undo)
        if not found.is_cluster:
            return await self._run_alone(*work[0], found)
        rate = self.options.rate
        self._rate = Rate(rate, len(work)) if rate is not None else None
        if self.options.dry_run:  # in nobody's way, and it writes nothing
            return await self._carried_out(found, work)
        for primary, order in work:
            held_by = holder(self._journal.folder, f"server-{primary.run_id or 'unnamed'}-{order.db}")
            if held_by is not None:
                raise Locked(held_by)
        async with patient_lock(self._journal.folder, f"run-{self.id}", run=self.id):
            await to_its_end(self._journal.append, "run", "started", run=self.id, **self._told(found))
            return await self._carried_out(found, work)

    async def _run_alone(self, primary: Primary, order: Order, found: Found) -> Result:
        self._alone = Removal(
            primary.endpoint,
            order,
            self.options,
            self._journal,
            read_only=False,
            run=self.id,
            named=Named(primary.endpoint, primary.run_id),
            addresses=found.addresses,
            pulse=self._pulses.of(primary.endpoint),
            bounds=self._bounds,
            room=self._room,
        )
        self._tell(self._alone)
        return await self._alone.run()

    async def _carried_out(self, found: Found, work: Work) -> Result:
        outcome: Outcome = "interrupted"
        why: str = NOTHING
        left = None
        try:
            outcome, why, left = await self._in_rounds(found, work)
        except (*KEPT_FROM, Refused) as error:
            outcome, why = "stopped", str(error)
        finally:
            self._ended = True
            why = why or remarks(self._results)
            results = [result for _, result in self._results]
            result = merged_result(self.id, outcome, why, results, dry_run=self.options.dry_run)
            nodes, seconds = by_node(self._results), time.monotonic() - self._began
            result = replace(result, left=left, seconds=seconds, rights=self.order.rights, nodes=nodes)
            result = replace(result, gave_up=self._room.gave_up if self._room is not None else ()).judged
            await self._write_down(result)
        return result

    async def _write_down(self, result: Result) -> None:
        if self.options.dry_run:
            return
        with suppress(JournalError):  # the entries before it, and those of the parts, tell the most
            entry = result.as_json() | {"tally": result.tally.as_json()}
            await to_its_end(self._journal.append, "run", "ended", **entry)

    async def _in_rounds(self, found: Found, work: Work) -> tuple[Outcome, str, int | None]:
        """Remove what each primary has, then again and again what was on its way between them meanwhile."""
        start = found
        parts = [self._part(start, primary, order, only=None) for primary, order in work]
        astray: frozenset[int] = frozenset()
        left = 0
        for turn in range(ROUNDS):
            results = await self._side_by_side(parts)
            ended = cut_short(results)
            if ended is not None:
                return *ended, None
            left = sum(result.left or 0 for _, result in results)
            if self.options.dry_run:
                return "done", NOTHING, left
            before, found = found, await find(self._endpoint, [one.endpoint for one in found.primaries])
            require_same_nodes(start, found)
            strays = {slot for _, removal in parts if removal.part is not None for slot in removal.part.astray}
            astray = frozenset(strays | moved_between(before, found))
            if not astray:
                return "done", NOTHING, left
            await asyncio.sleep(_PAUSE * 2**turn)
            orders = tuple((one, again(one, self.order, share=len(found.primaries))) for one in found.primaries)
            parts = [self._part(start, one, order, only=astray) for one, order in orders]
        why = f"slots {ranges_text(astray)} are still on their way between nodes; resume when they have arrived"
        return "stopped", why, left

    async def _side_by_side(self, parts: Sequence[tuple[str, Removal]]) -> list[tuple[str, Result]]:
        """Run these parts, each to its own end: one that fails doesn't hold up the others."""
        tasks = [asyncio.create_task(part.run()) for _, part in parts]
        try:
            await asyncio.wait(tasks)
        finally:
            for task in tasks:
                task.cancel()
            ended = await asyncio.gather(*tasks, return_exceptions=True)
            results = [
                (name, result if isinstance(result, Result) else cut_off(part, result))
                for (name, part), result in zip(parts, ended, strict=True)
            ]
            self._results += results
        for result in ended:
            if isinstance(result, BaseException) and not isinstance(result, KEPT_FROM):
                raise result
        return results

    def _part(self, start: Found, primary: Primary, order: Order, only: frozenset[int] | None) -> tuple[str, Removal]:
        others = [one.endpoint for one in start.primaries if one.node_id != primary.node_id]
        asked, *more = (*others, self._endpoint)

        part = Part(
            group=self.id,
            node_id=primary.node_id,
            slots=primary.slots,
            only=only,
            bounds=self._bounds,
            rate=self._rate,
            room=self._room,
            check=lambda: still_the_same(start, asked, more),
        )
        run = new_id(other_than=[self.id, *(part.id for _, part in self._parts)])
        pulse = self._pulses.of(primary.endpoint)
        removal = Removal(
            primary.endpoint, order, self.options, self._journal, read_only=False, run=run, part=part, pulse=pulse
        )
        self._parts.append((primary.endpoint.label, removal))
        self._tell(removal)
        return primary.endpoint.label, removal

    def _tell(self, part: Removal) -> None:
        """What was told before there was anybody to tell it to."""
        if self._paused:
            part.pause()
        if self._cancelled:
            part.cancel()

    def _all(self) -> list[Removal]:
        return [self._alone] if self._alone is not None else [part for _, part in self._parts]

    def _told(self, found: Found) -> dict[str, Any]:
        what = self.order, self.options, self._endpoint
        user = str(self.order.plan.get("acl_user", ""))
        undo = trash_folder(self._journal.folder) if self.options.undo else None
        told = begun(*what, acl_user=user, run_id="", replid="", undo=undo, addresses=found.addresses)
        return told | self._bounds.as_json()
