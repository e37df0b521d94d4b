"""Sentinel's trio, watching a primary and its two replicas, quick to see and to act."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.demo.waiting import eventually, wait_until
from tests.servers.node import Node
from tests.servers.ports import free_port

SERVICE = "main"
DOWN_AFTER = (500, 500, 2_500)
"""Milliseconds of silence after which each Sentinel takes the primary for down. Two are enough to agree; if all three
stood for election at once, each would have one vote, and they would try again for many seconds."""
PACE = {
    # Sentinel asks and tells every 1 to 10 seconds otherwise, and waits for several turns of that.
    **dict.fromkeys(("ask-period", "info-period", "publish-period"), 100),
    # A replica that hasn't answered for five of these isn't promoted, and a busy machine makes it late.
    "ping-period": 300,
    # Where a busy machine held one up, it would do nothing for half a minute.
    "min-link-reconnect-period": 500,
    "tilt-period": 500,
}
"""Milliseconds of what Sentinel does and waits for."""


class Sentinels:
    """A primary, two replicas, and three Sentinels that agree on them.

    Attributes:
        servers: The primary that it began with, and its replicas.
        sentinels: The three that watch.
    """

    def __init__(self, folder: Path) -> None:
        primary, *replicas = ports = [free_port() for _ in range(3)]
        following = {"replicaof": f"127.0.0.1 {primary}"}
        config = {"repl-diskless-sync-delay": "0", "repl-ping-replica-period": "1"}
        self.servers = [
            Node(folder / f"server-{number}", config | (following if port in replicas else {}), port=port)
            for number, port in enumerate(ports)
        ]
        watching = {
            f"sentinel monitor {SERVICE}": f"127.0.0.1 {primary} 2",
            f"sentinel failover-timeout {SERVICE}": "1000",
        }
        self.sentinels = [
            Node(
                folder / f"sentinel-{number}",
                watching | {f"sentinel down-after-milliseconds {SERVICE}": str(down_after)},
                port=free_port(),
                arguments=("--sentinel",),
            )
            for number, down_after in enumerate(DOWN_AFTER)
        ]

    def start(self) -> None:
        """Start it, and return when all have found each other. Blocks."""
        with ThreadPoolExecutor(len(self.servers)) as threads:
            list(threads.map(Node.start, self.servers))
            list(threads.map(Node.start, self.sentinels))
        for sentinel in self.sentinels:
            for name, milliseconds in PACE.items():
                sentinel.ask("SENTINEL", "DEBUG", name, milliseconds)
        wait_until(self.agree)

    def stop(self) -> None:
        """End all of them."""
        for node in [*self.sentinels, *self.servers]:
            node.stop()

    def primary(self) -> Node:
        """The primary as the first Sentinel that runs names it."""
        sentinel = next(one for one in self.sentinels if one.running)
        return self._at(int(sentinel.ask("SENTINEL", "GET-MASTER-ADDR-BY-NAME", SERVICE)[1]))

    def replicas(self) -> list[Node]:
        """The servers that run and aren't the primary."""
        primary = self.primary()
        return [node for node in self.servers if node.running and node is not primary]

    def agree(self) -> bool:
        """Whether the running Sentinels know each other and name one primary, which runs, and all else follows it."""
        sentinels = [one for one in self.sentinels if one.running]
        named = {tuple(one.ask("SENTINEL", "GET-MASTER-ADDR-BY-NAME", SERVICE)) for one in sentinels}
        if len(named) != 1:
            return False
        primary = self.primary()
        return (
            primary.running
            and primary.ask("ROLE")[0] == "master"
            and all(_follows(node, primary) for node in self.replicas())
            and all(_calm(one, others=len(self.sentinels) - 1, replicas=len(self.servers) - 1) for one in sentinels)
        )

    async def settled(self) -> None:
        """Wait until they agree again, after whatever happened."""
        await _when(self.agree)

    async def failed_over(self, old: Node) -> Node:
        """Wait until they agree on another primary than this, which it returns."""
        await _when(lambda: all(self._named_by(one) is not old for one in self.sentinels if one.running))
        await self.settled()
        return self.primary()

    def _named_by(self, sentinel: Node) -> Node:
        return self._at(int(sentinel.ask("SENTINEL", "GET-MASTER-ADDR-BY-NAME", SERVICE)[1]))

    def _at(self, port: int) -> Node:
        return next(node for node in self.servers if node.port == port)


async def _when(holds: Callable[[], bool]) -> None:
    async def asked() -> bool:
        return holds()

    await eventually(asked)


def _follows(node: Node, primary: Node) -> bool:
    role = node.ask("ROLE")
    return bool(role[0] == "slave" and int(role[2]) == primary.port and role[3] == "connected")


def _calm(sentinel: Node, *, others: int, replicas: int) -> bool:
    words = sentinel.ask("SENTINEL", "MASTER", SERVICE)
    told = dict(zip(words[::2], words[1::2], strict=True))
    return (
        told["flags"] == "master" and int(told["num-other-sentinels"]) == others and int(told["num-slaves"]) == replicas
    )
