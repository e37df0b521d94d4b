from __future__ import annotations

import json

from redis.asyncio import Redis

from pymon_tui.demo.embedded import EmbeddedServer
from pymon_tui.invalidation.selection import Selection
from tests.invalidation.planned import plan_of, selecting


async def test_a_plan_is_written_down_with_a_few_of_its_samples(redis: Redis, server: EmbeddedServer) -> None:
    await redis.mset({f"cache:{number}": "v" for number in range(60)})
    await redis.set(b"cache:\xff\n", "v", ex=1_000)
    selection = selecting("cache:*", protected=("cache:1",))
    plan = await plan_of(server, selection)
    written = json.loads(json.dumps(plan.as_json()))
    assert Selection.from_json(written["selection"]) == selection
    assert written["run_id"] == plan.run_id
    assert (written["matched"], written["protected"], written["about"], written["capped"]) == (60, 1, False, False)
    assert plan.bytes is not None
    assert (written["bytes"], written["bytes_exact"]) == (plan.bytes.value, True)
    assert written["undo_bytes"] == plan.undo_bytes
    assert written["namespaces"] == {"cache:*": 59, "cache:\\xff\\n": 1}
    assert written["types"] == {"string": 60}
    assert written["expiry"] == {"none": 59, "<1m": 0, "<1h": 1, "<1d": 0, ">1d": 0}
    assert (len(written["samples"]), written["sampled"]) == (20, 60)
    assert set(written["samples"][0]) == {"key", "type", "pttl_ms", "bytes", "idle"}
    assert written["made_at"].endswith("+00:00")
