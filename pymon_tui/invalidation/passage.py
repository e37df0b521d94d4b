"""A run on one connection: what it finds is kept, named and accounted for, in this order."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from math import inf

from pymon_tui.invalidation.account import Options
from pymon_tui.invalidation.agreeing import Agreeing
from pymon_tui.invalidation.blocking import to_its_end
from pymon_tui.invalidation.bounds import Bounds
from pymon_tui.invalidation.brake import LARGEST
from pymon_tui.invalidation.client_limits import Limiting
from pymon_tui.invalidation.copies import NO_COPIES, Copies, Sent
from pymon_tui.invalidation.found_keys import Recall
from pymon_tui.invalidation.headroom import Headroom
from pymon_tui.invalidation.keeping import FRESH, Portion, gathered, kept, renewed, unkept
from pymon_tui.invalidation.ledger import Ledger
from pymon_tui.invalidation.looking import UNKNOWN
from pymon_tui.invalidation.naming import Expiring, Unlinking, UnlinkingEach, without_given
from pymon_tui.invalidation.order import Order
from pymon_tui.invalidation.pacing import Cancelled, Pacer, Stopped
from pymon_tui.invalidation.part import Part, of_slots
from pymon_tui.invalidation.pipe import Pipe
from pymon_tui.invalidation.role import Role
from pymon_tui.invalidation.sweep import Refused, Sweep, without
from pymon_tui.invalidation.trash import TrashWriter
from pymon_tui.journal.folder import StateError
from pymon_tui.server import clock
from pymon_tui.server.reasons import LinkError

_AT_ONCE = 1_000  # keys that are kept and named together: an UNLINK of them holds the server up less than their SCAN


class Passage:
    """Carries on with a run for as long as its connection lives."""

    def __init__(
        self,
        pipe: Pipe,
        order: Order,
        options: Options,
        ledger: Ledger,
        pacer: Pacer,
        trash: TrashWriter | None,
        bounds: Bounds,
        part: Part | None,
        portion: int,
        limiting: Limiting,
    ) -> None:
        """Go on where ``ledger`` has come to; ``trash``, if any, keeps keys first, so many bytes at once."""
        self._pipe = pipe
        self._order = order
        self._options = options
        self._ledger = ledger
        self._pacer = pacer
        self._trash = trash
        self._agreeing = Agreeing(ledger, bounds, pacer, trash, self._answered)
        self._part = part
        unlinking = UnlinkingEach(pipe) if part is not None else Unlinking(pipe)
        self._headroom = Headroom(pipe, pacer, portion, limiting, order.plan.get("name_bytes"))
        self._sweep: Sweep | Recall | None = None
        self._sent: Sent | None = None
        self._least = inf  # bytes of the smallest key that didn't fit into the trash
        self._finished: list[Portion] = []  # named to the last key, and to be counted with the answer
        self._role = Role(pipe, order.node, pacer.pulse)
        expires = options.mode == "expire"
        self._naming: Unlinking | Expiring = Expiring(pipe, options, random.Random()) if expires else unlinking

    @property
    def scanned(self) -> int:
        """Keys looked at, about."""
        return self._sweep.scanned if self._sweep is not None else 0

    async def remove(self) -> None:
        """Remove what is left to remove.

        Raises:
            Cancelled: If a person wants no more of it; all that was named is accounted for.
            LinkError: If the link is lost; to be followed by ``lose``.
            Refused: If the server doesn't let us go on.
            StateError: If the journal or the trash can't be written.
            Stopped: If the server is no primary any more.
        """
        if self._trash is not None and isinstance(self._naming, Expiring):
            await self._naming.look_at_the_clock()
        await self._settle()
        await self._headroom.look()
        sweep = self._sweep = self._order.looking(self._pipe, self._ledger.place, self._page)
        trash = self._trash
        most = self._pacer.most or (None if isinstance(sweep, Sweep) else self._page)  # a plan's pages are larger
        pages = without(sweep.pages(), self._ledger.done) if self._ledger.done else sweep.pages()
        if self._part is not None and self._part.only is not None:
            pages = without_given(of_slots(pages, self._part.only), self._naming)
        if trash is None:
            portions = unkept(pages)
        else:
            how = most, lambda: 0 if trash.full else self._least, self._headroom, self._order.touched
            portions = kept(gathered(pages, self._at_once), self._pipe, self._options.key_cap, *how)
        try:
            async with aclosing(portions):
                async for portion in portions:
                    await self._pacer.gate()
                    if isinstance(sweep, Sweep):
                        sweep.page = self._page
                    await self._take(portion)
        except (Cancelled, LinkError, Refused, StateError, Stopped):
            await self._answered()  # whatever ends the run, what was named is accounted for
            raise
        await self._answered()

    async def left(self) -> int:
        """Look once more, and count the keys that are meant and there: come meanwhile, refused, or found too late.

        Raises:
            Cancelled, LinkError, Refused: As ``remove``.
        """
        self._pacer.state = self._pacer.doing = "verifying"
        count = 0
        sweep = Sweep(self._pipe, self._order.selection, page=self._page)
        async with aclosing(sweep.pages()) as pages:
            async for page in pages:
                keys = page.keys + page.moved
                if keys and isinstance(self._naming, Expiring):
                    standing = await self._naming.still_there(keys)
                    keys = standing.there + standing.moved
                count += len(keys)
                if self._part is not None:
                    self._part.stray([key for key in keys if not self._part.serves(key)])
                await self._pacer.gate()
                sweep.page = self._page
        return count

    def lose(self) -> None:
        """Take what is named and unanswered for unknown, and remember where in the trash it is."""
        self._ledger.lose()
        if self._sent is not None:
            sent, ledger = self._sent, self._ledger
            self._sent = None
            sent.batch.answers.cancel()
            keys = sent.batch.keys
            ledger.unknown += keys
            ledger.unknown_unkept |= sent.unkept
            ledger.unknown_oversized |= sent.oversized
            ledger.places |= sent.copies.places(keys)
            ledger.ends |= zip(keys, sent.batch.ends, strict=False)
            ledger.tally.matched += len(keys)
            ledger.tally.unknown += len(keys)

    @property
    def _page(self) -> int:
        return self._headroom.page(self._pacer.pace.page)

    def _at_once(self) -> int:
        """How many keys are enough to be kept and named together; none are gathered where they are to come slowly."""
        return 0 if self._pacer.pace.pause or self._pacer.most or self._headroom.is_tight else _AT_ONCE

    async def _settle(self) -> None:
        """Find out what became of the keys whose answers were lost on the connection before."""
        ledger, tally = self._ledger, self._ledger.tally
        while ledger.unknown:
            some = ledger.unknown[:1_000]
            standing = await self._naming.still_there(some, [ledger.ends[key] for key in some] if ledger.ends else [])
            there, moved, sooner = standing.there, self._moved(standing.moved), standing.sooner
            if self._part is None:
                there += standing.moved
            # What the node that has it now would say tells nothing of what this one did: it stays unknown.
            tally.removed += len(some) - len(there) - len(moved) - len(sooner)
            tally.ending_sooner += len(sooner)
            tally.unknown -= len(some) - len(moved)
            tally.matched -= len(there)  # they are found again: the pass goes on from before them
            gone = set(some).difference(there, moved, sooner)
            ledger.undo_left_out += len(ledger.unknown_unkept & gone)
            ledger.list_oversized([key for key in some if key in gone and key in ledger.unknown_oversized])
            await self._spare([*there, *sooner], ledger.places)  # what is there is found and kept again
            if isinstance(self._naming, Expiring):
                ledger.done.update(set(some).difference(there, moved))
            del ledger.unknown[:1_000]
        ledger.unknown_unkept = ledger.unknown_oversized = frozenset()
        ledger.places.clear()
        ledger.ends.clear()

    async def _take(self, portion: Portion) -> None:
        ledger = self._ledger
        await self._agreeing.to_go(len(portion.keys), self._sent)
        if portion.dumps and clock.now() - portion.dumped_at > FRESH:
            portion = await renewed(portion, self._pipe)
        copies = NO_COPIES
        if self._trash is not None and portion.dumps:
            portion, copies = await self._keep(portion, self._trash)
        if self._moved(portion.moved):
            await self._role.look()
        if self._options.dry_run:
            ledger.list_oversized(portion.oversized)
            ledger.tally.matched += len(portion.keys)
            ledger.stay(portion.keys)
        else:
            # Those that are kept go first, while their dumps are fresh; whether the others may go is asked then.
            await self._name_each(portion, copies, 0, copies.count)
            if self._trash is not None:
                await self._agreeing.to_lose(len(portion.keys) - copies.count, self._sent, full=self._trash.full)
            await self._name_each(portion, copies, copies.count, len(portion.keys))
            if not portion.keys:
                await ledger.allow(0)  # so that the journal knows the place, however far apart the keys are
        self._finished.append(portion)
        if self._sent is None:
            self._count_finished()

    async def _name_each(self, portion: Portion, copies: Copies, first: int, end: int) -> None:
        """Name the keys from one place to another, as many at once as may be."""
        if first >= end:
            return
        too_big = frozenset(portion.oversized)
        page = LARGEST if portion.dumps else self._page  # a plan's may be more than the brake allows by now
        most = min(self._headroom.named(portion.keys), self._pacer.most or page, page)
        for start in range(first, end, most):
            keys = portion.keys[start : min(start + most, end)]
            sizes, oversized = portion.sizes[start : start + len(keys)], too_big and too_big.intersection(keys)
            words = portion.words[start : start + len(keys)]
            await self._name(keys, words, copies.of(start, len(keys)), sizes, oversized, first=start == 0)

    async def _keep(self, portion: Portion, trash: TrashWriter) -> tuple[Portion, Copies]:
        """Have the dumps in the trash; returns the portion with the keys that fitted in front, and where those are."""
        writing = asyncio.create_task(to_its_end(trash.write, portion.dumps, portion.uses, portion.used))
        try:
            await self._answered()  # meanwhile
        finally:
            kept = await writing
        self._ledger.trash_bytes = trash.bytes
        if len(kept) < len(portion.keys):
            left = {portion.sizes[place] for place in set(range(len(portion.keys))).difference(kept)} - {UNKNOWN}
            self._least = min(self._least, min(left, default=inf))
            portion = portion.kept_first(kept)
        return portion, Copies(trash.block, 0, len(kept))

    async def _name(
        self,
        keys: list[bytes],
        words: Sequence[bytes],
        copies: Copies,
        sizes: Sequence[int],
        oversized: frozenset[bytes],
        *,
        first: bool,
    ) -> None:
        if not first:
            await self._pacer.gate()
        await self._answered()
        if self._trash is None:
            await self._headroom.look()
        naming, trash = self._naming, self._trash
        await self._ledger.allow(len(keys), unkept=len(keys) - copies.count if trash is not None else 0)
        ends = naming.ends(len(keys)) if trash is not None and isinstance(naming, Expiring) else []
        if trash is not None and copies.count:
            # Before they are named, and without a thread for so few bytes: what was only copied is always known.
            trash.name(copies.block, copies.first, copies.count, ends[: copies.count])
            self._ledger.trash_bytes = trash.bytes
        with self._pipe.together():
            batch = naming.send(keys, ends) if isinstance(naming, Expiring) else naming.send(keys, words)
            role = self._role.ask()
        self._sent = Sent(batch, copies, trash is not None, role, sizes, oversized)
        self._pacer.named(len(keys))

    async def _spare(self, keys: Sequence[bytes], places: Mapping[bytes, tuple[int, int]]) -> None:
        """Mark keys that were named and not removed as only copied."""
        if (found := [places[key] for key in keys if key in places]) and self._trash is not None:
            await to_its_end(self._trash.spare, found)

    async def _answered(self) -> None:
        """Account for what is named."""
        if self._sent is not None:
            sent, tally = self._sent, self._ledger.tally
            account = await self._naming.account(sent.batch)
            self._sent = None
            stayed = account.refused + account.moved + account.untouched
            if stayed and sent.copies.count:
                await self._spare(stayed, sent.copies.places(sent.batch.keys))
            if account.error is not None:
                self._finished.clear()  # the keys that stay are to be found again
            moved = self._moved(account.moved)
            if self._part is None:
                account.refused += account.moved
            removed, gone, sooner, refused = account.removed, account.already_gone, account.sooner, len(account.refused)
            tally.count(removed=removed, already_gone=gone, ending_sooner=sooner, refused=refused)
            sent.weigh(account, self._ledger.weighed)
            self._ledger.list_oversized(sent.oversized_gone(account))
            self._ledger.undo_left_out += min(account.removed, len(sent.unkept.difference(account.refused, moved)))
            self._ledger.refuse(account.refused)
            if isinstance(self._naming, Expiring):
                self._ledger.stay(set(sent.batch.keys).difference(moved))
            self._count_finished()
            if sent.role is not None:
                self._role.check((await sent.role)[0])
            if account.error is not None:
                raise Refused(self._naming.command, account.error, self._pipe.user)
        self._count_finished()

    def _count_finished(self) -> None:
        """Move on behind the portions whose keys are all accounted for."""
        ledger, tally = self._ledger, self._ledger.tally
        for portion in self._finished:
            refused = portion.refused if self._part is not None else portion.refused + portion.moved
            tally.protected += portion.protected
            tally.matched += portion.gone + len(refused)
            tally.already_gone += portion.gone
            ledger.refuse(refused)
            if portion.place is not None:
                ledger.move_on(portion.place)
        self._finished.clear()

    def _moved(self, keys: list[bytes]) -> list[bytes]:
        """Leave keys that another node has to the run as a whole, which looks for them again; else there are none."""
        if self._part is None:
            return []
        self._part.stray(keys)
        return keys
