"""Clients added up by who they are: by name, user, address or library."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TypeVar

from pymon_tui.model.text import SafeText, safe
from pymon_tui.readings.clients.client import host_of
from pymon_tui.readings.clients.listing import ClientTable
from pymon_tui.readings.clients.rates import COMMANDS, NET_IN, NET_OUT, Rates, Traffic

N = TypeVar("N", int, float)


class Grouping(Enum):
    """What clients are added up by; the value is the field of CLIENT LIST."""

    NAME = "name"
    USER = "user"
    ADDRESS = "addr"
    LIBRARY = "lib-name"


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    """Clients that have something in common.

    Attributes:
        label: What they have in common; None for those that don't have it.
        members: Where they stand in the list.
        omem: Bytes of their output lists.
        tot_mem: Bytes of all their buffers; None where the server doesn't tell.
    """

    label: SafeText | None
    members: Sequence[int]
    traffic: Traffic
    omem: int | None
    tot_mem: int | None

    @property
    def clients(self) -> int:
        """How many they are."""
        return len(self.members)


def group(table: ClientTable, rates: Rates, by: Grouping, among: Collection[int]) -> tuple[Group, ...]:
    """The groups of the clients at these places, in the order in which they first appear."""
    values = labels(table, by)
    members: dict[SafeText | None, list[int]] = defaultdict(list)
    for index in among:
        members[values[index]].append(index)
    omem, tot_mem = table.numbers("omem"), table.numbers("tot-mem")
    columns = [rates.column(field) for field in (COMMANDS, NET_IN, NET_OUT)]
    return tuple(
        Group(
            label,
            places,
            Traffic(*(_sum(map(column.__getitem__, places)) for column in columns)),
            _sum(map(omem.__getitem__, places)),
            _sum(map(tot_mem.__getitem__, places)),
        )
        for label, places in members.items()
    )


def labels(table: ClientTable, by: Grouping) -> Sequence[SafeText | None]:
    """What each client of the list belongs to; an address is without its port."""
    values = table.texts(by.value)
    if by is Grouping.ADDRESS:
        # Ports are many and hosts are few: what is left of an address is made fit for display once for each host.
        values = [value and (value[: value.rfind(b":") + 1] or value) for value in values]
    shown = {value: _label(value, by) for value in set(values)}
    return [shown[value] for value in values]


def _label(value: bytes | None, by: Grouping) -> SafeText | None:
    if value is None:
        return None
    return host_of(safe(value)) if by is Grouping.ADDRESS else safe(value)


def _sum(values: Iterable[N | None]) -> N | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None
