"""What the table of clients shows of each, and that of groups."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from pymon_tui.model import units
from pymon_tui.model.text import SafeText
from pymon_tui.readings.clients import Client, ClientTable, Group, Grouping
from pymon_tui.ui.panes.clients.rows import Row
from pymon_tui.ui.widgets.ink import Role, Span, label, span
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


def columns_of(table: ClientTable) -> Sequence[Column[Row]]:
    """The columns that this server tells something for, in the order shown."""
    told = table.row(0) if len(table) else b""
    return [column for column, field in _CLIENT_COLUMNS if not told or b" " + field + b"=" in b" " + told]


def group_columns(by: Grouping) -> Sequence[Column[Group]]:
    """The columns of groups made by this."""
    return [Column("group", TITLES[by], 12, lambda group: group_name(group, by), grows=True), *_GROUP_COLUMNS]


def group_name(group: Group, by: Grouping) -> Span:
    """What the group's members have in common."""
    return Span(group.label) if group.label is not None else span(NOBODY[by], "faint")


def name_cell(client: Client) -> Span:
    """The name; where there is none, muted, where it comes from."""
    if client.name is not None:
        return Span(client.name)
    return Span(client.host, "faint")


def command_cell(client: Client) -> Span:
    """The last command; amber while it blocks its client, or costs everybody (MONITOR)."""
    role: Role = "warn" if client.is_blocked or client.is_monitor else "value"
    return _text(client.cmd, role)


def output_cell(omem: int | None) -> Span:
    """The size of the output list, amber and red where it is large."""
    size = omem or 0
    role: Role = "act" if size > HUGE_OUTPUT else "warn" if size > LARGE_OUTPUT else "value" if size else "faint"
    return Span(units.short_bytes(omem), role)


def flags_cell(client: Client) -> Span:
    """The flags; amber where one says that the client is blocked or a monitor, muted where there is none."""
    if client.flags in (None, "N"):
        return span(client.flags or units.UNKNOWN, "faint")
    return Span(client.flags or units.UNKNOWN, "warn" if client.is_blocked or client.is_monitor else "value")


def _text(text: SafeText | None, role: Role = "value") -> Span:
    return Span(units.UNKNOWN, "faint") if text is None else Span(text, role)


def _amount(value: float | None, shown: Callable[[float | None], SafeText]) -> Span:
    """A number; nothing is muted, for there is nothing to see."""
    return Span(shown(value), "value" if value else "faint")


def _queued(multi: int | None) -> Span:
    return Span(units.UNKNOWN, "faint") if multi is None or multi < 0 else Span(units.short_count(multi))


_CLIENT_COLUMNS: Sequence[tuple[Column[Row], bytes]] = (
    (Column("id", "id", 8, lambda row: label(str(row.client.id)), align="right", rank=5), b"id"),
    (Column("address", "address", 21, lambda row: Span(row.client.address), rank=4), b"addr"),
    (Column("name", "name", 12, lambda row: name_cell(row.client), grows=True), b"name"),
    (Column("user", "user", 10, lambda row: _text(row.client.user), rank=6), b"user"),
    (Column("age", "age", 4, lambda row: Span(units.age(row.client.age), "label"), align="right", rank=7), b"age"),
    (Column("idle", "idle", 4, lambda row: Span(units.age(row.client.idle), "label"), align="right", rank=1), b"idle"),
    (Column("db", "db", 3, lambda row: label(units.count(row.client.db)), align="right", rank=8), b"db"),
    (Column("flags", "flags", 5, lambda row: flags_cell(row.client), rank=9), b"flags"),
    (Column("command", "command", 11, lambda row: command_cell(row.client)), b"cmd"),
    (Column("library", "library", 16, lambda row: _text(row.client.library, "label"), rank=7), b"lib-name"),
    (
        Column("queued", "multi", 5, lambda row: _queued(row.client.multi), align="right", rank=10),
        b"multi",
    ),
    (
        Column(
            "commands",
            "cmd/s",
            6,
            lambda row: _amount(row.traffic.commands, units.short_count),
            align="right",
            rank=2,
        ),
        b"tot-cmds",
    ),
    (
        Column(
            "bytes in", "in/s", 6, lambda row: _amount(row.traffic.net_in, units.short_bytes), align="right", rank=3
        ),
        b"tot-net-in",
    ),
    (
        Column(
            "bytes out", "out/s", 6, lambda row: _amount(row.traffic.net_out, units.short_bytes), align="right", rank=3
        ),
        b"tot-net-out",
    ),
    (
        Column(
            "query buffer",
            "in buf",
            6,
            lambda row: _amount(row.client.qbuf, units.short_bytes),
            align="right",
            rank=10,
        ),
        b"qbuf",
    ),
    (Column("output buffer", "out buf", 8, lambda row: output_cell(row.client.omem), align="right"), b"omem"),
    (
        Column(
            "memory", "memory", 7, lambda row: _amount(row.client.tot_mem, units.short_bytes), align="right", rank=6
        ),
        b"tot-mem",
    ),
)
"""Each column with the field that it needs."""

_GROUP_COLUMNS: Sequence[Column[Group]] = (
    Column("clients", "clients", 8, lambda group: span(units.count(group.clients)), align="right"),
    Column(
        "commands", "cmd/s", 6, lambda group: _amount(group.traffic.commands, units.short_count), align="right", rank=1
    ),
    Column(
        "bytes in", "in/s", 6, lambda group: _amount(group.traffic.net_in, units.short_bytes), align="right", rank=3
    ),
    Column(
        "bytes out", "out/s", 6, lambda group: _amount(group.traffic.net_out, units.short_bytes), align="right", rank=3
    ),
    Column("output buffer", "out buf", 8, lambda group: output_cell(group.omem), align="right"),
    Column("memory", "memory", 7, lambda group: _amount(group.tot_mem, units.short_bytes), align="right", rank=4),
)
