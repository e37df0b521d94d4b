"""The live source: every node of a deployment side by side, seen one at a time or all together."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import AsyncGenerator, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from pydantic import SecretStr

from pymon_tui.model.action import Action, NotDone, Outcome
from pymon_tui.model.deployment import Address, Kind, Layout
from pymon_tui.model.feed import Feed
from pymon_tui.model.link import Live, Lost
from pymon_tui.model.query import Query, Ready, Unavailable
from pymon_tui.model.snapshot import Change, FleetView, Node, Snapshot
from pymon_tui.model.text import SafeText, safe
from pymon_tui.model.units import duration
from pymon_tui.readings.topology import TOPOLOGY
from pymon_tui.server import clock
from pymon_tui.server.endpoint import Endpoint
from pymon_tui.server.listener import Listener
from pymon_tui.state.monitor import Monitor
from pymon_tui.state.roster import Roster, Teller
from pymon_tui.state.whole import Whole

_CHANGES = 200


Follow: TypeAlias = Callable[[Endpoint, Sequence[Query[Any]], Feed], Monitor]
"""Makes the monitor of a node, which asks nothing before it is iterated."""


@dataclass(slots=True, eq=False)
class _Followed:
    """A node that is followed."""

    name: str
    monitor: Monitor
    task: asyncio.Task[None]
    snapshot: Snapshot | None = None

    @property
    def answers(self) -> bool:
        return self.snapshot is not None and isinstance(self.snapshot.link, Live)

    @property
    def away_since(self) -> float | None:
        link = self.snapshot.link if self.snapshot is not None else None
        return link.since if isinstance(link, Lost) else None


class Fleet:
    """A deployment, followed for as long as ``snapshots`` is iterated. It is a ``Source``.

    It begins with the one node that the user named, and follows whom that one and the others tell of.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        queries: Sequence[Query[Any]],
        follow: Follow,
        *,
        patterns: Sequence[bytes],
        read_only: bool,
        mapped: Mapping[Address, Address],
    ) -> None:
        """Follow what ``endpoint`` belongs to.

        Args:
            endpoint: The node that the user named.
            queries: What can be asked of each node.
            follow: Makes a node's monitor.
            patterns: The channels and patterns that the feed is to be filled from.
            read_only: Whether ``act`` refuses everything.
            mapped: Where nodes can be reached, by what they announce, for those that can't be reached there.
        """
        self._endpoint = endpoint
        self._queries = (*queries, *TOPOLOGY)
        self._make = follow
        self._mapped = mapped
        self._read_only = read_only
        self._feed = Feed()
        self._listener = Listener(endpoint, self._feed, patterns)
        self._listening: asyncio.Task[None] | None = None
        self._ear = endpoint.address
        self._roster = Roster(endpoint.address)
        self._whole = Whole(self._queries, safe(endpoint.label))
        self._followed: dict[str, _Followed] = {}
        self._wanted: frozenset[str] = frozenset()
        self._interval: float | None = None
        self._shown: tuple[str, ...] = ()  # the nodes of the newest snapshot
        self._chosen: str | None = endpoint.address
        self._picked = False  # by the user; until then a cluster is shown as a whole
        self._changes: deque[Change] = deque(maxlen=_CHANGES)
        self._news = asyncio.Event()
        self._new: set[str] = set()

    @property
    def feed(self) -> Feed:
        """The live stream of Pub/Sub messages."""
        return self._feed

    @property
    def patterns(self) -> tuple[bytes, ...]:
        """The channel patterns that the feed is subscribed to."""
        return self._listener.patterns

    @property
    def read_only(self) -> bool:
        """Whether ``act`` refuses everything."""
        return self._read_only

    def want(self, names: Collection[str]) -> None:
        """Say which readings are looked at; those of nodes that aren't shown are not asked for."""
        self._wanted = frozenset(names)
        for one in self._followed.values():
            self._tell(one)

    def set_interval(self, seconds: float) -> None:
        """Seconds between two ticks, from now on."""
        self._interval = seconds
        for one in self._followed.values():
            one.monitor.set_interval(seconds)

    def poke(self) -> None:
        """Tick now, or try to connect now; what was refused is asked again."""
        if self._listens_to_an_answer:  # else it is woken when it does: each try with a wrong password counts
            self._listener.retry()
        for one in self._followed.values():
            one.monitor.poke()

    def log_in(self, password: SecretStr) -> None:
        """Speak with this password from now on to all that don't answer, and try at once."""
        away = [one for one in self._followed.values() if not one.answers]
        for one in away:
            one.monitor.log_in(password)
        if self._endpoint.address in {one.name for one in away} or not away:
            self._endpoint = replace(self._endpoint, password=password)
        self._listener.log_in(password)
        if self._listens_to_an_answer:
            self._listener.wake()

    def note(self, text: SafeText, run: str) -> None:
        """Mark every node's history, and that of the whole, with what a run has just done."""
        self._whole.note(text, time.time(), run=run)
        for one in self._followed.values():
            one.monitor.note(text, run)

    def choose(self, node: int | None) -> None:
        """Show the node at this place of the newest snapshot's fleet, or with None all together."""
        if node is None:
            self._chosen = None if len(self._shown) > 1 else self._chosen
        elif node < len(self._shown):
            self._chosen = self._shown[node]
        self._picked = True
        for one in self._followed.values():
            self._tell(one)
        self._new.add(self._chosen or "")
        self._news.set()

    async def act(self, action: Action) -> Outcome:
        """Carry out a confirmed action on the node that is shown, or that it names."""
        name = self._chosen if action.node is None else self._named(action.node)
        if name is None or name not in self._followed:
            what = safe(f"{action.name} was not sent: it is for one node")
            return NotDone(what, safe("choose the node with n and N"), unknown=False)
        return await self._followed[name].monitor.act(action)

    async def watch(self, patterns: Collection[bytes]) -> None:
        """Subscribe the feed to these channel patterns and no others."""
        await self._listener.watch(patterns)

    async def snapshots(self) -> AsyncGenerator[Snapshot]:
        """One snapshot per tick of what is shown, and one whenever a link's state changes; for ever."""
        self._follow_members()
        self._listening = asyncio.create_task(self._listener.run())
        try:
            while True:
                await self._news.wait()
                self._news.clear()
                for task in self._tasks():
                    if task.done():
                        task.result()  # it never ends by itself: what ended it is not to be missed
                new, self._new = self._new, set()
                self._learn()
                self._hear()
                if (snapshot := self._snapshot(new)) is not None:
                    yield snapshot
        finally:
            tasks = self._tasks()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    @property
    def _listens_to_an_answer(self) -> bool:
        """Whether the node that is listened to answers the poller."""
        ear = self._followed.get(self._ear)
        return ear is not None and ear.answers

    def _tasks(self) -> list[asyncio.Task[None]]:
        tasks = [one.task for one in self._followed.values()]
        return tasks if self._listening is None else [*tasks, self._listening]

    def _hear(self) -> None:
        """Listen to another node where the one that was listened to is away: each gets what is published on any."""
        ear = self._followed.get(self._ear)
        if ear is not None and ear.away_since is None:
            return
        other = next((one for one in self._followed.values() if one.answers), None)
        if other is not None:
            if self._listening is not None:
                self._listening.cancel()
            self._feed.mark(safe(f"listening to {other.name} now; messages in between are lost"), time.time())
            self._ear = other.name
            self._listener = Listener(other.monitor.endpoint, self._feed, self._feed.patterns)
            self._listening = asyncio.create_task(self._listener.run())

    async def _take_snapshots(self, name: str, monitor: Monitor) -> None:
        async with contextlib.aclosing(monitor.snapshots()) as snapshots:
            async for snapshot in snapshots:
                one = self._followed[name]
                self._note_link(name, one.snapshot, snapshot)
                one.snapshot = snapshot
                self._new.add(name)
                self._news.set()

    def _note_link(self, name: str, before: Snapshot | None, now: Snapshot) -> None:
        """Tell of a node that is lost or came back, where there are others."""
        was, link = before.link if before is not None else None, now.link
        if isinstance(link, Lost) and isinstance(was, Live):
            self._change(safe(f"{name} is lost: {link.what}"), now.wall)
        elif isinstance(link, Live) and isinstance(was, Lost):
            if name == self._ear:
                self._listener.wake()
            self._change(safe(f"{name} is back after {duration(now.at - was.since)}"), now.wall)

    def _change(self, text: SafeText, wall: float) -> None:
        self._changes.appendleft(Change(wall, text))
        if len(self._followed) > 1:
            self._whole.note(text, wall)

    def _learn(self) -> None:
        tellers = [
            Teller(one.name, one.monitor.info, self._layout(one), one.away_since) for one in self._followed.values()
        ]
        for text in self._roster.update(tellers, clock.now()):
            self._change(text, time.time())
        if self._roster.kind is Kind.CLUSTER and not self._picked:
            self._chosen = None
        self._follow_members()

    def _layout(self, one: _Followed) -> Layout | None:
        """The cluster as a node knows it, by the best way that it answers."""
        if one.snapshot is None:
            return None
        for query in TOPOLOGY:
            reading = one.snapshot.reading(query)
            if isinstance(reading, Ready):
                return reading.value
        return None

    def _follow_members(self) -> None:
        members = self._roster.members
        for name in [name for name in self._followed if name not in members]:
            self._followed.pop(name).task.cancel()
        for name in members:
            if name not in self._followed:
                monitor = self._make(self._endpoint_of(name), self._queries, self._feed)
                task = asyncio.create_task(self._take_snapshots(name, monitor))
                self._followed[name] = one = _Followed(name, monitor, task)
                if self._interval is not None:
                    monitor.set_interval(self._interval)
                self._tell(one)
        if self._chosen is not None and self._chosen not in members:
            self._chosen = None if len(members) > 1 else next(iter(members))

    def _endpoint_of(self, name: str) -> Endpoint:
        address = self._roster.members[name].address
        if name == self._endpoint.address or address is None:
            return self._endpoint
        reached = self._mapped.get(address, address)
        return self._endpoint.at(reached.host, reached.port)

    def _tell(self, one: _Followed) -> None:
        """Let a node's monitor ask what is looked at, and always how the cluster is laid out."""
        refused = 0
        if one.snapshot is not None:
            refused = sum(isinstance(one.snapshot.reading(query), Unavailable) for query in TOPOLOGY)
        ways = {query.name for query in TOPOLOGY[: refused + 1]}
        one.monitor.want(ways | (self._wanted if self._chosen in (None, one.name) else frozenset()))

    def _snapshot(self, new: Collection[str]) -> Snapshot | None:
        """What is shown, if any of it is new; of all together, at the pace of the first that answers."""
        for name in new:
            if (one := self._followed.get(name)) is not None:
                self._tell(one)
        followed = [self._followed[name] for name in self._roster.members if name in self._followed]
        known = [(one, one.snapshot) for one in followed if one.snapshot is not None]
        if not known:
            return None
        chosen = next((place for place, (one, _) in enumerate(known) if one.name == self._chosen), None)
        self._shown = tuple(one.name for one, _ in known)
        view = self._view([(one.name, snapshot) for one, snapshot in known], chosen)
        if chosen is not None:
            one, snapshot = known[chosen]
            return self._complete(snapshot, view) if one.name in new or "" in new else None
        if self._chosen is not None:
            return None  # it was chosen a moment ago, and hasn't a snapshot yet
        pace_one, pace = next((each for each in known if isinstance(each[1].link, Live)), known[0])
        if pace_one.name not in new and "" not in new:
            return None
        return self._whole.snapshot(view, [one.monitor.info for one, _ in known], pace, self._feed)

    def _view(self, known: Sequence[tuple[str, Snapshot]], chosen: int | None) -> FleetView:
        members: Mapping[str, Any] = self._roster.members
        return FleetView(
            self._roster.kind,
            tuple(Node(members[name], snapshot) for name, snapshot in known),
            chosen,
            tuple(self._changes),
            self._roster.uncovered,
        )

    def _complete(self, snapshot: Snapshot, view: FleetView) -> Snapshot:
        listening = self._listener.client_id
        own = snapshot.own_ids if listening is None else snapshot.own_ids | {listening}
        return replace(snapshot, fleet=view, own_ids=own)

    def _named(self, node: SafeText) -> str | None:
        labels = {name: one.monitor.endpoint.label.replace(" ", "_") for name, one in self._followed.items()}
        return next((name for name, label in labels.items() if safe(label) == node.replace(" ", "_")), None)
