"""An undo of a run on whatever the named server belongs to: each key goes to the node that serves it by now."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from functools import partial
from typing import Any

from pymon_tui.invalidation.blocking import to_its_end
from pymon_tui.invalidation.cluster.kept import (
    LOST,
    added,
    astray_in,
    evicted_by,
    evicted_in,
    near,
    require_same_servers,
    without_begin,
)
from pymon_tui.invalidation.cluster.memories import Memories, by_name, memories_at, owners_of
from pymon_tui.invalidation.cluster.primaries import Found, find
from pymon_tui.invalidation.cluster.restored import begun, merged_result
from pymon_tui.invalidation.cluster.routes import open_routes
from pymon_tui.invalidation.cluster.there import there_in
from pymon_tui.invalidation.history import undo_problem
from pymon_tui.invalidation.known import known
from pymon_tui.invalidation.named import Named
from pymon_tui.invalidation.outlook import Outlook, memories_of, outlook_of
from pymon_tui.invalidation.pipe import Line, open_pipe
from pymon_tui.invalidation.restore import Restore
from pymon_tui.invalidation.restore_account import (
    RestoreProgress,
    RestoreResult,
    RestoreState,
)
from pymon_tui.invalidation.restore_before import begun_at
from pymon_tui.invalidation.restore_load import Load, copied_in, load_of
from pymon_tui.invalidation.restore_part import RestoreError, RestorePart, Together
from pymon_tui.invalidation.restore_room import Room
from pymon_tui.invalidation.rules import Rules
from pymon_tui.invalidation.sweep import Refused
from pymon_tui.invalidation.tidying import tidied
from pymon_tui.invalidation.trash_of import promised_by
from pymon_tui.journal.ids import new_id
from pymon_tui.journal.journal import Journal, JournalError, JsonValue
from pymon_tui.journal.lock import patient_lock
from pymon_tui.journal.records import Record, Relations
from pymon_tui.model.text import SafeText, safe
from pymon_tui.server.endpoint import Endpoint

_NOTHING = safe("")


class WholeRestore:
    """One undo, told what to do and asked how it stands as a ``Restore``.

    Attributes:
        undo: Its id.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        record: Record,
        journal: Journal,
        *,
        ceiling: float,
        replace: bool,
        elsewhere: bool,
        rules: Callable[[Found], Awaitable[Rules]],
        relations: Relations | None = None,
    ) -> None:
        """Prepare an undo of this run; nothing is opened yet. The rest is as for ``Restore``.

        ``rules`` tells those of the servers that are found there; where they are stricter, they hold. ``relations``
        are the journal's, which may have been read before.
        """
        self.undo = new_id()
        self._endpoint = endpoint
        self._record = record
        self._journal = journal
        self._rules_of = rules
        self._relations = relations or Relations(journal)
        self._ceiling = ceiling
        self._replace = replace
        self._elsewhere = elsewhere
        self._parts: list[tuple[str, Restore]] = []
        self._began = time.monotonic()
        self._outlook: Outlook | None = None
        self._cancelled = self._asks = False
        self._unrecorded: SafeText | None = None
        self._evicted: int | None = None
        self._copied = 0

    @property
    def progress(self) -> RestoreProgress:
        """How all of it stands now."""
        parts = [part.progress for _, part in self._parts]
        if len(parts) == 1:
            return parts[0]
        states = [part.state for part in parts if part.state != "ended"]
        most: tuple[RestoreState, ...] = ("asking", "running", *states)
        state: RestoreState = next((each for each in most if each in states), "starting")
        return RestoreProgress(
            state=state,
            why=next((part.why for part in sorted(parts, key=lambda each: each.state != state) if part.why), _NOTHING),
            total=sum(part.total for part in parts),
            tally=added([part.tally for part in parts]),
            seconds=time.monotonic() - self._began,
        )

    def cancel(self) -> None:
        """End after what is on its way; ``run`` returns the account of what was done."""
        self._cancelled = True
        for _, part in self._parts:
            part.cancel()

    async def outlook(self) -> Outlook:
        """What would come back, and what would be evicted for it. To be asked before ``run``, which it doesn't begin.

        Raises:
            LinkError: If one of the primaries can't be reached.
            RestoreError: If the server doesn't let us know its cluster, or a run that went on with this one is first.
            TrashError: If the trash can't be read.
            JournalError: If the journal can't be read.
        """
        await self._require_newest()
        found = await self._found()
        return await self._outlook_of(found)

    def agree(self, outlook: Outlook | None, *, asks: bool) -> None:
        """Take what was known when somebody agreed to it: where more keys would be evicted by now, it holds.

        Args:
            outlook: That; where none is told, it is looked at when it begins.
            asks: Whether somebody is there who can be asked then; else it stops.
        """
        self._outlook, self._asks = outlook, asks

    def go_on(self, question: str) -> None:
        """Answer this question with yes, in the parts that have asked it."""
        for _, part in self._parts:
            part.go_on(question)

    async def run(self) -> RestoreResult:
        """Restore all of it. To be awaited once; a task that is cancelled leaves an entry of how far it came.

        Raises:
            LinkError: If one of the primaries can't be reached to begin with.
            RestoreError: If these are not the servers to restore to (``OtherServer``), or the server is a replica.
            Locked: If the run is still under way, or another undo of it.
            TrashError: If the trash can't be read.
            JournalError: If the lock can't be made.
        """
        result = await self._run()
        await tidied(self._journal)
        return result

    async def _run(self) -> RestoreResult:
        self._began = time.monotonic()
        await self._require_newest()
        found, kept = await self._found(), self._kept
        rules = await self._rules_of(found)
        if rules.read_only:
            raise RestoreError(f"nothing is restored: {rules.read_only_because}")
        self._ceiling = min(self._ceiling, rules.ceiling)
        if not found.is_cluster and not self._record.parts:
            (primary,) = found.primaries
            named = Named(primary.endpoint, primary.run_id)
            room = Room(await self._agreed_of(found), memories_of, asks=self._asks)
            self._parts = [self._part(primary.endpoint, part, None, named, room) for part in kept[:1]]
            return await self._parts[0][1].run()
        if not self._elsewhere:
            require_same_servers(kept, found)
        async with AsyncExitStack() as held:
            if self._record.parts:
                name = f"run-{self._record.run}"
                await held.enter_async_context(patient_lock(self._journal.folder, name, run=self.undo))
            memories = await held.enter_async_context(Memories(by_name(found)))
            room = Room(await self._agreed_of(found), memories, asks=self._asks)
            return await self._carried_out(kept, found, room, memories)

    async def _outlook_of(self, found: Found) -> Outlook:
        memories = await memories_at(found)
        # An undo before may have brought most of them: what is there takes no more room.
        again = self._record.back is not None and any(memory.room is not None for memory in memories)
        there = await there_in(self._kept, found, replaces=self._replace) if again else {}
        return outlook_of(await asyncio.to_thread(self._load_of, found, evicted_in(memories), there), memories)

    async def _agreed_of(self, found: Found) -> Outlook:
        """What was agreed to, with what comes to which node by now."""
        if self._outlook is None:
            return await self._outlook_of(found)
        if self._outlook.load.owners == owners_of(found):
            return self._outlook
        load = await asyncio.to_thread(self._load_of, found, await evicted_by(found))
        return replace(self._outlook, load=load)

    def _load_of(self, found: Found, evicted: int | None, there: Mapping[str, Mapping[int, int]] | None = None) -> Load:
        run_id = " ".join(sorted(one.run_id for one in found.primaries))
        how: dict[str, Any] = {"run_id": run_id, "replace": self._replace, "evicted": evicted}
        marks = {part.id: begun_at(self._journal, part, **how) for part in self._kept}
        return load_of(self._kept, replace=self._replace, marks=marks, owners=owners_of(found), there=there)

    @property
    def _kept(self) -> list[Record]:
        return [part for part in self._record.parts or (self._record,) if part.undo_path is not None]

    async def _found(self) -> Found:
        try:
            return await find(self._endpoint)
        except Refused as error:
            raise RestoreError(str(error)) from None

    async def _require_newest(self) -> None:
        """Refuse to undo a run before those that went on with it: they removed what came after.

        Raises:
            RestoreError: If there is one, with the order to follow.
            JournalError: If the journal can't be read.
        """
        related = await asyncio.to_thread(self._relations.of, self._record.id)
        now = next((record for record in related if record.id == self._record.id), None)
        if now is not None:  # what some of its nodes kept may have been given up since
            self._record = await asyncio.to_thread(known, now)
        problem = undo_problem(self._record, related, self._endpoint.way)
        if problem is not None:
            raise RestoreError(f"run {self._record.id} can't be undone: {problem}")

    async def _carried_out(self, kept: Sequence[Record], found: Found, room: Room, memories: Memories) -> RestoreResult:
        opens = open_routes if found.is_cluster else open_pipe

        async def opened(endpoint: Endpoint) -> Line:
            return await opens(endpoint)

        before, together = await evicted_by(found), Together(len(kept))
        for part, astray in zip(kept, await asyncio.to_thread(astray_in, kept), strict=True):
            shared = RestorePart(self.undo, opened, astray, before, memories.evicted, together)
            self._parts.append(self._part(near(part, found).endpoint, part, shared, None, room))
        self._copied = await asyncio.to_thread(copied_in, kept)
        how = {"replace": self._replace, "elsewhere": self._elsewhere}
        told = begun(self._record, self._endpoint, str(kept[0].undo_path), found.addresses)
        await self._write("started", **told, **how)
        tasks = [asyncio.create_task(part.run()) for _, part in self._parts]
        for task, (_, one) in zip(tasks, self._parts, strict=True):
            task.add_done_callback(partial(_arrived, together, one.undo))
        results: list[RestoreResult] = []
        try:
            await asyncio.wait(tasks)
            after = await evicted_by(found)
            self._evicted = after - before if after is not None and before is not None else None
        finally:
            for task in tasks:
                task.cancel()
            ended = await asyncio.gather(*tasks, return_exceptions=True)
            for (_, restore), each in zip(self._parts, ended, strict=True):
                if not isinstance(each, RestoreResult):
                    each = without_begin(restore, self._record, each)
                results.append(each)
            result = merged_result(
                self.undo,
                self._record,
                [(name, each) for (name, _), each in zip(self._parts, results, strict=True)],
                seconds=time.monotonic() - self._began,
                unrecorded=self._unrecorded,
                copied=self._copied,
                evicted=self._evicted,
            )
            await self._write("ended", **result.as_json())
        for each in ended:
            if isinstance(each, BaseException) and not isinstance(each, LOST):
                raise each
        return result

    def _part(
        self, endpoint: Endpoint, record: Record, part: RestorePart | None, named: Named | None, room: Room
    ) -> tuple[str, Restore]:
        assert record.undo_path is not None  # those that have none were left out
        restore = Restore(
            endpoint,
            record.undo_path,
            self._journal,
            ceiling=self._ceiling,
            replace=self._replace,
            elsewhere=self._elsewhere,
            read_only=False,
            undo=self.undo if part is None else new_id(other_than=[self.undo, *(one.undo for _, one in self._parts)]),
            part=part,
            room=room,
            named=named,
            promised=promised_by(record),
        )
        if self._cancelled:
            restore.cancel()
        return record.node, restore

    async def _write(self, event: str, **fields: JsonValue) -> None:
        """Add to the journal. Keys are brought back all the same where its disk is full."""
        try:
            await to_its_end(self._journal.append, "undo", event, **({"undo": self.undo} | fields))
        except JournalError as error:
            self._unrecorded = safe(str(error))


def _arrived(together: Together, undo: str, _: object) -> None:
    together.arrive(undo)
