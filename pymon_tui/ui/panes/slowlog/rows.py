"""The rows of the slow log: which are shown, in what order, and what their columns say."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from pymon_tui.model import units
from pymon_tui.model.text import SafeText, safe
from pymon_tui.readings.shapes import Shape, shape_of
from pymon_tui.readings.slowlog import UNIX_SOCKET, SlowEntry
from pymon_tui.server.endpoint import CLIENT_NAME
from pymon_tui.ui.widgets.ink import Role, Span, label, span
from pymon_tui.ui.widgets.table import Column

# A command holds up every other client for as long as it runs. 10 ms is where Redis itself draws the line by default;
# for 100 ms people wait, and pools and time-outs of applications begin to give way.
LOOK = 10_000
ACT = 100_000
DAY = 86_400

_ENTRY_ORDERS: dict[str, Callable[[SlowEntry], Any]] = {
    "ago": lambda entry: tuple(-part for part in entry.age),
    "when": lambda entry: entry.age,
    "id": lambda entry: entry.age,
    "took": lambda entry: entry.duration,
    "command": lambda entry: entry.command.lower(),
    "client": lambda entry: entry.client_name or "",
    "address": lambda entry: entry.client_address or "",
    "node": lambda entry: entry.node or "",
}
_SHAPE_ORDERS: dict[str, Callable[[Shape], Any]] = {
    "shape": lambda shape: shape.shape,
    "count": lambda shape: shape.count,
    "total": lambda shape: shape.total,
    "worst": lambda shape: shape.worst.duration,
    "mean": lambda shape: shape.mean,
    "share": lambda shape: shape.share,
    "last": lambda shape: -shape.last,
    "clients": lambda shape: shape.clients,
}


def without_own(entries: Iterable[SlowEntry]) -> tuple[SlowEntry, ...]:
    """The entries that are not of our own connections, which bear our name."""
    return tuple(entry for entry in entries if entry.client_name != CLIENT_NAME)


def matching(entries: Sequence[SlowEntry], text: str, shape: SafeText | None) -> tuple[SlowEntry, ...]:
    """The entries of the shape, if one is chosen, that hold each word of the text in command, name or address."""
    words = text.lower().split()
    return tuple(
        entry
        for entry in entries
        if (shape is None or shape_of(entry.arguments) == shape) and (not words or _holds(entry, words))
    )


def _holds(entry: SlowEntry, words: Iterable[str]) -> bool:
    text = f"{entry.command} {entry.client_name or ''} {entry.client_address or ''}".lower()
    return all(word in text for word in words)


def ordered_entries(entries: Iterable[SlowEntry], by: str, *, descending: bool) -> tuple[SlowEntry, ...]:
    """The entries by a column; those that are equal in it stay newest first."""
    return tuple(sorted(entries, key=_ENTRY_ORDERS[by], reverse=descending))


def ordered_shapes(shapes: Iterable[Shape], by: str, *, descending: bool) -> tuple[Shape, ...]:
    """The shapes by a column; those that are equal in it stay by their total time."""
    return tuple(sorted(shapes, key=_SHAPE_ORDERS[by], reverse=descending))


def entry_columns(now: float, *, full: bool, nodes: bool) -> tuple[Column[SlowEntry], ...]:
    """When, how long, which command, and where there is room by whom. ``now`` is the server's, in Unix seconds.

    With ``nodes`` also on which node of the deployment.
    """

    def ago(entry: SlowEntry) -> Span:
        return label(units.age(units.elapsed(entry.timestamp, now)))

    def when(entry: SlowEntry) -> Span:
        return span(clock(entry.timestamp, now))

    glance: tuple[Column[SlowEntry], ...] = (
        Column("ago", "ago", 4, ago, align="right", smallest_first=True),
        Column("took", "took", 7, lambda entry: took(entry.duration), align="right"),
        Column("command", "command", 28 if full else 15, lambda entry: span(entry.command), grows=True),
    )
    node: Column[SlowEntry] = Column("node", "node", 16, lambda entry: label(entry.node or units.UNKNOWN), rank=1)
    if not full:
        return (*glance, node if nodes else Column("client", "client", 14, _client, rank=1))
    return (
        Column("when", "when", 8, when, rank=1),
        *glance,
        *((node,) if nodes else ()),
        Column("client", "client", 14, _client, rank=2),
        Column("address", "address", 21, lambda entry: label(address(entry)), rank=3),
        Column("id", "id", 7, lambda entry: label(str(entry.id)), align="right", rank=4),
    )


def shape_columns(now: float, *, wide: bool) -> tuple[Column[Shape], ...]:
    """How many, how long in all and at worst, and by whom. ``now`` is the server's, in Unix seconds.

    With ``wide`` also which command was the worst.
    """

    def last(shape: Shape) -> Span:
        return label(units.age(units.elapsed(shape.last, now)))

    columns: tuple[Column[Shape], ...] = (
        Column("shape", "shape", 44 if wide else 14, lambda shape: span(shape.shape), grows=not wide),
        Column("count", "count", 5, lambda shape: span(units.count(shape.count)), align="right", rank=2),
        Column("total", "total", 7, lambda shape: span(units.microseconds(shape.total)), align="right"),
        Column("worst", "worst", 7, lambda shape: took(shape.worst.duration), align="right", rank=3),
        Column("mean", "mean", 7, lambda shape: took(shape.mean), align="right", rank=5),
        Column("share", "share", 6, lambda shape: span(units.percent(shape.share)), align="right", rank=1),
        Column("last", "last", 4, last, align="right", rank=4, smallest_first=True),
        Column("clients", "clients", 22, _clients, rank=6),
    )
    if not wide:
        return columns
    worst: Column[Shape] = Column(
        "command", "the worst", 20, lambda shape: label(shape.worst.command), grows=True, sortable=False
    )
    return (*columns, worst)


def took(microseconds: float) -> Span:
    """A command's time, in amber where one should look at it and in red where one should act."""
    role: Role = "act" if microseconds >= ACT else "warn" if microseconds >= LOOK else "value"
    return span(units.microseconds(microseconds), role)


def clock(timestamp: int, now: float) -> SafeText:
    """The local time of day, or of what is older than a day, the date."""
    recent = now - timestamp < DAY
    return moment(timestamp, "%H:%M:%S" if recent else "%d %b")


def moment(timestamp: int, form: str) -> SafeText:
    """A Unix time in local time; as it is where it lies beyond what a calendar has."""
    try:
        return safe(time.strftime(form, time.localtime(timestamp)))
    except (OverflowError, OSError, ValueError):
        return safe(str(timestamp))


def address(entry: SlowEntry) -> SafeText:
    """Where the client is; a unix socket's path says no more than that it is one."""
    return UNIX_SOCKET if entry.client_host == UNIX_SOCKET else entry.client_address or units.UNKNOWN


def _client(entry: SlowEntry) -> Span:
    return span(entry.client_name) if entry.client_name else label(entry.client_host or units.UNKNOWN)


def _clients(shape: Shape) -> Span:
    if not shape.clients:
        return label(units.UNKNOWN)
    more = len(shape.clients) - 1
    return span(f"{shape.clients[0]} +{more}" if more else shape.clients[0])
