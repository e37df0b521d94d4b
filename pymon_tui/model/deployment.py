"""One to many nodes that keep the data together: who they are, which roles and slots they have."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import Enum

from pymon_tui.model.text import SafeText

SLOTS = 16_384
"""Hash slots of a cluster."""


class Kind(Enum):
    """What holds the nodes together."""

    SINGLE = "single"
    REPLICATION = "replication"
    SENTINEL = "sentinel"
    CLUSTER = "cluster"


class Role(Enum):
    """What a node does; the servers' own protocol calls them master and slave."""

    PRIMARY = "primary"
    REPLICA = "replica"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, order=True)
class Address:
    """Where a node says that it listens; ``host`` is a name or an address without brackets."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Member:
    """A node as the deployment itself describes it.

    Attributes:
        address: Where it is to be reached, as the deployment says; None where nobody knows (``noaddr``). Of a node of
            a cluster it is the endpoint that MOVED names; an empty host is that of the node that tells.
        id: What nodes name each other by: the cluster's id of it, else what it is followed by; None where unknown.
        role: What it does.
        primary: Of a replica: the primary's ``id``; None where it isn't known.
        slots: The hash slots it serves, as first and last of each range, rising.
        failing: What the others say of it: ``fail?``, ``fail``, ``loading``; None where all is well.
        moving: Slots on their way out of it or in.
        epoch: Its configuration epoch in a cluster; 0 elsewhere. The greater one is right.
        tls_port: Where it speaks TLS, if it also tells a port without; None where it tells one port.
        ip: The IP address that it announces, whether or not it is to be reached there; None where that isn't told.
        hostname: The name that it announces (``cluster-announce-hostname``), which certificates and people go by; None
            where there is none.
    """

    address: Address | None
    id: str | None
    role: Role
    primary: str | None = None
    slots: tuple[tuple[int, int], ...] = ()
    failing: SafeText | None = None
    moving: int = 0
    epoch: int = 0
    tls_port: int | None = None
    ip: str | None = None
    hostname: str | None = None

    @property
    def slot_count(self) -> int:
        """How many slots it serves."""
        return sum(last - first + 1 for first, last in self.slots)


@dataclass(frozen=True, slots=True)
class Layout:
    """Who belongs to a deployment, as one of its nodes or a sentinel tells.

    Attributes:
        kind: What holds them together.
        members: Every node that is known, the primaries in the order of their slots, each before its replicas.
        own: The id of the node that tells; None where that isn't said.
    """

    kind: Kind
    members: tuple[Member, ...]
    own: str | None

    @property
    def primaries(self) -> tuple[Member, ...]:
        """Those that take writes: in a cluster those that serve slots."""
        primaries = (member for member in self.members if member.role is Role.PRIMARY)
        return tuple(member for member in primaries if self.kind is not Kind.CLUSTER or member.slots)

    def reached(self, *, tls: bool, host: str | None) -> Layout:
        """The same nodes, each at its port for TLS or without; where it has one port alone, at that.

        ``host`` is where the node was asked that tells: those are there that tell a port alone. With None, for it was
        asked at a socket, they are at their IP address.
        """
        return replace(self, members=tuple(_reached(member, tls, host) for member in self.members))

    @property
    def uncovered(self) -> tuple[tuple[int, int], ...]:
        """The ranges of slots that no node serves; empty where all is well, and outside a cluster."""
        if self.kind is not Kind.CLUSTER:
            return ()
        free, missing = 0, []
        served = (slots for member in self.members if member.failing != "fail" for slots in member.slots)
        for first, last in sorted(served):
            if first > free:
                missing.append((free, first - 1))
            free = max(free, last + 1)
        if free < SLOTS:
            missing.append((free, SLOTS - 1))
        return tuple(missing)


def _reached(member: Member, tls: bool, host: str | None) -> Member:  # noqa: FBT001 - one of two ports
    if member.address is None:
        return member
    name = member.address.host or host or member.ip
    port = member.tls_port if tls and member.tls_port is not None else member.address.port
    tls_port = None if tls else member.tls_port
    return replace(member, address=Address(name, port) if name else None, tls_port=tls_port)


def in_order(members: Iterable[Member]) -> tuple[Member, ...]:
    """Primaries by their first slot, then by address, each followed by its replicas; what has no primary comes last."""
    known = sorted(
        members, key=lambda member: (member.slots or ((SLOTS, SLOTS),), str(member.address), member.id or "")
    )
    primaries = [member for member in known if member.role is Role.PRIMARY]
    ordered = []
    for primary in primaries:
        names = {primary.id, str(primary.address)} - {None}
        ordered += [primary, *(member for member in known if member.role is Role.REPLICA and member.primary in names)]
    return (*ordered, *(member for member in known if member not in ordered))
