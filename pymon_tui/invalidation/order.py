"""What a run is bound to: the plan that a person has seen, or the run that it takes up again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from pymon_tui.invalidation.account import Options
from pymon_tui.invalidation.found_keys import FoundKeys, Recall
from pymon_tui.invalidation.key_rights import UNASKED, KeyRights
from pymon_tui.invalidation.pattern import Pattern, parse_pattern
from pymon_tui.invalidation.pipe import Pipe
from pymon_tui.invalidation.plan import Plan
from pymon_tui.invalidation.selection import Selection
from pymon_tui.invalidation.sweep import Place, Sweep
from pymon_tui.invalidation.touched import UsedBefore
from pymon_tui.journal.records import Record
from pymon_tui.model import units


class OrderError(Exception):
    """A run that must not begin. Its text is one line: why, and what to do."""


@dataclass(frozen=True, slots=True, eq=False)
class Order:
    """Which keys are to go, where, and how many a person was told they are.

    Attributes:
        selection: The keys.
        node: What the user calls the server.
        run_id: Of the server process that was looked at; empty where it doesn't tell.
        db: The database.
        planned: Keys that were found.
        scan: Keys that a scan has to look at, about.
        key_bytes: What one of them takes on average; None where unknown.
        plan: The plan as JSON, for the journal.
        preset: The preset that the patterns came from, or None.
        start: Where the pass begins.
        resumes: The run that this one takes up again, or None.
        matching: The patterns that matched a key that was to go; empty where nobody knows.
        rights: Whether the keys may be removed, as far as the plan was told.
        found: The keys that the plan found, to be named without looking for them; None to look for them.
        evicted: Keys that the server evicted while the plan was made.
        touched: Keys that were dumped for the plan, as ``UsedBefore``.
        again: Keys that the run which this one goes on with gave their end: they may be found again.
        evicted_at: As in the plan; None where this isn't the run that the plan was made for.
    """

    selection: Selection
    node: str
    run_id: str
    db: int
    planned: int
    scan: int
    key_bytes: float | None
    plan: Mapping[str, Any]
    preset: str | None
    start: Place
    resumes: str | None
    matching: tuple[Pattern, ...] = ()
    rights: KeyRights = UNASKED
    found: FoundKeys | None = None
    evicted: int = 0
    evicted_at: tuple[int, float] | None = None
    touched: UsedBefore = field(default_factory=dict)
    again: int = 0

    @property
    def found_all(self) -> FoundKeys | None:
        """The keys that the plan found, where they are still all that are meant: nothing more is protected since."""
        return self.found if self.found is not None and self.found.mean(self.selection) else None

    def looking(self, pipe: Pipe, start: Place, page: int) -> Sweep | Recall:
        """What tells the keys: the plan, once, where it can; then the server, from ``start``."""
        if (found := self.found_all) is not None:
            return Recall(found.take(), scan=self.scan)
        return Sweep(pipe, self.selection, page=page, start=start)

    @classmethod
    def of(cls, plan: Plan, preset: str | None) -> Self:
        """The order to carry out a plan.

        Raises:
            OrderError: If more keys matched than may go at once, or the plan found that the server would refuse.
        """
        if plan.capped:
            cap = plan.selection.max_keys
            raise OrderError(f"more than {units.keys(cap)} match; narrow the pattern, or allow more (max_keys)")
        if plan.removal_problem is not None:
            raise OrderError(plan.removal_problem)
        return cls(
            selection=plan.selection,
            node=plan.node,
            run_id=plan.run_id,
            db=plan.db,
            planned=plan.matched,
            scan=plan.scanned,
            key_bytes=plan.bytes.value / plan.matched if plan.bytes is not None and plan.matched else None,
            plan=plan.as_json(),
            preset=preset,
            start=Place(),
            resumes=None,
            matching=plan.matching,
            rights=plan.rights,
            found=plan.found,
            evicted=plan.evicted or 0,
            evicted_at=plan.evicted_at,
            touched=plan.touched,
        )

    @classmethod
    def resuming(cls, record: Record) -> tuple[Self, Options]:
        """The order to go on with a run that was cut off, and how that one went about it.

        Raises:
            OrderError: If the journal's entries of it can't be read.
        """
        plan, started, reached = record.plan or {}, record.started, record.progress or record.started
        try:
            matched = int(plan["matched"])
            size = plan["bytes"]
            options = Options.from_json(started["options"], undo=started["undo"] is not None)
            done, again = int(reached.get("matched", 0)), 0
            if options.mode == "expire":
                before = int(started.get("again", 0))
                done -= min(before, int(reached.get("ending_sooner", 0)))  # those were done before
                again = before + max(0, done)
            order = cls(
                selection=Selection.from_json(plan["selection"]),
                node=str(plan["node"]),
                run_id=record.run_id,
                db=record.db,
                planned=max(0, int(started["planned"]) - max(0, done)),
                scan=int(plan["scanned"]),
                key_bytes=float(size) / matched if size is not None and matched else None,
                plan=plan,
                preset=started.get("preset"),
                start=Place(int(reached["pattern_index"]), int(reached["cursor"])),
                resumes=record.run,
                matching=matching_of(plan),
                again=again,
            )
            return order, options
        except (KeyError, TypeError, ValueError):
            raise OrderError(f"run {record.run} can't be taken up again: the journal lacks its plan") from None

    def check(self, run_id: str, db: int, role: str, here: str = "") -> None:
        """Refuse any server but the one that was looked at; ``here`` is what the one that answers is called.

        Raises:
            OrderError: If another process answers, it is no primary, or another database is selected.
        """
        if run_id != self.run_id:
            there = f" at {here}" if here not in ("", self.node) else ""
            raise OrderError(
                f"another server process answers{there} than the plan was made on ({self.node}); plan anew"
            )
        if db != self.db:
            raise OrderError(f"the plan is for database {self.db}, and {db} is selected; plan anew")
        if role not in ("master", ""):
            raise OrderError(f"{self.node} is a replica now; connect to its primary and plan anew")


def matching_of(plan: Mapping[str, Any]) -> tuple[Pattern, ...]:
    """The patterns that matched a key that was to go, by the journal's plan; empty where it doesn't tell.

    Raises:
        PatternError: If one of them can't be used.
    """
    told = plan.get("matching")
    return tuple(parse_pattern(str(text)) for text in told) if isinstance(told, Sequence) else ()
