"""Undo on real servers: what comes back, what stays as it is, and what is said of the rest."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from redis import Redis as SyncRedis
from redis.asyncio import Redis

from pymon_tui.demo.embedded import EmbeddedServer
from pymon_tui.invalidation.restore import Restore
from pymon_tui.invalidation.restore_account import Mark, RestoreTally
from pymon_tui.invalidation.restore_part import OtherServer, RestoreError, other_process
from pymon_tui.invalidation.returning import Returning
from pymon_tui.invalidation.trash import TrashError, TrashHeader, TrashReader, TrashRecord, TrashWriter, trash_path
from pymon_tui.journal.journal import Journal
from pymon_tui.journal.lock import Locked, lock
from pymon_tui.journal.records import runs
from pymon_tui.server.endpoint import Endpoint
from tests.conftest import StartServer, client_of
from tests.demo.waiting import a_moment
from tests.journal.processes import killed, started

RUN = "20261122-120411-7c3f"


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path)


def raw(server: EmbeddedServer, db: int = 0) -> Any:
    """A client that answers in bytes."""
    return Redis(unix_socket_path=server.socket, db=db, legacy_responses=False)


async def removed(client: Any) -> list[TrashRecord]:
    """What a run would have kept of all keys, which are gone afterwards."""
    keys = sorted([key async for key in client.scan_iter(count=1000)])
    kept: list[TrashRecord] = []
    for key in keys:
        end = await client.execute_command("PEXPIRETIME", key)
        kept.append((key, max(end, 0), await client.dump(key)))
    await client.flushdb()
    return kept


async def trash_of(
    server: EmbeddedServer, journal: Journal, *blocks: list[TrashRecord], db: int = 0, run: str = RUN
) -> Path:
    async with client_of(server) as client:
        run_id = (await client.info("server"))["run_id"]
    path = trash_path(journal.folder, run)
    with TrashWriter(path, TrashHeader(run, run_id, db, "cache", time.time()), cap=2**30) as writer:
        for block in blocks:
            assert len(writer.write(block)) == len(block)
    return path


def undo(
    server: EmbeddedServer | Endpoint, path: Path, journal: Journal, *, replace: bool = False, elsewhere: bool = False
) -> Restore:
    endpoint = server if isinstance(server, Endpoint) else Endpoint(socket=server.socket)
    return Restore(endpoint, path, journal, ceiling=1.0, replace=replace, elsewhere=elsewhere, read_only=False)


async def strings(client: Any, names: range, end: int = 0) -> list[TrashRecord]:
    """Records of strings that are not there."""
    await client.set("a string", "x" * 20)
    payload = await client.dump("a string")
    await client.delete("a string")
    return [(b"key:%05d" % name, end, payload) for name in names]


async def many(client: Any) -> list[list[TrashRecord]]:
    """Twenty blocks of a thousand."""
    return [await strings(client, range(first, first + 1000)) for first in range(0, 20_000, 1000)]


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 - it is about an instant, which nothing announces
            await asyncio.sleep(0)


@pytest.mark.needs("pexpiretime")
async def test_every_type_comes_back_as_it_was(redis: Redis, server: EmbeddedServer, journal: Journal) -> None:
    async with raw(server, db=3) as client:
        await client.set(b"binary\x00\xff\r\n", b"\x00\xff" * 100)
        await client.set("number", 12)
        await client.set("empty", "")
        await client.set("long", "x" * 300_000)
        await client.rpush("list", *range(1000))
        await client.sadd("set", *[f"member {number}" for number in range(1000)])
        await client.sadd("integers", *range(100))
        await client.zadd("sorted", {f"member {number}": number / 7 for number in range(500)})
        await client.hset("hash", mapping={f"field {number}": "x" * number for number in range(300)})
        await client.xadd("stream", {"a": "b"})
        await client.pfadd("hyperloglog", *range(1000))
        await client.geoadd("places", (13.4, 52.5, "here"))
        await client.setbit("bits", 10_000, 1)
        before = {key: await value_of(client, key) for key in await client.keys()}
        kept = await removed(client)
        path = await trash_of(server, journal, kept[:4], kept[4:], db=3)
        result = await undo(server, path, journal).run()
        assert {key: await value_of(client, key) for key in await client.keys()} == before
    assert (result.outcome, result.why, result.run, result.left, result.torn) == ("done", "", RUN, 0, False)
    assert result.tally == RestoreTally(restored=13)
    assert await redis.dbsize() == 0  # the database of the run, and not the one that the endpoint names


async def value_of(client: Any, key: bytes) -> Any:
    asked: dict[bytes, Callable[[], Awaitable[Any]]] = {
        b"string": lambda: client.get(key),
        b"list": lambda: client.lrange(key, 0, -1),
        b"set": lambda: client.smembers(key),
        b"zset": lambda: client.zrange(key, 0, -1, withscores=True),
        b"hash": lambda: client.hgetall(key),
        b"stream": lambda: client.xrange(key),
    }
    return await asked[await client.type(key)]()


@pytest.mark.needs("pexpiretime")
async def test_keys_end_when_they_would_have_ended(redis: Redis, server: EmbeddedServer, journal: Journal) -> None:
    async with raw(server) as client:
        await client.set("lasting", 1)
        await client.set("ending", 1, pxat=4_000_000_000_123)
        await client.set("gone by now", 1)
        kept = await removed(client)
        ended = [(key, 1, payload) if key == b"gone by now" else (key, end, payload) for key, end, payload in kept]
        result = await undo(server, await trash_of(server, journal, ended), journal).run()
        assert result.tally == RestoreTally(restored=2, expired=1)
        assert await client.execute_command("PEXPIRETIME", "ending") == 4_000_000_000_123
        assert await client.ttl("lasting") == -1
        assert await client.exists("gone by now") == 0


@pytest.mark.needs("pexpiretime")
async def test_a_newer_key_stays_unless_it_is_to_be_replaced(
    redis: Redis, server: EmbeddedServer, journal: Journal
) -> None:
    async with raw(server) as client:
        await client.mset({"rewritten": "old", "not": "old", "ended": "old"})
        kept = await removed(client)
        kept = [(key, 1 if key == b"ended" else end, payload) for key, end, payload in kept]
        path = await trash_of(server, journal, kept)
        await client.mset({"rewritten": "new", "ended": "new"})
        result = await undo(server, path, journal).run()
        assert result.tally == RestoreTally(restored=1, skipped=1, expired=1)
        assert await client.mget("rewritten", "not", "ended") == [b"new", b"old", b"new"]
        again = await undo(server, path, journal, replace=True).run()
        assert again.tally == RestoreTally(restored=2, expired=1)
        assert await client.mget("rewritten", "not", "ended") == [b"old", b"old", b"new"]


async def test_an_undo_of_a_done_undo_finds_its_own_keys(
    redis: Redis, server: EmbeddedServer, journal: Journal
) -> None:
    async with raw(server) as client:
        path = await trash_of(server, journal, await strings(client, range(10)))
        await undo(server, path, journal).run()
        await client.set("key:00003", "newer")
        again = await undo(server, path, journal).run()
        assert again.tally == RestoreTally(there=9, skipped=1)


@pytest.mark.needs("pexpiretime")
async def test_keys_that_were_given_an_earlier_end_get_their_own_back(
    redis: Redis, server: EmbeddedServer, journal: Journal
) -> None:
    options = {"expire": 55.0, "jitter": 10.0}
    journal.append("run", "started", run=RUN, mode="expire", options=options)
    async with raw(server) as client:
        await client.mset({"lasting": 1, "ending": 1, "newer": 1, "ended": 1})
        await client.pexpireat("ending", 4_000_000_000_123)
        kept = await removed(client)
        for key, _, payload in kept:
            if key != b"ended":
                await client.restore(key, 60_000, payload)
        await client.set("newer", 2, px=90_000)
        result = await undo(server, await trash_of(server, journal, kept), journal).run()
        assert result.tally == RestoreTally(restored=3, skipped=1)
        assert await client.execute_command("PEXPIRETIME", "ending") == 4_000_000_000_123
        assert await client.ttl("lasting") == await client.ttl("ended") == -1
        assert await client.ttl("newer") > 60


async def test_the_journal_tells_of_it(redis: Redis, server: EmbeddedServer, journal: Journal) -> None:
    journal.append("run", "started", run=RUN, mode="unlink")
    journal.append("run", "ended", run=RUN, outcome="done", tally={"removed": 10})
    async with raw(server) as client:
        path = await trash_of(server, journal, await strings(client, range(10)))
    restoring = undo(server, path, journal)
    result = await restoring.run()
    record, run = runs(journal)
    assert (record.id, record.run, record.kind, record.state) == (restoring.undo, RUN, "undo", "done")
    assert (record.removed_at_least, record.removed_at_most, record.undo_path) == (10, 10, path)
    assert record.acl_user == "default"
    assert run.undone
    assert record.result is not None
    assert result.as_json().items() <= record.result.items()
    assert (restoring.progress.state, restoring.progress.total, restoring.progress.tally.restored) == ("ended", 10, 10)
    assert result.unrecorded is None


async def test_an_undo_that_cannot_be_recorded_is_made_and_says_so(
    redis: Redis, server: EmbeddedServer, journal: Journal
) -> None:
    async with raw(server) as client:
        path = await trash_of(server, journal, await strings(client, range(10)))
    journal.path.mkdir()
    result = await undo(server, path, journal).run()
    assert (result.outcome, result.tally.restored) == ("done", 10)
    assert result.unrecorded is not None
    assert "the journal" in result.unrecorded


async def test_a_torn_trash_is_restored_as_far_as_it_goes(
    redis: Redis, server: EmbeddedServer, journal: Journal
) -> None:
    async with raw(server) as client:
        path = await trash_of(server, journal, await strings(client, range(10)), await strings(client, range(10, 20)))
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size - 5)
    result = await undo(server, path, journal).run()
    assert (result.outcome, result.torn, result.total, result.left) == ("done", True, 10, 0)
    assert await redis.dbsize() == 10


async def test_a_payload_that_the_server_cannot_read_fails_alone(
    redis: Redis, server: EmbeddedServer, journal: Journal
) -> None:
    async with raw(server) as client:
        some = await strings(client, range(300))
        some[7] = (b"bad\x1b", 0, b"not a dump")
        result = await undo(server, await trash_of(server, journal, some), journal).run()
    assert (result.outcome, result.tally, result.left) == ("done", RestoreTally(restored=299, failed=1), 0)
    (failure,) = result.failures
    assert (failure.key, failure.why) == ("bad\\x1b", "ERR DUMP payload version or checksum are wrong")


@pytest.mark.parametrize("gone", [False, True])
async def test_it_goes_on_where_it_was_cancelled_if_what_was_back_is_there(
    redis: Redis, server: EmbeddedServer, journal: Journal, *, gone: bool
) -> None:
    async with raw(server) as client:
        path = await trash_of(server, journal, *await many(client))
    first = undo(server, path, journal)
    running = asyncio.create_task(first.run())
    await until(lambda: first.progress.tally.restored > 0)
    first.cancel()
    cancelled = await running
    assert cancelled.outcome == "cancelled"
    assert 0 < cancelled.tally.restored == await redis.dbsize() < 20_000
    assert cancelled.left == 20_000 - cancelled.tally.restored
    if gone:
        some = await redis.randomkey()
        assert some is not None
        await redis.delete(some)
    await redis.config_resetstat()
    rest = await undo(server, path, journal).run()
    assert (rest.outcome, rest.tally) == ("done", RestoreTally(restored=20_000))
    assert await redis.dbsize() == 20_000
    sent = (await redis.info("commandstats"))["cmdstat_restore"]["calls"]
    assert sent == (20_000 if gone else cancelled.left)


async def test_a_process_that_was_killed_is_gone_on_from(
    redis: Redis, server: EmbeddedServer, journal: Journal
) -> None:
    async with raw(server) as client:
        blocks = [await strings(client, range(at, at + 10)) for at in (0, 10, 20)]
        path = await trash_of(server, journal, *blocks)
        run_id = (await redis.info("server"))["run_id"]
        # The killed one got ten keys further than its last entry says; one of them was written anew since.
        with_mark: dict[str, Any] = {"undo": "20261122-120413-1111", "run": RUN, "run_id": run_id, "replace": False}
        journal.append("undo", "started", **with_mark)
        first = await first_block_end(path)
        mark = Mark(first, 0, RestoreTally(restored=8, skipped=2)).as_json()
        journal.append("undo", "progress", **with_mark, mark=mark)
        for key, _, payload in blocks[1]:
            await client.restore(key, 0, payload)
        await client.set("key:00013", "newer")
        result = await undo(server, path, journal).run()
        assert (result.outcome, result.left) == ("done", 0)
        assert result.tally == RestoreTally(restored=8 + 9 + 10, skipped=3)
        assert await client.get("key:00013") == b"newer"
        assert await client.exists("key:00005") == 0


async def first_block_end(path: Path) -> int:
    with TrashReader(path) as reader:
        return next(reader.blocks()).next_offset


@pytest.mark.parametrize(
    ("same_process", "earlier", "now"), [(False, True, True), (True, True, False), (True, False, True)]
)
async def test_an_undo_of_another_kind_begins_anew(
    redis: Redis,
    server: EmbeddedServer,
    journal: Journal,
    same_process: bool,  # noqa: FBT001 - pytest's
    earlier: bool,  # noqa: FBT001 - pytest's
    now: bool,  # noqa: FBT001 - pytest's
) -> None:
    async with raw(server) as client:
        path = await trash_of(server, journal, await strings(client, range(10)))
    run_id = (await redis.info("server"))["run_id"] if same_process else "another"
    mark = Mark(await first_block_end(path), 0, RestoreTally(skipped=10)).as_json()
    fields: dict[str, Any] = {"undo": "20261122-120413-1111", "run": RUN, "run_id": run_id, "replace": earlier}
    journal.append("undo", "started", **fields)
    journal.append("undo", "progress", **fields, mark=mark)
    assert (await undo(server, path, journal, replace=now).run()).tally == RestoreTally(restored=10)


async def test_a_full_memory_stops_it_and_it_goes_on_when_there_is_room(
    redis: Redis, server: EmbeddedServer, journal: Journal
) -> None:
    async with raw(server) as client:
        await client.set("value", "x" * 5000)
        payload = await client.dump("value")
        await client.delete("value")
        some = [(b"key:%d" % number, 0, payload) for number in range(2000)]
        path = await trash_of(server, journal, some)
        used = (await client.info("memory"))["used_memory"]
        await client.config_set("maxmemory-policy", "noeviction")
        await client.config_set("maxmemory", used + 3_000_000)
        stopped = await undo(server, path, journal).run()
        assert stopped.outcome == "stopped"
        assert stopped.why.startswith("RESTORE was refused: OOM command not allowed when used memory > 'maxmemory'")
        assert stopped.why.endswith("; raise maxmemory or free memory, and undo again: it goes on where it stopped")
        assert 0 < stopped.tally.restored == await client.dbsize() < 2000
        assert (stopped.tally.failed, stopped.left) == (0, 2000 - stopped.tally.restored)
        await client.config_set("maxmemory", 0)
        done = await undo(server, path, journal).run()
        assert (done.outcome, done.tally) == ("done", RestoreTally(restored=2000))
        assert await client.dbsize() == 2000


async def test_a_failed_save_stops_it(own_server: StartServer, journal: Journal) -> None:
    server = own_server({"save": "3600 1", "stop-writes-on-bgsave-error": "yes"})
    async with raw(server) as client:
        path = await trash_of(server, journal, await strings(client, range(10)))
        (Path(server.socket).parent / "dump.rdb").mkdir()  # nothing can be saved there
        await client.bgsave()
        async with asyncio.timeout(10):
            while (await client.info("persistence"))["rdb_last_bgsave_status"] == "ok":
                await a_moment()
        result = await undo(server, path, journal).run()
    assert (result.outcome, result.left) == ("stopped", 10)
    assert result.why.startswith("RESTORE was refused: MISCONF ")
    assert result.why.endswith("; let the server save again (its log says why it can't), and undo again")


async def test_a_user_without_restore_is_told_the_line(redis: Redis, server: EmbeddedServer, journal: Journal) -> None:
    async with raw(server) as client:
        path = await trash_of(server, journal, await strings(client, range(10)))
    endpoint = Endpoint(socket=server.socket, username="mon", password=SecretStr("pw"))
    await redis.acl_setuser("mon", enabled=True, passwords=["+pw"], commands=["+@all", "-restore"], keys=["*"])
    denied = await undo(endpoint, path, journal).run()
    assert (denied.outcome, denied.left) == ("stopped", 10)
    assert denied.why.startswith("RESTORE was refused: ")
    assert denied.why.endswith("; ACL SETUSER mon +restore")
    await redis.acl_setuser(
        "mon", enabled=True, commands=["+restore"], reset_keys=True, keys=["key:00001", "key:00002"]
    )
    some = await undo(endpoint, path, journal).run()
    assert (some.outcome, some.tally) == ("done", RestoreTally(restored=2, failed=8))
    assert some.failures[0].key == "key:00000"
    assert some.failures[0].why.endswith("; ACL SETUSER mon ~KEY")


async def test_a_replica_is_refused(own_server: StartServer, journal: Journal) -> None:
    server = own_server()
    async with raw(server) as client:
        path = await trash_of(server, journal, await strings(client, range(10)))
        await client.replicaof("127.0.0.1", "1")
        with pytest.raises(RestoreError, match="is a replica; connect to its primary to restore keys"):
            await undo(server, path, journal).run()


async def test_a_primary_that_becomes_a_replica_stops_it(own_server: StartServer, journal: Journal) -> None:
    server = own_server()
    async with raw(server) as client:
        path = await trash_of(server, journal, *await many(client))
        restoring = undo(server, path, journal)
        running = asyncio.create_task(restoring.run())
        await until(lambda: restoring.progress.tally.restored > 0)
        await client.replicaof("127.0.0.1", "1")
        result = await running
        assert result.outcome == "stopped"
        assert result.why.endswith("; it has become a replica: undo on its primary")
        assert result.tally.restored == await client.dbsize()


async def test_another_server_process_must_be_wanted(own_server: StartServer, journal: Journal) -> None:
    server = own_server()
    async with raw(server) as client:
        path = await trash_of(server, journal, await strings(client, range(10)))
    server.start()  # anew, and empty
    with pytest.raises(OtherServer, match="was restarted since the run, or is another server than cache"):
        await undo(server, path, journal).run()
    assert runs(journal) == ()
    result = await undo(server, path, journal, elsewhere=True).run()
    assert (result.outcome, result.tally.restored) == ("done", 10)


async def test_read_only_opens_nothing(tmp_path: Path, journal: Journal) -> None:
    with pytest.raises(RestoreError, match="this is read-only"):
        Restore(Endpoint(), tmp_path / "no", journal, ceiling=1.0, replace=False, elsewhere=False, read_only=True)


async def test_a_trash_that_is_not_there_is_said(server: EmbeddedServer, journal: Journal) -> None:
    with pytest.raises(TrashError, match="No such file"):
        await undo(server, trash_path(journal.folder, RUN), journal).run()


async def test_a_run_that_is_under_way_is_not_undone(redis: Redis, server: EmbeddedServer, journal: Journal) -> None:
    async with raw(server) as client:
        path = await trash_of(server, journal, await strings(client, range(10)))
    with lock(journal.folder, f"run-{RUN}", run=RUN), pytest.raises(Locked):
        await undo(server, path, journal).run()
    assert await redis.dbsize() == 0


async def test_a_lost_link_is_made_anew_and_nothing_is_counted_twice(
    redis: Redis, server: EmbeddedServer, journal: Journal
) -> None:
    async with raw(server) as client:
        path = await trash_of(server, journal, *await many(client))
    restoring = undo(server, path, journal)
    running = asyncio.create_task(restoring.run())
    for number in (1, 5_000, 10_000):
        await until(partial(lambda least: restoring.progress.tally.settled >= least, number))
        await redis.client_kill_filter(_type="normal", skipme=True)
        await until(lambda: restoring.progress.state == "reconnecting")
    result = await running
    assert (result.outcome, result.tally) == ("done", RestoreTally(restored=20_000))
    assert await redis.dbsize() == 20_000


async def test_a_restart_in_the_middle_stops_it(own_server: StartServer, journal: Journal) -> None:
    server = own_server()
    async with raw(server) as client:
        path = await trash_of(server, journal, *await many(client))
    restoring = undo(server, path, journal)
    running = asyncio.create_task(restoring.run())
    await until(lambda: restoring.progress.tally.restored > 0)
    await asyncio.to_thread(server.start)
    result = await running
    assert result.outcome == "stopped"
    assert result.why == "the server was restarted meanwhile, or another one answers now"
    async with raw(server) as client:
        assert await client.dbsize() == 0


async def test_a_task_that_is_cancelled_leaves_how_far_it_came(
    redis: Redis, server: EmbeddedServer, journal: Journal
) -> None:
    async with raw(server) as client:
        path = await trash_of(server, journal, *await many(client))
    restoring = undo(server, path, journal)
    running = asyncio.create_task(restoring.run())
    await until(lambda: restoring.progress.tally.restored > 0)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    (record,) = runs(journal)
    assert record.state == "interrupted"
    assert 0 < record.removed_at_least <= await redis.dbsize()
    done = await undo(server, path, journal).run()
    assert (done.outcome, done.tally) == ("done", RestoreTally(restored=20_000))


async def test_any_server_takes_its_own_back(any_redis: Redis, any_server: EmbeddedServer, journal: Journal) -> None:
    await any_redis.set("lasting", "1")
    await any_redis.rpush("list", "1", "2")
    async with raw(any_server) as client:
        kept = [(key, 0, await client.dump(key)) for key in (b"lasting", b"list")]
        await client.flushdb()
        kept.append((b"ending", 4_000_000_000_000, kept[0][2]))
        kept.append((b"ended", 1, kept[0][2]))
    result = await undo(any_server, await trash_of(any_server, journal, kept), journal).run()
    assert result.tally == RestoreTally(restored=3, expired=1)
    assert await any_redis.lrange("list", 0, -1) == ["1", "2"]
    assert await any_redis.ttl("ending") > 10**6


async def test_a_mark_that_is_none_is_the_start() -> None:
    mark = Mark(7, 3, RestoreTally(1, 2, 3, 4))
    assert Mark.from_json(mark.as_json()) == mark
    wrongs: list[object] = [None, [], {}]
    for wrong in (*wrongs, mark.as_json() | {"offset": "7"}, mark.as_json() | {"index": -1}):
        assert Mark.from_json(wrong) == Mark()


UNDO = """
import asyncio, sys
from pathlib import Path
from pymon_tui.invalidation.restore import Restore
from pymon_tui.journal.journal import Journal
from pymon_tui.server.endpoint import Endpoint
socket, trash, folder = sys.argv[1:]
restore = Restore(
    Endpoint(socket=socket),
    Path(trash),
    Journal(Path(folder)),
    ceiling=1.0,
    replace=False,
    elsewhere=False,
    read_only=False,
)
print("up", flush=True)
sys.stdin.readline()
asyncio.run(restore.run())
"""


async def test_a_killed_undo_is_gone_on_with_and_accounts_for_every_key(
    redis: Redis, server: EmbeddedServer, journal: Journal
) -> None:
    async with raw(server) as client:
        path = await trash_of(server, journal, *await many(client))
    process = await asyncio.to_thread(started, UNDO, server.socket, path, journal.folder)
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()
    async with asyncio.timeout(20):
        while not await redis.dbsize():
            await a_moment()
    killed(process)
    (record,) = runs(journal)
    assert record.state == "interrupted"
    assert record.removed_at_least <= await redis.dbsize() < 20_000
    result = await undo(server, path, journal).run()
    assert (result.outcome, result.tally) == ("done", RestoreTally(restored=20_000))
    assert await redis.dbsize() == 20_000


@pytest.mark.parametrize(
    ("here", "said"),
    [
        ("prod", "prod was restarted since the run, or another server answers there now; "),
        ("cache:6379", "cache:6379 was restarted since the run, or is another server than prod; "),
    ],
)
def test_one_server_is_not_called_another_than_itself(here: str, said: str) -> None:
    why = other_process(here, "b" * 40, "default", then=("prod", "a" * 40))
    assert why == f"{said}restore to it only if that is what you want"
    assert other_process(here, "a" * 40, "default", then=("prod", "a" * 40)) is None


async def test_a_key_that_is_gone_when_it_is_looked_at_is_sent_again(
    redis: Redis, server: EmbeddedServer, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server at its limit evicts it between BUSYKEY and DUMP."""
    async with raw(server) as client:
        path = await trash_of(server, journal, await strings(client, range(10)))
    assert (await undo(server, path, journal).run()).tally.restored == 10
    ask, gone = Returning._ask, 0

    def evicting(returning: Returning, commands: Iterable[tuple[bytes, ...]]) -> Any:
        nonlocal gone
        listed = list(commands)
        if listed and listed[0][0] == b"DUMP":
            gone = evict([key for _, key in listed[:4]])
        return ask(returning, listed)

    def evict(keys: list[bytes]) -> int:
        with SyncRedis(unix_socket_path=server.socket) as db:
            return int(db.delete(*keys))

    monkeypatch.setattr(Returning, "_ask", evicting)
    result = await undo(server, path, journal).run()
    assert (gone, result.tally) == (4, RestoreTally(restored=4, there=6))
    assert await redis.dbsize() == 10
