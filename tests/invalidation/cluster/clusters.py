"""Work on a cluster for the tests: desks, plans and runs, and what is there afterwards by looking at every node."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from pymon_tui.invalidation.account import Mode, Options, Result, Tally
from pymon_tui.invalidation.cluster.removal import WholeRemoval
from pymon_tui.invalidation.desk import Desk
from pymon_tui.invalidation.plan import Plan
from pymon_tui.invalidation.restore_account import RestoreResult
from pymon_tui.invalidation.rules import Rules
from pymon_tui.invalidation.selection import Selection
from pymon_tui.server.endpoint import Endpoint
from tests.invalidation.planned import selecting
from tests.servers.cluster import Cluster
from tests.servers.node import Node

CACHE = selecting("cache:*")
RULES = Rules(
    protected=(),
    presets=(),
    max_keys=1_000_000,
    type_above=10_000,
    ceiling=10.0,
    rate=None,
    trash_cap=256 * 2**20,
    key_cap=16 * 2**20,
    journal_keep=10_000,
    read_only=False,
)


def endpoint_of(node: Node, username: str | None = None) -> Endpoint:
    """Where a node is, by its address on the network."""
    return Endpoint(host="127.0.0.1", port=node.port, username=username, connect_timeout=2.0, command_timeout=2.0)


def desk_at(node: Node, folder: Path, *, rate: float | None = None, username: str | None = None) -> Desk:
    """The desk of a person who has named this node."""
    return Desk(endpoint_of(node, username), replace(RULES, rate=rate), folder)


async def planned(desk: Desk, selection: Selection = CACHE, *, mode: Mode = "unlink", undo: bool = True) -> Plan:
    """The plan of a selection."""
    return await desk.planning(selection, mode, undo=undo).run()


async def removal_of(desk: Desk, selection: Selection = CACHE, **options: Any) -> WholeRemoval:
    """A run that is planned and not begun."""
    asked = Options(**({"ceiling": RULES.ceiling, "rate": desk.rules.rate} | options))
    plan = await planned(desk, selection, mode=asked.mode, undo=asked.undo)
    return desk.removal(plan, asked, None)


async def undone(desk: Desk, *, replace: bool = False, elsewhere: bool = False) -> RestoreResult:
    """The undo of the newest run."""
    record = next(record for record in desk.newest() if record.kind == "run")
    restore = desk.restore(record, replace=replace, elsewhere=elsewhere)
    assert restore is not None
    return await restore.run()


def all_are_at_it(removal: WholeRemoval, least: int = 100) -> bool:
    """Whether more keys than these are gone from each node: what none has gone from has nothing to give back."""
    nodes = removal.progress.nodes
    return bool(nodes) and min(node.progress.tally.removed for node in nodes) > least


def adds_up(result: Result) -> None:
    """Check that the account adds up, and is the sum of its nodes'."""
    tally = result.tally
    assert tally.matched == tally.removed + tally.already_gone + tally.ending_sooner + tally.refused + tally.unknown
    total = Tally()
    for each in result.nodes:
        total = total.plus(each.result.tally)
    assert tally == total


def cache_keys(count: int) -> list[str]:
    """Keys all over the slots, a third of them with one of a hundred hash tags."""
    plain = [f"cache:{number}" for number in range(count * 2 // 3)]
    return plain + [f"cache:{{user:{number % 100}}}:{number}" for number in range(count - len(plain))]


def errors_of(nodes: Iterable[Node]) -> set[str]:
    """The kinds of error that these nodes have answered anybody."""
    return {name.removeprefix("errorstat_") for node in nodes for name in node.ask("INFO", "errorstats")}


def connections_of(nodes: Iterable[Node]) -> int:
    """How many connections there were to these nodes until now."""
    return sum(int(node.ask("INFO", "stats")["total_connections_received"]) for node in nodes)


def dbsize_of(cluster: Cluster) -> int:
    """How many keys all primaries have."""
    return sum(int(node.ask("DBSIZE")) for node in cluster.primaries())
