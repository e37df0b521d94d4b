"""What is told of an undo on several nodes as one: when it begins, and its account."""

from __future__ import annotations

from collections.abc import Sequence

from pymon_tui.invalidation.cluster.kept import added
from pymon_tui.invalidation.restore_account import LISTED, NodeRestored, RestoreOutcome, RestoreResult
from pymon_tui.invalidation.trash_damage import added as all_damage
from pymon_tui.journal.journal import JsonValue
from pymon_tui.journal.records import Record
from pymon_tui.model.text import SafeText, safe
from pymon_tui.server.endpoint import Endpoint

_WORST: tuple[RestoreOutcome, ...] = ("interrupted", "stopped", "cancelled", "done")


def begun(record: Record, endpoint: Endpoint, trash: str, addresses: Sequence[str]) -> dict[str, JsonValue]:
    """What the journal is told at the start.

    Args:
        record: Of the run.
        endpoint: The server that was named.
        trash: The first of its files.
        addresses: By which the servers are known.
    """
    return {
        "run": record.run,
        "acl_user": record.acl_user,
        "node": endpoint.label,
        "server": endpoint.address,
        "addresses": list(addresses),
        "run_id": "",
        "db": record.db,
        "environment": endpoint.environment,
        "trash": trash,
    }


def merged_result(
    undo: str,
    record: Record,
    nodes: Sequence[tuple[str, RestoreResult]],
    *,
    seconds: float,
    unrecorded: SafeText | None,
    copied: int,
    evicted: int | None,
) -> RestoreResult:
    """The account of an undo, of which these are its nodes'; the rest is as of ``RestoreResult``."""
    results = [result for _, result in nodes]
    outcomes = {result.outcome for result in results}
    outcome: RestoreOutcome = next(each for each in _WORST if each in outcomes)
    reasons = [result.why for result in results if result.why]
    lacking = (result.unrecorded for result in results if result.unrecorded is not None)
    return RestoreResult(
        undo=undo,
        run=record.run,
        outcome=outcome,
        why=safe("; ".join(dict.fromkeys(reasons)), 400),
        total=sum(result.total for result in results),
        tally=added([result.tally for result in results]),
        torn=any(result.torn for result in results),
        failures=tuple(failure for result in results for failure in result.failures)[:LISTED],
        seconds=seconds,
        unrecorded=next(lacking, unrecorded),
        copied=copied,
        evicted=evicted,
        damage=all_damage([result.damage for result in results if result.damage is not None]),
        nodes=tuple(NodeRestored(name, result) for name, result in nodes),
        may_be_lost=sum(result.may_be_lost for result in results),
        dropped=record.dropped,
    )
