"""The soak of a cluster: three primaries with a replica each, of which any may be killed, stopped or replaced."""

from __future__ import annotations

import asyncio
import random
import tempfile
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from textual.pilot import Pilot

from pymon_tui.model.deployment import Role
from pymon_tui.model.link import Live
from pymon_tui.model.snapshot import Snapshot
from pymon_tui.server.endpoint import Endpoint
from tests.servers.cluster import Cluster, slot_of, started
from tests.servers.node import Node
from tests.soak.account import Account
from tests.soak.load import CHANNEL, load_cluster, loaded
from tests.soak.screens import asleep, endpoint_at, screens
from tests.soak.soaking import KEYS, REMOVED, Fault, Soak

CONFIG = {"cluster-node-timeout": "2000"}
"""Longer than a busy machine silences a node, and shorter than most faults last: some primaries fail over."""
WALK = ("f", "n", "n", "N", "0")
"""Keys that go from node to node."""
MOVED = 20
"""Slots of a resharding."""
TAGS = 100
"""Hash tags of the keys that are removed."""
TAGGED = frozenset(slot_of(str(number)) for number in range(TAGS))
PAUSE = 1.0
"""Seconds of a CLIENT PAUSE, during which the node would not hear an UNPAUSE."""


class ClusterSoak(Soak):
    """A cluster, and the app on all of it."""

    keys = (*KEYS, *WALK, *WALK)
    keys_away = ("tab", *WALK)
    keeping = frozenset(("CLUSTER FAILOVER", "resharding", "join and leave", "CLIENT PAUSE", "CLIENT KILL"))
    removing_in = keeping | {"kill -9 of a primary", "kill -9 of a replica", "SIGSTOP"}

    def __init__(
        self, cluster: Cluster, account: Account, pilot: Pilot[int], dice: random.Random, folder: Path
    ) -> None:
        super().__init__(account, pilot, dice, folder)
        self._cluster = cluster
        self._primaries = cluster.primaries()
        self._paused_until = 0.0
        self._faults: dict[str, Fault] = {
            "kill -9 of a primary": self._primary_killed,
            "kill -9 of a replica": self._replica_killed,
            "CLUSTER FAILOVER": self._failed_over,
            "resharding": self._resharded,
            "join and leave": self._joined,
            "SIGSTOP": self._stopped,
            "CLIENT PAUSE": self._paused,
            "CLIENT KILL": self._our_connections_killed,
            "machine asleep": asleep,
        }

    @property
    def faults(self) -> Mapping[str, Fault]:
        """What happens to a cluster or to one of its nodes."""
        return self._faults

    def endpoint(self) -> Endpoint:
        """Any node that runs."""
        return endpoint_at(self._dice.choice([node for node in self._cluster.nodes if node.running]).port)

    def is_back(self, newest: Snapshot) -> bool:
        """Whether every node that runs is live, nobody else is shown, and the feed is live."""
        if newest.fleet is None or not isinstance(newest.feed.status, Live):
            return False
        live = {str(node.member.address): isinstance(node.snapshot.link, Live) for node in newest.fleet.nodes}
        return live.keys() == {node.address for node in self._cluster.nodes if node.running} and all(live.values())

    def is_true(self, newest: Snapshot) -> bool:
        """Whether the screen names the primaries, and who serves how many slots, as the cluster does."""
        if not self.is_back(newest) or newest.fleet is None or newest.fleet.uncovered:
            return False
        shown = {
            str(node.member.address): node.member.slot_count
            for node in newest.fleet.nodes
            if node.member.role is Role.PRIMARY and node.member.slot_count
        }
        return shown == {node.address: len(slots) for node, slots in self._cluster.slots().items()}

    async def settled(self) -> None:
        """Wait until all nodes agree, and replicas are in sync."""
        await asyncio.sleep(self._paused_until - time.monotonic())
        await self._cluster.settled()

    def keeps(self, name: str) -> bool:
        """Whether this fault keeps keys, and no primary has failed over by itself, as on a machine that is too busy."""
        return super().keeps(name) and set(self._cluster.primaries()) == set(self._primaries)

    async def fill(self, prefix: str) -> None:
        """Set the keys on all primaries, and let their replicas have them."""
        self._primaries = self._cluster.primaries()
        await asyncio.to_thread(self._cluster.fill, names(prefix))
        for node in self._primaries:
            await asyncio.to_thread(node.replicated, 1)

    async def left(self, prefix: str) -> int:
        """Ask every node that serves slots."""
        return sum([len(await asyncio.to_thread(node.ask, "KEYS", f"{prefix}*")) for node in self._cluster.primaries()])

    def release(self) -> None:
        """Close the clients by which nodes are asked."""
        self._cluster.hang_up()

    def _primary(self) -> Node:
        return self._dice.choice(self._cluster.primaries())

    def _replica(self) -> Node:
        return self._dice.choice(self._cluster.replicas(self._primary()))

    @asynccontextmanager
    async def _primary_killed(self) -> AsyncIterator[None]:
        """It comes back as the replica of its heir, or, before there is one, empty."""
        node = self._primary()
        node.kill()
        yield
        node.start()

    @asynccontextmanager
    async def _replica_killed(self) -> AsyncIterator[None]:
        node = self._replica()
        node.kill()
        yield
        node.start()

    @asynccontextmanager
    async def _failed_over(self) -> AsyncIterator[None]:
        heir = self._replica()
        (before,) = (node for node in self._cluster.primaries() if heir in self._cluster.replicas(node))
        await self._cluster.failover(heir)
        self._primaries = [heir if node is before else node for node in self._primaries]
        yield

    @asynccontextmanager
    async def _resharded(self) -> AsyncIterator[None]:
        """Some slots with keys move, and one stays between two nodes for as long as the block lasts."""
        served = self._cluster.slots()
        source, target = self._dice.sample(list(served), 2)
        ours = sorted({*TAGGED, slot_of(CHANNEL)} & {*served[source]})
        moving = self._dice.sample(ours, min(MOVED, len(ours)))
        for slot in moving[1:]:
            self._cluster.move(slot, target).complete()
            await asyncio.sleep(0.02)
        held = [self._cluster.move(slot, target) for slot in moving[:1]]
        for move in held:
            move.begin()
            move.take(10)
        yield
        for move in held:
            while move.take(100):
                pass
            move.end()

    @asynccontextmanager
    async def _joined(self) -> AsyncIterator[None]:
        """One more, a replica or a primary with some slots; it has given these back when it leaves."""
        owner = self._primary()
        if self._dice.random() < 0.5:
            joined = await self._cluster.add_node(replica_of=owner)
            yield
        else:
            joined = await self._cluster.add_node()
            slots = sorted(TAGGED & {*self._cluster.slots()[owner]})[:MOVED]
            await self._cluster.move_slots(slots, joined)
            yield
            await self._cluster.move_slots(slots, owner)
        await self._cluster.forget(joined)

    @asynccontextmanager
    async def _stopped(self) -> AsyncIterator[None]:
        """A primary that is stopped for long is a replica when it goes on."""
        node = self._dice.choice(self._cluster.nodes)
        node.pause()
        yield
        node.resume()

    @asynccontextmanager
    async def _paused(self) -> AsyncIterator[None]:
        self._dice.choice(self._cluster.nodes).ask("CLIENT", "PAUSE", round(PAUSE * 1_000), "ALL")
        self._paused_until = time.monotonic() + PAUSE  # it doesn't answer us either
        yield

    @asynccontextmanager
    async def _our_connections_killed(self) -> AsyncIterator[None]:
        for node in self._cluster.nodes:
            for kind in ("normal", "pubsub"):
                node.ask("CLIENT", "KILL", "TYPE", kind, "SKIPME", "yes")
        yield


def names(prefix: str) -> list[str]:
    """Keys that begin so, in as many slots as there are tags."""
    return [f"{prefix}{{{number % TAGS}}}:{number}" for number in range(REMOVED)]


async def soak(account: Account, seconds: float, seed: int) -> None:
    """All of it."""
    with tempfile.TemporaryDirectory() as folder:
        cluster = await asyncio.to_thread(started, Path(folder), CONFIG)
        try:
            with loaded(load_cluster, [node.port for node in cluster.nodes]):
                async with screens(endpoint_at(cluster.nodes[0].port)) as pilot:
                    await ClusterSoak(cluster, account, pilot, random.Random(seed), Path(folder)).run(seconds)
        finally:
            cluster.stop()
