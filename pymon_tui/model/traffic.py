"""What this process has caused on a server: its own share of the counters that the server keeps of all clients."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Self


@dataclass(slots=True)
class Traffic:
    """Counts since the server process started, or its counters were set back, or we first connected to it.

    Attributes:
        commands: Commands that were answered, those of connecting included (``total_commands_processed``).
        bytes_out: Bytes that we sent (``total_net_input_bytes``).
        bytes_in: Bytes of the answers, about (``total_net_output_bytes``).
        hits: Reads by us of a key that was there (``keyspace_hits``).
        misses: Reads by us of a key that wasn't (``keyspace_misses``).
        errors: Errors that were answered to us (``total_error_replies``).
        connections: Connections that we made (``total_connections_received``).
        calls: The commands by their names in ``INFO commandstats``.
        lines: Connections that are open now (of ``connected_clients``); no count, and 0 where nobody asked.
    """

    commands: int = 0
    bytes_out: int = 0
    bytes_in: int = 0
    hits: int = 0
    misses: int = 0
    errors: int = 0
    connections: int = 0
    calls: Counter[str] = field(default_factory=Counter)
    lines: int = 0

    def counts(self) -> Mapping[str, int]:
        """All but the calls, by INFO's names for what they are a share of."""
        return {info: getattr(self, own) for info, own in SHARES.items()}

    def add(self, other: Traffic) -> None:
        """Count what another one has counted as well."""
        for each in fields(self):
            if each.name == "calls":
                self.calls.update(other.calls)
            else:
                setattr(self, each.name, getattr(self, each.name) + getattr(other, each.name))

    def remove(self, other: Traffic) -> None:
        """Count no more what another one has counted, as far as it was counted here."""
        for each in SHARES.values():
            setattr(self, each, max(0, getattr(self, each) - getattr(other, each)))
        self.calls -= other.calls  # those above 0 are kept

    def within(self, whole: Mapping[str, int | None]) -> None:
        """Count no more than a whole, by INFO's names; None where that isn't told."""
        for info, own in SHARES.items():
            if (most := whole.get(info)) is not None:
                setattr(self, own, min(getattr(self, own), most))

    def copy(self) -> Self:
        """The same counts, which stay as they are."""
        new = type(self)()
        new.add(self)
        return new

    def take(self, other: Traffic) -> None:
        """Take as much from both as both have."""
        for each in SHARES.values():
            both = min(getattr(self, each), getattr(other, each))
            setattr(self, each, getattr(self, each) - both)
            setattr(other, each, getattr(other, each) - both)
        calls = self.calls & other.calls
        self.calls -= calls
        other.calls -= calls


SHARES = {
    "total_commands_processed": "commands",
    "total_net_input_bytes": "bytes_out",
    "total_net_output_bytes": "bytes_in",
    "keyspace_hits": "hits",
    "keyspace_misses": "misses",
    "total_error_replies": "errors",
    "total_connections_received": "connections",
}
"""INFO's counters of which a share is ours, and what counts that share."""
