"""Where a screen or a command goes for everything about invalidation, with the settings applied.

Whether the server that was named stands alone, is a replica or a node of a cluster is asked when the work begins.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pymon_tui.invalidation.account import Mode, Options
from pymon_tui.invalidation.browsing import Browsing
from pymon_tui.invalidation.cluster import orders
from pymon_tui.invalidation.cluster.merging import merged_estimate
from pymon_tui.invalidation.cluster.planning import WholePlanning
from pymon_tui.invalidation.cluster.primaries import Found, find
from pymon_tui.invalidation.cluster.removal import WholeRemoval
from pymon_tui.invalidation.cluster.restore import WholeRestore
from pymon_tui.invalidation.estimate import Estimate, estimate
from pymon_tui.invalidation.filters import Filters
from pymon_tui.invalidation.order import Order
from pymon_tui.invalidation.pattern import Pattern
from pymon_tui.invalidation.plan import Plan
from pymon_tui.invalidation.presets import Preset
from pymon_tui.invalidation.selection import Selection
from pymon_tui.journal.journal import Journal
from pymon_tui.journal.records import Record, runs
from pymon_tui.server.endpoint import Endpoint
from pymon_tui.server.reasons import LinkError

_ESTIMATE_SECONDS = 0.3
_KNOWN_SECONDS = 10.0  # that the nodes are taken to be the same, while somebody types


@dataclass(frozen=True, slots=True)
class Rules:
    """What the settings say of invalidation.

    Attributes:
        protected: Keys that are never touched.
        presets: Named patterns, the built-in ones among them.
        max_keys: Keys that one run may remove.
        type_above: The pattern must be typed to confirm a run of more keys than this.
        ceiling: Seconds that another client's PING p99 may rise by.
        rate: Keys a second at most; None for as many as the brake allows.
        trash_cap: Bytes that all trash files together may take.
        key_cap: Bytes above which a key is removed without being kept.
        read_only: Whether nothing may be written.
    """

    protected: tuple[Pattern, ...]
    presets: tuple[Preset, ...]
    max_keys: int
    type_above: int
    ceiling: float
    rate: float | None
    trash_cap: int
    key_cap: int
    read_only: bool


class Desk:
    """Plans, runs and undoes on what the named server belongs to, and reads the journal."""

    def __init__(self, endpoint: Endpoint, rules: Rules, folder: Path) -> None:
        """``folder`` is the state folder: the journal's, the trash's and the locks'."""
        self.endpoint = endpoint
        self.rules = rules
        self._journal = Journal(folder)
        self._found: tuple[float, Found] | None = None

    def selection(self, patterns: Sequence[Pattern], filters: Filters, *, every: bool) -> Selection:
        """What is meant, with what is protected and the cap."""
        return Selection(tuple(patterns), filters, self.rules.protected, self.rules.max_keys, every)

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
        if self._found is None or time.monotonic() - self._found[0] > _KNOWN_SECONDS:
            self._found = (time.monotonic(), await find(self.endpoint))
        tasks = [
            asyncio.create_task(estimate(one.endpoint, selection, _ESTIMATE_SECONDS))
            for one in self._found[1].primaries
        ]
        try:
            parts = await asyncio.gather(*tasks)
        except LinkError:
            self._found = None
            raise
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        known = [part for part in parts if part is not None]
        return merged_estimate(known) if len(known) == len(parts) else None

    def browsing(self, pattern: Pattern) -> Browsing:
        """A listing of the keys that a pattern means."""
        return Browsing(self.endpoint, pattern)

    def planning(self, selection: Selection, mode: Mode, *, undo: bool, exact: bool = True) -> WholePlanning:
        """A plan to be made; ``exact`` is whether it measures every key, or a sample alone."""
        return WholePlanning(self.endpoint, selection, mode=mode, undo=undo, key_cap=self.rules.key_cap, exact=exact)

    def must_type(self, plan: Plan, options: Options) -> bool:
        """Whether a person has to type the pattern to confirm: for many keys, in production, or without a way back."""
        environment = (self.endpoint.environment or "").lower()
        return (
            plan.matched > self.rules.type_above or environment in ("production", "prod") or not options.undo
        ) and not options.dry_run

    def removal(self, plan: Plan, options: Options, preset: str | None) -> WholeRemoval:
        """A run of this plan.

        Raises:
            OrderError: If it must not begin.
        """
        order = Order.of(plan, preset)
        return self._removal(order, orders.of_plan(plan, preset), options)

    def resumed(self, record: Record) -> WholeRemoval:
        """A run that goes on where this one was cut off; what is protected now is protected as well.

        Raises:
            OrderError: If it must not begin, or the journal doesn't tell enough of it.
        """
        order, options = Order.resuming(record)
        order = orders.protecting(order, self.rules.protected)
        return self._removal(order, orders.resumed(record, order), options)

    def restore(self, record: Record, *, replace: bool, elsewhere: bool) -> WholeRestore | None:
        """An undo of this run; None where it has no trash. The arguments are those of ``Restore``.

        Raises:
            RestoreError: If it must not begin.
        """
        if record.undo_path is None:
            return None
        return WholeRestore(
            self.endpoint,
            record,
            self._journal,
            ceiling=self.rules.ceiling,
            replace=replace,
            elsewhere=elsewhere,
            read_only=self.rules.read_only,
        )

    def _removal(self, order: Order, hand_out: orders.HandOut, options: Options) -> WholeRemoval:
        return WholeRemoval(self.endpoint, order, hand_out, options, self._journal, read_only=self.rules.read_only)

    def records(self) -> tuple[Record, ...]:
        """All runs and undos of the journal, of any server, the newest first.

        Raises:
            JournalError: If it can't be read.
        """
        return runs(self._journal)
