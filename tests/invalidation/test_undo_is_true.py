"""What an undo says of each key is so: on servers that dump a value in two ways, after kills, and in any order."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from pymon_tui.demo.embedded import EmbeddedServer
from pymon_tui.invalidation.account import Options
from pymon_tui.invalidation.cluster.restore import WholeRestore
from pymon_tui.invalidation.naming import Unlinking
from pymon_tui.invalidation.order import Order
from pymon_tui.invalidation.removal import Removal
from pymon_tui.invalidation.restore_account import Mark, RestoreResult, RestoreTally
from pymon_tui.invalidation.restore_part import RestoreError
from pymon_tui.invalidation.trash import TrashReader
from pymon_tui.journal.journal import Journal
from pymon_tui.journal.records import Record, runs
from pymon_tui.server.endpoint import Endpoint
from tests.conftest import StartServer, client_of
from tests.invalidation.cutting import cutting
from tests.invalidation.planned import selecting, user_may
from tests.invalidation.removing import populate, record_of, removal_of, removed, under_way
from tests.servers.kinds import binary_of

pytestmark = pytest.mark.usefixtures("at_once")

KEPT = Options()


def undo_of(
    server: EmbeddedServer | Endpoint, record: Record, folder: Path, *, replace: bool = False, elsewhere: bool = False
) -> WholeRestore:
    endpoint = server if isinstance(server, Endpoint) else Endpoint(socket=server.socket)
    return WholeRestore(
        endpoint, record, Journal(folder), ceiling=1.0, replace=replace, elsewhere=elsewhere, read_only=False
    )


async def undone(server: EmbeddedServer | Endpoint, folder: Path, *, replace: bool = False) -> RestoreResult:
    """The account of an undo of the run in this folder."""
    return await undo_of(server, run_in(folder), folder, replace=replace).run()


def run_in(folder: Path) -> Record:
    """The oldest run that the journal knows."""
    return next(record for record in reversed(runs(Journal(folder))) if record.kind == "run")


async def hash_tables(redis: Redis) -> int:
    """Values that Redis 7.0 dumps in another order after RESTORE, and some that it doesn't."""
    for number in range(30):
        await redis.sadd(f"k:set:{number}", *(f"member {each}" for each in range(20 + number)))
        await redis.sadd(f"k:numbers:{number}", *range(600 + number))
        await redis.hset(f"k:hash:{number}", mapping={f"field {each}": each * 1_000 for each in range(600)})
        await redis.zadd(f"k:sorted:{number}", {f"member {each}": each / 7 for each in range(200)})
        await redis.set(f"k:string:{number}", "x" * 100)
    return await redis.dbsize()


async def test_an_undo_that_is_repeated_knows_what_is_there_as_it_was(
    any_redis: Redis, any_server: EmbeddedServer, tmp_path: Path
) -> None:
    count = await hash_tables(any_redis)
    await removed(any_server, selecting("k:*"), tmp_path, KEPT)
    assert (await undone(any_server, tmp_path)).tally == RestoreTally(restored=count)
    await any_redis.sadd("k:set:1", "another")
    await any_redis.hset("k:hash:2", "field 7", "changed")
    await any_redis.zincrby("k:sorted:3", 1, "member 1")
    await any_redis.append("k:string:4", "y")
    again = await undone(any_server, tmp_path)
    assert (again.outcome, again.tally) == ("done", RestoreTally(there=count - 4, skipped=4))


async def test_what_an_undo_sent_before_its_line_was_cut_counts_as_restored(
    any_redis: Redis, any_server: EmbeddedServer, tmp_path: Path
) -> None:
    count = await hash_tables(any_redis)
    await removed(any_server, selecting("k:*"), tmp_path, KEPT)
    async with cutting(any_server.socket, b"RESTORE", uncut=70, arrives=True) as line:
        result = await undone(Endpoint(socket=line.path), tmp_path)
        assert sum(command[0] == b"RESTORE" for command in line.said) > count  # some were sent twice
    assert (result.outcome, result.tally) == ("done", RestoreTally(restored=count))
    assert await any_redis.dbsize() == count


async def test_what_a_killed_undo_brought_back_counts_as_restored(
    any_redis: Redis, any_server: EmbeddedServer, tmp_path: Path
) -> None:
    count = await hash_tables(any_redis)
    await removed(any_server, selecting("k:*"), tmp_path, KEPT)
    run = run_in(tmp_path)
    assert run.undo_path is not None
    with TrashReader(run.undo_path) as reader:
        for key, end, payload in [record for block in reader.blocks() for record in block.records]:
            await any_redis.restore(key, end, payload)
    fields: dict[str, Any] = {"undo": "20261122-120413-1111", "run": run.id, "run_id": run.run_id, "replace": False}
    Journal(tmp_path).append("undo", "started", **fields, mark=Mark().as_json())
    assert (await undone(any_server, tmp_path)).tally == RestoreTally(restored=count)


async def test_keys_that_were_only_copied_are_not_brought_back(
    any_redis: Redis, any_server: EmbeddedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As with a kill between the trash and UNLINK."""
    await populate(any_redis, "k:", 3_000)
    named = Unlinking.send
    stop = asyncio.Event()

    def once(self: Unlinking, keys: list[bytes]) -> Any:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()
        return named(self, keys)

    removal = await removal_of(any_server, selecting("k:*"), tmp_path, Options(rate=100_000))
    monkeypatch.setattr(Unlinking, "send", once)
    with pytest.raises(KeyboardInterrupt):
        await removal.run()
    monkeypatch.undo()
    gone = 3_000 - await any_redis.dbsize()
    record = run_in(tmp_path)
    assert record.undo_path is not None
    with TrashReader(record.undo_path) as reader:
        # The mark of those that were about to be named is written before.
        assert gone < reader.count() <= reader.marks().records
    await any_redis.flushall()  # the application deletes the others
    outlook = await undo_of(any_server, record, tmp_path).outlook()
    result = await undone(any_server, tmp_path)
    assert (outlook.load.keys, outlook.load.copied) == (result.total, result.copied)
    assert result.tally.restored == result.total < 3_000


async def test_what_was_found_to_be_still_there_after_a_cut_is_kept_once(
    redis: Redis, server: EmbeddedServer, tmp_path: Path
) -> None:
    await populate(redis, "k:", 5_000)
    async with cutting(server.socket, b"UNLINK", uncut=1, arrives=False) as line:
        result = await removed(Endpoint(socket=line.path), selecting("k:*"), tmp_path, KEPT)
    assert (result.outcome, result.tally.removed, result.tally.unknown) == ("done", 5_000, 0)
    assert result.undo is not None
    with TrashReader(result.undo) as reader:
        assert reader.count() == 5_000
        assert reader.marks().copied > 0
    back = await undone(server, tmp_path)
    assert (back.tally, back.total) == (RestoreTally(restored=5_000), 5_000)


async def test_keys_that_were_refused_are_no_part_of_the_undo(
    redis: Redis, server: EmbeddedServer, tmp_path: Path
) -> None:
    await populate(redis, "k:a:", 40)
    await populate(redis, "k:b:", 10)
    await user_may(redis, "(~k:a:* +@all)", "(%R~* +@all)")
    us = Endpoint(socket=server.socket, username="pymon")
    result = await removed(us, selecting("k:*"), tmp_path, KEPT)
    assert (result.tally.removed, result.tally.refused) == (40, 10)
    await redis.flushall()
    assert (await undone(server, tmp_path)).tally == RestoreTally(restored=40)


async def test_a_resumed_run_is_undone_newest_part_first(redis: Redis, server: EmbeddedServer, tmp_path: Path) -> None:
    await populate(redis, "k:", 3_000)
    removal = await removal_of(server, selecting("k:*"), tmp_path, Options(rate=3_000))
    async with under_way(removal) as task:
        await until(lambda: removal.progress.tally.removed > 500)
        removal.cancel()
        await task
    first = record_of(tmp_path)
    await redis.mset({"k:1": "newer"})
    order, options = Order.resuming(first)
    again = Removal(
        Endpoint(socket=server.socket), order, replace(options, rate=None), Journal(tmp_path), read_only=False
    )
    assert (await again.run()).left == 0
    second = record_of(tmp_path)
    assert second.started["resumes"] == first.id
    with pytest.raises(RestoreError, match=f"newest part first: pymon-tui undo {second.id}, then .* {first.id}"):
        await undo_of(server, first, tmp_path).run()
    with pytest.raises(RestoreError, match="newest part first"):
        await undo_of(server, first, tmp_path).outlook()
    await undo_of(server, second, tmp_path).run()
    await undo_of(server, first, tmp_path).run()
    assert await redis.dbsize() == 3_000
    assert await redis.get("k:1") == "newer"


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 - it is about an instant, which nothing announces
            await asyncio.sleep(0)


async def test_a_payload_of_another_version_stops_at_the_first(own_server: StartServer, tmp_path: Path) -> None:
    """What Valkey 9 dumps, Redis 7.0 does not read."""
    await removed_elsewhere(own_server, tmp_path)
    result, calls = await undone_on_redis(own_server, tmp_path)
    assert (result.outcome, result.tally, result.left) == ("stopped", RestoreTally(), 1_000)
    assert result.why.startswith("RESTORE was refused: ERR DUMP payload version or checksum are wrong; the keys were")
    assert "undo on that server" in result.why
    assert calls < 1_000  # and not for each key
    assert not run_in(tmp_path).undone


async def removed_elsewhere(own_server: StartServer, folder: Path) -> None:
    server = own_server()
    async with client_of(server) as redis:
        await populate(redis, "k:", 1_000)
    await removed(server, selecting("k:*"), folder, KEPT)


async def undone_on_redis(own_server: StartServer, folder: Path) -> tuple[RestoreResult, int]:
    """The account of an undo on a server that reads no newer payload, and how often it was asked."""
    with EmbeddedServer(binary=binary_of("redis-server")) as server:
        result = await undo_of(server, run_in(folder), folder, elsewhere=True).run()
        async with client_of(server) as redis:
            calls = (await redis.info("commandstats"))["cmdstat_restore"]["calls"]
    return result, calls
