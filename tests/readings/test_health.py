"""What is wrong with a server, by its readings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from pymon_tui.model.deployment import Address, Kind, Member, Role
from pymon_tui.once import summary
from pymon_tui.readings.health import wrongs
from pymon_tui.readings.info import parse_info
from pymon_tui.readings.memory_use import Severity
from pymon_tui.readings.persistence import PERSISTENCE, parse_persistence
from pymon_tui.readings.replication import REPLICATION, parse_replication
from pymon_tui.readings.server import SERVER, parse_server
from pymon_tui.server.endpoint import Endpoint
from pymon_tui.state.glance import Glance, Glimpse
from tests.script import ready

FIELDS = {
    "redis_version": "7.0.0",
    "loading": 0,
    "rdb_last_bgsave_status": "ok",
    "aof_enabled": 1,
    "aof_last_write_status": "ok",
    "aof_last_bgrewrite_status": "ok",
    "role": "master",
    "master_failover_state": "no-failover",
    "paused_actions": "none",
}
REPLICA = {"role": "slave", "master_host": "10.0.0.1", "master_port": 6379, "master_link_status": "up"}
FAILED = {"rdb_last_bgsave_status": "err"}
REFUSED = "save failed: writes fail unless stop-writes-on-bgsave-error is no, or save is empty"
LOOK, ACT = Severity.LOOK, Severity.ACT


def glimpse(port: int, fields: Mapping[str, object]) -> Glimpse:
    """A node of which INFO tells this beside what is well."""
    info = parse_info("".join(f"{name}:{value}\r\n" for name, value in {**FIELDS, **fields}.items()).encode())
    readings = {
        SERVER.name: ready(parse_server(info)),
        PERSISTENCE.name: ready(parse_persistence(info)),
        REPLICATION.name: ready(parse_replication(info)),
    }
    member = Member(Address("10.0.0.1", port), str(port), Role.PRIMARY, None, (), None, 0, 0)
    return Glimpse(member, Endpoint(host="10.0.0.1", port=port), None, 0.0, readings, None)


def found(fields: Mapping[str, object]) -> list[tuple[Severity, str]]:
    readings = glimpse(6379, fields).readings
    told = wrongs(*(readings[query.name].value for query in (SERVER, PERSISTENCE, REPLICATION)))  # type: ignore[union-attr]
    return [(wrong.severity, wrong.text) for wrong in told]


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({}, []),
        (REPLICA, []),
        ({"loading": 1, "loading_loaded_perc": "53.61"}, [(LOOK, "loading 53.6%")]),
        ({"loading": 1, "loading_eta_seconds": 72}, [(LOOK, "loading –, ready in 1m 12s")]),
        ({"paused_actions": "write", "paused_timeout_milliseconds": 12_000}, [(LOOK, "paused: write for 12s")]),
        ({"paused_actions": "all"}, [(LOOK, "paused: all")]),
        ({"master_failover_state": "waiting-for-sync"}, [(LOOK, "failover: waiting-for-sync")]),
        ({**REPLICA, "master_link_status": "down"}, [(ACT, "no link to 10.0.0.1:6379")]),
        (
            {**REPLICA, "master_link_status": "down", "master_link_down_since_seconds": 72},
            [(ACT, "no link to 10.0.0.1:6379 for 1m 12s")],
        ),
        (
            {**REPLICA, "master_link_status": "down", "master_sync_in_progress": 1, "master_sync_perc": "34.5"},
            [(LOOK, "copying 10.0.0.1:6379: 34.5%")],
        ),
        (FAILED, [(ACT, REFUSED)]),
        ({**REPLICA, **FAILED}, [(ACT, "save failed")]),  # which takes no writes at all
        ({"aof_last_write_status": "err"}, [(ACT, "aof write failed, and writes with it")]),
        ({**REPLICA, "aof_last_write_status": "err"}, [(ACT, "aof write failed")]),
        ({"aof_last_bgrewrite_status": "err"}, [(ACT, "aof rewrite failed")]),
        ({"aof_enabled": 0, "aof_last_write_status": "err"}, []),
        (
            {"aof_last_write_status": "err", **FAILED, "loading": 1},
            [(LOOK, "loading –"), (ACT, REFUSED), (ACT, "aof write failed, and writes with it")],
        ),
    ],
)
def test_what_is_wrong_is_told_with_the_worst_first(
    fields: Mapping[str, object], says: Sequence[tuple[Severity, str]]
) -> None:
    assert found(fields) == says


def test_what_is_not_told_is_not_wrong() -> None:
    assert wrongs(None, None, None) == ()


def test_once_prints_it_of_one_server_and_of_several_with_where_it_is() -> None:
    one, well, other = glimpse(1, FAILED), glimpse(2, {}), glimpse(3, {**FAILED, "loading": 1})
    for nodes, says in (
        ([one], [f"  to act on: {REFUSED}"]),
        ([well], []),
        ([well, one], [f"  to act on: 10.0.0.1:1: {REFUSED}"]),
        (
            [one, well, other, other],
            [
                "  to look at: 10.0.0.1:3: loading –; 1 other too",
                f"  to act on: 10.0.0.1:1: {REFUSED}; 2 others too",
            ],
        ),
    ):
        seen = Glance(Kind.CLUSTER, tuple(nodes), None, ())
        lines = summary(nodes[0].endpoint, seen)
        assert [line for line in lines if line.startswith(("  to act on: ", "  to look at: "))] == says
