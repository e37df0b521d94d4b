"""A cluster for the run and clusters to break, and Sentinel's trio."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import ExitStack
from typing import Protocol

import pytest

from tests.servers import cluster as clusters
from tests.servers.clients import InitialConfigs, client_of, make_clean
from tests.servers.cluster import Cluster
from tests.servers.kinds import binary_of
from tests.servers.sentinels import Sentinels


class StartCluster(Protocol):
    """What the fixture `own_cluster` is: starts another cluster, whose nodes have these directives."""

    def __call__(self, config: Mapping[str, str] | None = None) -> Cluster: ...


@pytest.fixture(scope="session")
def cluster_of_the_run(server_kind: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """The run's cluster, as the test before left it."""
    running = clusters.started(tmp_path_factory.mktemp("cluster"), {}, binary=binary_of(server_kind))
    # A busy machine may silence a node for seconds; nothing is to fail over in this one.
    for node in running.nodes:
        node.ask("CONFIG", "SET", "cluster-node-timeout", 30_000)
    yield running
    running.stop()


@pytest.fixture
async def cluster(cluster_of_the_run: Cluster, initial_configs: InitialConfigs) -> AsyncIterator[Cluster]:
    """The run's cluster, empty and configured as it started. To be asked, filled and configured, not to be broken."""
    for node in cluster_of_the_run.nodes:
        async with client_of(node.server) as client:
            await make_clean(client, initial_configs, node.server.socket)
    for node in cluster_of_the_run.primaries():
        node.replicated(1)
    yield cluster_of_the_run
    for node in cluster_of_the_run.nodes:  # six nodes that wait for the next test take an eightieth of a core
        node.ask("CONFIG", "SET", "hz", 1)


@pytest.fixture
def own_cluster(server_kind: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartCluster]:
    """Starts clusters in which a test may kill, fail over and reshard; they are gone at its end."""
    binary = binary_of(server_kind)
    with ExitStack() as running:

        def start(config: Mapping[str, str] | None = None) -> Cluster:
            cluster = clusters.started(tmp_path_factory.mktemp("cluster"), config or {}, binary=binary)
            running.callback(cluster.stop)
            return cluster

        yield start


@pytest.fixture
def sentinels(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sentinels]:
    """A primary, two replicas and three Sentinels, to be broken; always the embedded server."""
    trio = Sentinels(tmp_path_factory.mktemp("sentinels"))
    try:
        trio.start()
        yield trio
    finally:
        trio.stop()
