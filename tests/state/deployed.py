"""Deployments as a fleet shows them, for tests of screens and panes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from pymon_tui.model.deployment import Address, Kind, Member, Role
from pymon_tui.model.history import History
from pymon_tui.model.link import Link
from pymon_tui.model.query import Query
from pymon_tui.model.snapshot import Change, FleetView, Node, Snapshot
from pymon_tui.model.text import SafeText, safe
from pymon_tui.readings.info import parse_info
from pymon_tui.readings.keyspace import KEYSPACE
from pymon_tui.readings.memory import MEMORY
from pymon_tui.readings.metrics import METRICS
from pymon_tui.readings.replication import REPLICATION
from tests.script import WALL, ready, snapshot

_READ: tuple[Query[Any], ...] = (MEMORY, KEYSPACE, REPLICATION)


def node(
    port: int,
    role: Role,
    *,
    primary: int | None = None,
    slots: Sequence[tuple[int, int]] = (),
    keys: int = 1_000,
    ops: float = 100.0,
    link: Link | None = None,
    failing: SafeText | None = None,
    offset: int = 5_000,
    link_up: bool = True,
    replid: str | None = "8d37",
    replicas: Sequence[str] = (),
) -> Node:
    """A node at this port, with two seconds of history; ``offset`` is its place in the stream ``replid``.

    ``replicas`` are the lines that it has of those that copy it.
    """
    history = History(METRICS)
    for second in range(3):
        history.record(
            float(second),
            {
                "commands": ops * second,
                "keyspace_hits": 8.0 * second,
                "keyspace_misses": 2.0 * second,
                "connected_clients": 7.0,
            },
            {},
        )
    fields = {
        "role": "slave" if role is Role.REPLICA else "master",
        "used_memory": keys * 1_000,
        "maxmemory": 10_000_000_000,
        "db0": f"keys={keys},expires=0",
        "master_repl_offset": offset,
        "slave_repl_offset": offset,
        **({} if replid is None else {"master_replid": replid}),
        **{f"slave{number}": line for number, line in enumerate(replicas)},
    }
    if role is Role.REPLICA:
        fields |= {"master_link_status": "up" if link_up else "down", "master_last_io_seconds_ago": 1}
    info = parse_info("".join(f"{name}:{value}\r\n" for name, value in fields.items()).encode())
    shown = snapshot({query: ready(query.parse(info)) for query in _READ}, history=history, link=link)
    member = Member(
        Address("10.0.0.1", port),
        str(port),
        role,
        str(primary) if primary is not None else None,
        tuple(slots),
        failing,
        0,
        0,
    )
    return Node(member, replace(shown, node=safe(f"10.0.0.1:{port}")))


def fleet(kind: Kind, nodes: Sequence[Node], *, chosen: int | None = None, changes: Sequence[str] = ()) -> FleetView:
    """A deployment of these nodes."""
    return FleetView(
        kind,
        tuple(nodes),
        chosen,
        tuple(Change(WALL + number, safe(text)) for number, text in enumerate(changes)),
        (),
    )


def cluster(*, chosen: int | None = None) -> FleetView:
    """Three primaries with a replica each; the second has most of the data."""
    ranges = ((0, 5460), (5461, 10922), (10923, 16383))
    nodes = []
    for number, slots in enumerate(ranges):
        port = 7_000 + number
        busy = number == 1
        nodes += [
            node(port, Role.PRIMARY, slots=[slots], keys=900_000 if busy else 100_000, ops=9_000 if busy else 1_000),
            node(port + 10, Role.REPLICA, primary=port, offset=5_000 - 1_000 * number),
        ]
    changes = ("10.0.0.1:7001 became primary", "10.0.0.1:7011 is back after 12s")
    return fleet(Kind.CLUSTER, nodes, chosen=chosen, changes=changes)


def shown_of(view: FleetView) -> Snapshot:
    """What a fleet yields of this view: the chosen node, or the first with all of them."""
    one = view.nodes[view.chosen or 0].snapshot
    return replace(one, fleet=view)
