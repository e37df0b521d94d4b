"""What the journal is told when a run begins."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pymon_tui.invalidation.account import Options
from pymon_tui.invalidation.boot import boot_id
from pymon_tui.invalidation.order import Order
from pymon_tui.server.endpoint import Endpoint


def begun(
    order: Order,
    options: Options,
    endpoint: Endpoint,
    *,
    acl_user: str,
    run_id: str,
    replid: str,
    undo: Path | None,
    addresses: Sequence[str],
) -> dict[str, Any]:
    """The fields of the entry.

    Args:
        acl_user: As whom we are logged in.
        run_id: Of the server process; empty where there are several.
        replid: Of its replication history; empty where there are several, or it isn't told.
        undo: Where keys are kept; None if they aren't.
        addresses: By which the server may be named besides its own.
    """
    selection = order.selection.as_json()
    return {
        "acl_user": acl_user,
        "server": endpoint.address,
        "addresses": list(addresses),
        "node": order.node,
        "run_id": run_id,
        "replid": replid,
        "db": order.db,
        "way": list(endpoint.way),
        "boot": boot_id(),
        "environment": endpoint.environment,
        "mode": options.mode,
        "patterns": selection["patterns"],
        "filters": selection["filters"],
        "protected": selection["protected"],
        "preset": order.preset,
        "options": options.as_json(),
        "plan": order.plan,
        "undo": str(undo) if undo is not None else None,
        "resumes": order.resumes,
        "planned": order.planned,
        "again": order.again,
        "pattern_index": order.start.pattern,
        "cursor": order.start.cursor,
    }
