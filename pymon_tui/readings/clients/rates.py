"""What clients do per second: the growth of their counters between two CLIENT LISTs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pymon_tui.readings.clients.listing import ClientTable

COMMANDS, NET_IN, NET_OUT = "tot-cmds", "tot-net-in", "tot-net-out"


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
        self._pairs: Sequence[int | None] | None = None

    def traffic(self, index: int) -> Traffic:
        """What the client at this place of the new list does."""
        earlier = self._earlier(index)
        if self._old is None or earlier is None:
            return Traffic(None, None, None)
        return Traffic(
            *(
                self._growth(self._new.number(index, field), self._old.number(earlier, field))
                for field in (COMMANDS, NET_IN, NET_OUT)
            )
        )

    def column(self, field: str) -> Sequence[float | None]:
        """The growth per second of a counter, such as ``tot-cmds``, of all clients of the new list."""
        if self._old is None:
            return [None] * len(self._new)
        if field not in self._columns:
            before = self._old.numbers(field)
            self._columns[field] = [
                None if earlier is None else self._growth(now, before[earlier])
                for now, earlier in zip(self._new.numbers(field), self._paired(), strict=True)
            ]
        return self._columns[field]

    def _paired(self) -> Sequence[int | None]:
        if self._pairs is None:
            self._pairs = [self._earlier(index) for index in range(len(self._new))]
        return self._pairs

    def _earlier(self, index: int) -> int | None:
        """Where the client stood in the old list."""
        return self._old.find(self._new.key(index)) if self._old is not None else None

    def _growth(self, now: int | None, before: int | None) -> float | None:
        return None if now is None or before is None or now < before else (now - before) / self._seconds
