from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from redis.asyncio import Redis

from pymon_tui.demo.embedded import EmbeddedServer
from pymon_tui.invalidation.account import Options
from pymon_tui.invalidation.order import Order, OrderError
from pymon_tui.invalidation.removal import Removal
from pymon_tui.journal.folder import StateError
from pymon_tui.journal.journal import Journal, JournalError
from pymon_tui.journal.lock import Locked
from pymon_tui.server.endpoint import Endpoint
from tests.invalidation.planned import plan_of, selecting
from tests.invalidation.removing import PLAIN, populate, record_of, removal_of, under_way
from tests.server.listening import until
from tests.servers.proxy import proxied

pytestmark = pytest.mark.usefixtures("at_once")

KEPT = Options(undo=True)
SLOW = Options(undo=False, rate=10_000)


@pytest.mark.parametrize("options", [SLOW, Options(undo=True, rate=10_000)], ids=["unkept", "kept"])
@pytest.mark.parametrize("mark", [0, 1, 5_000])
async def test_a_run_that_is_cancelled_tells_what_it_did(
    redis: Redis, server: EmbeddedServer, tmp_path: Path, options: Options, mark: int
) -> None:
    await populate(redis, "cache:", 10_000)
    removal = await removal_of(server, selecting("cache:*"), tmp_path, options)
    async with under_way(removal) as task:
        await until(lambda: removal.progress.tally.removed >= mark)
        removal.cancel()
        result = await task
    assert (result.outcome, result.left) == ("cancelled", None)
    assert result.tally.removed == result.tally.matched == 10_000 - await redis.dbsize() < 10_000
    record = record_of(tmp_path)
    assert (record.state, record.removed_at_least, record.removed_at_most) == ("cancelled", *[result.tally.removed] * 2)


async def test_a_task_that_is_cancelled_tells_what_it_did(redis: Redis, server: EmbeddedServer, tmp_path: Path) -> None:
    await populate(redis, "cache:", 10_000)
    removal = await removal_of(server, selecting("cache:*"), tmp_path, Options(undo=True, rate=10_000))
    async with under_way(removal) as task:
        await until(lambda: removal.progress.tally.removed > 1_000)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    record = record_of(tmp_path)
    assert record.state == "interrupted"
    assert record.removed_at_most is not None
    assert record.removed_at_least <= 10_000 - await redis.dbsize() <= record.removed_at_most
    assert record.removed_at_most - record.removed_at_least <= 4_000


async def test_a_run_that_finds_nothing_is_held_and_ended_on_its_way(
    redis: Redis, server: EmbeddedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pymon_tui.invalidation.ledger.PERIOD", -1.0)
    await populate(redis, "other:", 20_000)
    removal = await removal_of(server, selecting("cache:*"), tmp_path)
    async with under_way(removal) as task:
        await until(lambda: removal.progress.scanned > 3_000)
        removal.pause()
        await until(lambda: removal.progress.state == "paused")
        record = record_of(tmp_path)
        assert record.state == "running"
        assert record.progress is not None
        assert record.progress["cursor"] > 0
        assert removal.progress.scanned < 20_000
        removal.cancel()
        assert (await task).outcome == "cancelled"


async def test_read_only_is_refused_whoever_asks(redis: Redis, server: EmbeddedServer, tmp_path: Path) -> None:
    order = Order.of(await plan_of(server, selecting("cache:*")), None)
    with pytest.raises(OrderError, match="this is read-only"):
        Removal(Endpoint(socket=server.socket), order, PLAIN, Journal(tmp_path), read_only=True)


async def test_the_second_of_two_runs_is_told(redis: Redis, server: EmbeddedServer, tmp_path: Path) -> None:
    await populate(redis, "cache:", 2_000)
    await populate(redis, "cache:", 2_000, db=1)
    first = await removal_of(server, selecting("cache:*"), tmp_path, SLOW)
    second = await removal_of(server, selecting("cache:*"), tmp_path, KEPT)
    elsewhere = await removal_of(Endpoint(socket=server.socket, db=1), selecting("cache:*"), tmp_path)
    async with under_way(first) as task:
        await until(lambda: first.progress.state == "running")
        first.pause()
        with pytest.raises(Locked, match=f"run {first.id} is under way"):
            await second.run()
        assert (await elsewhere.run()).tally.removed == 2_000  # in another database
        first.resume()
        assert (await task).tally.removed == 2_000
    assert list((tmp_path / "trash").glob("*")) == []


async def test_nothing_begins_without_its_journal(redis: Redis, server: EmbeddedServer, tmp_path: Path) -> None:
    await populate(redis, "cache:", 100)
    removal = await removal_of(server, selecting("cache:*"), tmp_path, KEPT)
    (tmp_path / "journal.jsonl").mkdir()
    with pytest.raises(JournalError, match="can't write the journal"):
        await removal.run()
    assert await redis.dbsize() == 100
    assert list((tmp_path / "trash").glob("*")) == []
    blocked = tmp_path / "file"
    blocked.touch()
    with pytest.raises(StateError, match="can't make the lock"):
        await (await removal_of(server, selecting("cache:*"), blocked)).run()
    assert await redis.dbsize() == 100


async def test_the_journal_knows_of_it_before_the_first_key_goes(
    redis: Redis, server: EmbeddedServer, tmp_path: Path
) -> None:
    await populate(redis, "cache:", 1_000)
    async with proxied(server.socket, unix=True) as line:
        removal = await removal_of(Endpoint(socket=line.path), selecting("cache:*"), tmp_path)
        await redis.client_pause(4_000, all=False)  # what writes waits
        async with under_way(removal) as task:
            await until(lambda: bool(line.named(b"UNLINK")))
            record = record_of(tmp_path)
            assert (record.run, record.state, record.removed_at_least) == (removal.id, "running", 0)
            assert (tmp_path / "journal.jsonl").stat().st_mode & 0o777 == 0o600
            assert await redis.dbsize() == 1_000
            await redis.client_unpause()
            assert (await task).tally.removed == 1_000


async def test_a_journal_that_fails_on_the_way_ends_it(
    redis: Redis, server: EmbeddedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pymon_tui.invalidation.ledger.ALLOWANCE", 1_000)
    await populate(redis, "cache:", 10_000)
    removal = await removal_of(server, selecting("cache:*"), tmp_path, SLOW)
    async with under_way(removal) as task:
        await until(lambda: removal.progress.tally.removed > 3_000)
        journal = tmp_path / "journal.jsonl"
        aside, full = tmp_path / "aside", tmp_path / "full"
        aside.hardlink_to(journal)
        full.symlink_to("/dev/full")
        full.replace(journal)  # in one step: nobody finds no journal in between, and makes one
        result = await task
        aside.replace(journal)
    assert result.outcome == "stopped"
    assert result.why.startswith("can't write the journal")
    assert result.tally.removed == 10_000 - await redis.dbsize() > 0
    record = record_of(tmp_path)
    assert record.removed_at_most is not None
    assert record.removed_at_least <= result.tally.removed <= record.removed_at_most
