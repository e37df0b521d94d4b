"""All nodes of a cluster together: each pane has what they have, or says that it is per node."""

from __future__ import annotations

from pymon_tui.model.query import Reason
from tests.faults.test_screen import has, monitor_of, shown
from tests.faults.watching import gaps, known
from tests.server.fake import endpoint_at
from tests.servers.cluster import Cluster
from tests.ui.stage import until


async def test_every_pane_shows_all_nodes_or_says_that_it_is_per_node(cluster: Cluster) -> None:
    for node in cluster.nodes:
        node.ask("CONFIG", "SET", "slowlog-log-slower-than", 0)
    cluster.fill(f"key:{number}" for number in range(300))
    everyone = [node.address for node in cluster.nodes]
    primaries = [node.address for node in cluster.primaries()]
    told = {"server", "memory", "hits", "keyspace", "clients", "slowlog", "channels"}
    async with shown(endpoint_at(cluster.nodes[0].port)) as pilot:
        monitor = monitor_of(pilot)
        await until(pilot, lambda: monitor.newest is not None and told <= known(monitor.newest))
        monitor.source.set_interval(1.0)
        assert monitor.newest is not None
        assert {gap.reason for gap in gaps(monitor.newest).values()} == {Reason.PER_NODE}
        await until(pilot, has(pilot, "all 6 nodes", "300 keys"))
        for key, words in (("4", everyone), ("5", primaries), ("8", ["per node", "n and N"]), ("9", ["per node"])):
            await pilot.press(key)
            await until(pilot, has(pilot, *words))
            await pilot.press("1")
        await pilot.press("n")
        await until(pilot, has(pilot, "node 1 of 6"))
        await pilot.press("0")
        await until(pilot, has(pilot, "all 6 nodes"))
