"""What is said of one client: its detail, its cells, and what a kill does."""

from __future__ import annotations

import pytest

from pymon_tui.readings.clients import (
    Client,
    ClientTable,
    Grouping,
    Rates,
    Traffic,
    group,
    parse_client,
    parse_clients,
)
from pymon_tui.ui.panes.clients.columns import columns_of, group_columns, name_cell
from pymon_tui.ui.panes.clients.detail import detail
from pymon_tui.ui.panes.clients.kill import kill
from pymon_tui.ui.panes.clients.rows import Row, ordered, ordered_groups
from pymon_tui.ui.widgets.ink import text_of
from tests.readings.clients.rows import listing, row
from tests.replies import recorded


def said(client: Client, traffic: Traffic | None = None) -> dict[str, str]:
    """The detail's lines by the field's name."""
    lines = [text_of(line) for line in detail(Row(client, traffic or Traffic(None, None, None)))]
    return {line.split()[0]: " ".join(line.split()[1:]) for line in lines if line}


def test_the_detail_has_every_field_that_the_server_tells() -> None:
    clients = parse_clients(recorded("client-list.valkey-9.resp2"))
    told = {part.split("=")[0] for part in clients.row(0).decode().split(" ")}
    assert told <= set(said(clients[0]))


def test_the_detail_says_what_is_done_now_beside_what_was_done() -> None:
    lines = said(parse_client(row(1, tot_cmds=12_412, tot_net_in=2048)), Traffic(142.0, 284.0, None))
    assert lines["tot-cmds"] == "12 412 commands run, 142/s"
    assert lines["tot-net-in"] == "2.00 KiB received, 284 B/s"
    assert lines["tot-net-out"] == "0 B sent, –"


def test_the_detail_explains_each_flag() -> None:
    assert said(parse_client(row(1, flags="bU")))["flags"] == "bU blocked, unix socket"
    assert said(parse_client(row(1, flags="N?")))["flags"] == "N? nothing special, unknown"


def test_a_field_that_is_new_is_shown_too() -> None:
    assert said(parse_client(row(1) + b" read-events=12"))["read-events"] == "12"


def test_a_long_value_is_to_be_read_whole() -> None:
    path = "/run/a/very/long/path/to/a/unix/socket/server.sock:0"
    assert said(parse_client(row(1, addr=path)))["addr"] == f"{path} comes from"


def test_a_kill_names_one_connection_exactly() -> None:
    action = kill(parse_client(row(42, name="api-web", addr="[::1]:5")))
    assert action.command == ("CLIENT", "KILL", "ID", 42, "ADDR", "[::1]:5")
    socket = kill(parse_client(row(42, addr="/run/redis.sock:0")))
    assert socket.command == ("CLIENT", "KILL", "ID", 42)  # the path is that of all who come by it
    assert action.acl == "client|kill"
    assert action.name == "Kill client"
    assert action.effect == "closes [::1]:5 api-web, idle 0s"


def test_a_replica_and_the_primary_are_called_by_their_names() -> None:
    replica = kill(parse_client(row(42, flags="S", addr="10.0.0.2:6379")))
    assert replica.name == "Kill replica"
    assert replica.effect == "this is replica 10.0.0.2:6379; it will resync"
    primary = kill(parse_client(row(42, flags="M", addr="10.0.0.1:6379")))
    assert primary.name == "Kill link to the primary"
    assert "our primary 10.0.0.1:6379" in primary.effect


def test_who_has_no_name_is_called_by_address() -> None:
    cell = name_cell(parse_client(row(1, addr="10.0.3.14:51000")))
    assert (cell.text, cell.role) == ("10.0.3.14", "faint")


NAMED = listing(
    row(1, name="b", omem=5, tot_cmds=10),
    row(2, name="", omem=7, tot_cmds=30),
    row(3, name="A", omem=7, tot_cmds=None),
    row(4, name="b", omem=None, tot_cmds=20),
)
EARLIER = listing(*(row(number, tot_cmds=0) for number in (1, 2, 3, 4)))
RATES = Rates(NAMED, EARLIER, 1.0)


@pytest.mark.parametrize(
    ("sort", "ascending", "descending"),
    [
        ("name", [3, 1, 4, 2], [1, 4, 3, 2]),
        ("output buffer", [1, 2, 3, 4], [2, 3, 1, 4]),
        ("commands", [1, 4, 2, 3], [2, 4, 1, 3]),
        ("id", [1, 2, 3, 4], [4, 3, 2, 1]),
    ],
)
def test_what_is_not_known_comes_last_in_either_direction(
    sort: str, ascending: list[int], descending: list[int]
) -> None:
    for expected, down in ((ascending, False), (descending, True)):
        assert [NAMED[place].id for place in ordered(NAMED, RATES, range(4), sort, descending=down)] == expected


@pytest.mark.parametrize("clients", [NAMED, ClientTable(())])
def test_every_column_can_be_sorted_by(clients: ClientTable) -> None:
    rates = Rates(clients, None, 0.0)
    everybody = range(len(clients))
    for column in columns_of(ClientTable(()), 200):
        assert sorted(ordered(clients, rates, everybody, column.name, descending=True)) == list(everybody)
    groups = group(clients, rates, Grouping.NAME, everybody)
    for group_column in group_columns(ClientTable(()), Grouping.NAME):
        assert set(ordered_groups(groups, group_column.name, descending=False)) == set(groups)


def test_groups_of_which_nothing_else_is_known_begin_with_the_largest() -> None:
    groups = group(NAMED, Rates(NAMED, None, 0.0), Grouping.NAME, range(4))
    assert ordered_groups(groups, "commands", descending=True)[0].clients == 2
