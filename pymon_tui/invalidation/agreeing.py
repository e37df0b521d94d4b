"""Before more goes than a person has agreed to, that person is asked."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from pymon_tui.invalidation.bounds import Bounds
from pymon_tui.invalidation.copies import Sent
from pymon_tui.invalidation.ledger import Ledger
from pymon_tui.invalidation.pacing import Pacer, Stopped
from pymon_tui.invalidation.trash import TrashWriter
from pymon_tui.model import units


class Agreeing:
    """Holds a run up while it asks."""

    def __init__(
        self,
        ledger: Ledger,
        bounds: Bounds,
        pacer: Pacer,
        trash: TrashWriter | None,
        answered: Callable[[], Awaitable[None]],
    ) -> None:
        """``answered`` accounts for what is named, which is done before anybody is asked."""
        self._ledger = ledger
        self._bounds = bounds
        self._pacer = pacer
        self._trash = trash
        self._answered = answered

    async def to_go(self, keys: int, sent: Sent | None) -> None:
        """Ask before so many more keys go, beside those that are ``sent``, than the plan said; keep to the cap.

        Raises:
            Cancelled: If the run is to end.
            Stopped: If the cap is reached.
        """
        ledger, bounds, tally = self._ledger, self._bounds, self._ledger.tally
        keys += len(sent.batch.keys) if sent is not None else 0
        matched = bounds.matched(ledger.run, tally.matched + keys, tally.ending_sooner + keys)
        if matched > (cap := bounds.cap):
            raise Stopped(f"more than {units.keys(cap)} match by now; plan anew, and allow more (max_keys)")
        if matched > bounds.unasked:
            await self._answered()
            bounds.lost(ledger.run, ledger.undo_left_out + (self._trash is not None and self._trash.full))
            bounds.ask(matched)
            await self._pacer.ask(bounds.question, lambda: matched > bounds.unasked)

    async def to_lose(self, keys: int, sent: Sent | None, *, full: bool) -> None:
        """Ask before so many more keys go without being kept, beside those that are ``sent``, than was agreed to.

        ``full`` is whether it is for want of room.

        Raises:
            Cancelled, Stopped: If the run is to end.
        """
        if not keys:
            return
        ledger, bounds = self._ledger, self._bounds
        going = ledger.undo_left_out + (len(sent.unkept) if sent is not None else 0)
        if bounds.allows(bounds.lost(ledger.run, going + keys)):
            return
        await self._answered()
        lost = bounds.lost(ledger.run, ledger.undo_left_out + keys)
        if not bounds.allows(lost):
            bounds.ask_loss(lost, full=full)
            await self._pacer.ask(bounds.question, lambda: not bounds.allows(lost))
