"""What several nodes tell, put together: clients, slow logs and channels."""

from __future__ import annotations

from typing import Any

from pymon_tui.model.query import Part, Query
from pymon_tui.model.text import safe
from pymon_tui.readings.channels import CHANNELS, Channel, Channels
from pymon_tui.readings.clients import CLIENTS, parse_clients
from pymon_tui.readings.slowlog import SLOWLOG, SlowEntry, SlowLog


def together(query: Query[Any], *values: Any, own: int = -1) -> Any:
    assert query.merge is not None
    return query.merge([Part(safe(f"node {place}"), value, frozenset((own,))) for place, value in enumerate(values)])


def test_clients_know_their_node_and_our_own_are_left_out() -> None:
    one = parse_clients(b"id=3 addr=10.0.0.9:1 fd=8 name=web\nid=4 addr=10.0.0.9:2 name=pymon-tui\n")
    other = parse_clients(b"id=3 addr=10.0.0.9:3 fd=8 name=web cmd=get\n")
    table = together(CLIENTS, one, other, own=4)
    assert [(client.id, client.node, client.addr) for client in table] == [
        (3, "node_0", "10.0.0.9:1"),
        (3, "node_1", "10.0.0.9:3"),
    ]
    assert table[1].cmd == "get"
    assert len({table.key(0), table.key(1)}) == 2
    assert list(table.matching("node_1", range(2))) == [1]


def entry(number: int, timestamp: int) -> SlowEntry:
    return SlowEntry(0, number, timestamp, 20_000, (b"KEYS", b"*"), None, None)


def test_slow_logs_are_put_together_by_time() -> None:
    log = together(SLOWLOG, SlowLog((entry(2, 30), entry(1, 10)), 1), SlowLog((entry(2, 20),), 2))
    assert [(one.node, one.timestamp) for one in log.entries] == [("node 0", 30), ("node 1", 20), ("node 0", 10)]
    assert log.missed == 3
    ages = [one.age for one in log.entries]
    assert ages == sorted(ages, reverse=True)


def test_subscribers_of_a_channel_are_added_up() -> None:
    found = together(CHANNELS, Channels((Channel(b"a", 1), Channel(b"b", 2))), Channels((Channel(b"a", 5),)))
    assert found.channels == (Channel(b"a", 6), Channel(b"b", 2))
