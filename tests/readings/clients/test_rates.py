"""Rates and groups: what is done per second between two lists, by one client or by many."""

from __future__ import annotations

import pytest

from pymon_tui.readings.clients import COMMANDS, NET_IN, Grouping, Rates, Traffic, group, labels
from tests.readings.clients.rows import listing, row

OLD = listing(
    row(1, name="api", tot_cmds=100, tot_net_in=1000, tot_net_out=5000),
    row(2, name="api", tot_cmds=50, tot_net_in=0, tot_net_out=0, addr="10.0.0.2:1"),
    row(3, name="", tot_cmds=10, tot_net_in=0, tot_net_out=0, addr="[::1]:9", lib_name=""),
)
NEW = listing(
    row(1, name="api", tot_cmds=140, tot_net_in=3000, tot_net_out=5000, omem=10),
    row(2, name="api", tot_cmds=54, tot_net_in=0, tot_net_out=400, addr="10.0.0.2:1", omem=5),
    row(3, name="", tot_cmds=10, tot_net_in=0, tot_net_out=0, addr="[::1]:9", lib_name=""),
    row(9, name="new", tot_cmds=9999, tot_net_in=1, tot_net_out=1),
)
UNKNOWN = Traffic(None, None, None)


def test_a_rate_is_the_growth_per_second_between_two_lists() -> None:
    rates = Rates(NEW, OLD, 4.0)
    assert rates.traffic(0) == Traffic(10.0, 500.0, 0.0)
    assert rates.traffic(2) == Traffic(0.0, 0.0, 0.0)


def test_who_came_in_between_has_no_rate_yet() -> None:
    assert Rates(NEW, OLD, 4.0).traffic(3) == UNKNOWN


def test_a_rate_of_all_is_the_rate_of_each() -> None:
    rates = Rates(NEW, OLD, 4.0)
    assert rates.column(COMMANDS) == [10.0, 1.0, 0.0, None]
    assert rates.column(NET_IN) == [rates.traffic(place).net_in for place in range(4)]


def test_nothing_is_known_without_an_earlier_list_or_without_time() -> None:
    for rates in (Rates(NEW, None, 4.0), Rates(NEW, OLD, 0.0), Rates(NEW, OLD, -1.0)):
        assert rates.traffic(0) == UNKNOWN
        assert rates.column(COMMANDS) == [None] * 4


def test_an_id_that_another_run_of_the_server_gave_to_somebody_else_has_no_rate() -> None:
    restarted = listing(row(1, addr="10.7.7.7:1", tot_cmds=100_000), row(2, addr="10.0.0.2:1", tot_cmds=1))
    rates = Rates(restarted, OLD, 1.0)
    assert rates.traffic(0) == UNKNOWN
    assert rates.traffic(1).commands is None  # less than before is no growth
    assert rates.column(COMMANDS) == [None, None]


def test_a_server_that_counts_nothing_has_no_rates() -> None:
    old, new = (listing(row(1, tot_cmds=None, tot_net_in=None, tot_net_out=None)) for _ in range(2))
    assert Rates(new, old, 1.0).traffic(0) == UNKNOWN
    assert Rates(new, old, 1.0).column(COMMANDS) == [None]


def test_groups_add_their_members_up() -> None:
    groups = {one.label: one for one in group(NEW, Rates(NEW, OLD, 4.0), Grouping.NAME, range(4))}
    api = groups[labels(NEW, Grouping.NAME)[0]]
    assert (api.clients, api.omem, api.tot_mem) == (2, 15, 4000)
    assert api.traffic == Traffic(11.0, 500.0, 100.0)
    assert groups[None].members == [2]
    assert sum(one.clients for one in groups.values()) == 4


def test_what_no_member_knows_the_group_does_not_know() -> None:
    groups = {one.label: one for one in group(NEW, Rates(NEW, OLD, 4.0), Grouping.NAME, range(4))}
    assert groups[labels(NEW, Grouping.NAME)[3]].traffic == UNKNOWN


@pytest.mark.parametrize(
    ("by", "expected"),
    [
        (Grouping.NAME, ["api", "api", None, "new"]),
        (Grouping.USER, ["default"] * 4),
        (Grouping.ADDRESS, ["10.0.0.1", "10.0.0.2", "::1", "10.0.0.1"]),
        (Grouping.LIBRARY, ["redis-py", "redis-py", None, "redis-py"]),
    ],
)
def test_each_client_belongs_where_it_says(by: Grouping, expected: list[str | None]) -> None:
    assert labels(NEW, by) == expected


def test_unix_sockets_are_one_address() -> None:
    clients = listing(row(1, addr="/run/s.sock:0"), row(2, addr="[/run/s.sock:0]:0"))
    assert labels(clients, Grouping.ADDRESS) == ["/run/s.sock"] * 2


def test_only_those_asked_for_are_added_up() -> None:
    groups = group(NEW, Rates(NEW, OLD, 4.0), Grouping.USER, [1])
    assert [(one.label, one.clients, one.omem) for one in groups] == [("default", 1, 5)]
