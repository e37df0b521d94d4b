"""Where a screen or a command goes for everything about invalidation on one server, with the settings applied."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pymon_tui.invalidation.account import Mode, Options
from pymon_tui.invalidation.browsing import Browsing
from pymon_tui.invalidation.estimate import Estimate, estimate
from pymon_tui.invalidation.filters import Filters
from pymon_tui.invalidation.order import Order
from pymon_tui.invalidation.pattern import Pattern
from pymon_tui.invalidation.plan import Plan
from pymon_tui.invalidation.planning import Planning
from pymon_tui.invalidation.presets import Preset
from pymon_tui.invalidation.removal import Removal
from pymon_tui.invalidation.restore import Restore
from pymon_tui.invalidation.selection import Selection
from pymon_tui.journal.journal import Journal
from pymon_tui.journal.records import Record, runs
from pymon_tui.server.endpoint import Endpoint

_ESTIMATE_SECONDS = 0.3


@dataclass(frozen=True, slots=True)
class Rules:
    """What the settings say of invalidation.

    Attributes:
        protected: Keys that are never touched.
        presets: Named patterns, the built-in ones among them.
        max_keys: Keys that one run may remove.
        type_above: Keys from which on the pattern must be typed to confirm a run.
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
    """Plans, runs and undoes on one server, and reads the journal."""

    def __init__(self, endpoint: Endpoint, rules: Rules, folder: Path) -> None:
        """``folder`` is the state folder: the journal's, the trash's and the locks'."""
        self.endpoint = endpoint
        self.rules = rules
        self._journal = Journal(folder)

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
        """How many keys match, about, within a third of a second; as ``estimate.estimate``."""
        return await estimate(self.endpoint, selection, _ESTIMATE_SECONDS)

    def browsing(self, pattern: Pattern) -> Browsing:
        """A listing of the keys that a pattern means."""
        return Browsing(self.endpoint, pattern)

    def planning(self, selection: Selection, mode: Mode, *, undo: bool) -> Planning:
        """A plan to be made."""
        return Planning(self.endpoint, selection, mode=mode, undo=undo, key_cap=self.rules.key_cap)

    def must_type(self, plan: Plan, options: Options) -> bool:
        """Whether a person has to type the pattern to confirm: for many keys, in production, or without a way back."""
        environment = (self.endpoint.environment or "").lower()
        return (
            plan.matched > self.rules.type_above or environment in ("production", "prod") or not options.undo
        ) and not options.dry_run

    def removal(self, plan: Plan, options: Options, preset: str | None) -> Removal:
        """A run of this plan.

        Raises:
            OrderError: If it must not begin.
        """
        order = Order.of(plan, preset)
        return Removal(self.endpoint, order, options, self._journal, read_only=self.rules.read_only)

    def resumed(self, record: Record) -> Removal:
        """A run that goes on where this one was cut off; what is protected now is protected as well.

        Raises:
            OrderError: If it must not begin, or the journal doesn't tell enough of it.
        """
        order, options = Order.resuming(record)
        protected = tuple(dict.fromkeys((*order.selection.protected, *self.rules.protected)))
        order = replace(order, selection=replace(order.selection, protected=protected))
        return Removal(self.endpoint, order, options, self._journal, read_only=self.rules.read_only)

    def restore(self, record: Record, *, replace: bool, elsewhere: bool) -> Restore | None:
        """An undo of this run; None where it has no trash. The arguments are those of ``Restore``.

        Raises:
            RestoreError: If it must not begin.
        """
        if record.undo_path is None:
            return None
        return Restore(
            self.endpoint,
            record.undo_path,
            self._journal,
            ceiling=self.rules.ceiling,
            replace=replace,
            elsewhere=elsewhere,
            read_only=self.rules.read_only,
        )

    def records(self) -> tuple[Record, ...]:
        """All runs and undos of the journal, of any server, the newest first.

        Raises:
            JournalError: If it can't be read.
        """
        return runs(self._journal)
