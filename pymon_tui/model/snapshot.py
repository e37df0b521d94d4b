"""Everything known of one node at one moment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from pymon_tui.model.deployment import Kind, Member, Role
from pymon_tui.model.feed import Feed
from pymon_tui.model.history import HistoryView
from pymon_tui.model.link import Link, Lost
from pymon_tui.model.query import PENDING, Pending, Query, Reading, Ready
from pymon_tui.model.text import SafeText

T = TypeVar("T")


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """One node at one moment; a later moment is another snapshot.

    Attributes:
        node: The server's label for people: a profile's name or the address.
        environment: What the profile says of it, such as ``production``, or None.
        at: When it was taken, in monotonic seconds.
        wall: The same moment in Unix seconds, by our own clock.
        interval: Seconds between two ticks.
        link: The state of the connection. Readings of a lost link are the last ones known.
        readings: By the query's name.
        cadence: Seconds between two askings, by the query's name, for those that are asked less often than each
            tick because they cost the server much.
        history: What the metrics were until this moment.
        feed: The live stream of Pub/Sub messages; the one part that goes on changing.
        own_ids: The ids of our own connections, which the client list leaves out.
        fleet: The deployment that the node belongs to, and every node of it; None before that is known.
        verified: False where any certificate is accepted (``--insecure``): then nobody knows who answers.
    """

    node: SafeText
    environment: SafeText | None
    at: float
    wall: float
    interval: float
    link: Link
    readings: Mapping[str, Reading[Any]]
    cadence: Mapping[str, float]
    history: HistoryView
    feed: Feed
    own_ids: frozenset[int]
    fleet: FleetView | None = None
    verified: bool = True

    def reading(self, query: Query[T]) -> Reading[T]:
        """What is known of this query: a value, or a gap that says why."""
        return self.readings.get(query.name, PENDING)

    def value(self, query: Query[T]) -> T | None:
        """What was answered to this query last; None where there is a gap."""
        reading = self.reading(query)
        return reading.value if isinstance(reading, Ready) else None

    @property
    def readings_known(self) -> bool:
        """Whether anything has been answered yet."""
        return any(not isinstance(reading, Pending) for reading in self.readings.values())

    def at_moment(self, now: float) -> Snapshot:
        """The same at a later moment, if the link is lost: all that is known of the server has aged alike.

        ``now`` is monotonic seconds. What answers is as old as its last answer, and stays as it is.
        """
        if not isinstance(self.link, Lost) or now <= self.at:
            return self
        nodes = [Node(node.member, node.snapshot.at_moment(now)) for node in self.fleet.nodes] if self.fleet else []
        fleet = replace(self.fleet, nodes=tuple(nodes)) if self.fleet else None
        return replace(self, at=now, wall=self.wall + now - self.at, fleet=fleet)


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """One node of a deployment: what the deployment says of it, and what it says itself."""

    member: Member
    snapshot: Snapshot


@dataclass(frozen=True, slots=True)
class Change:
    """Something that happened to a deployment: when (Unix seconds), and what, such as a failover."""

    wall: float
    text: SafeText


@dataclass(frozen=True, slots=True)
class SentinelView:
    """The Sentinels of a deployment at one moment.

    Attributes:
        service: The name that they watch the primary under.
        primary: The ``id`` of the node that they say is the primary.
        answering: How many of them answer us.
        known: How many there are.
        quorum: How many must agree that the primary is down; None where none tells.
        problem: Why a failover could not be agreed on now; None where it could, or nobody says.
        away: Why those that don't answer don't.
    """

    service: SafeText
    primary: str
    answering: int
    known: int
    quorum: int | None
    problem: SafeText | None
    away: tuple[SafeText, ...]


@dataclass(frozen=True, slots=True, eq=False)
class FleetView:
    """A deployment at one moment.

    Attributes:
        kind: What holds the nodes together.
        nodes: All of them: primaries in the order of their slots, each before its replicas.
        chosen: Which of the nodes the snapshot is of; None where it is of all together.
        changes: What happened since we began to watch, the newest first.
        uncovered: Ranges of slots that no node serves.
        sentinels: Those that watch over it; None where none were named.
    """

    kind: Kind
    nodes: tuple[Node, ...]
    chosen: int | None
    changes: tuple[Change, ...]
    uncovered: tuple[tuple[int, int], ...]
    sentinels: SentinelView | None = None

    @property
    def primary(self) -> int | None:
        """The place of the one node that takes writes; None in a cluster, which has several, and where it isn't known.

        Of two that both say so, an old primary that has just come back and the new one, it is the one that Sentinels
        name, or that a replica follows.
        """
        ids = [node.member.id for node in self.nodes]
        if self.sentinels is not None:
            return ids.index(self.sentinels.primary) if self.sentinels.primary in ids else None
        if self.kind in (Kind.SINGLE, Kind.CLUSTER):
            return 0 if self.kind is Kind.SINGLE and ids else None
        claiming = [place for place, node in enumerate(self.nodes) if node.member.role is Role.PRIMARY]
        if len(claiming) > 1:
            followed = {node.member.primary for node in self.nodes}
            claiming = [place for place in claiming if ids[place] in followed]
        return claiming[0] if len(claiming) == 1 else None
