"""A deployment looked at once: every node of it, found from the one that is named, and all of them as one."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from pymon_tui.model.deployment import Address, Kind, Member, Role
from pymon_tui.model.feed import Feed
from pymon_tui.model.history import History
from pymon_tui.model.link import Link, Live, Lost
from pymon_tui.model.query import Query, Reading, Ready, Unavailable
from pymon_tui.model.snapshot import FleetView, Node, Snapshot
from pymon_tui.model.text import SafeText, safe
from pymon_tui.readings.info import Info
from pymon_tui.readings.latency import LATENCY
from pymon_tui.readings.metrics import METRICS, RTT
from pymon_tui.readings.replication import node_role
from pymon_tui.readings.topology import ROLE, TOPOLOGY
from pymon_tui.server import clock
from pymon_tui.server.connection import open_session
from pymon_tui.server.endpoint import Endpoint
from pymon_tui.server.opinions import namings
from pymon_tui.server.poller import Poller
from pymon_tui.server.reasons import LinkError, is_sentinel, sentinel_error
from pymon_tui.server.session import Session
from pymon_tui.server.share import Share
from pymon_tui.state.roster import Roster, Teller, Told, layout_of
from pymon_tui.state.sought import Sought
from pymon_tui.state.whole import Whole

_ROUNDS = 4
"""A replica tells of its primary, which tells of its other replicas, which may have some of their own."""


class NoSuchNode(Exception):  # noqa: N818 - what is known of the name
    """The deployment has no node of this name. Its text is one line."""


@dataclass(frozen=True, slots=True, eq=False)
class Glimpse:
    """One node.

    Attributes:
        member: What the deployment says of it.
        endpoint: Where it was asked.
        primary: Of a replica: where its primary is; None where that isn't known.
        seconds: How long the asking took.
        readings: By the query's name; empty where it couldn't be reached.
        lost: Why it couldn't be reached; None where it answered.
    """

    member: Member
    endpoint: Endpoint
    primary: SafeText | None
    seconds: float
    readings: Mapping[str, Reading[Any]]
    lost: LinkError | None


@dataclass(frozen=True, slots=True, eq=False)
class Glance:
    """A deployment at one moment.

    Attributes:
        kind: What holds its nodes together.
        nodes: The one that was named first, then the others: primaries in the order of their slots, each before its
            replicas.
        whole: The readings of all that answered as if they were one server; None of one node alone.
        uncovered: Ranges of slots that no node serves.
    """

    kind: Kind
    nodes: tuple[Glimpse, ...]
    whole: Mapping[str, Reading[Any]] | None
    uncovered: tuple[tuple[int, int], ...]


@dataclass(slots=True, eq=False)
class _AskedNode:
    """A node that is asked; either its session or why there is none is set once it was opened."""

    name: str
    endpoint: Endpoint
    share: Share
    poller: Poller
    session: Session | None = None
    lost: LinkError | None = None
    seconds: float = 0.0
    asked_at: float = field(default_factory=clock.now)

    async def open(self, names: Sequence[str]) -> None:
        """Connect, and ask for these readings and for what it is a part of."""
        self.share.connect()
        try:
            self.session, _ = await open_session(self.endpoint)
            self.asked_at, began = clock.now(), time.perf_counter()
            topology = [query.name for query in TOPOLOGY]
            await self._tick(self.session, (*names, *topology[:2]))
            # Once more at the same moment, for commands whose arguments the first answers told.
            await self._tick(self.session, (*names, *topology[:2]))
            if any(isinstance(self.poller.readings[name], Unavailable) for name in topology):
                await self._tick(self.session, topology)
            if self.poller.info is None:
                await self._tick(self.session, (ROLE.name,))
            self.seconds = time.perf_counter() - began
        except LinkError as error:
            self.lost = error

    async def ask_again(self) -> None:
        """What is known by two askings alone: INFO and the histograms."""
        if self.session is None or self.lost is not None:
            return
        self.poller.hasten()
        self.asked_at = clock.now()
        try:
            await self._tick(self.session, (LATENCY.name,))
        except LinkError as error:
            self.lost = error

    async def _tick(self, session: Session, names: Sequence[str]) -> None:
        await self.poller.tick(session, self.asked_at, 1.0, names, self.share.asking())

    @property
    def info(self) -> Info | None:
        """Its INFO, or the part of it that ROLE tells."""
        role = self.poller.readings[ROLE.name]
        return self.poller.info or (role.value if isinstance(role, Ready) else None)

    @property
    def teller(self) -> Teller:
        """What it tells of the deployment."""
        layout = layout_of(self.poller.readings, self.endpoint) if self.lost is None else None
        return Teller(self.name, self.info, layout, self.asked_at if self.lost is not None else None)

    def described(self, member: Member) -> Member:
        """What the deployment says of it, with the role that it has itself where nobody may say."""
        if member.role is not Role.UNKNOWN or self.info is None:
            return member
        return replace(member, role=node_role(self.info))

    @property
    def link(self) -> Link:
        """As a monitor would have it."""
        if self.lost is None:
            return Live(self.asked_at, self.poller.rtt)
        return Lost(self.lost.trouble, safe(self.lost.what), safe(self.lost.remedy), self.asked_at, self.asked_at, 1)


async def glance(endpoint: Endpoint, queries: Sequence[Query[Any]], *, span: float, only: str | None) -> Glance:
    """Find the nodes of a deployment from one of them and ask each, twice where a span is to be seen.

    Args:
        endpoint: The node to begin with.
        queries: What each is asked for.
        span: Seconds between two askings; with 0 there is one.
        only: Ask no more than this node, by the address that it is told at; None for all of them.

    Raises:
        LinkError: If the one to begin with can't be reached.
        NoSuchNode: If the deployment hasn't the only one that is wanted.
    """
    look = _Look(endpoint, queries, only)
    try:
        await look.find()
        look.add_up()
        if span:
            await asyncio.sleep(span)
            await asyncio.gather(*(one.ask_again() for one in look.shown))
        return look.told()
    finally:
        await asyncio.gather(*(one.session.close() for one in look.asked.values() if one.session is not None))


class _Look:
    """The nodes found so far."""

    def __init__(self, endpoint: Endpoint, queries: Sequence[Query[Any]], only: str | None) -> None:
        self._endpoint = endpoint
        self._queries = tuple(queries)
        self._only = Sought(only, endpoint) if only is not None else None
        self._roster = Roster(endpoint.address)
        self._whole = Whole(self._queries, safe(endpoint.label))
        self.asked: dict[str, _AskedNode] = {}

    async def find(self) -> None:
        """Ask the first node, those that it tells of, those that they tell of.

        Raises:
            LinkError: If the first can't be reached, or is a Sentinel.
            NoSuchNode: If there is none of the wanted name.
        """
        sentinels = None
        await self._open([self._endpoint.address])
        first = self.asked[self._endpoint.address]
        if first.lost is not None:
            raise first.lost
        if is_sentinel(first.info):
            raise sentinel_error(self._endpoint)
        if self._only is not None:
            await self._only.look_up((self._endpoint.address,))
            if self._only.is_among((self._endpoint.address,)):
                self._learn(None)
                return
        if (service := self._endpoint.watched) is not None:
            try:
                told, here = await namings(self._endpoint, service), self._endpoint.address
                opinion = next(
                    (one.told for one in told if self._endpoint.at(one.primary).address == here), told[0].told
                )
                sentinels = Told(opinion.primary, opinion.replicas)
            except LinkError:
                sentinels = None  # a moment ago one of them answered; what the nodes tell is enough
        for _ in range(_ROUNDS):
            self._learn(sentinels)
            await self._look_up()
            wanted = [name for name in self._roster.members if self._only is None or self._is(name)]
            if all(name in self.asked for name in wanted) and (wanted or self._only is None):
                break
            await self._open([name for name in wanted or self._roster.members if name not in self.asked])
        self._learn(sentinels)
        await self._look_up()
        if self._only is not None and not self.shown:
            there = safe(", ".join(self._roster.members), 2_000)
            raise NoSuchNode(f"{safe(self._endpoint.label)} has no node {safe(self._only.name)}; it has {there}")

    def add_up(self) -> Mapping[str, Reading[Any]] | None:
        """The readings of all nodes as one server's; None of one node alone. What grows is known from the second on."""
        shown = self.shown
        if self._only is not None or len(shown) < 2:
            return None
        members = self._roster.members
        nodes = tuple(Node(members[one.name], self._snapshot(one)) for one in shown)
        fleet = FleetView(self._roster.kind, nodes, None, (), self._roster.uncovered)
        pace = max((node.snapshot for node in nodes), key=lambda snapshot: snapshot.at)
        return self._whole.snapshot(fleet, [one.info for one in shown], pace, Feed()).readings

    def told(self) -> Glance:
        """What is known of them."""
        whole, roster = self.add_up(), self._roster
        addresses = {member.id: name for name, member in roster.members.items()}
        names = {query.name for query in self._queries}
        nodes = tuple(
            Glimpse(
                one.described(roster.members[one.name]),
                one.endpoint,
                safe(addresses[primary]) if (primary := roster.members[one.name].primary) in addresses else None,
                one.seconds,
                {} if one.lost else {name: value for name, value in one.poller.readings.items() if name in names},
                one.lost,
            )
            for one in self.shown
        )
        return Glance(roster.kind, nodes, whole, roster.uncovered)

    @property
    def shown(self) -> list[_AskedNode]:
        """Those that are told of, the one that was named first."""
        known = [self.asked[name] for name in self._roster.members if name in self.asked]
        if self._only is not None:
            return [one for one in known if self._is(one.name)]
        return sorted(known, key=lambda one: one.name != self._endpoint.address)

    def _is(self, name: str) -> bool:
        """Whether the node of this name is the one that is wanted."""
        return self._only is not None and self._only.is_among(self._names(name))

    def _names(self, name: str) -> set[str]:
        """What a node may be called: its address, where it is reached, the name and the address that it announces."""
        member = self._roster.members[name]
        names = {name, str(member.address), self._roster.endpoint_of(name, self._endpoint).far}
        if member.address is not None:
            names |= {str(Address(host, member.address.port)) for host in (member.hostname, member.ip) if host}
        return names

    async def _look_up(self) -> None:
        """What the names of the nodes stand for, where one is wanted that has none of them."""
        if self._only is not None:
            await self._only.look_up({each for name in self._roster.members for each in self._names(name)})

    def _learn(self, sentinels: Told | None) -> None:
        self._roster.update([one.teller for one in self.asked.values()], clock.now(), sentinels)

    async def _open(self, names: Sequence[str]) -> None:
        new = [self._asking(name) for name in names]
        self.asked |= {one.name: one for one in new}
        await asyncio.gather(*(one.open([query.name for query in self._queries]) for one in new))

    def _asking(self, name: str) -> _AskedNode:
        endpoint = self._roster.endpoint_of(name, self._endpoint)
        share = Share(endpoint)
        return _AskedNode(name, endpoint, share, Poller((*self._queries, *TOPOLOGY, ROLE), share))

    def _snapshot(self, one: _AskedNode) -> Snapshot:
        own_id = one.session.client_id if one.session is not None else None
        return Snapshot(
            node=safe(one.endpoint.label),
            environment=None,
            at=one.asked_at,
            wall=time.time(),
            interval=1.0,
            link=one.link,
            readings=one.poller.readings,
            cadence={},
            history=History((*METRICS, RTT)).view(),
            feed=Feed(),
            own_ids=frozenset() if own_id is None else frozenset((own_id,)),
        )
