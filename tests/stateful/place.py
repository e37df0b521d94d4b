"""Where the machine works: a server of its own, or a cluster, empty at the start of each example."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pymon_tui.demo.embedded import EmbeddedServer
from pymon_tui.server.endpoint import Endpoint
from tests.servers import cluster as clusters
from tests.servers.cluster import Cluster
from tests.servers.kinds import binary_of
from tests.stateful.store import Store, alone


@dataclass(eq=False)
class Place:
    """What runs work on.

    Attributes:
        kind: What it is called in the figures.
        store: The independent client.
        endpoint: Where the program is led.
        address: The same as flags.
        own_line: Where a line that can be cut may listen; None where none can be put in between.
        server: The server that can be replaced by another process; None for a cluster.
    """

    kind: str
    store: Store
    endpoint: Endpoint
    address: tuple[str, ...]
    own_line: Path | None
    server: EmbeddedServer | None

    def empty(self) -> None:
        """As at the start."""
        self.store.configure(maxmemory=0, maxmemory_policy="noeviction")
        self.store.call("FLUSHALL")

    def process(self) -> str:
        """The run ids of the servers."""
        texts = [reply.decode() for reply in self.store.call("INFO", "server")]
        return " ".join(line.partition(":")[2] for text in texts for line in text.split() if line.startswith("run_id:"))

    def replace(self) -> None:
        """Kill the server, and let another process come up at its address with what was saved last."""
        assert self.server is not None
        self.server.start()


@contextmanager
def server_of(kind: str, folder: Path) -> Iterator[Place]:
    """A server of this kind, which saves into the folder."""
    with EmbeddedServer({"dir": f'"{folder}"'}, binary=binary_of(kind)) as server:
        store = alone(server.socket)
        own_line = Path(f"{server.socket}.line")  # beside the server's: short enough for a socket
        try:
            yield Place(kind, store, Endpoint(socket=server.socket), ("-s", server.socket), own_line, server)
        finally:
            store.close()


@contextmanager
def cluster_of(kind: str, folder: Path) -> Iterator[Place]:
    """A cluster of three primaries with a replica each, of this kind."""
    cluster = clusters.started(folder, {"cluster-node-timeout": "30000"}, binary=binary_of(kind))
    try:
        yield _of_cluster(kind, cluster)
    finally:
        cluster.stop()


def _of_cluster(kind: str, cluster: Cluster) -> Place:
    slots = {node.server.socket: served for node, served in cluster.slots().items()}
    first = cluster.primaries()[0]
    endpoint = Endpoint(host="127.0.0.1", port=first.port)
    cluster.hang_up()  # the store waits until nobody else is connected
    return Place(f"cluster of {kind}", Store(slots), endpoint, ("-h", "127.0.0.1", "-p", str(first.port)), None, None)
