"""Which nodes belong to a deployment, from what those say that are followed; and what changes among them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from typing import Any

from pymon_tui.model.deployment import Address, Kind, Layout, Member, Role, in_order
from pymon_tui.model.query import Reading, Ready
from pymon_tui.model.text import SafeText, safe
from pymon_tui.readings.info import Info
from pymon_tui.readings.replication import node_role
from pymon_tui.readings.sentinel import Seen
from pymon_tui.readings.topology import (
    CLUSTER_NODES,
    CLUSTER_SHARDS,
    CLUSTER_SLOTS,
    deployed,
    is_cluster,
    replication_layout,
)
from pymon_tui.server.endpoint import Endpoint

FORGOTTEN_AFTER = 600.0
"""Seconds after which a replica is no longer looked for that is away and that no primary knows of."""


@dataclass(frozen=True, slots=True, eq=False)
class Teller:
    """A node that is followed, and what it tells of the deployment.

    Attributes:
        name: What it is followed by: ``host:port``, or a socket's path.
        info: Its newest INFO; None where none is known.
        layout: The cluster's nodes as it knows them; None outside a cluster, or where it doesn't tell.
        away_since: Since when it can't be reached (monotonic seconds); None while it can.
    """

    name: str
    info: Info | None
    layout: Layout | None
    away_since: float | None


@dataclass(frozen=True, slots=True, eq=False)
class Told:
    """What Sentinels say of the deployment that they watch."""

    primary: Address
    replicas: tuple[Seen, ...]


class Roster:
    """The nodes of one deployment by name, which grows and shrinks with what they tell.

    Attributes:
        kind: What holds them together, as far as is known.
        members: Every node that is to be followed, by name, in the order to show them.
        primary: The name of the one that Sentinels say is the primary; None where none are asked, or none tells.
        uncovered: Ranges of slots that no node serves.
    """

    def __init__(self, seed: str | None) -> None:
        """Begin with the one node that the user named; with none where Sentinels are to be asked for it."""
        self.kind = Kind.SINGLE
        self.members: Mapping[str, Member] = {} if seed is None else {seed: _unknown(seed)}
        self.primary: str | None = None
        self.uncovered: tuple[tuple[int, int], ...] = ()
        self._seed = seed
        self._ids: dict[str, str] = {}  # names of a cluster's nodes by their ids
        self._aliases: dict[str, str] = {}  # other addresses of nodes, to the names they are followed by
        self._own_roles: dict[str, Role] = {}  # what each said of itself last
        self._promoted: set[str] = set()  # turned primary under our eyes, and Sentinels haven't heard of it yet
        self._known = False  # whether anybody has told which nodes there are: before that nothing is news

    def endpoint_of(self, name: str, first: Endpoint) -> Endpoint:
        """Where a node is reached, in the way in which the one that the user named is."""
        member = self.members[name]
        if name == first.address or member.address is None:
            return first
        return first.at(member.address, member.hostname)

    def update(self, tellers: Sequence[Teller], now: float, sentinels: Told | None = None) -> tuple[SafeText, ...]:
        """Learn what the nodes and the Sentinels tell at ``now`` (monotonic seconds).

        Returns:
            What has changed, a line each.
        """
        told = [teller for teller in tellers if teller.info is not None]
        if not told and sentinels is None:
            return ()
        before, known = self.members, self._known
        if any(teller.info is not None and is_cluster(teller.info) for teller in told):
            self._known = self._learn_cluster(tellers) or known
        else:
            self._learn_replication(tellers, now, sentinels)
            self._known = known or self._all_were_asked(tellers)
        return tuple(_changes(before, self.members)) if known else ()

    def _all_were_asked(self, tellers: Sequence[Teller]) -> bool:
        """Whether each node that is known of has told which others there are, or can't be reached."""
        asked = {self._followed(each.name) for each in tellers if each.info or each.away_since is not None}
        return asked.issuperset(self.members)

    def _learn_cluster(self, tellers: Sequence[Teller]) -> bool:
        """Returns whether any node tells which nodes there are."""
        self.kind = Kind.CLUSTER
        away = {teller.name for teller in tellers if teller.away_since is not None}
        for teller in tellers:
            if teller.layout is not None and teller.layout.own is not None and teller.name not in away:
                self._ids[teller.layout.own] = teller.name
        layouts = [teller.layout for teller in tellers if teller.layout is not None and teller.name not in away]
        if not layouts:
            return False
        # A node that was cut off from the others still believes what was, at an older epoch.
        layout = max(layouts, key=lambda each: max((member.epoch for member in each.members), default=0))
        members: dict[str, Member] = {}
        for member in layout.members:
            name = self._name_of(member, away)
            if name is not None and member.role is not Role.UNKNOWN:
                members[name] = member
        self.members, self.uncovered = members, layout.uncovered
        return True

    def _name_of(self, member: Member, away: set[str]) -> str | None:
        known = self._ids.get(member.id or "")
        announced = str(member.address) if member.address is not None else None
        # A node that is away may have come back at another address.
        if known is not None and (announced is None or known not in away):
            return known
        return announced

    def _learn_replication(self, tellers: Sequence[Teller], now: float, sentinels: Told | None) -> None:
        self._learn_aliases(tellers)
        seen = self._seen(sentinels) if sentinels is not None else {}
        infos = {teller.name: teller.info for teller in tellers if teller.info is not None}
        listed: dict[str, Member] = dict(seen)
        primary_of: dict[str, str] = {}  # a replica's name to its primary's, from the nodes that answer
        for teller in tellers:
            if teller.info is not None and teller.away_since is None and teller.name not in self._aliases:
                for member in replication_layout(teller.info).members:
                    name = self._followed(str(member.address))
                    primary = teller.name if member.role is Role.REPLICA else None
                    listed.setdefault(name, replace(member, id=name, primary=primary))
                    if primary is not None:
                        primary_of.setdefault(name, primary)
        members = dict(listed)
        for teller in tellers:
            if teller.name not in self._aliases and not self._forgotten(teller, listed, now):
                info = infos.get(teller.name)
                told = self._told(teller.name, info) if info else listed.get(teller.name, _unknown(teller.name))
                if teller.away_since is not None and teller.name in primary_of:
                    # Its last INFO may predate its demotion.
                    told = replace(told, role=Role.REPLICA, primary=primary_of[teller.name])
                members[teller.name] = told
        self.kind = Kind.REPLICATION if len(members) > 1 else Kind.SINGLE
        if sentinels is not None:
            self.kind, self.primary = Kind.SENTINEL, self._followed(str(sentinels.primary))
            away = {teller.name for teller in tellers if teller.away_since is not None}
            self._learn_promotions({name: member.role for name, member in members.items() if name in infos}, away)
            members = _as_seen(members, seen, self.primary, away, self._promoted)
        ordered = in_order(members.values())
        self.members = {member.id: member for member in ordered if member.id is not None}

    def _learn_promotions(self, roles: Mapping[str, Role], away: AbstractSet[str]) -> None:
        """Who turned from a replica to a primary, by the roles that the nodes say they have, and isn't named yet."""
        said = {name: role for name, role in roles.items() if name not in away}
        turned = {name for name in said if self._own_roles.get(name) is Role.REPLICA}
        primaries = {name for name, role in said.items() if role is Role.PRIMARY}
        self._promoted = (self._promoted | turned) & primaries - {self.primary or ""}
        self._own_roles |= said

    def _seen(self, sentinels: Told) -> Mapping[str, Member]:
        """The primary and its replicas, by the names that they are followed by."""
        primary = self._followed(str(sentinels.primary))
        found = {primary: Member(sentinels.primary, primary, Role.PRIMARY)}
        for one in sentinels.replicas:
            name = self._followed(str(one.address))
            failing = safe("down, says Sentinel") if one.is_down else None
            found.setdefault(name, Member(one.address, name, Role.REPLICA, primary, failing=failing))
        return found

    def _learn_aliases(self, tellers: Sequence[Teller]) -> None:
        """The same process at two addresses is one node, which goes by the address it was first followed at."""
        runs: dict[str, str] = {}
        for teller in tellers:
            run_id = teller.info.text("run_id") if teller.info is not None and teller.away_since is None else None
            if run_id is not None and runs.setdefault(run_id, teller.name) != teller.name:
                self._aliases[teller.name] = runs[run_id]
        names = {teller.name for teller in tellers}
        self._aliases = {other: name for other, name in self._aliases.items() if name in names}

    def _followed(self, address: str) -> str:
        return self._aliases.get(address, address)

    def _forgotten(self, teller: Teller, listed: Mapping[str, Member], now: float) -> bool:
        away = teller.away_since is not None and now - teller.away_since > FORGOTTEN_AFTER
        return away and teller.name != self._seed and teller.name not in listed

    def _told(self, name: str, info: Info) -> Member:
        """A node as its own INFO describes it."""
        host, port = info.text("master_host"), info.integer("master_port")
        primary = self._followed(str(Address(host, port))) if host is not None and port is not None else None
        role = node_role(info)
        return replace(_unknown(name), role=role, primary=primary if role is Role.REPLICA else None)


def layout_of(readings: Mapping[str, Reading[Any]], endpoint: Endpoint) -> Layout | None:
    """The cluster as the node at ``endpoint`` knows it, each node where it is to be reached; None where it tells none.

    Args:
        readings: The node's, by the query's name; those of ``TOPOLOGY`` are read.
    """
    read = [readings.get(query.name) for query in (CLUSTER_NODES, CLUSTER_SHARDS, CLUSTER_SLOTS)]
    layout = deployed(*(reading.value if isinstance(reading, Ready) else None for reading in read))
    return layout and layout.reached(tls=endpoint.tls is not None, host=endpoint.asked_host)


def _unknown(name: str) -> Member:
    host, _, port = name.rpartition(":")
    address = Address(host.strip("[]"), int(port)) if host and port.isdecimal() else None
    return Member(address, name, Role.UNKNOWN)


def _as_seen(
    members: Mapping[str, Member],
    seen: Mapping[str, Member],
    primary: str,
    away: AbstractSet[str],
    promoted: AbstractSet[str],
) -> dict[str, Member]:
    """The nodes with what Sentinels hold against them; of those that are away the Sentinels know more than we.

    Of those that were promoted just now they know less.
    """
    found = {name: seen.get(name, member) if name in away else member for name, member in members.items()}
    if primary in found and primary not in away and found[primary].role is Role.PRIMARY:
        for name, member in found.items():
            if member.role is Role.PRIMARY and name not in away | promoted | {primary}:
                # It answers, takes writes, and loses them as soon as Sentinel makes it a replica.
                found[name] = replace(member, failing=safe("not the primary any more"))
    for name, member in found.items():
        if name in seen and seen[name].failing and not member.failing:
            found[name] = replace(member, failing=seen[name].failing)
    return found


def _changes(before: Mapping[str, Member], after: Mapping[str, Member]) -> Iterable[SafeText]:
    for name, member in after.items():
        former = before.get(name)
        if former is None:
            yield safe(f"{name} joined as {member.role.value}")
        elif former.role is not member.role and former.role is not Role.UNKNOWN:
            yield safe(f"{name} became {member.role.value}")
        if former is not None and former.failing != member.failing:
            yield safe(f"{name} is marked {member.failing}" if member.failing else f"{name} is no longer marked")
        if former is not None and former.slot_count != member.slot_count:
            yield safe(f"{name} has {member.slot_count} slots now, and had {former.slot_count}")
    for name in before:
        if name not in after:
            yield safe(f"{name} left")
