"""How each node of a deployment stands, and all of them together; pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from pymon_tui.model.deployment import Kind, Member, Role
from pymon_tui.model.link import Live
from pymon_tui.model.snapshot import FleetView, Node, Snapshot
from pymon_tui.model.text import SafeText
from pymon_tui.readings.hits import SHORT, Window, windows
from pymon_tui.readings.keyspace import KEYSPACE
from pymon_tui.readings.memory import MEMORY, Memory
from pymon_tui.readings.memory_use import Severity, Subject, concerns
from pymon_tui.readings.metrics import CLIENTS, COMMANDS
from pymon_tui.readings.replication import REPLICATION, Replication

SKEWED = 1.5
"""How many times the mean of the primaries one of them has before it is marked."""
_WORTH = {"ops": 100.0, "keys": 1_000.0, "memory": 64e6}
"""What a primary has at least before a skew of it means anything."""


@dataclass(frozen=True, slots=True)
class Standing:
    """One node; None where it isn't known. Of a node that doesn't answer what it told last is not what it does now.

    Attributes:
        place: Its place in the fleet.
        name: What the user calls it.
        ops: Commands per second.
        reads: Reads per second, hit and missed, lately.
        used_memory: Bytes.
        memory_share: Of its limit, from 0 to 1.
        alarm: How bad that is, by what the memory pane says of it; None while all is well.
        lag_bytes: Of a replica: what it lacks of its primary's stream; None also where it doesn't follow that yet.
        lag_seconds: Of a replica: since it heard its primary last, or since the link is down.
        link_down: Whether it is a replica that doesn't hear its primary.
        skewed: What it has far more of than the other primaries: ``ops``, ``keys``, ``memory``.
    """

    place: int
    name: SafeText
    member: Member
    snapshot: Snapshot
    ops: float | None
    reads: Window
    used_memory: int | None
    memory_share: float | None
    alarm: Severity | None
    keys: int | None
    clients: float | None
    lag_bytes: int | None
    lag_seconds: int | None
    link_down: bool
    skewed: frozenset[str]

    @property
    def live(self) -> bool:
        """Whether it answers."""
        return isinstance(self.snapshot.link, Live)

    @property
    def is_replica(self) -> bool:
        """Whether it follows another node."""
        return self.member.role is Role.REPLICA


@dataclass(frozen=True, slots=True)
class Together:
    """The deployment in one line: sums of the primaries, reads of all nodes.

    Attributes:
        unknown: Nodes of which it isn't known whether they are a primary or a replica.
    """

    primaries: int
    replicas: int
    unknown: int
    away: int
    ops: float | None
    hits: float | None
    misses: float | None
    used_memory: float | None
    keys: float | None
    clients: float | None
    lag_bytes: int | None
    slots: int | None


def standings(fleet: FleetView) -> tuple[Standing, ...]:
    """Each node of the fleet, in its order."""
    plain = [_standing(place, node, fleet) for place, node in enumerate(fleet.nodes)]
    primaries = [one for one in plain if one.live and not one.is_replica]
    ways: dict[str, Callable[[Standing], float | None]] = {
        "ops": lambda one: one.ops,
        "keys": lambda one: one.keys,
        "memory": lambda one: one.used_memory,
    }
    skewed = {name: _skewed(primaries, value, _WORTH[name]) for name, value in ways.items()}
    return tuple(
        replace(one, skewed=frozenset(name for name, places in skewed.items() if one.place in places)) for one in plain
    )


def together(fleet: FleetView, nodes: Sequence[Standing]) -> Together:
    """What the nodes that answer add up to."""
    live = [one for one in nodes if one.live]
    primaries = [one for one in live if not one.is_replica]
    lags = [one.lag_bytes for one in live if one.is_replica and one.lag_bytes is not None]
    missing = sum(last - first + 1 for first, last in fleet.uncovered)
    return Together(
        primaries=sum(one.member.role is Role.PRIMARY for one in nodes),
        replicas=sum(one.is_replica for one in nodes),
        unknown=sum(one.member.role is Role.UNKNOWN for one in nodes),
        away=len(nodes) - len(live),
        ops=_sum([one.ops for one in primaries]),
        hits=_sum([one.reads.hits for one in live]),
        misses=_sum([one.reads.misses for one in live]),
        used_memory=_sum([one.used_memory for one in primaries]),
        keys=_sum([one.keys for one in primaries]),
        clients=_sum([one.clients for one in live]),
        lag_bytes=max(lags, default=None),
        slots=missing if fleet.kind is Kind.CLUSTER else None,
    )


def _sum(told: Sequence[float | None]) -> float | None:
    """What all of them have; None where one of them doesn't tell, or there is none."""
    known = [value for value in told if value is not None]
    return math.fsum(known) if known and len(known) == len(told) else None


def _standing(place: int, node: Node, fleet: FleetView) -> Standing:
    snapshot, history = node.snapshot, node.snapshot.history
    memory, keyspace = snapshot.value(MEMORY), snapshot.value(KEYSPACE)
    replication = snapshot.value(REPLICATION)
    (reads,) = windows(history, (SHORT,))
    lag_bytes, lag_seconds = _lag(node, replication, fleet)
    standing = Standing(
        place=place,
        name=snapshot.node,
        member=node.member,
        snapshot=snapshot,
        ops=history.latest(COMMANDS.name),
        reads=reads,
        used_memory=memory.used_memory if memory is not None else None,
        memory_share=memory.share if memory is not None else None,
        alarm=_alarm(memory) if memory is not None else None,
        keys=keyspace.keys if keyspace is not None else None,
        clients=history.latest(CLIENTS.name),
        lag_bytes=lag_bytes,
        lag_seconds=lag_seconds,
        link_down=replication is not None and replication.link_down,
        skewed=frozenset(),
    )
    return standing if standing.live else _unknown(standing)


def _unknown(one: Standing) -> Standing:
    """A node that doesn't answer: what it told last may be long past."""
    return replace(
        one,
        ops=None,
        reads=replace(one.reads, hits=None, misses=None, expired=None, evicted=None),
        used_memory=None,
        memory_share=None,
        alarm=None,
        keys=None,
        clients=None,
        lag_bytes=None,
        lag_seconds=None,
        link_down=False,
    )


def _alarm(memory: Memory) -> Severity | None:
    """A cache that evicts is meant to be full; what a person should look at is what the memory pane says."""
    return next((concern.severity for concern in concerns(memory) if concern.subject is Subject.LIMIT), None)


def _answers(node: Node) -> bool:
    return isinstance(node.snapshot.link, Live)


def _lag(node: Node, replication: Replication | None, fleet: FleetView) -> tuple[int | None, int | None]:
    """How far a replica is behind: in bytes by its primary's word, else by both offsets; in seconds by its own."""
    if node.member.role is not Role.REPLICA or replication is None:
        return None, None
    seconds = replication.master_link_down_since_seconds
    seconds = replication.master_last_io_seconds_ago if seconds is None else seconds
    primary = next((other for other in fleet.nodes if other.member.id == node.member.primary), None)
    theirs = primary.snapshot.value(REPLICATION) if primary is not None and _answers(primary) else None
    if theirs is None:
        return None, seconds
    told = [one for one in theirs.replicas if one.address == str(node.member.address)]
    if told and told[0].online is False:  # its offset is where its copy begins, or is none yet
        return None, seconds
    if told and told[0].lag_bytes is not None:
        return told[0].lag_bytes, seconds
    return _apart(theirs, replication), seconds


def _apart(primary: Replication, replica: Replication) -> int | None:
    """How far apart their offsets are; None where they are places in different streams, or it isn't known of which."""
    head, own = primary.master_repl_offset, replica.slave_repl_offset
    if head is None or own is None or not primary.master_replid or primary.master_replid != replica.master_replid:
        return None
    return max(0, head - own)


def _skewed(nodes: Sequence[Standing], value: Callable[[Standing], float | None], worth: float) -> frozenset[int]:
    values = {one.place: found for one in nodes if (found := value(one)) is not None}
    if len(values) < 2:
        return frozenset()
    mean = math.fsum(values.values()) / len(values)
    return frozenset(place for place, found in values.items() if found >= worth and found > SKEWED * mean)
