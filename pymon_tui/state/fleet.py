"""The live source: every node of a deployment side by side, seen one at a time or all together."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import AsyncGenerator, Callable, Collection, Sequence
from dataclasses import replace
from typing import Any, TypeAlias

from pydantic import SecretStr

from pymon_tui.model.action import Action, NotDone, Outcome
from pymon_tui.model.deployment import Kind
from pymon_tui.model.feed import Feed
from pymon_tui.model.link import Connecting, Link
from pymon_tui.model.query import Query
from pymon_tui.model.snapshot import Change, FleetView, Node, Snapshot
from pymon_tui.model.text import SafeText, safe
from pymon_tui.readings.shard_channels import SHARD_CHANNELS
from pymon_tui.readings.topology import ROLE, TOPOLOGY
from pymon_tui.server import clock
from pymon_tui.server.endpoint import Endpoint
from pymon_tui.state.addressee import addressee
from pymon_tui.state.ear import Ear
from pymon_tui.state.followed import Followed
from pymon_tui.state.monitor import Monitor
from pymon_tui.state.pace import Pace
from pymon_tui.state.roster import Roster, Told
from pymon_tui.state.sentinels import EVERY, Sentinels
from pymon_tui.state.standing import called
from pymon_tui.state.whole import Whole

_CHANGES = 200
_SENTINELS = "sentinels"  # no node is called that

Follow: TypeAlias = Callable[[Endpoint, Sequence[Query[Any]], Feed], Monitor]
"""Makes the monitor of a node, which asks nothing before it is iterated."""


class Fleet:
    """A deployment, followed for as long as ``snapshots`` is iterated. It is a ``Source``.

    It begins with the one node that the user named, or with the primary that Sentinels name, and follows whom that one
    and the others tell of.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        queries: Sequence[Query[Any]],
        follow: Follow,
        *,
        patterns: Sequence[bytes],
        read_only: bool,
    ) -> None:
        """Follow what ``endpoint`` belongs to.

        Args:
            endpoint: The node that the user named, or the service that Sentinels are to be asked for.
            queries: What can be asked of each node.
            follow: Makes a node's monitor.
            patterns: The channels and patterns that the feed is to be filled from.
            read_only: Whether ``act`` refuses everything.
        """
        self._endpoint = endpoint
        self._queries = (*queries, *TOPOLOGY, ROLE, SHARD_CHANNELS)
        self._make = follow
        self._read_only = read_only
        self._feed = Feed()
        self._ear = Ear(self._feed, patterns)
        service = endpoint.service
        seed = endpoint.address if service is None else None
        self._sentinels = Sentinels(endpoint, service, every=EVERY, news=self._heard) if service is not None else None
        self._watching: asyncio.Task[None] | None = None
        self._roster = Roster(seed)
        self._whole = Whole(self._queries, safe(endpoint.label))
        self._pace = Pace()
        self._followed: dict[str, Followed] = {}
        self._wanted: frozenset[str] = frozenset()
        self._interval: float | None = None
        self._shown: tuple[str, ...] = ()  # the nodes of the newest snapshot
        self._chosen = seed
        self._picked = False  # by the user; until then a cluster is shown as a whole, and under Sentinel the primary
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
        return self._ear.patterns

    @property
    def read_only(self) -> bool:
        """Whether ``act`` refuses everything, as far as is known."""
        return self._read_only or any(one.monitor.standing.read_only for one in self._followed.values())

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
            self._ear.retry()
        if self._sentinels is not None:
            self._sentinels.wake()
        for one in self._followed.values():
            one.monitor.poke()

    def log_in(self, password: SecretStr) -> None:
        """Speak with this password from now on to all that don't answer, and try at once."""
        if self._sentinels is not None and self._sentinels.lost is not None:
            self._sentinels.log_in(password)
            return
        away = [one for one in self._followed.values() if not one.answers]
        for one in away:
            one.monitor.log_in(password)
        if self._endpoint.address in {one.name for one in away} or not away or self._sentinels is not None:
            self._endpoint = replace(self._endpoint, password=password)
        self._ear.log_in(password)
        if self._listens_to_an_answer:
            self._ear.wake()

    def note(self, text: SafeText, run: str) -> None:
        """Mark every node's history, and that of the whole, with what a run has just done."""
        self._whole.note(text, time.time(), run=run)
        for one in self._followed.values():
            one.monitor.note(text, run)

    def reset_peaks(self) -> None:
        """Count the peaks of every node, and of the whole, anew from now on."""
        self._whole.reset_peaks()
        for one in self._followed.values():
            one.monitor.reset_peaks()

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
        to = addressee(action, self._chosen, self._followed, self._roster.members)
        return to if isinstance(to, NotDone) else await to.monitor.act(action)

    async def watch(self, patterns: Collection[bytes]) -> None:
        """Subscribe the feed to these channel patterns and no others."""
        await self._ear.watch(patterns)

    async def snapshots(self) -> AsyncGenerator[Snapshot]:
        """One snapshot per tick of what is shown, and one whenever a link's state changes; for ever."""
        try:
            self._follow_members()
            if self._sentinels is not None:
                self._watching = asyncio.create_task(self._sentinels.run())
                yield self._waiting(Connecting(clock.now()))
            else:
                seed = self._endpoint.address
                self._ear.listen(seed, self._endpoint, self._followed[seed].monitor.look_again)
            while True:
                await self._news.wait()
                self._news.clear()
                for task in filter(asyncio.Task.done, self._tasks()):
                    task.result()  # it never ends by itself: what ended it is not to be missed
                new, self._new = self._new, set()
                self._learn()
                self._hear()
                if (snapshot := self._snapshot(new)) is not None:
                    yield called(snapshot, (one.monitor.standing for one in self._followed.values()))
        finally:
            tasks = self._tasks()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    @property
    def _listens_to_an_answer(self) -> bool:
        """Whether the node that is listened to answers the poller."""
        return (ear := self._followed.get(self._ear.name or "")) is not None and ear.answers

    def _tasks(self) -> list[asyncio.Task[None]]:
        tasks = (*(one.task for one in self._followed.values()), *self._ear.tasks, self._watching)
        return [task for task in tasks if task is not None]

    def _heard(self) -> None:
        """A Sentinel has said something, or nothing."""
        self._new.add(_SENTINELS)
        self._news.set()

    def _hear(self) -> None:
        """Listen to another node where the one that was listened to is away: each gets what is published on any."""
        ear = self._followed.get(self._ear.name or "")
        other = next((one for one in self._followed.values() if one.answers), None)
        if other is not None and (ear is None or ear.away_since is not None):
            self._ear.listen(other.name, other.monitor.endpoint, other.monitor.look_again)
        if self._roster.kind is Kind.CLUSTER:
            nodes = [one.as_shard_node(self._roster.members[one.name].slots) for one in self._members()]
            self._ear.listen_in_cluster(nodes, clock.now(), self._interval or 1.0)

    async def _take_snapshots(self, one: Followed) -> None:
        async with contextlib.aclosing(one.monitor.snapshots()) as snapshots:
            async for snapshot in snapshots:
                was_away = one.away_since is not None
                if (news := one.take(snapshot)) is not None:
                    self._change(news, snapshot.wall)
                if was_away and one.answers and one.name == self._ear.name:
                    self._ear.wake()
                self._new.add(one.name)
                self._news.set()

    def _change(self, text: SafeText, wall: float) -> None:
        self._changes.appendleft(Change(wall, text))
        if len(self._followed) > 1:
            self._whole.note(text, wall)

    def _learn(self) -> None:
        for text in self._roster.update([one.teller for one in self._followed.values()], clock.now(), self._told()):
            self._change(text, time.time())
        if not self._picked and self._roster.kind is Kind.CLUSTER:
            self._chosen = None
        elif not self._picked and self._roster.primary is not None:
            self._chosen = self._roster.primary
        self._follow_members()

    def _told(self) -> Told | None:
        """What the Sentinels say; what happened to them goes to the timeline."""
        if self._sentinels is None:
            return None
        for text in self._sentinels.changes():
            self._change(text, time.time())
        best = self._sentinels.best
        return Told(best.primary, best.replicas) if best is not None else None

    def _follow_members(self) -> None:
        members = self._roster.members
        for name in [name for name in self._followed if name not in members]:
            self._followed.pop(name).leave()
        for name in members:
            if name not in self._followed:
                endpoint = self._roster.endpoint_of(name, self._endpoint)
                self._follow(Followed(name, self._make(endpoint, self._queries, self._feed)))
        if self._chosen is not None and self._chosen not in members:
            self._chosen = None if len(members) > 1 else next(iter(members), None)

    def _follow(self, one: Followed) -> None:
        """Take the snapshots of a node. Its task comes last: an eager one runs before ``create_task`` returns."""
        self._followed[one.name] = one
        if self._interval is not None:
            one.monitor.set_interval(self._interval)
        self._tell(one)
        one.task = asyncio.create_task(self._take_snapshots(one))
        one.task.add_done_callback(lambda _: self._news.set())  # it never ends but by a mistake of ours

    def _tell(self, one: Followed) -> None:
        """Let a node's monitor ask what is looked at."""
        one.want(self._wanted if self._chosen in (None, one.name) else ())

    def _snapshot(self, new: Collection[str]) -> Snapshot | None:
        """What is shown, if any of it is new; of all together, in step with one that answers in time."""
        for one in filter(None, map(self._followed.get, new)):
            self._tell(one)
        known = [(one, snapshot) for one in self._members() if (snapshot := one.shown(self._ear.client_ids(one.name)))]
        if not known:  # Sentinels have named nobody yet: why none of them does, where all have failed
            lost = self._sentinels.lost if self._sentinels is not None else None
            return self._waiting(lost) if lost is not None else None
        chosen = next((place for place, (one, _) in enumerate(known) if one.name == self._chosen), None)
        self._shown = tuple(one.name for one, _ in known)
        view = self._view([(one.name, snapshot) for one, snapshot in known], chosen)
        if chosen is not None:
            one, snapshot = known[chosen]
            return replace(snapshot, fleet=view) if one.name in new or "" in new else None
        if self._chosen is not None:
            return None  # it was chosen a moment ago, and hasn't a snapshot yet
        name, pace = self._pace.of([(one.name, snapshot) for one, snapshot in known])
        if name not in new and "" not in new:
            return None
        infos = [one.monitor.info for one, _ in known]
        return self._whole.snapshot(view, infos, pace, self._feed, met=len(known) == len(self._roster.members))

    def _view(self, known: Sequence[tuple[str, Snapshot]], chosen: int | None) -> FleetView:
        return FleetView(
            self._roster.kind,
            tuple(Node(self._roster.members[name], snapshot.at_moment(clock.now())) for name, snapshot in known),
            chosen,
            tuple(self._changes),
            self._roster.uncovered,
            self._sentinels.view(self._roster.primary or "") if self._sentinels is not None else None,
        )

    def _waiting(self, link: Link) -> Snapshot:
        return self._whole.waiting(self._endpoint, self._interval or 1.0, link, self._feed)

    def _members(self) -> list[Followed]:
        return [self._followed[name] for name in self._roster.members if name in self._followed]
