"""Several plans, or estimates, as one: what each primary of a cluster has is counted there, and added up here."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Sequence
from functools import reduce
from random import Random

from pymon_tui.invalidation.estimate import Estimate
from pymon_tui.invalidation.key_bytes import KeyBytes
from pymon_tui.invalidation.key_rights import KeyRights
from pymon_tui.invalidation.namespaces import Namespaces
from pymon_tui.invalidation.plan import Plan
from pymon_tui.invalidation.sampling import EXPIRY_BUCKETS, SIZE, UNKNOWN, Idle, Sample, idle_times
from pymon_tui.model.text import safe
from pymon_tui.server.endpoint import Endpoint


def merged_plan(parts: Sequence[Plan], endpoint: Endpoint, namespaces: Iterable[Namespaces], seconds: float) -> Plan:
    """The plan of a cluster.

    Args:
        parts: Those of its primaries, at least one.
        endpoint: The node that was named.
        namespaces: What was counted at each of them.
        seconds: That all of them took, side by side.
    """
    first, matched = parts[0], sum(part.matched for part in parts)
    sizes = [part.dbsize for part in parts]
    samples = _samples(parts, matched)
    return Plan(
        node=endpoint.label,
        address=endpoint.address,
        environment=endpoint.environment,
        run_id="",
        db=first.db,
        role=first.role,
        acl_user=first.acl_user,
        made_at=time.time(),
        selection=first.selection,
        matched=matched,
        about=any(part.about for part in parts),
        capped=any(part.capped for part in parts) or matched > first.selection.max_keys,
        protected=sum(part.protected for part in parts),
        matching=tuple(
            pattern for pattern in first.selection.patterns if any(pattern in part.matching for part in parts)
        ),
        rights=reduce(KeyRights.plus, (part.rights for part in parts)),
        back=reduce(KeyRights.plus, (part.back for part in parts)),
        held=tuple(map(sum, zip(*(part.held for part in parts), strict=True))),
        scanned=sum(part.scanned for part in parts),
        dbsize=sum(size for size in sizes if size is not None) if None not in sizes else None,
        seconds=seconds,
        bytes=_bytes([part.bytes for part in parts]),
        undo_bytes=_sum([part.undo_bytes for part in parts]),
        undo_sizes=tuple(size for part in parts for size in part.undo_sizes),
        undo_possible=all(part.undo_possible for part in parts),
        undo_problem=next((part.undo_problem for part in parts if part.undo_problem is not None), None),
        oversized=sum(part.oversized for part in parts),
        types=_largest_first(_with_unknown((part.types, part.matched) for part in parts)),
        expiry=_expiry(parts),
        idle=_idle(parts, samples),
        namespaces=reduce(Namespaces.joined, namespaces).counts(),
        samples=samples,
        refusals=tuple(dict.fromkeys(refusal for part in parts for refusal in part.refusals)),
        removal_problem=next((part.removal_problem for part in parts if part.removal_problem is not None), None),
        room=min((part.room for part in parts if part.room is not None), default=None),
        warnings=tuple(safe(f"{part.node}: {warning}", 300) for part in parts for warning in part.warnings),
        parts=tuple(parts),
        evicted=_sum([part.evicted for part in parts]),
        name=max((part.name for part in parts if part.name is not None), default=None),
    )


def merged_estimate(parts: Sequence[Estimate]) -> Estimate:
    """What is matched on all primaries: their chances are independent, so their bounds don't simply add up."""
    matched, found = sum(part.matched for part in parts), sum(part.found for part in parts)
    low = matched - math.hypot(*(part.matched - part.matched_low for part in parts))
    high = matched + math.hypot(*(part.matched_high - part.matched for part in parts))
    total = sum(part.total for part in parts)
    return Estimate(
        found=found,
        matched=matched,
        matched_low=max(found, math.floor(low)),
        matched_high=min(total, math.ceil(high)),
        scanned=sum(part.scanned for part in parts),
        total=total,
        complete=all(part.complete for part in parts),
    )


def _samples(parts: Sequence[Plan], matched: int) -> tuple[Sample, ...]:
    """As many of each primary's as its share of the keys, in no order, as they would come from one server."""
    if matched <= SIZE:
        chosen = [sample for part in parts for sample in part.samples]
    else:
        chosen = [sample for part in parts for sample in part.samples[: round(SIZE * part.matched / matched)]]
    Random().shuffle(chosen)
    return tuple(chosen)


def _bytes(parts: Sequence[KeyBytes | None]) -> KeyBytes | None:
    known = [part for part in parts if part is not None]
    return reduce(KeyBytes.plus, known) if len(known) == len(parts) else None


def _sum(numbers: Sequence[int | None]) -> int | None:
    return None if None in numbers else sum(number for number in numbers if number is not None)


def _largest_first(counts: Iterable[tuple[str, int]]) -> tuple[tuple[str, int], ...]:
    return tuple(sorted(_added(counts).items(), key=lambda each: (each[0] == UNKNOWN, -each[1], each[0])))


def _expiry(parts: Sequence[Plan]) -> tuple[tuple[str, int], ...]:
    added = _added(_with_unknown((part.expiry, part.matched) for part in parts))
    names = (*EXPIRY_BUCKETS, *([UNKNOWN] if UNKNOWN in added else []))
    return tuple((name, added.get(name, 0)) for name in names) if added else ()


def _with_unknown(parts: Iterable[tuple[Sequence[tuple[str, int]], int]]) -> list[tuple[str, int]]:
    """All counts; the keys of a part that tells nothing are unknown, unless no part tells anything."""
    told = [(counts, keys) for counts, keys in parts if keys]
    if not any(counts for counts, _ in told):
        return []
    return [count for counts, keys in told for count in counts or ((UNKNOWN, keys),)]


def _added(counts: Iterable[tuple[str, int]]) -> dict[str, int]:
    added: dict[str, int] = {}
    for name, count in counts:
        added[name] = added.get(name, 0) + count
    return added


def _idle(parts: Sequence[Plan], samples: Sequence[Sample]) -> Idle | None:
    idle, oldest = idle_times(samples), [part.idle.oldest for part in parts if part.idle is not None]
    return Idle(idle.median, max(oldest), idle.known) if idle is not None else None
