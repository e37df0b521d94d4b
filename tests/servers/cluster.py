"""A cluster of three primaries with a replica each, made by commands alone, to be asked, broken and resharded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from redis.crc import key_slot
from redis.exceptions import ResponseError

from pymon_tui.demo.embedded import NoServer
from tests.demo.waiting import eventually, wait_until
from tests.servers.moving import Move
from tests.servers.node import Node
from tests.servers.ports import free_port

SLOTS = 16_384
PRIMARIES = 3
NODE_TIMEOUT = 1_000
"""Milliseconds after which a silent node is taken for failed; half a second later a replica is elected."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What one node says of another, or of itself: a line of CLUSTER NODES."""

    id: str
    flags: frozenset[str]
    primary: str
    ranges: tuple[str, ...]

    @property
    def failed(self) -> bool:
        """Whether all agreed that it doesn't answer."""
        return "fail" in self.flags

    @property
    def known(self) -> bool:
        """Whether it is neither suspected nor about to be met."""
        return not self.flags & {"fail?", "handshake", "noaddr"}

    @property
    def shape(self) -> tuple[object, ...]:
        """What all nodes must say alike of it."""
        return self.id, self.failed, "master" in self.flags, self.primary, self.ranges

    @property
    def slots(self) -> list[int]:
        """The slots that it serves."""
        bounds = [[int(end) for end in text.split("-")] for text in self.ranges]
        return [slot for bound in bounds for slot in range(bound[0], bound[-1] + 1)]

    def has(self, slot: int) -> bool:
        """Whether it serves this slot."""
        bounds = [[int(end) for end in text.split("-")] for text in self.ranges]
        return any(bound[0] <= slot <= bound[-1] for bound in bounds)


class Cluster:
    """Six nodes or more. What waits is either awaited, so that the test's loop goes on, or says that it blocks.

    Attributes:
        nodes: All that were started, whether they run or not: the primaries first, then a replica of each.
    """

    def __init__(self, folder: Path, config: Mapping[str, str], *, binary: Path | None = None) -> None:
        self.nodes: list[Node] = []
        self._folder = folder
        self._numbers = count()  # a node that joins has no memory of one that has left
        self._binary = binary
        self._config = {
            "cluster-enabled": "yes",
            "cluster-node-timeout": str(NODE_TIMEOUT),
            "cluster-allow-replica-migration": "no",
            "cluster-replica-validity-factor": "0",
            "repl-diskless-sync-delay": "0",
            **config,
        }

    def start(self) -> None:
        """Start it, and return when all nodes agree. Blocks for two seconds: so long a new primary takes no writes."""
        self.nodes = [self._new_node() for _ in range(2 * PRIMARIES)]
        with ThreadPoolExecutor(len(self.nodes)) as threads:
            list(threads.map(Node.start, self.nodes))
        bounds = [SLOTS * number // PRIMARIES for number in range(PRIMARIES + 1)]
        for number, node in enumerate(self.nodes):
            node.ask("CLUSTER", "SET-CONFIG-EPOCH", number + 1)  # or they would find out one by one
            if number < PRIMARIES:
                node.ask("CLUSTER", "ADDSLOTS", *range(bounds[number], bounds[number + 1]))
            for other in self.nodes[:number]:
                other.ask("CLUSTER", "MEET", "127.0.0.1", node.port)
        wait_until(lambda: all(self._is_known(node) for node in self.nodes))
        for primary, replica in zip(self.nodes[:PRIMARIES], self.nodes[PRIMARIES:], strict=True):
            replica.ask("CLUSTER", "REPLICATE", primary.id)
        wait_until(self.agrees)

    def hang_up(self) -> None:
        """Close the connections that the nodes are asked on."""
        for node in self.nodes:
            node.hang_up()

    def stop(self) -> None:
        """End all nodes."""
        for node in self.nodes:
            node.stop()

    # Who is what

    def primaries(self) -> list[Node]:
        """The nodes that serve slots, in the order of these, as a running node sees it."""
        seen = [one for one in self._view() if one.ranges and not one.failed]
        return [self._node(one.id) for one in sorted(seen, key=lambda one: int(one.ranges[0].split("-")[0]))]

    def slots(self) -> dict[Node, list[int]]:
        """The slots that each primary serves, as a running node sees it."""
        return {self._node(one.id): one.slots for one in self._view() if one.ranges and not one.failed}

    def replicas(self, primary: Node) -> list[Node]:
        """The running replicas of this primary."""
        return [self._node(one.id) for one in self._view() if one.primary == primary.id and not one.failed]

    def owner(self, slot: int) -> Node:
        """The node that serves this slot."""
        return next(self._node(one.id) for one in self._view() if one.has(slot) and not one.failed)

    def owner_of(self, key: str | bytes) -> Node:
        """The node that serves this key's slot."""
        return self.owner(slot_of(key))

    def owners(self, keys: Iterable[str]) -> dict[str, Node]:
        """As `owner_of`, of many keys by one question."""
        found = self._owners()
        return {key: found[slot_of(key)] for key in keys}

    # Its state

    def agrees(self) -> bool:
        """Whether all running nodes say the same of all, all slots are served, and replicas are in sync."""
        running = [node for node in self.nodes if node.running]
        views = [_seen_by(node) for node in running]
        ids = {node.id for node in running}
        return (
            len({frozenset(one.shape for one in view) for view in views}) == 1
            and all(one.known and one.failed == (one.id not in ids) for view in views for one in view)
            and ids <= {one.id for one in views[0]}
            and all("cluster_state:ok" in node.ask("CLUSTER", "INFO") for node in running)
            and all(_in_sync(node) for node in running)
        )

    async def settled(self) -> None:
        """Wait until it agrees, after whatever happened to it."""

        async def agrees() -> bool:
            return self.agrees()

        await eventually(agrees)

    # What may happen to it

    async def failover(self, replica: Node) -> None:
        """Let a replica take over from its primary, which becomes its replica; nothing is lost."""
        replica.ask("CLUSTER", "FAILOVER")

        async def took_over() -> bool:
            return bool(replica.ask("ROLE")[0] == "master")

        await eventually(took_over)
        await self.settled()

    def move(self, slot: int, to: Node) -> Move:
        """The move of one slot to another primary, to be done step by step."""
        return Move(slot, self.owner(slot), to, [node for node in self.primaries() if node.running])

    async def move_slots(self, slots: Iterable[int], to: Node) -> None:
        """Move these slots with their keys to another primary."""
        owners = self._owners()
        primaries = [node for node in self.primaries() if node.running]
        for slot in slots:
            Move(slot, owners[slot], to, primaries).complete()
        await self.settled()

    async def add_node(self, *, replica_of: Node | None = None) -> Node:
        """Start one more: an empty primary without slots, or a replica."""
        node = self._new_node()
        node.start()
        node.ask("CLUSTER", "MEET", "127.0.0.1", next(one.port for one in self.nodes if one.running))
        self.nodes.append(node)

        async def known() -> bool:
            return all(self._is_known(one) for one in self.nodes if one.running)

        await eventually(known)
        if replica_of:
            node.ask("CLUSTER", "REPLICATE", replica_of.id)
        await self.settled()
        return node

    async def forget(self, node: Node) -> None:
        """Take a node without slots out, and end it; all others forget it."""
        gone = node.id
        node.stop()
        self.nodes.remove(node)
        for other in [other for other in self.nodes if other.running]:
            with suppress(ResponseError):  # another has told it already
                other.ask("CLUSTER", "FORGET", gone)
        await self.settled()

    # Its keys

    def fill(self, keys: Iterable[str | bytes], value: str = "v") -> None:
        """Set these keys, each on the node that serves it. Blocks."""
        owners = self._owners()
        commands: dict[Node, list[tuple[str | bytes | int, ...]]] = {}
        for key in keys:
            commands.setdefault(owners[slot_of(key)], []).append(("SET", key, value))
        for node, sets in commands.items():
            node.ask_all(sets)

    def keys(self) -> set[str]:
        """All keys that there are, asked of each primary. Blocks."""
        return {key for node in self.primaries() for key in node.ask("KEYS", "*")}

    def _new_node(self) -> Node:
        folder = self._folder / str(next(self._numbers))
        return Node(folder, self._config, port=free_port(), binary=self._binary)

    def _is_known(self, node: Node) -> bool:
        view = _seen_by(node)
        return len(view) == len(self.nodes) and all(one.known for one in view)

    def _view(self) -> list[Seen]:
        return _seen_by(next(node for node in self.nodes if node.running))

    def _owners(self) -> dict[int, Node]:
        return {slot: node for node, slots in self.slots().items() for slot in slots}

    def _node(self, id_: str) -> Node:
        return next(node for node in self.nodes if node.id == id_)


def slot_of(key: str | bytes) -> int:
    """The slot of a key, by its hash tag if it has one."""
    return key_slot(key.encode() if isinstance(key, str) else key)


def started(folder: Path, config: Mapping[str, str], *, binary: Path | None = None) -> Cluster:
    """A cluster that runs. Other processes may take its ports before it does; then it looks for others."""
    for attempt in range(3):
        cluster = Cluster(folder / f"try-{attempt}", config, binary=binary)
        (folder / f"try-{attempt}").mkdir(mode=0o700)
        try:
            cluster.start()
        except NoServer:
            cluster.stop()
            if attempt == 2:
                raise
        except BaseException:
            cluster.stop()
            raise
        else:
            return cluster
    raise AssertionError("unreachable")


def _seen_by(node: Node) -> list[Seen]:
    lines = [line.split() for line in node.ask("CLUSTER", "NODES").splitlines()]
    return [
        Seen(
            id=words[0],
            flags=frozenset(words[2].split(",")),
            primary=words[3],
            ranges=tuple(word for word in words[8:] if not word.startswith("[")),  # a slot on its way
        )
        for words in lines
    ]


def _in_sync(node: Node) -> bool:
    role = node.ask("ROLE")
    return bool(role[0] == "master" or role[3] == "connected")
