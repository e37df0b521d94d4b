"""What clients do per second: the growth of their counters between two CLIENT LISTs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pymon_tui.readings.clients.listing import ClientTable

COMMANDS, NET_IN, NET_OUT = _COUNTERS = ("tot-cmds", "tot-net-in", "tot-net-out")


@dataclass(frozen=True, slots=True)
class Traffic:
    """What one client, or some together, do per second; None where it is not known.

    Attributes:
        commands: Commands per second.
        net_in: Bytes per second that the server reads from it.
        net_out: Bytes per second that the server sends to it.
    """

    commands: float | None
    net_in: float | None
    net_out: float | None


class Rates:
    """The growth per second from one list to a later one; nothing is known without an earlier one.

    A client is told by its id and addresses, for a server that was restarted counts its ids anew. One that came in
    between has no rate.
    """

    def __init__(self, new: ClientTable, old: ClientTable | None, seconds: float) -> None:
        self._new = new
        self._old = old if seconds > 0 else None
        self._seconds = seconds
        self._columns: dict[str, Sequence[float | None]] = {}
        self._places: Sequence[int | None] | None = None

    def traffic(self, index: int) -> Traffic:
        """What the client at this place of the new list does."""
        earlier = self._old.find(self._new.key(index)) if self._old is not None else None
        if self._old is None or earlier is None:
            return Traffic(None, None, None)
        pairs = [(self._new.number(index, field), self._old.number(earlier, field)) for field in _COUNTERS]
        return Traffic(
            *(
                (now - then) / self._seconds if now is not None and then is not None and now >= then else None
                for now, then in pairs
            )
        )

    def column(self, field: str) -> Sequence[float | None]:
        """The growth per second of a counter, such as ``tot-cmds``, of all clients of the new list."""
        if self._old is None:
            return [None] * len(self._new)
        if field not in self._columns:
            if self._places is None:
                self._places = self._new.places_in(self._old)
            before, seconds = self._old.numbers(field), self._seconds
            # Written out, for it runs over all clients: a call for each would cost more than all the rest.
            self._columns[field] = [
                (now - then) / seconds
                if place is not None and now is not None and (then := before[place]) is not None and now >= then
                else None
                for now, place in zip(self._new.numbers(field), self._places, strict=True)
            ]
        return self._columns[field]
