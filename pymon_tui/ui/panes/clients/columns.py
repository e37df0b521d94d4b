"""What the table of clients shows of each, and that of groups."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from pymon_tui.model import units
from pymon_tui.model.text import SafeText
from pymon_tui.readings.clients import UNIX_SOCKET, Client, ClientTable, Group, Grouping
from pymon_tui.ui.panes.clients.rows import Row
from pymon_tui.ui.widgets.ink import Role, Span, label, span
from pymon_tui.ui.widgets.rows import fitting
from pymon_tui.ui.widgets.table import Column

LARGE_OUTPUT: Final = 1 << 20
"""Bytes of output list from which a client is worth a look: it reads slower than it is answered."""

HUGE_OUTPUT: Final = 32 << 20
"""Bytes at which the server's default limit drops a subscriber."""

NOBODY = {
    Grouping.NAME: "no name",
    Grouping.USER: "no user",
    Grouping.ADDRESS: "no address",
    Grouping.LIBRARY: "no library",
}
"""What stands for the members of a group that don't have what it is made by."""

TITLES = {
    Grouping.NAME: "name",
    Grouping.USER: "user",
    Grouping.ADDRESS: "address",
    Grouping.LIBRARY: "library",
}
"""What clients are added up by, in a word."""


def columns_of(table: ClientTable, width: int) -> Sequence[Column[Row]]:
    """The columns that this server tells something for, in the order shown, for a table of ``width`` cells."""
    columns = [column for column, field in _CLIENT_COLUMNS if _tells(table, field)]
    widths = next((widths for least, widths in _WIDER if width >= least), {})
    columns = [replace(column, width=widths.get(column.name, column.width)) for column in columns]
    if "address" not in (column.name for column, _ in fitting(columns, width)):
        return columns
    return [replace(column, cell=_own_name) if column.name == "name" else column for column in columns]


def group_columns(table: ClientTable, by: Grouping) -> Sequence[Column[Group]]:
    """The columns of groups made by this, in the order shown."""
    told = [column for column, field in _GROUP_COLUMNS if _tells(table, field)]
    return [Column("group", TITLES[by], 12, lambda group: group_name(group, by), grows=True), *told]


def _tells(table: ClientTable, field: bytes) -> bool:
    if not len(table):
        return field != b"node"  # which only several nodes together have
    return b" " + field + b"=" in b" " + table.row(0)


def group_name(group: Group, by: Grouping) -> Span:
    """What the group's members have in common."""
    return Span(group.label) if group.label is not None else span(NOBODY[by], "faint")


def address_cell(client: Client) -> Span:
    """Where it comes from; all that come by the server's own socket come by the same."""
    return span(UNIX_SOCKET, "faint") if client.address.startswith("/") else Span(client.address)


def name_cell(client: Client) -> Span:
    """The name; where there is none, muted, where it comes from: for a table without room for addresses."""
    if client.name is not None:
        return Span(client.name)
    return Span(client.host, "faint")


def _standing(client: Client) -> Role:
    # A MONITOR costs the server at each command; a worker that waits for its queue is at work.
    return "warn" if client.is_monitor else "info" if client.is_blocked else "value"


def command_cell(client: Client) -> Span:
    """The last command; marked while it blocks its client, amber if it costs everybody (MONITOR)."""
    return _text(client.cmd, _standing(client))


def output_cell(omem: int | None) -> Span:
    """The size of the output list, amber and red where it is large."""
    size = omem or 0
    role: Role = "act" if size > HUGE_OUTPUT else "warn" if size > LARGE_OUTPUT else "value" if size else "faint"
    return Span(units.short_bytes(omem), role)


def flags_cell(client: Client) -> Span:
    """The flags; marked where one says that the client is blocked, amber for a monitor, muted where there is none."""
    if client.flags in (None, "N"):
        return span(client.flags or units.UNKNOWN, "faint")
    return Span(client.flags or units.UNKNOWN, _standing(client))


def _text(text: SafeText | None, role: Role = "value") -> Span:
    return Span(units.UNKNOWN, "faint") if text is None else Span(text, role)


def _own_name(row: Row) -> Span:
    return _text(row.client.name)


def _amount(value: float | None, shown: Callable[[float | None], SafeText]) -> Span:
    """A number; nothing is muted, for there is nothing to see."""
    return Span(shown(value), "value" if value else "faint")


def _queued(multi: int | None) -> Span:
    """Commands queued in MULTI; nothing outside of it."""
    return Span(units.UNKNOWN, "faint") if multi is None else span("" if multi < 0 else units.short_count(multi))


def _count(name: str, title: str, value: Callable[[Row], float | None], rank: int) -> Column[Row]:
    return Column(name, title, 6, lambda row: _amount(value(row), units.short_count), align="right", rank=rank)


def _bytes(name: str, title: str, value: Callable[[Row], float | None], rank: int) -> Column[Row]:
    return Column(name, title, 6, lambda row: _amount(value(row), units.short_bytes), align="right", rank=rank)


def _age(name: str, value: Callable[[Client], int | None], rank: int) -> Column[Row]:
    return Column(name, name, 4, lambda row: Span(units.age(value(row.client)), "label"), align="right", rank=rank)


_CLIENT_COLUMNS: Sequence[tuple[Column[Row], bytes]] = (
    (Column("id", "id", 8, lambda row: label(str(row.client.id)), align="right", rank=6), b"id"),
    (Column("address", "address", 21, lambda row: address_cell(row.client), rank=3), b"addr"),
    (Column("node", "node", 16, lambda row: _text(row.client.node, "label"), rank=2), b"node"),
    (Column("name", "name", 10, lambda row: name_cell(row.client), grows=True), b"name"),
    (Column("user", "user", 10, lambda row: _text(row.client.user), rank=7), b"user"),
    (_age("age", lambda client: client.age, 9), b"age"),
    (_age("idle", lambda client: client.idle, 1), b"idle"),
    (Column("db", "db", 3, lambda row: label(units.count(row.client.db)), align="right", rank=12), b"db"),
    (Column("flags", "flags", 5, lambda row: flags_cell(row.client), rank=11), b"flags"),
    (Column("command", "command", 11, lambda row: command_cell(row.client)), b"cmd"),
    (Column("library", "library", 16, lambda row: _text(row.client.library, "label"), rank=10), b"lib-name"),
    (Column("queued", "multi", 5, lambda row: _queued(row.client.multi), align="right", rank=13), b"multi"),
    (_count("commands", "cmd/s", lambda row: row.traffic.commands, 2), b"tot-cmds"),
    (_bytes("bytes in", "in/s", lambda row: row.traffic.net_in, 5), b"tot-net-in"),
    (_bytes("bytes out", "out/s", lambda row: row.traffic.net_out, 4), b"tot-net-out"),
    (_bytes("query buffer", "in buf", lambda row: row.client.qbuf, 14), b"qbuf"),
    (Column("output buffer", "out buf", 7, lambda row: output_cell(row.client.omem), align="right"), b"omem"),
    (_bytes("memory", "memory", lambda row: row.client.tot_mem, 8), b"tot-mem"),
)
"""Each column with the field that it needs."""

_WIDER: Sequence[tuple[int, Mapping[str, int]]] = (
    (176, {"address": 30, "user": 16, "name": 18, "command": 16, "library": 22, "output buffer": 8}),
    (60, {"output buffer": 8, "name": 15}),
)
"""From how many cells on which columns are wider, by their names."""


def _sum_of(name: str, title: str, value: Callable[[Group], float | None], rank: int) -> Column[Group]:
    return Column(name, title, 7, lambda group: _amount(value(group), units.short_bytes), align="right", rank=rank)


_GROUP_COLUMNS: Sequence[tuple[Column[Group], bytes]] = (
    (Column("clients", "clients", 7, lambda group: span(units.count(group.clients)), align="right"), b"id"),
    (
        Column(
            "commands",
            "cmd/s",
            6,
            lambda group: _amount(group.traffic.commands, units.short_count),
            align="right",
            rank=1,
        ),
        b"tot-cmds",
    ),
    (_sum_of("bytes in", "in/s", lambda group: group.traffic.net_in, 3), b"tot-net-in"),
    (_sum_of("bytes out", "out/s", lambda group: group.traffic.net_out, 2), b"tot-net-out"),
    (Column("output buffer", "out buf", 7, lambda group: output_cell(group.omem), align="right"), b"omem"),
    (_sum_of("memory", "memory", lambda group: group.tot_mem, 4), b"tot-mem"),
)
