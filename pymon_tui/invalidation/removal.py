"""A run: carries out an order on one server, as fast as its other clients allow, and accounts for every key."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import replace
from typing import Any

from pymon_tui.invalidation.account import NOTHING, Options, Outcome, Progress, Result
from pymon_tui.invalidation.asking import AskingPipe
from pymon_tui.invalidation.blocking import to_its_end
from pymon_tui.invalidation.bounds import Bounds, Rate
from pymon_tui.invalidation.brief import is_brief
from pymon_tui.invalidation.client_limits import Limiting
from pymon_tui.invalidation.entries import begun
from pymon_tui.invalidation.fruitless import LINE, REPLIES, Fruitless
from pymon_tui.invalidation.ledger import Ledger
from pymon_tui.invalidation.named import Named, Watch
from pymon_tui.invalidation.order import Order, OrderError
from pymon_tui.invalidation.own_trash import opened
from pymon_tui.invalidation.pacing import Cancelled, Pacer, Stopped
from pymon_tui.invalidation.part import Part
from pymon_tui.invalidation.passage import Passage
from pymon_tui.invalidation.pipe import Pipe, open_pipe
from pymon_tui.invalidation.pulse import Pulse
from pymon_tui.invalidation.reconnecting import reopened
from pymon_tui.invalidation.room import Room
from pymon_tui.invalidation.spent import Spent
from pymon_tui.invalidation.sweep import Refused
from pymon_tui.invalidation.trash import TrashError, TrashWriter
from pymon_tui.journal.folder import StateError
from pymon_tui.journal.ids import new_id
from pymon_tui.journal.journal import Journal, JournalError
from pymon_tui.journal.lock import patient_lock
from pymon_tui.model.text import SafeText, safe
from pymon_tui.server.endpoint import Endpoint
from pymon_tui.server.reasons import LinkError


class Removal:
    """One run. ``pause``, ``resume``, ``go_on`` and ``cancel`` tell it what to do, and ``progress`` how it stands.

    Attributes:
        id: As the journal and the trash know it.
        order: What it carries out.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        order: Order,
        options: Options,
        journal: Journal,
        *,
        read_only: bool,
        run: str | None = None,
        part: Part | None = None,
        named: Named | None = None,
        addresses: Sequence[str] = (),
        pulse: Pulse | None = None,
        bounds: Bounds | None = None,
        room: Room | None = None,
    ) -> None:
        """Prepare a run on the server that the order was made for; nothing is opened yet.

        Args:
            run: What it is to be called; None for a new name.
            part: What it is a part of, on a node of a cluster; None where it stands alone.
            named: The process that must go on to answer; None where any may.
            addresses: By which the server may be named besides its own.
            pulse: Of the server, where it is felt already.
            bounds: Where they aren't those of the order alone, or of the part.
            room: For what is kept; None for as much as the options allow.

        Raises:
            OrderError: If nothing may be written.
        """
        if read_only and not options.dry_run:
            raise OrderError("nothing is removed: this is read-only")
        self.id = run or new_id()
        self.order = order
        self._endpoint = endpoint
        self._options = options
        self._journal = journal
        self._part = part
        self._addresses = addresses
        self._ledger = Ledger(self.id, None if options.dry_run else journal, order.start, order.planned)
        rate = Rate(options.rate, 1) if options.rate is not None else None
        self._bounds = bounds or Bounds(order.planned, order.selection.max_keys, order.again)
        if part is not None:
            self._bounds, rate = part.bounds, part.rate
        self._pacer = Pacer(pulse or Pulse(endpoint), options.ceiling, rate)
        self._watch = Watch(named, lambda: self._ledger.tally.removed, self._pacer.cancel)
        self._began = time.monotonic()
        self._seconds: float | None = None
        self._scanned = 0  # on connections that were lost
        self._passage: Passage | None = None
        self._spent = Spent(order)
        self._trash: TrashWriter | None = None
        self._room = room

    @property
    def options(self) -> Options:
        """How it goes about it."""
        return self._options

    @property
    def part(self) -> Part | None:
        """What it is a part of; None where it stands alone."""
        return self._part

    @property
    def progress(self) -> Progress:
        """How it stands now."""
        pacer, ledger = self._pacer, self._ledger
        return Progress(
            state=pacer.state,
            why=pacer.why,
            tally=replace(ledger.tally),
            planned=self.order.planned,
            scanned=min(self._scanned + (self._passage.scanned if self._passage is not None else 0), self.order.scan),
            total=self.order.scan,
            seconds=self._elapsed,
            keys_per_second=pacer.speed,
            felt=pacer.pulse.feeling,
            idle_p99=pacer.idle_p99,
            limit=pacer.limit,
            pace=pacer.pace,
            trash_bytes=ledger.trash_bytes,
            undo_left_out=ledger.undo_left_out,
        )

    def pause(self) -> None:
        """Name no more keys until ``resume``."""
        self._pacer.paused = True

    def resume(self) -> None:
        """Go on after ``pause``."""
        self._pacer.paused = False

    def go_on(self, question: str, typed: str = "") -> None:
        """Answer the question whether more keys may go than the plan said: they may, if it is still the one asked."""
        if self._bounds.answer(question, typed):
            self._pacer.answer()

    def cancel(self, why: str = "") -> None:
        """End after the keys that are named already; ``run`` returns the account of what was done, and ``why``."""
        self._pacer.cancel(why)

    async def run(self) -> Result:
        """Carry the order out. To be awaited once; a task that is cancelled leaves an entry of how far it came.

        Raises:
            LinkError: If there is no connection to begin with.
            OrderError: If the server isn't the one that the plan was made on.
            Locked: If another run is under way on that server and database.
            StateError: If the journal or the trash can't be written; then nothing was removed.
        """
        self._began = time.monotonic()
        pipe = await self._open(self._endpoint)
        try:
            self.order.check(pipe.identity.run_id, self._endpoint.db, pipe.identity.role, self._endpoint.label)
            await self._spent.begin(pipe)
            async with AsyncExitStack() as held:
                server, db = pipe.identity.run_id or "unnamed", self._endpoint.db
                # A dry run is in nobody's way, and writes nothing.
                for name in () if self._options.dry_run else (f"server-{server}-{db}", f"run-{self.id}"):
                    await held.enter_async_context(patient_lock(self._journal.folder, name, run=self.id))
                if self._options.undo and not self._options.dry_run:
                    how = self._options, self._part, self._room
                    self._trash = opened(self._journal.folder, self.id, pipe.identity, self.order, *how)
                try:
                    await self._ledger.start(self._told(pipe))
                except BaseException:
                    await to_its_end(self._close_trash)
                    raise
                held.enter_context(self._pacer.pulse.beating())
                return await self._carried_out(pipe)
        finally:
            await pipe.close()

    async def _carried_out(self, pipe: Pipe) -> Result:
        outcome: Outcome = "interrupted"
        why: str = NOTHING
        left = None
        try:
            await self._pacer.feel_idle(brief=is_brief(self.order, self._options))
            async with self._watch.watching():
                still_there = await self._persist(pipe)
            outcome, left = "done", still_there
        except Cancelled:
            outcome = "cancelled"
        except (Refused, StateError, LinkError, OrderError, Stopped) as error:
            outcome, why = "stopped", str(error)
        finally:
            self._pacer.state, self._pacer.why = "ended", safe(why)
            self._seconds = time.monotonic() - self._began
            # In one go: whatever else is cancelled by the end of the program, this is written down.
            result = await to_its_end(self._ended, outcome, why, left)
        return result

    def _ended(self, outcome: Outcome, why: str, left: int | None) -> Result:
        """Close the trash and write the account down; blocks for as long as the disk takes."""
        try:
            self._close_trash()
        except TrashError as error:
            why = why or str(error)
        result = self._result(outcome, safe(why or self._pacer.pulse.unjudged), left)
        result = result if self._part is not None else result.judged
        with suppress(JournalError):  # the entries before it tell the most
            self._ledger.end(result)
        return result

    async def _persist(self, pipe: Pipe) -> int | None:
        """Remove all, over as many connections as it takes; returns how many keys are left."""
        fruitless, limiting = Fruitless(self._ledger.standing, REPLIES if self._trash is not None else LINE), Limiting()
        try:
            while True:
                how = self._options, self._ledger, self._pacer, self._trash, self._bounds, self._part
                passage = self._passage = Passage(pipe, self.order, *how, fruitless.portion, limiting)
                try:
                    await passage.remove()
                    left = await passage.left()
                    await self._spent.end(pipe)
                    return left
                except LinkError as error:
                    self._scanned += passage.scanned
                    passage.lose()
                    self._passage = None
                    await pipe.close()
                    fruitless.lost(self._ledger.standing, error)
                    pipe = await self._reconnected(error)
                except asyncio.CancelledError:
                    passage.lose()
                    raise
                except (Cancelled, Refused, StateError, OrderError, Stopped):
                    await self._spent.end(pipe)
                    raise
        finally:
            await pipe.close()

    async def _reconnected(self, error: LinkError) -> Pipe:
        """The same server again.

        Raises:
            Cancelled: If nobody wants it any more.
            LinkError: If it doesn't come back.
            OrderError: If another process answers, or a replica.
        """
        check = self._part.check if self._part is not None else self._watch.may_be
        pipe = await reopened(self._endpoint, error, self._pacer, opens=self._open, check=check)
        try:
            self.order.check(pipe.identity.run_id, self._endpoint.db, pipe.identity.role, self._endpoint.label)
            if not pipe.identity.run_id:
                raise OrderError("the connection was lost, and INFO doesn't tell who answers now; plan anew")
            await self._watch.may_be()
        except (OrderError, LinkError):
            await pipe.close()
            raise
        self._pacer.state, self._pacer.why = "running", NOTHING
        return pipe

    def _close_trash(self) -> None:
        """Have it on disk, or gone if nothing is in it.

        Raises:
            TrashError: If the disk fails; what was removed may then not come back.
        """
        if self._trash is not None:
            self._trash.close()
            self._ledger.trash_bytes = self._trash.bytes
            if not self._trash.named:
                self._trash.path.unlink(missing_ok=True)

    def _told(self, pipe: Pipe) -> dict[str, Any]:
        """What the journal is told at the start."""
        who, what, where = pipe.identity, (self.order, self._options, self._endpoint), self._addresses
        replid, undo = next(iter(who.replids), ""), self._trash.path if self._trash is not None else None
        told = begun(*what, acl_user=who.user, run_id=who.run_id, replid=replid, undo=undo, addresses=where)
        part = self._part.as_json() if self._part is not None else {}
        return told | self._bounds.as_json() | part

    async def _open(self, endpoint: Endpoint) -> Pipe:
        astray = self._part is not None and self._part.only is not None
        return await open_pipe(endpoint, AskingPipe if astray else Pipe)

    def _result(self, outcome: Outcome, why: SafeText, left: int | None) -> Result:
        ledger, trash, tally = self._ledger, self._trash, self._ledger.tally
        would_go = tally.matched - self.order.rights.refused_of(tally.matched)
        goes = would_go if self._options.dry_run else tally.removed
        return Result(
            run=self.id,
            outcome=outcome,
            why=why,
            tally=tally,
            left=left,
            freed=self._spent.freed(goes, ledger.weighed),
            seconds=self._elapsed,
            undo=trash.path if trash is not None and trash.named else None,
            undo_bytes=ledger.trash_bytes,
            undo_left_out=ledger.undo_left_out,
            dry_run=self._options.dry_run,
            refused_keys=tuple(ledger.refused_keys),
            oversized_keys=tuple(ledger.oversized_keys),
            evicted=self._spent.evicted,
            gave_up=self._room.gave_up if self._room is not None else (),
            may_be_lost=0 if self._options.dry_run else self._watch.lost,
            rights=self.order.rights,
        )

    @property
    def _elapsed(self) -> float:
        return time.monotonic() - self._began if self._seconds is None else self._seconds
