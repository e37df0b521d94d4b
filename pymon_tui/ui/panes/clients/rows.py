"""The clients in the order shown; those that are seen are parsed, the others are places in a list."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from pymon_tui.readings.clients import (
    COMMANDS,
    NET_IN,
    NET_OUT,
    Client,
    ClientTable,
    Group,
    Rates,
    Traffic,
)

K = TypeVar("K", int, float, bytes, str)

_NUMBERS = {
    "id": "id",
    "age": "age",
    "idle": "idle",
    "db": "db",
    "output buffer": "omem",
    "memory": "tot-mem",
    "query buffer": "qbuf",
    "queued": "multi",
}
_RATES = {"commands": COMMANDS, "bytes in": NET_IN, "bytes out": NET_OUT}
_TEXTS = {
    "address": "addr",
    "name": "name",
    "user": "user",
    "flags": "flags",
    "command": "cmd",
    "library": "lib-name",
}


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """A client and what it does per second."""

    client: Client
    traffic: Traffic


class ClientRows:
    """Some clients of a list, in an order: the ``Rows`` of a table."""

    def __init__(self, table: ClientTable, rates: Rates, places: Sequence[int]) -> None:
        self._table = table
        self._rates = rates
        self._places = places
        self._parsed: dict[int, Row] = {}

    def __len__(self) -> int:
        return len(self._places)

    def __getitem__(self, index: int) -> Row:
        place = self._places[index]
        if place not in self._parsed:
            self._parsed[place] = Row(self._table[place], self._rates.traffic(place))
        return self._parsed[place]

    def raw(self, index: int) -> bytes:
        """The row as the server sent it."""
        return self._table.row(self._places[index])

    def key(self, index: int) -> bytes:
        """What tells the connection from all others."""
        return self._table.key(self._places[index])

    def find(self, key: Hashable) -> int | None:
        """Where the connection with this key stands now; None where it is gone or filtered out."""
        place = self._table.find(key) if isinstance(key, bytes) else None
        try:
            return None if place is None else self._places.index(place)
        except ValueError:
            return None


def ordered(table: ClientTable, rates: Rates, places: Sequence[int], sort: str, *, descending: bool) -> Sequence[int]:
    """The places in the order of a column, by its name; what is not known comes last in either direction."""
    if sort in _NUMBERS:
        return _sorted(places, table.numbers(_NUMBERS[sort]), descending=descending)
    if sort in _RATES:
        return _sorted(places, rates.column(_RATES[sort]), descending=descending)
    texts = [text and text.lower() for text in table.texts(_TEXTS[sort])]
    return _sorted(places, texts, descending=descending)


def ordered_groups(groups: Sequence[Group], sort: str, *, descending: bool) -> Sequence[Group]:
    """The groups in the order of a column, by its name; equal ones by their size, what is not known last."""
    groups = sorted(groups, key=lambda group: group.clients, reverse=True)
    keys: dict[str, Sequence[float | str | None]] = {
        "group": [group.label and group.label.lower() for group in groups],
        "clients": [group.clients for group in groups],
        "commands": [group.traffic.commands for group in groups],
        "bytes in": [group.traffic.net_in for group in groups],
        "bytes out": [group.traffic.net_out for group in groups],
        "output buffer": [group.omem for group in groups],
        "memory": [group.tot_mem for group in groups],
    }
    places = _sorted(range(len(groups)), keys[sort], descending=descending)  # type: ignore[type-var]
    return [groups[place] for place in places]


def _sorted(places: Sequence[int], keys: Sequence[K | None], *, descending: bool) -> Sequence[int]:
    known = [place for place in places if keys[place] is not None]
    known.sort(key=keys.__getitem__, reverse=descending)  # type: ignore[arg-type]
    return known if len(known) == len(places) else known + [place for place in places if keys[place] is None]
