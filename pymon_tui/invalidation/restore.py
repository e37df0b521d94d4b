"""An undo: brings back what a run removed, from its trash, and never over a newer key unless asked."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque
from contextlib import aclosing, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

from pymon_tui.invalidation.account import NOTHING
from pymon_tui.invalidation.brake import FIRST
from pymon_tui.invalidation.fruitless import QUERIES, Fruitless
from pymon_tui.invalidation.named import Named, Watch
from pymon_tui.invalidation.pacing import Cancelled, Pacer, Stopped
from pymon_tui.invalidation.pipe import Line, open_pipe
from pymon_tui.invalidation.portions import Astray, portions
from pymon_tui.invalidation.pulse import Pulse
from pymon_tui.invalidation.reconnecting import reopened
from pymon_tui.invalidation.restore_account import (
    LISTED,
    Failure,
    Mark,
    RestoreOutcome,
    RestoreProgress,
    RestoreResult,
    RestoreState,
    RestoreTally,
)
from pymon_tui.invalidation.restore_after import Evictions, Sought, still_there, why_gone, without
from pymon_tui.invalidation.restore_before import (
    Before,
    before_of,
    damage_of,
    placed,
    settled_unread,
    to_come,
    told_to_later,
)
from pymon_tui.invalidation.restore_entries import Entries
from pymon_tui.invalidation.restore_part import RestoreError, RestorePart, require_primary, require_same
from pymon_tui.invalidation.restore_room import Room, Share
from pymon_tui.invalidation.returning import Returning, Sent
from pymon_tui.invalidation.trash import TrashError, TrashReader
from pymon_tui.invalidation.trash_copies import examined
from pymon_tui.invalidation.trash_damage import UNTOLD, Promised
from pymon_tui.journal.ids import new_id
from pymon_tui.journal.journal import Journal, JournalError
from pymon_tui.journal.lock import patient_lock
from pymon_tui.model.text import SafeText, safe
from pymon_tui.server.endpoint import Endpoint
from pymon_tui.server.reasons import LinkError

_AT_ONCE = 2_000  # keys: so few are back before it is known what other clients feel
_SILENCE = 60.0  # seconds: a value of many megabytes is long on its way on a thin line


class Restore:
    """One undo of one run; ``undo`` is its id. ``cancel`` ends it early, ``progress`` says how it stands.

    An undo of the same run that was cut off, stopped or cancelled is gone on with, where it was on the same server
    process and with the same ``replace``.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        trash: Path,
        journal: Journal,
        *,
        ceiling: float,
        replace: bool,
        elsewhere: bool,
        read_only: bool,
        undo: str | None = None,
        part: RestorePart | None = None,
        room: Room | None = None,
        named: Named | None = None,
        promised: Promised = UNTOLD,
    ) -> None:
        """Prepare an undo; nothing is opened yet.

        Args:
            endpoint: The server. Its database doesn't matter: the trash knows which one it was.
            trash: The run's file.
            journal: Where it is written down. An undo that can't be is made all the same, and its result says so.
            ceiling: Seconds that another client's PING p99 may rise by.
            replace: Whether a key that is there is replaced by the one that was removed.
            elsewhere: Whether another server process will do, such as the same server after a restart.
            read_only: Whether nothing may be written.
            undo: What it is to be called; None for a new name.
            part: What it is a part of; None where it stands alone.
            room: What is left for it below ``maxmemory``; None where nobody looks.
            named: The process that must go on to answer; None where any may.
            promised: As ``TrashReader``.

        Raises:
            RestoreError: If nothing may be written.
        """
        if read_only:
            raise RestoreError("nothing is restored: this is read-only")
        self.undo = undo or new_id()
        self._part, self._opens = part, part.opens if part is not None else open_pipe
        self._share = room.share() if room is not None else Share()
        self._astray = part.astray if part is not None else Astray()
        self._endpoint = endpoint
        self._path, self._promised, self._journal = trash, promised, journal
        self._replace, self._elsewhere = replace, elsewhere
        self._total = self._copied = self._unread = 0
        self._tally, self._mark = RestoreTally(), Mark()
        self._failures: list[Failure] = []
        self._state: RestoreState = "starting"
        self._why: SafeText = NOTHING
        self._began: float | None = None
        self._seconds: float | None = None
        self._pacer = Pacer(Pulse(endpoint), ceiling, None)
        self._watch = Watch(named, lambda: self._tally.restored, self._pacer.cancel)
        self._entries = Entries(journal, self.undo)
        self._before = Before()
        self._evictions = Evictions(part)

    @property
    def progress(self) -> RestoreProgress:
        """How it stands now."""
        why = self._why if self._state in ("starting", "ended") else self._pacer.why
        asks = self._state == "running" and self._pacer.state == "asking"
        return RestoreProgress("asking" if asks else self._state, why, self._total, self._tally, self._elapsed)

    def cancel(self) -> None:
        """End after what is on its way; ``run`` returns the account of what was done."""
        self._pacer.cancel()

    def go_on(self, question: str) -> None:
        """Answer this question with yes, if it is still the one that stands."""
        if self._pacer.state == "asking" and self._pacer.why == question:
            self._pacer.answer()

    async def run(self) -> RestoreResult:
        """Restore all of it. To be awaited once; a task that is cancelled leaves an entry of how far it came.

        Raises:
            LinkError: If there is no connection to begin with.
            RestoreError: If this server is not the one to restore to (``OtherServer``), or a replica.
            Locked: If the run is still under way, or another undo of it.
            TrashError: If the trash can't be read.
            JournalError: If the lock can't be made.
        """
        self._began = time.monotonic()
        reader = await asyncio.to_thread(TrashReader, self._path, promised=self._promised)
        with reader:
            header = reader.header
            patience = max(self._endpoint.command_timeout, _SILENCE)
            pipe = await self._opens(replace(self._endpoint, db=header.db, command_timeout=patience))
            try:
                require_primary(pipe)
                if self._part is None and not self._elsewhere:
                    require_same(pipe, header)
                async with patient_lock(self._journal.folder, f"run-{header.run}", run=self.undo):
                    self._copied = await asyncio.to_thread(examined, reader)
                    self._total = to_come(reader, replace=self._replace) - self._astray.fewer
                    await self._take_up(pipe, reader)
                    with self._pacer.pulse.beating() if self._total > _AT_ONCE else nullcontext():
                        return await self._carried_out(pipe, reader)
            finally:
                await pipe.close()

    @property
    def _elapsed(self) -> float:
        if self._seconds is not None:
            return self._seconds
        return time.monotonic() - self._began if self._began is not None else 0.0

    async def _take_up(self, pipe: Line, reader: TrashReader) -> None:
        """Find out what was done before, and write down that this begins."""
        header = reader.header
        evicted = await self._evictions.begin(pipe)
        how: dict[str, Any] = {"run_id": pipe.identity.run_id, "replace": self._replace, "evicted": evicted}
        try:
            self._before = await asyncio.to_thread(before_of, self._journal, header, self._path, **how)
        except JournalError as error:
            self._before = Before(ends=header.mode == "expire")
            self._entries.lack(safe(str(error)))
        trash = Sought(reader, self._astray, self._replace, self._before.ends)
        self._mark = await still_there(pipe, trash, placed(self._before.mark, reader))
        self._tally = self._mark.tally
        self._unread = settled_unread(reader, self._mark)
        self._total += self._unread
        await self._entries.begin(
            pipe,
            db=header.db,
            trash=str(self._path),
            replace=self._replace,
            elsewhere=self._elsewhere,
            total=self._total,
            mark=self._mark.as_json(),
            evicted_keys=evicted,
            run=header.run,
            **({"group": self._part.group} if self._part is not None else {}),
        )

    async def _carried_out(self, pipe: Line, reader: TrashReader) -> RestoreResult:
        outcome: RestoreOutcome = "interrupted"
        try:
            if self._total > _AT_ONCE:
                with contextlib.suppress(Cancelled):
                    await self._pacer.feel_idle()
            async with self._watch.watching():
                await self._persist(pipe, reader)
            outcome = "cancelled" if self._pacer.cancelled and self._tally.settled < self._total else "done"
        except (Stopped, LinkError, TrashError) as error:
            outcome, self._why = "stopped", safe(str(error))
        finally:
            self._state, self._seconds = "ended", self._elapsed
            result = self._result(outcome, reader)
            await self._entries.add("ended", mark=self._mark.as_json(), noted=reader.noted, **result.as_json())
        return replace(result, unrecorded=self._entries.lacking)

    async def _persist(self, pipe: Line, reader: TrashReader) -> None:
        """Restore all, over as many connections as it takes."""
        run_id = pipe.identity.run_id
        fruitless = Fruitless(self._mark, QUERIES)
        try:
            while True:
                try:
                    return await self._restore(pipe, reader, alone=fruitless.in_a_row > 0)
                except LinkError as error:
                    fruitless.lost(self._mark, error)
                    # What was on its way may have been restored or not: it is sent again, and what is there looked at.
                    self._tally = self._mark.tally
                    self._share.lose()
                    self._before = replace(self._before, compares=True, again=True)
                    await pipe.close()
                    self._state = "reconnecting"
                    try:
                        pipe = await reopened(
                            pipe.endpoint, error, self._pacer, opens=self._opens, check=self._watch.may_be
                        )
                    except Cancelled:
                        raise error from None
                    if pipe.identity.run_id != run_id:
                        raise Stopped("the server was restarted meanwhile, or another one answers now") from None
                    await self._watch.may_be()
        finally:
            await pipe.close()

    async def _look_again(self, pipe: Line, trash: Sought) -> SafeText:
        """Leave the keys to another undo that came back and are gone again; returns what to say of that."""
        gone = await self._evictions.gone(self.undo, pipe, trash, self._mark)
        self._tally = without(self._tally, gone)
        return why_gone(gone, self._tally, ends=trash.ends) if gone else NOTHING

    async def _restore(self, pipe: Line, reader: TrashReader, *, alone: bool) -> None:
        """Restore what is left, ``alone`` for one portion at a time."""
        self._state, self._why = "running", NOTHING
        how = {"replace": self._replace, "elsewhere": self._elsewhere, "unnoted": reader.lacks_notes}
        returning = self._before.returning(pipe, moved=self._part is not None, **how)
        await returning.look_at_the_clock()
        sent: deque[Sent] = deque()
        refusal, held, settled = None, NOTHING, 0
        found = portions(reader, self._mark.offset, self._mark.index, self._astray, unproven=self._replace)
        async with aclosing(found) as some:
            async for portion in some:
                if refusal:
                    break
                try:
                    await self._share.gate(pipe, self._pacer, portion)
                except (Cancelled, Stopped) as error:  # what is on its way is accounted for
                    held = safe(str(error))
                    break
                sent.append(returning.send(portion))
                self._share.send(portion)
                # The first alone, which tells what holds for all; then as many fewer as the brake has pages smaller.
                most = 1 if alone else settled * returning.in_flight * min(self._pacer.pace.page, FIRST) // FIRST
                settled = 1
                while len(sent) >= max(1, most) and refusal is None:
                    refusal = await self._settle(returning, sent.popleft(), reader, refusal)
        while sent:
            refusal = await self._settle(returning, sent.popleft(), reader, refusal)
        gone = await self._look_again(pipe, Sought(reader, self._astray, self._replace, self._before.ends))
        if why := "; ".join(each for each in (refusal or held, gone) if each):
            raise Stopped(why)

    async def _settle(
        self, returning: Returning, sent: Sent, reader: TrashReader, refusal: SafeText | None
    ) -> SafeText | None:
        """Count a portion; returns why the server takes no key, once it has said so."""
        settled = await returning.settle(sent)
        self._entries.lack(await told_to_later(reader, settled))
        self._tally = self._tally.plus(settled.tally)
        self._failures += settled.failures[: LISTED - len(self._failures)]
        refusal = refusal or settled.refusal
        if refusal is None:  # else an undo after this one begins with the first portion that was refused
            self._mark = Mark(sent.portion.offset, sent.portion.index, self._tally)
            self._share.settle(sent.portion)
            await self._entries.progress(self._mark, reader.noted)
        return refusal

    def _result(self, outcome: RestoreOutcome, reader: TrashReader) -> RestoreResult:
        return RestoreResult(
            undo=self.undo,
            run=reader.header.run,
            outcome=outcome,
            why=self._why or self._pacer.pulse.unjudged,
            total=self._total,
            tally=self._tally,
            torn=reader.torn,
            failures=tuple(self._failures),
            seconds=self._elapsed,
            unrecorded=self._entries.lacking,
            copied=self._copied,
            evicted=self._evictions.keys,
            may_be_lost=self._watch.lost,
            damage=damage_of(reader, settled=self._unread, replaced=self._replace),
        )
