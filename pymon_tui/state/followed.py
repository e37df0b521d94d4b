"""A node of a deployment that is followed, and what it told last."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from dataclasses import dataclass, replace

from pymon_tui.model.deployment import Layout
from pymon_tui.model.link import Live, Lost
from pymon_tui.model.query import PENDING, Reading, Unavailable
from pymon_tui.model.snapshot import Snapshot
from pymon_tui.model.text import SafeText, safe
from pymon_tui.model.units import duration
from pymon_tui.readings.clients import CLIENTS, ClientTable
from pymon_tui.readings.info import Info
from pymon_tui.readings.shard_channels import SHARD_CHANNELS
from pymon_tui.readings.topology import ROLE, TOPOLOGY
from pymon_tui.state.monitor import Monitor
from pymon_tui.state.roster import Teller, layout_of
from pymon_tui.state.shards import ShardNode


@dataclass(slots=True, eq=False)
class Followed:
    """A node of a deployment, by the name that the roster gave it; it is followed once ``task`` is set."""

    name: str
    monitor: Monitor
    task: asyncio.Task[None] | None = None
    snapshot: Snapshot | None = None
    _own_ids: frozenset[int] = frozenset()  # of our connections of now
    _listed: Reading[ClientTable] = PENDING  # the newest list of clients
    _listed_ids: frozenset[int] = frozenset()  # of our connections that may be in it

    def leave(self) -> None:
        """Follow it no more."""
        if self.task is not None:
            self.task.cancel()

    @property
    def answers(self) -> bool:
        """Whether its link is live."""
        return self.snapshot is not None and isinstance(self.snapshot.link, Live)

    @property
    def away_since(self) -> float | None:
        """Since when it can't be reached; None while it can."""
        link = self.snapshot.link if self.snapshot is not None else None
        return link.since if isinstance(link, Lost) else None

    @property
    def teller(self) -> Teller:
        """What it tells of the deployment."""
        return Teller(self.name, self._info(), self._layout(), self.away_since)

    def take(self, snapshot: Snapshot) -> SafeText | None:
        """Its newest snapshot; returns what is to be told of it: its link lost or back, its process another one."""
        before, link = self.snapshot, snapshot.link
        self.snapshot = snapshot
        if before is None:
            return None
        was = before.link
        if isinstance(link, Lost) and isinstance(was, Live):
            return safe(f"{self.name} is lost: {link.what}")
        back = f"is back after {duration(snapshot.at - was.since)}" if isinstance(was, Lost) else None
        happened = [event.text for event in snapshot.history.events(before.history.end) if event.run is None]
        news = [text for text in (back if isinstance(link, Live) else None, *happened) if text]
        return safe(f"{self.name} {', '.join(news)}") if news else None

    def shown(self, own_ids: frozenset[int]) -> Snapshot | None:
        """Its newest snapshot, which knows these connections for ours as well, and those that its list still has.

        A lost link keeps the last list, and a connection that is gone by now is in it.
        """
        if self.snapshot is None:
            return None
        before, self._own_ids = self._own_ids, self.snapshot.own_ids | own_ids
        if (listed := self.snapshot.reading(CLIENTS)) is not self._listed:
            # Asked for a moment ago: one that was closed since then is in it as well.
            self._listed, self._listed_ids = listed, before | self._own_ids
        known = self._own_ids | self._listed_ids
        return self.snapshot if known == self.snapshot.own_ids else replace(self.snapshot, own_ids=known)

    def as_shard_node(self, slots: tuple[tuple[int, int], ...]) -> ShardNode:
        """What it told of shard channels; ``slots`` are those that it serves."""
        channels = self.snapshot.reading(SHARD_CHANNELS) if self.snapshot is not None else PENDING
        link = self.snapshot.link if self.snapshot is not None else None
        away = link.what if isinstance(link, Lost) else None
        return ShardNode(self.name, self.monitor.endpoint, slots, channels, away, self.monitor.look_again)

    def want(self, names: Collection[str]) -> None:
        """Have it asked for these readings, and always for what it is a part of and for its shard channels."""
        asked = TOPOLOGY[:2]
        if self.snapshot is not None and any(isinstance(self.snapshot.reading(one), Unavailable) for one in asked):
            asked = TOPOLOGY
        topology = {query.name for query in asked}
        if self.answers and self.monitor.info is None:
            topology.add(ROLE.name)
        self.monitor.want({*topology, SHARD_CHANNELS.name, *names})

    def _info(self) -> Info | None:
        """Its INFO, or the part of it that ROLE tells."""
        return self.monitor.info or (self.snapshot.value(ROLE) if self.snapshot is not None else None)

    def _layout(self) -> Layout | None:
        """The cluster as it knows it, each node where it is to be reached."""
        return None if self.snapshot is None else layout_of(self.snapshot.readings, self.monitor.endpoint)
