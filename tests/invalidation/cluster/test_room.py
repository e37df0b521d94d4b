"""An undo on a cluster evicts no more keys than was agreed to, on whichever node."""

from __future__ import annotations

import asyncio
from pathlib import Path
from random import Random

import pytest

from tests.invalidation.cluster.clusters import cache_keys, desk_at, removal_of
from tests.server.listening import until
from tests.servers.cluster import Cluster

VALUE = Random(7).randbytes(10_000).hex()
KEYS = 300


@pytest.mark.parametrize("asks", [False, True])
async def test_where_the_nodes_have_less_room_by_now_it_holds_before_the_first_key(
    cluster: Cluster, tmp_path: Path, *, asks: bool
) -> None:
    cluster.fill(cache_keys(KEYS), VALUE)
    desk = desk_at(cluster.primaries()[0], tmp_path)
    await (await removal_of(desk)).run()
    cluster.fill([f"live:{number}" for number in range(KEYS)], VALUE)
    undo = desk.restore(next(desk.newest()), replace=False, elsewhere=False)
    assert undo is not None
    undo.agree(await undo.outlook(), asks=asks)
    try:
        for node in cluster.primaries():
            node.ask("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
            used = int(node.ask("INFO", "memory")["used_memory"])
            node.ask("CONFIG", "SET", "maxmemory", str(used + 500_000))
        task = asyncio.create_task(undo.run())
        if asks:
            await until(lambda: undo.progress.state == "asking")
            undo.cancel()
        result = await task
    finally:
        for node in cluster.primaries():
            node.ask("CONFIG", "SET", "maxmemory", "0")
    assert (result.outcome, result.tally.restored, result.evicted) == ("cancelled" if asks else "stopped", 0, 0)
    assert asks or "keys would be evicted for what comes back, and none were when this was agreed to" in result.why
    again = desk.restore(
        next(record for record in desk.newest() if record.kind == "run"), replace=False, elsewhere=False
    )
    assert again is not None
    assert (await again.run()).tally.restored == KEYS
