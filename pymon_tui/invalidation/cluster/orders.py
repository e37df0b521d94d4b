"""Who is to do what: a plan, or a run that is taken up again, handed out to the primaries that there are now."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from pymon_tui.invalidation.cluster.primaries import Found, Primary
from pymon_tui.invalidation.order import Order, OrderError
from pymon_tui.invalidation.pattern import Pattern
from pymon_tui.invalidation.plan import Plan
from pymon_tui.invalidation.slots import Ranges
from pymon_tui.invalidation.sweep import Place
from pymon_tui.journal.records import Record

Work = tuple[tuple[Primary, Order], ...]
"""What each primary is to be asked for."""

HandOut = Callable[[Found], Work]
"""Hands the work out to these primaries; raises OrderError where it must not begin on them."""


def of_plan(plan: Plan, preset: str | None) -> HandOut:
    """The work of a plan: on the processes that were looked at, and while each serves the slots that it did."""

    def hand_out(found: Found) -> Work:
        if found.is_cluster != bool(plan.parts):
            raise OrderError(f"{plan.node} has joined a cluster or left it since the plan was made; plan anew")
        if not found.is_cluster:
            return ((found.primaries[0], Order.of(plan, preset)),)
        known = {part.node_id: part for part in plan.parts}
        now = {one.node_id: (one.run_id, one.slots) for one in found.primaries}
        if now != {name: (part.run_id, part.slots) for name, part in known.items()}:
            raise OrderError("the cluster has other primaries than the plan was made on, or other slots; plan anew")
        return tuple((one, Order.of(known[one.node_id], preset)) for one in found.primaries)

    return hand_out


def resumed(record: Record, whole: Order) -> HandOut:
    """What is left of a run. ``whole`` is the order to go on with all of it.

    A primary goes on where it was cut off; one that has come to its end only counts what is left there. Where another
    process is primary by now, or the slots are others, keys may be anywhere, and all are looked at again; so are they
    where every primary has come to its end, and the run as a whole has not.
    """

    def hand_out(found: Found) -> Work:
        if found.is_cluster != bool(record.parts):
            where = "on a cluster" if record.parts else "on one server"
            raise OrderError(f"run {record.id} was {where}; connect to where it was")
        if not found.is_cluster:
            return ((found.primaries[0], whole),)
        firsts = [part for part in record.parts if part.started.get("astray") is not True]
        known = {(part.started.get("node_id"), part.run_id, _slots(part)): part for part in firsts}
        same = [known.get((one.node_id, one.run_id, one.slots)) for one in found.primaries]
        parts = [part for part in same if part is not None]
        as_it_was = len(parts) == len(same) and len(firsts) == len(record.parts)
        if not as_it_was or all(part.state == "done" for part in parts):
            return tuple((one, again(one, whole, share=len(found.primaries))) for one in found.primaries)
        return tuple((one, _rest(part, whole)) for one, part in zip(found.primaries, parts, strict=True))

    return hand_out


def again(primary: Primary, whole: Order, *, share: int) -> Order:
    """The order to look through all of a primary, for one of ``share`` parts of the whole."""
    return replace(
        whole,
        node=primary.endpoint.label,
        run_id=primary.run_id,
        planned=whole.planned // share,
        scan=whole.scan // share,
        start=Place(),
        evicted=0,
        evicted_at=None,
    )


def protecting(order: Order, patterns: Sequence[Pattern]) -> Order:
    """The same, and what these patterns mean is protected as well."""
    protected = tuple(dict.fromkeys((*order.selection.protected, *patterns)))
    return replace(order, selection=replace(order.selection, protected=protected))


def _rest(part: Record, whole: Order) -> Order:
    """What a part has left to do: from where it was cut off, or nothing but to count."""
    order = replace(Order.resuming(part)[0], selection=whole.selection)
    if part.state != "done":
        return order
    return replace(order, start=Place(len(whole.selection.patterns)), planned=0, scan=0)


def _slots(part: Record) -> Ranges:
    told = part.started.get("slots")
    return tuple((int(first), int(last)) for first, last in told) if isinstance(told, list) else ()
