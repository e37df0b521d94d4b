"""What changes of a cluster in the middle of a run: slots that move, which is followed, and primaries, which is not."""

from __future__ import annotations

from collections.abc import Sequence

from pymon_tui.invalidation.cluster.primaries import Found, find
from pymon_tui.invalidation.order import OrderError
from pymon_tui.invalidation.sweep import Refused
from pymon_tui.server.endpoint import Endpoint
from pymon_tui.server.reasons import LinkError


def moved_between(before: Found, after: Found) -> set[int]:
    """The slots that another node serves than did before."""
    owners = before.owners
    return {slot for slot, owner in after.owners.items() if owners.get(slot) != owner}


def require_same_nodes(start: Found, now: Found) -> None:
    """Refuse to go on where a replica has taken its primary's place, or a primary was restarted.

    Either may have forgotten what was removed last. A node that has come with slots, or gave all of its own away, is
    no harm.

    Raises:
        OrderError: If one has.
    """
    present = {one.node_id: one for one in now.primaries}
    for one in start.primaries:
        same = present.get(one.node_id)
        if same is not None and same.run_id != one.run_id:
            raise OrderError(f"{one.endpoint.label} was restarted; resume to go on with what it has now")
        heir = next((present[name] for name in one.replicas if name in present), None)
        if heir is not None:
            there = f"{one.endpoint.label} has failed over to {heir.endpoint.label}"
            raise OrderError(f"{there}, which may not know of what was removed last; resume to go on there")


async def still_the_same(start: Found, asked: Endpoint, more: Sequence[Endpoint]) -> None:
    """Ask a node of the cluster, or another one, whether the primaries are those that there were at the start.

    Raises:
        OrderError: If they aren't.
    """
    try:
        now = await find(asked, more)
    except (LinkError, Refused):
        return  # nobody knows yet
    require_same_nodes(start, now)
