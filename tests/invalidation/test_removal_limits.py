from __future__ import annotations

import tracemalloc
from pathlib import Path

import pytest
from redis.asyncio import Redis

from pymon_tui.demo.embedded import EmbeddedServer
from pymon_tui.invalidation import brake
from pymon_tui.invalidation.account import Options
from pymon_tui.invalidation.brake import FIRST
from tests.conftest import StartServer, client_of
from tests.invalidation.planned import selecting
from tests.invalidation.removing import PLAIN, populate, record_of, removal_of, removed, under_way
from tests.server.listening import until

pytestmark = pytest.mark.usefixtures("at_once")


@pytest.mark.needs("enable-debug-command")
async def test_a_busy_server_is_given_smaller_pages(own_server: StartServer, tmp_path: Path) -> None:
    server = own_server({"enable-debug-command": "yes"})
    async with client_of(server) as redis, client_of(server) as other:
        await populate(redis, "cache:", 50_000)
        removal = await removal_of(
            server, selecting("cache:*"), tmp_path, Options(undo=False, rate=10_000, ceiling=0.1)
        )

        async with under_way(removal):
            # So slow that few answers are all that tell of it.
            while "PING p99 is " not in (progress := removal.progress).why:
                await other.execute_command("DEBUG", "SLEEP", "0.2")  # type: ignore[no-untyped-call]
            assert progress.why.startswith((f"page {progress.pace.page}: ", f"page {progress.pace.page}, pausing "))
            assert progress.pace.page < FIRST
            await until(lambda: "PING" not in removal.progress.why)


async def test_keys_are_let_end_instead_of_removed(redis: Redis, server: EmbeddedServer, tmp_path: Path) -> None:
    await populate(redis, "cache:", 3_000)
    await redis.set("cache:soon", "v", px=50_000)
    result = await removed(
        server, selecting("cache:*"), tmp_path, Options(mode="expire", expire=100.0, jitter=900.0, undo=False)
    )
    assert (result.outcome, result.left) == ("done", 0)
    assert (result.tally.matched, result.tally.removed, result.tally.ending_sooner) == (3_001, 3_000, 1)
    assert await redis.dbsize() == 3_001
    assert (await redis.info("keyspace"))["db0"]["expires"] == 3_001
    assert 0 < await redis.pttl("cache:soon") <= 50_000
    assert record_of(tmp_path).mode == "expire"


@pytest.mark.parametrize("options", [PLAIN, Options(undo=True)], ids=["unkept", "kept"])
async def test_memory_stays_the_same_whatever_the_count(
    redis: Redis, server: EmbeddedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: Options
) -> None:
    monkeypatch.setattr(brake, "LARGEST", FIRST)
    peaks = []
    for count in (2_000, 8_000, 64_000):
        await populate(redis, "cache:", count)
        removal = await removal_of(server, selecting("cache:*"), tmp_path, options)
        tracemalloc.start()
        try:
            result = await removal.run()
            peaks.append(tracemalloc.get_traced_memory()[1])
        finally:
            tracemalloc.stop()
        assert result.tally.removed == count
    assert peaks[2] < 3 * peaks[1]  # of eight times the keys: what is on its way varies, and doesn't grow with them
