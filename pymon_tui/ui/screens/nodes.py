"""Which node of a deployment is shown next."""

from __future__ import annotations

from pymon_tui.model.snapshot import FleetView


def stepped(fleet: FleetView, step: int | None) -> int | None:
    """The place of the node that many further in the list, round and round; None for all together."""
    if step is None:
        return None
    if fleet.chosen is None:
        return 0 if step > 0 else len(fleet.nodes) - 1
    return (fleet.chosen + step) % len(fleet.nodes)
