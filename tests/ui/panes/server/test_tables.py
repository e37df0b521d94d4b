"""The tables of the server pane: what is shown of a command and of a replica, and in which order."""

from __future__ import annotations

import pytest

from pymon_tui.readings.commands import Commands, parse_commands, remember
from pymon_tui.readings.info import parse_info
from pymon_tui.ui.panes.server.tables import COMMANDS, bar, command_lines, command_rows
from pymon_tui.ui.widgets.ink import text_of

BEFORE = b"server_time_usec:1000000\r\ncmdstat_get:calls=100,usec=100\r\ncmdstat_keys:calls=1,usec=500"
AFTER = (
    b"server_time_usec:11000000\r\ncmdstat_get:calls=300,usec=400,failed_calls=0\r\n"
    b"cmdstat_keys:calls=1,usec=500\r\ncmdstat_SET:calls=10,usec=100,failed_calls=3\r\n"
    b"latency_percentiles_usec_get:p50=1.003,p99=16.063"
)


def lately() -> Commands:
    """Ten seconds in which ``get`` took three quarters of the time."""
    return remember(parse_commands(parse_info(BEFORE)), parse_commands(parse_info(AFTER)))


def names(sort: str, *, descending: bool = True, holding: str = "", commands: Commands | None = None) -> list[str]:
    """The commands in the order of this column."""
    rows = command_rows(commands or lately(), sort, descending=descending, holding=holding)
    return [str(row.statistic.name) for row in rows]


def test_shares_are_of_the_last_seconds() -> None:
    rows = command_rows(lately(), "time", descending=True, holding="")

    assert [(row.statistic.name, row.share) for row in rows] == [("get", 0.75), ("SET", 0.25), ("keys", 0.0)]


def test_shares_are_since_the_start_where_nothing_else_is_known() -> None:
    rows = command_rows(parse_commands(parse_info(AFTER)), "time", descending=True, holding="")

    assert [(row.statistic.name, row.share) for row in rows] == [("keys", 0.5), ("get", 0.4), ("SET", 0.1)]


@pytest.mark.parametrize(
    ("sort", "descending", "order"),
    [
        ("calls", True, ["get", "SET", "keys"]),
        ("calls", False, ["keys", "SET", "get"]),
        ("mean", True, ["keys", "SET", "get"]),
        # What isn't known comes last in either direction.
        ("p50", True, ["get", "keys", "SET"]),
        ("p50", False, ["get", "keys", "SET"]),
        ("failed", True, ["SET", "get", "keys"]),
        ("now", True, ["SET", "get", "keys"]),
    ],
)
def test_rows_are_sorted_by_a_column(sort: str, descending: bool, order: list[str]) -> None:  # noqa: FBT001
    assert names(sort, descending=descending) == order


def test_every_sortable_column_sorts() -> None:
    for column in COMMANDS:
        if column.sortable:
            assert sorted(names(column.name)) == ["SET", "get", "keys"]


def test_rows_are_those_whose_name_holds_the_text() -> None:
    assert names("calls", holding="s") == ["SET", "keys"]
    assert names("calls", holding="[") == []


def test_every_cell_fits_its_column() -> None:
    for row in command_rows(lately(), "time", descending=True, holding=""):
        for column in COMMANDS:
            assert len(column.cell(row).text) <= column.width


@pytest.mark.parametrize(("share", "cells"), [(0.0, 0), (0.001, 0), (0.5, 30), (1.0, 60), (1.7, 60), (None, 0)])
def test_a_bar_is_as_long_as_the_share(share: float | None, cells: int) -> None:
    assert len(bar(share)) == cells


def test_a_command_is_told_in_full() -> None:
    row = command_rows(lately(), "time", descending=True, holding="get")[0]

    told = {text_of(line)[:16].strip(): " ".join(text_of(line)[16:].split()) for line in command_lines(row)[:-1]}
    assert told["calls now"] == "20/s of 1.5 µs"
    assert told["share of time"] == "75.0%"
    assert (told["calls"], told["failed"], told["rejected"]) == ("300", "0", "–")
    assert (told["p50"], told["p99"], told["p99.9"]) == ("1.0 µs", "16 µs", "–")
