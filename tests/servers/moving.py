"""One slot of a cluster on its way from one primary to another, as ``redis-cli --cluster reshard`` does it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tests.servers.node import Node


@dataclass(frozen=True, slots=True)
class Move:
    """A move, step by step: between `begin` and `end` both nodes have the slot, and answer ASK and TRYAGAIN.

    Attributes:
        slot: What moves.
        source: The primary that has it.
        target: The primary that gets it.
        primaries: All primaries, which are told at the end.
    """

    slot: int
    source: Node
    target: Node
    primaries: Sequence[Node]

    def begin(self) -> None:
        """The target imports, the source migrates: keys that the source no longer has are answered with ASK."""
        self.target.ask("CLUSTER", "SETSLOT", self.slot, "IMPORTING", self.source.id)
        self.source.ask("CLUSTER", "SETSLOT", self.slot, "MIGRATING", self.target.id)

    def take(self, count: int) -> int:
        """Take up to so many keys over; returns how many there were."""
        keys = self.source.ask("CLUSTER", "GETKEYSINSLOT", self.slot, count)
        if keys:
            self.source.ask("MIGRATE", "127.0.0.1", self.target.port, "", 0, 5_000, "REPLACE", "KEYS", *keys)
        return len(keys)

    def end(self) -> None:
        """The target has it: the source answers MOVED."""
        self.target.ask("CLUSTER", "SETSLOT", self.slot, "NODE", self.target.id)
        for node in [self.source, *self.primaries]:
            node.ask("CLUSTER", "SETSLOT", self.slot, "NODE", self.target.id)

    def complete(self) -> None:
        """All of it."""
        self.begin()
        while self.take(100):
            pass
        self.end()
