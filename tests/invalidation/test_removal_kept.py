from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from pymon_tui.demo.embedded import EmbeddedServer
from pymon_tui.invalidation.account import Options
from pymon_tui.invalidation.trash import TrashReader
from pymon_tui.journal.journal import JournalError
from pymon_tui.server.endpoint import Endpoint
from tests.invalidation.planned import selecting
from tests.invalidation.removing import fill, names, populate, removal_of, removed, under_way
from tests.server.listening import until

pytestmark = pytest.mark.usefixtures("at_once")

KEPT = Options(undo=True)
SLOW = Options(undo=False, rate=10_000)


@pytest.mark.needs("pexpiretime")
async def test_what_goes_is_in_the_trash_with_its_end(redis: Redis, server: EmbeddedServer, tmp_path: Path) -> None:
    await fill(redis, [f"cache:{number}" for number in range(1_500)])
    await redis.set("cache:fading", "v", px=500_000)
    ends = await redis.pexpiretime("cache:fading")
    keys = await names(redis)
    result = await removed(server, selecting("cache:*"), tmp_path, KEPT)
    assert result.undo is not None
    with TrashReader(result.undo) as reader:
        records = [record for block in reader.blocks() for record in block.records]
        assert reader.header.run == result.run
    assert sorted(key for key, _, _ in records) == sorted(keys)
    (end,) = [end for _, end, _ in records if end]
    assert abs(end - ends) < 2_000


async def test_an_undo_brings_back_what_was_there_after_a_pause(
    redis: Redis, server: EmbeddedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pymon_tui.invalidation.passage.FRESH", 0.0)
    await populate(redis, "cache:", 6_000)
    removal = await removal_of(server, selecting("cache:*"), tmp_path, Options(undo=True, rate=10_000))
    async with under_way(removal) as task:
        await until(lambda: removal.progress.tally.removed > 0)
        removal.pause()
        await until(lambda: removal.progress.state == "paused")
        await redis.ping()  # what was named before has gone
        rest = await redis.keys("cache:*")
        pipeline = redis.pipeline(transaction=False)
        for key in rest:
            pipeline.append(key, "!")
        await pipeline.execute()
        await redis.delete(rest[0])
        removal.resume()
        result = await task
    assert (result.outcome, result.tally.removed) == ("done", 5_999)
    assert result.undo is not None
    with TrashReader(result.undo) as reader:
        for block in reader.blocks():
            for key, _, payload in block.records:
                await redis.restore(key, 0, payload, replace=True)
    assert await redis.dbsize() == 5_999
    values = await redis.mget(rest)
    assert values[0] is None
    assert all(str(value).endswith("!") for value in values[1:])


async def test_a_trash_that_fails_on_the_way_ends_it(
    redis: Redis, server: EmbeddedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await populate(redis, "cache:", 10_000)
    removal = await removal_of(server, selecting("cache:*"), tmp_path, Options(undo=True, rate=10_000))
    async with under_way(removal) as task:
        await until(lambda: removal.progress.tally.removed > 1_000)

        def full(*_: Any) -> int:
            raise JournalError("can't write the trash", tmp_path, OSError(28, "No space left on device"))

        monkeypatch.setattr("pymon_tui.invalidation.trash.TrashWriter.write", full)
        result = await task
    assert result.outcome == "stopped"
    assert "No space left on device; free some space there" in result.why
    assert result.tally.removed == 10_000 - await redis.dbsize()
    assert result.undo is not None
    with TrashReader(result.undo) as reader:
        assert reader.count() == result.tally.removed


async def test_a_trash_that_cannot_be_put_on_disk_is_told(
    redis: Redis, server: EmbeddedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await populate(redis, "cache:", 100)

    def fail(descriptor: int) -> None:
        raise OSError(5, "Input/output error")

    removal = await removal_of(server, selecting("cache:*"), tmp_path, KEPT)
    monkeypatch.setattr("pymon_tui.invalidation.trash.os.fsync", fail)
    monkeypatch.setattr("pymon_tui.journal.journal.Journal.append", lambda *_, **__: None)
    result = await removal.run()
    assert (result.outcome, result.tally.removed, result.left) == ("done", 100, 0)
    assert "can't write the trash" in result.why
    assert "Input/output error" in result.why


async def test_big_values_go_unkept_and_are_listed(redis: Redis, server: EmbeddedServer, tmp_path: Path) -> None:
    await populate(redis, "cache:", 50)
    await redis.setrange("cache:huge", 100 * 2**20, "x")
    await redis.config_resetstat()
    result = await removed(server, selecting("cache:*"), tmp_path, KEPT)
    assert (result.outcome, result.tally.removed, result.left) == ("done", 51, 0)
    assert (result.undo_left_out, result.oversized_keys) == (1, (b"cache:huge",))
    assert result.undo_bytes < 100_000
    statistics = await redis.info("commandstats")
    assert statistics["cmdstat_unlink"]["calls"] <= 3


async def test_a_full_trash_is_counted_exactly(redis: Redis, server: EmbeddedServer, tmp_path: Path) -> None:
    await populate(redis, "cache:", 5_000)
    result = await removed(server, selecting("cache:*"), tmp_path, Options(undo=True, trash_cap=20_000))
    assert (result.outcome, result.tally.removed) == ("done", 5_000)
    assert result.undo is not None
    assert result.undo_bytes <= 20_000
    with TrashReader(result.undo) as reader:
        assert reader.count() == 5_000 - result.undo_left_out
    assert 0 < result.undo_left_out < 5_000


async def test_the_trash_of_a_run_under_way_is_not_dropped_for_another(
    redis: Redis, server: EmbeddedServer, tmp_path: Path
) -> None:
    await populate(redis, "cache:", 4_000)
    await populate(redis, "cache:", 4_000, db=1)
    first = await removal_of(server, selecting("cache:*"), tmp_path, Options(undo=True, rate=10_000))
    elsewhere = Endpoint(socket=server.socket, db=1)
    async with under_way(first) as task:
        await until(lambda: first.progress.tally.removed > 1_000)
        first.pause()
        await removed(elsewhere, selecting("cache:*"), tmp_path, Options(undo=True, trash_cap=10_000))
        first.resume()
        result = await task
    assert result.undo is not None
    with TrashReader(result.undo) as reader:
        assert reader.count() == 4_000
