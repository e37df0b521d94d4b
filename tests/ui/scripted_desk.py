"""A desk without a server: estimates, plans, runs and undos come as a test says."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast
from unittest.mock import patch

from pymon_tui.invalidation.account import NOTHING, Mode, Options, Progress, Result, Tally
from pymon_tui.invalidation.brake import Feeling, Pace
from pymon_tui.invalidation.cluster.planning import WholePlanning
from pymon_tui.invalidation.cluster.removal import WholeRemoval
from pymon_tui.invalidation.cluster.restore import WholeRestore
from pymon_tui.invalidation.cluster.server import Server
from pymon_tui.invalidation.desk import Desk
from pymon_tui.invalidation.estimate import Estimate
from pymon_tui.invalidation.filters import Filters
from pymon_tui.invalidation.freed import Freed
from pymon_tui.invalidation.given_up import PlanCancelled
from pymon_tui.invalidation.history import Last, last_to_undo, undo_problem
from pymon_tui.invalidation.key_bytes import KeyBytes
from pymon_tui.invalidation.order import Order
from pymon_tui.invalidation.outlook import Outlook, Short, Tight
from pymon_tui.invalidation.pattern import parse_pattern
from pymon_tui.invalidation.plan import Plan
from pymon_tui.invalidation.planning import PlanProgress
from pymon_tui.invalidation.presets import BUILT_IN
from pymon_tui.invalidation.pulses import Pulses
from pymon_tui.invalidation.restore_account import RestoreProgress, RestoreResult, RestoreTally
from pymon_tui.invalidation.restore_load import Load
from pymon_tui.invalidation.rules import Rules
from pymon_tui.invalidation.sampling import Idle, Sample
from pymon_tui.invalidation.selection import Selection
from pymon_tui.invalidation.verdict import Verdict, of_resume, of_undo
from pymon_tui.journal.records import Record, Whose
from pymon_tui.model.text import SafeText, safe
from pymon_tui.server.endpoint import Endpoint
from tests.script import WALL

RUN = "20261122-120411-7c3f"
UNDO = "20261122-121500-90ab"
RUN_ID = "c0ffee" * 6 + "c0ff"
HERE = Endpoint(host="10.0.0.1", name="prod-cache")
RULES = Rules(
    protected=(parse_pattern("session:*"),),
    presets=BUILT_IN,
    max_keys=1_000_000,
    type_above=10_000,
    ceiling=0.005,
    rate=None,
    trash_cap=256 * 2**20,
    key_cap=16 * 2**20,
    journal_keep=10_000,
    read_only=False,
)
GUESS = Estimate(602, 12_040, 11_180, 12_960, 60_500, 1_210_448, complete=False)


def samples() -> tuple[Sample, ...]:
    """Keys as they come, some of them strange."""
    return (
        Sample(b"user:cache:profile:7431", "hash", 41 * 60_000, 4_198, 240),
        Sample(b"user:cache:profile:88", "hash", 12 * 60_000, 3_994, 60),
        Sample(b"user:cache:feed:42", "hash", 180_000, 9_216, 7_200),
        Sample("user:cache:prefs:안녕".encode(), "string", -1, 210, 172_800),
        Sample(b"user:cache:\xff\xfeold\x1b[2J", "string", -1, 120, None),
        Sample(b"user:cache:gone", gone=True),
    )


def plan_of(selection: Selection, endpoint: Endpoint, *, undo: bool = True) -> Plan:
    """A plan of twelve thousand keys."""
    return Plan(
        node=endpoint.label,
        address=endpoint.address,
        environment=endpoint.environment,
        run_id=RUN_ID,
        db=endpoint.db,
        role="primary",
        acl_user=safe("default"),
        made_at=WALL,
        selection=selection,
        matched=12_031,
        about=False,
        capped=False,
        protected=4,
        scanned=1_210_448,
        dbsize=1_210_448,
        seconds=2.9,
        bytes=KeyBytes(round(48.2 * 2**20), is_exact=True, largest=4_100),
        undo_bytes=31 * 2**20 if undo else None,
        undo_possible=undo,
        undo_problem=None,
        oversized=0,
        types=(("hash", 11_960), ("string", 71)),
        expiry=(("none", 3), ("<1m", 410), ("<1h", 9_218), ("<1d", 2_400), (">1d", 0)),
        idle=Idle(240.0, 172_800, 5),
        namespaces=(
            (safe("user:cache:profile:*"), 8_400),
            (safe("user:cache:feed:*"), 2_611),
            (safe("user:cache:prefs:*"), 1_017),
            (safe(b"user:cache:\xff\xfe*"), 3),
        ),
        samples=samples(),
        refusals=(),
        removal_problem=None,
    )


def progress_of(planned: int = 12_031) -> Progress:
    """A run that has come two thirds of its way."""
    return Progress(
        state="running",
        why=NOTHING,
        tally=Tally(matched=7_602, removed=7_588, already_gone=14),
        planned=planned,
        scanned=762_580,
        total=1_210_448,
        seconds=1.71,
        keys_per_second=41_200.0,
        felt=Feeling(0.0019, 300_000, 12, 0),
        idle_p99=0.0007,
        limit=0.0057,
        pace=Pace(400, 0.002, hold=False, why=safe("page 400, pausing 2.00 ms: PING p99 is 5.80 ms")),
        trash_bytes=20_340_000,
        undo_left_out=0,
    )


def result_of(**changes: Any) -> Result:
    """A run that has done what it was told."""
    done = Result(
        run=RUN,
        outcome="done",
        why=NOTHING,
        tally=Tally(matched=12_031, removed=12_017, already_gone=14, protected=4),
        left=0,
        freed=Freed(50_541_000, "run"),
        seconds=2.6,
        undo=Path("trash") / f"{RUN}.trash",
        undo_bytes=32_505_856,
        undo_left_out=0,
        dry_run=False,
    )
    return replace(done, **changes)


def record_of(**changes: Any) -> Record:
    """What the journal has of a run on this server."""
    record = Record(
        id=RUN,
        run=RUN,
        kind="run",
        state="done",
        started_at=datetime(2026, 11, 22, 12, 4, 11, tzinfo=UTC),
        user=safe("oncall"),
        ssh=safe("203.0.113.9"),
        acl_user=safe("default"),
        node=safe("prod-cache"),
        server=safe(HERE.address),
        run_id=RUN_ID,
        db=0,
        patterns=(safe("user:cache:*"),),
        mode=safe("unlink"),
        started={"preset": None},
        plan={"matched": 12_031, "types": {"hash": 11_960, "string": 71}, "refusals": []},
        progress=None,
        result={"outcome": "done", "tally": {"removed": 12_017}},
        undo_path=Path("trash") / f"{RUN}.trash",
        removed_at_least=12_017,
        removed_at_most=12_017,
        why=NOTHING,
        undone=False,
    )
    return replace(record, **changes)


class ScriptedPlanning:
    """A plan that comes when the test lets it."""

    def __init__(self, plan: Plan) -> None:
        self.progress = PlanProgress(762_000, 1_210_448, 7_588, 2, 1.8)
        self._plan = plan
        self._ready = asyncio.Event()
        self._cancelled = False
        self.error: Exception | None = None

    def finish(self) -> None:
        """Let it come."""
        self._ready.set()

    def cancel(self) -> None:
        """Give up."""
        self._cancelled = True
        self._ready.set()

    async def run(self) -> Plan:
        """The plan."""
        await self._ready.wait()
        if self._cancelled:
            raise PlanCancelled
        if self.error is not None:
            raise self.error
        return self._plan


class ScriptedRemoval:
    """A run that stands where the test puts it."""

    def __init__(self, order: Order, options: Options) -> None:
        self.id = RUN
        self.order = order
        self.options = options
        self.progress = replace(
            progress_of(), state="starting", tally=Tally(), scanned=0, felt=Feeling(), trash_bytes=0
        )
        self.growth: Verdict | None = None
        self.told: list[str] = []
        self._end: asyncio.Future[Result] = asyncio.get_running_loop().create_future()

    def finish(self, result: Result) -> None:
        """Let it end with this account."""
        self.progress = replace(self.progress, state="ended")
        self._end.set_result(result)

    def fail(self, error: Exception) -> None:
        """Let it end without one."""
        self._end.set_exception(error)

    def pause(self) -> None:
        """Noted."""
        self.told.append("pause")

    def resume(self) -> None:
        """Noted."""
        self.told.append("resume")

    def go_on(self, question: str, typed: str = "") -> None:
        """Noted, if it is what stands."""
        if question == self.progress.why:
            self.told.append(" ".join(("go on", typed)).rstrip())

    def cancel(self) -> None:
        """Noted."""
        self.told.append("cancel")

    async def run(self) -> Result:
        """The account."""
        try:
            return await self._end
        except asyncio.CancelledError:
            self.told.append("interrupted")
            raise


class ScriptedRestore:
    """An undo that comes to its end when the test lets it."""

    def __init__(self) -> None:
        self.undo = UNDO
        self.progress = RestoreProgress("running", NOTHING, 12_017, RestoreTally(restored=6_000), 0.4)
        self.cancelled = False
        self.error: Exception | None = None
        self.room: int | None = None
        self.evicted = 0
        self._end = asyncio.Event()

    def finish(self) -> None:
        """Let it end."""
        self._end.set()

    def cancel(self) -> None:
        """End early."""
        self.cancelled = True
        self._end.set()

    def agree(self, outlook: Outlook | None, *, asks: bool) -> None:
        """Whatever was known."""

    async def outlook(self) -> Outlook:
        """Nothing to warn of, but what the test said."""
        tight = (
            (Tight("allkeys-lru", Short(self.evicted, 0), 0, self.room),)
            if self.evicted and self.room is not None
            else ()
        )
        return Outlook(Load(12_017, 0, 0, (), False), self.room, "allkeys-lru", tight)

    async def run(self) -> RestoreResult:
        """The account."""
        if self.error is not None:
            raise self.error
        await self._end.wait()
        return RestoreResult(
            undo=UNDO,
            run=RUN,
            outcome="cancelled" if self.cancelled else "done",
            why=NOTHING,
            total=12_017,
            tally=RestoreTally(restored=12_000, skipped=2, expired=15),
            torn=False,
            failures=(),
            seconds=0.9,
            unrecorded=None,
        )


@dataclass(frozen=True, slots=True)
class Wanted:
    """What was asked of the desk."""

    planning: list[tuple[Selection, Mode, bool]]
    restores: list[tuple[str, bool, bool]]


class ScriptedDesk(Desk):
    """Answers as the test said, and keeps what it was asked."""

    def __init__(self, folder: Path, rules: Rules = RULES, endpoint: Endpoint = HERE) -> None:
        super().__init__(endpoint, replace(rules, environment=endpoint.environment), folder)
        self.guess: Estimate | Exception | None = GUESS
        self.estimated: list[Selection] = []
        self.plan_changes: dict[str, Any] = {}
        self.plans: list[ScriptedPlanning] = []
        self.removals: list[ScriptedRemoval] = []
        self.agreed: list[Verdict | None] = []
        self.restores: list[ScriptedRestore] = []
        self.restore_error: Exception | None = None
        self.other: SafeText | None = None  # why an undo would go to another server
        self.room: int | None = None
        self.evicted = 0
        self.known: tuple[Record, ...] = ()
        self.wanted = Wanted([], [])

    async def estimate(self, selection: Selection) -> Estimate | None:
        """What the test said."""
        self.estimated.append(selection)
        if isinstance(self.guess, Exception):
            raise self.guess
        return self.guess

    def planning(
        self, selection: Selection, mode: Mode, *, undo: bool, read: bool = True, pulses: Pulses | None = None
    ) -> WholePlanning:
        """A plan to be finished by the test."""
        self.wanted.planning.append((selection, mode, undo))
        plan = replace(plan_of(selection, self.endpoint, undo=undo), **self.plan_changes)
        self.plans.append(ScriptedPlanning(plan))
        return cast(WholePlanning, self.plans[-1])

    def removal(
        self,
        plan: Plan,
        options: Options,
        preset: str | None,
        pulses: Pulses | None = None,
        agreed: Verdict | None = None,
    ) -> WholeRemoval:
        """A run to be finished by the test."""
        self.agreed.append(agreed)
        self.removals.append(ScriptedRemoval(Order.of(plan, preset), options))
        return cast(WholeRemoval, self.removals[-1])

    async def resumed(self, record: Record, agreed: Verdict | None = None) -> WholeRemoval:
        """A run to be finished by the test."""
        plan = plan_of(self.selection((parse_pattern("user:cache:*"),), Filters(), every=False), self.endpoint)
        options = self.options("unlink", expire=0.0, jitter=0.0, undo=True, dry_run=False)
        return self.removal(plan, options, None)

    async def kept(self, record: Record, *, replace: bool) -> int | None:
        """As the record says."""
        return record.removed_at_least

    def restore(
        self, record: Record, *, replace: bool, elsewhere: bool, agreed: Verdict | None = None
    ) -> WholeRestore | None:
        """An undo to be finished by the test."""
        self.wanted.restores.append((record.id, replace, elsewhere))
        self.restores.append(ScriptedRestore())
        self.restores[-1].error, self.restore_error = self.restore_error, None
        self.restores[-1].room, self.restores[-1].evicted = self.room, self.evicted
        return cast(WholeRestore, self.restores[-1])

    async def server(self) -> Server:
        """The server of the records."""
        return Server(frozenset((RUN_ID,)), frozenset(), frozenset((safe(self.endpoint.address),)))

    async def judge_resume(self, record: Record) -> Verdict:
        """By the desk's own rules."""
        removal = await self.resumed(record)
        self.removals.pop()
        return of_resume(record, removal.order, removal.options, self.rules, "")

    async def judge_undo(self, record: Record, *, replace: bool) -> Verdict:
        """By the desk's own rules."""
        return of_undo(record, undo_problem(record, self.known), self.rules, replace=replace)

    async def other_server(self, record: Record) -> SafeText | None:
        """As the test says."""
        return self.other

    async def last_to_undo(self) -> Last:
        """Of the records that the test said, whose trash nobody has to open."""
        with patch("pymon_tui.invalidation.history.unreadable", return_value=None):
            return last_to_undo(self.known, await self.server())

    def record(self, run: str) -> Record | None:
        """Of those that the test said."""
        return next((record for record in self.known if record.id == run), None)

    def newest(self, whose: Whose | None = None) -> Iterator[Record]:
        """What the test said."""
        return iter(self.known)


def patterns(selections: Sequence[Selection]) -> list[str]:
    """What was asked for, as text."""
    return [selection.shown for selection in selections]
