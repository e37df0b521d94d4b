"""What the parts of a run tell, as one: counts are added up, and of what others feel the worst is shown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import reduce

from pymon_tui.invalidation import freed
from pymon_tui.invalidation.account import (
    LISTED,
    NOTHING,
    NodeProgress,
    NodeResult,
    Outcome,
    Progress,
    Result,
    State,
    Tally,
)
from pymon_tui.invalidation.brake import FIRST, Feeling, Pace
from pymon_tui.invalidation.order import Order, OrderError
from pymon_tui.invalidation.removal import Removal
from pymon_tui.journal.folder import StateError
from pymon_tui.journal.lock import Locked
from pymon_tui.model.text import SafeText, safe
from pymon_tui.server.reasons import LinkError

KEPT_FROM = (LinkError, OrderError, Locked, StateError)
"""What keeps one part of a run from going on, and not the others."""

_ONE_SAYS: tuple[State, ...] = ("asking", "paused")
_TOGETHER: tuple[State, ...] = ("starting", "reconnecting", "holding", "verifying")
_WORST: tuple[Outcome, ...] = ("interrupted", "stopped", "cancelled")


def together(nodes: Sequence[tuple[str, Progress]], *, planned: int, seconds: float) -> Progress:
    """How a run stands, from how its parts do; there is at least one."""
    parts = [progress for _, progress in nodes]
    active = [each for each in nodes if each[1].state != "ended"]
    state, why = _state(active)
    name, worst = max(active or nodes, key=lambda each: _strain(each[1]))
    pace = worst.pace
    if pace.why and len(parts) > 1:
        pace = replace(pace, why=safe(f"{name}: {pace.why}"))
    return Progress(
        state=state,
        why=why,
        tally=added(part.tally for part in parts),
        planned=planned,
        scanned=sum(part.scanned for part in parts),
        total=sum(part.total for part in parts),
        seconds=seconds,
        keys_per_second=sum(part.keys_per_second for _, part in active),
        felt=worst.felt,
        idle_p99=worst.idle_p99,
        limit=worst.limit,
        pace=pace,
        trash_bytes=sum(part.trash_bytes for part in parts),
        undo_left_out=sum(part.undo_left_out for part in parts),
        nodes=tuple(NodeProgress(name, part) for name, part in nodes),
    )


def not_begun(order: Order, seconds: float) -> Progress:
    """A run that has no part yet."""
    return Progress(
        state="starting",
        why=NOTHING,
        tally=Tally(),
        planned=order.planned,
        scanned=0,
        total=order.scan,
        seconds=seconds,
        keys_per_second=0.0,
        felt=Feeling(),
        idle_p99=None,
        limit=None,
        pace=Pace(FIRST, 0.0, hold=False, why=NOTHING),
        trash_bytes=0,
        undo_left_out=0,
    )


def cut_off(part: Removal, error: BaseException | None) -> Result:
    """The account of a part that an error kept from beginning, or that was cut off."""
    progress = part.progress
    why = str(error) if isinstance(error, KEPT_FROM) else None
    return Result(
        run=part.id,
        outcome="interrupted" if why is None else "stopped",
        why=safe(why or ""),
        tally=progress.tally,
        left=None,
        freed=freed.Freed(),
        seconds=progress.seconds,
        undo=None,
        undo_bytes=progress.trash_bytes,
        undo_left_out=progress.undo_left_out,
        dry_run=part.options.dry_run,
    )


def added(tallies: Iterable[Tally]) -> Tally:
    """All counts together."""
    return reduce(Tally.plus, tallies, Tally())


def merged_result(run: str, outcome: Outcome, why: str, results: Sequence[Result], *, dry_run: bool) -> Result:
    """The account of a run from those of its parts. What is left, and what it took, is the caller's to say."""
    evicted = [result.evicted for result in results]
    refused = tuple(key for result in results for key in result.refused_keys)
    oversized = tuple(dict.fromkeys(key for result in results for key in result.oversized_keys))
    return Result(
        run=run,
        outcome=outcome,
        why=safe(why, 400),
        tally=added(result.tally for result in results),
        left=None,
        freed=freed.added(result.freed for result in results),
        seconds=max((result.seconds for result in results), default=0.0),
        undo=next((result.undo for result in results if result.undo is not None), None),
        undo_bytes=sum(result.undo_bytes for result in results),
        undo_left_out=sum(result.undo_left_out for result in results),
        dry_run=dry_run,
        refused_keys=refused[:LISTED],
        oversized_keys=oversized[:LISTED],
        evicted=sum(keys for keys in evicted if keys is not None) if None not in evicted else None,
    )


def by_node(results: Sequence[tuple[str, Result]]) -> tuple[NodeResult, ...]:
    """The accounts of each node, those that it did one after the other as one."""
    nodes: dict[str, list[Result]] = {}
    for name, result in results:
        nodes.setdefault(name, []).append(result)
    accounts = []
    for name, some in nodes.items():
        last = some[-1]
        account = merged_result(last.run, last.outcome, last.why, some, dry_run=last.dry_run)
        accounts.append(NodeResult(name, replace(account, left=last.left)))
    return tuple(accounts)


def cut_short(results: Sequence[tuple[str, Result]]) -> tuple[Outcome, str] | None:
    """What ended a run before its end, if any part of it was ended, and why: node by node."""
    outcomes = {result.outcome for _, result in results}
    outcome = next((each for each in _WORST if each in outcomes), None)
    if outcome is None:
        return None
    reasons: dict[str, None] = {}
    for name, result in results:
        if result.outcome != "done" and result.why:
            reasons[result.why if name in result.why or _is_shared(result, results) else f"{name}: {result.why}"] = None
    return outcome, "; ".join(reasons)


def remarks(results: Sequence[tuple[str, Result]]) -> str:
    """What is to be said of a run that came to its end, each thing once."""
    return "; ".join(dict.fromkeys(result.why for _, result in results if result.outcome == "done" and result.why))


def _is_shared(result: Result, results: Sequence[tuple[str, Result]]) -> bool:
    return sum(other.why == result.why for _, other in results) > 1


def _state(active: Sequence[tuple[str, Progress]]) -> tuple[State, SafeText]:
    """What all do; what one alone waits for is told beside it, unless a person is to answer."""
    for state in _ONE_SAYS:
        found = next((part for _, part in active if part.state == state), None)
        if found is not None:
            return state, found.why
    if not active:
        return "running", safe("")
    states = {part.state for _, part in active}
    state = next((each for each in _TOGETHER if states == {each}), "running")
    reasons = (f"{name}: {part.why}" for name, part in active if part.state in ("holding", "reconnecting"))
    return state, safe("; ".join(reasons), 400)


def _strain(progress: Progress) -> float:
    """How near a node is to what its clients are to feel at most."""
    if progress.state in ("holding", "reconnecting"):
        return float("inf")
    felt = progress.felt.ping_p99
    return felt / progress.limit if felt is not None and progress.limit else 0.0
