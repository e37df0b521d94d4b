"""The undo of a run that gave keys an end: whoever still has that end gets the former one back, and nobody else."""

from __future__ import annotations

import os
import struct
import time
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from pymon_tui.demo.embedded import EmbeddedServer
from pymon_tui.invalidation.account import Options, Result
from pymon_tui.invalidation.restore import Restore
from pymon_tui.invalidation.restore_account import RestoreResult, RestoreTally
from pymon_tui.invalidation.restore_load import load_of
from pymon_tui.invalidation.restore_report import restore_troubles
from pymon_tui.invalidation.trash import TrashHeader, TrashReader, TrashRecord, TrashWriter, trash_path
from pymon_tui.invalidation.trash_damage import UNTOLD, Damage, Promised
from pymon_tui.invalidation.trash_format import named
from pymon_tui.invalidation.trash_of import promised_by
from pymon_tui.journal.journal import Journal
from pymon_tui.journal.records import runs
from pymon_tui.server.endpoint import Endpoint
from tests.conftest import StartServer, client_of
from tests.demo.waiting import a_moment
from tests.invalidation.planned import selecting
from tests.invalidation.removing import fill, populate, removed

pytestmark = pytest.mark.usefixtures("at_once")

RUN = "20261122-120411-7c3f"


async def expired(server: EmbeddedServer, folder: Path, *, expire: float, jitter: float = 0.0) -> Result:
    """The account of a run that gave all keys under c: an end."""
    options = Options(mode="expire", expire=expire, jitter=jitter)
    result = await removed(server, selecting("c:*"), folder, options)
    assert (result.outcome, result.left) == ("done", 0)
    return result


async def undone(
    server: EmbeddedServer,
    folder: Path,
    path: Path | None,
    *,
    replace: bool = False,
    elsewhere: bool = False,
    promised: Promised = UNTOLD,
) -> RestoreResult:
    """The account of its undo."""
    assert path is not None
    restore = Restore(
        Endpoint(socket=server.socket),
        path,
        Journal(folder),
        ceiling=1.0,
        replace=replace,
        elsewhere=elsewhere,
        read_only=False,
        promised=promised,
    )
    return await restore.run()


async def dumped(server: EmbeddedServer, redis: Redis) -> list[TrashRecord]:
    """All keys under c:, as a run copies them."""
    client: Any = Redis(unix_socket_path=server.socket, legacy_responses=False)
    ends = {key: await end_of(redis, key) for key in sorted(map(str, await redis.keys("c:*")))}
    records = [(key.encode(), max(0, end), await client.dump(key)) for key, end in ends.items()]
    await client.aclose()
    return records


async def now_of(redis: Redis) -> int:
    """Unix milliseconds of the server's clock."""
    seconds, micros = await redis.time()
    return int(seconds) * 1000 + int(micros) // 1000


async def trash_by_hand(folder: Path, redis: Redis, records: list[TrashRecord], *, given: int) -> Path:
    """The trash of a run that gave all of these the same end."""
    path = trash_path(folder, RUN)
    header = TrashHeader(
        RUN, (await redis.info("server"))["run_id"], 0, "cache", time.time(), mode="expire", marks=True
    )
    with TrashWriter(path, header, cap=2**30) as writer:
        writer.write(records)
        writer.name(writer.block, 0, len(records), [given] * len(records))
    journal = Journal(folder)
    journal.append("run", "started", run=RUN, mode="expire", options={"expire": 3_600.0, "jitter": 0.0})
    journal.append("run", "ended", run=RUN, outcome="done", removed=len(records), unknown=0, seconds=0.1)
    return path


async def give_ends(redis: Redis, path: Path) -> None:
    """What the run of this trash did."""
    with TrashReader(path) as reader:
        for block in reader.blocks():
            for (key, _, _), given in zip(block.records, block.given, strict=True):
                await redis.pexpireat(key.decode(), given)


def let_ends_pass(path: Path) -> None:
    """As if the ends had been given that long ago."""
    data = path.read_bytes()
    place = data.index(b"PYMN")
    count, size = struct.unpack_from("<IQ", data, place + 4)
    mark = data[place : place + 20 + size]
    block, first = struct.unpack_from("<QI", mark, 20)
    path.write_bytes(data.replace(mark, named(block, first, count, [1] * count)))


async def end_of(redis: Redis, key: str) -> int:
    """When it ends, to within the second that a server without PEXPIRETIME leaves unknown; -1 for never."""
    life = await redis.pttl(key)
    seconds, micros = await redis.time()
    return life if life < 0 else int(seconds) * 1000 + int(micros) // 1000 + life


async def test_who_still_has_the_end_gets_the_former_one_whatever_its_value_is(
    any_redis: Redis, any_server: EmbeddedServer, tmp_path: Path
) -> None:
    redis: Any = any_redis
    await redis.set("c:string", 1)
    await redis.hset("c:hash", "a", 1)
    await redis.rpush("c:list", 1)
    await redis.sadd("c:set", 1)
    await redis.zadd("c:sorted", {"m": 1})
    await redis.set("c:ending", 1, ex=86_400)
    await redis.mset({"c:rewritten": 1, "c:deleted": 1, "c:prolonged": 1})
    ending = await end_of(redis, "c:ending")
    result = await expired(any_server, tmp_path, expire=60)
    await redis.incr("c:string")
    await redis.hset("c:hash", "b", 2)
    await redis.rpush("c:list", 2)
    await redis.sadd("c:set", 2)
    await redis.zincrby("c:sorted", 1, "m")
    await redis.incr("c:ending")
    await redis.set("c:rewritten", 2)
    await redis.delete("c:deleted")
    await redis.expire("c:prolonged", 5_000)
    back = await undone(any_server, tmp_path, result.undo)
    assert (back.outcome, back.tally) == ("done", RestoreTally(restored=6, skipped=3))
    for key in ("c:string", "c:hash", "c:list", "c:set", "c:sorted", "c:rewritten"):
        assert await redis.ttl(key) == -1
    assert abs(await end_of(redis, "c:ending") - ending) < 60
    assert (await redis.get("c:string"), await redis.get("c:rewritten")) == ("2", "2")
    assert await redis.hgetall("c:hash") == {"a": "1", "b": "2"}
    assert await redis.exists("c:deleted") == 0
    assert await redis.ttl("c:prolonged") > 60
    assert runs(Journal(tmp_path))[-1].undone


async def test_a_key_that_is_only_read_gets_its_end_back(
    any_redis: Redis, any_server: EmbeddedServer, tmp_path: Path
) -> None:
    """Redis 7.0 dumps a hash table in another order once it was read."""
    for number in range(20):
        size = 520 + 50 * number
        await any_redis.hset(f"c:hash:{number}", mapping={f"field {each}": each for each in range(size)})
        await any_redis.sadd(f"c:set:{number}", *(f"member {each}" for each in range(size)))
    result = await expired(any_server, tmp_path, expire=600, jitter=60)
    for number in range(20):
        for each in range(100):
            await any_redis.hget(f"c:hash:{number}", f"field {each}")
            await any_redis.sismember(f"c:set:{number}", f"member {each}")
    back = await undone(any_server, tmp_path, result.undo)
    assert back.tally == RestoreTally(restored=40)
    assert {await any_redis.ttl(key) for key in await any_redis.keys("c:*")} == {-1}
    again = await undone(any_server, tmp_path, result.undo)
    assert again.tally == RestoreTally(there=40)


@pytest.mark.needs("pexpiretime")
async def test_former_ends_come_back_to_the_millisecond(
    any_redis: Redis, any_server: EmbeddedServer, tmp_path: Path
) -> None:
    await populate(any_redis, "c:", 500)
    ends = {f"c:{number}": 4_000_000_000_000 + number for number in range(1, 501)}
    pipeline = any_redis.pipeline(transaction=False)
    for key, end in ends.items():
        pipeline.pexpireat(key, end)
    await pipeline.execute()
    result = await expired(any_server, tmp_path, expire=600, jitter=60)
    assert (await undone(any_server, tmp_path, result.undo)).tally == RestoreTally(restored=500)
    assert {key: await any_redis.pexpiretime(key) for key in ends} == ends


@pytest.mark.needs("pexpiretime")
async def test_the_trash_has_the_end_that_each_key_was_given(
    any_redis: Redis, any_server: EmbeddedServer, tmp_path: Path
) -> None:
    await populate(any_redis, "c:", 300)
    await any_redis.pexpireat("c:7", 4_000_000_000_123)
    await any_redis.pexpire("c:8", 30_000)  # ends sooner than it would be made to
    result = await expired(any_server, tmp_path, expire=600, jitter=600)
    assert (result.tally.removed, result.tally.already_gone, result.tally.ending_sooner) == (299, 0, 1)
    assert result.undo is not None
    given: dict[bytes, int] = {}
    with TrashReader(result.undo) as reader:
        assert (reader.count(), reader.marks().copied) == (299, 1)
        for block in reader.blocks():
            given |= dict(zip((key for key, _, _ in block.records), block.given, strict=True))
    for key, end in given.items():
        if key != b"c:8":
            assert await any_redis.pexpiretime(key.decode()) == end
    assert given[b"c:8"] == -1


async def test_what_ended_by_the_run_is_restored_with_its_former_end(
    any_redis: Redis, any_server: EmbeddedServer, tmp_path: Path
) -> None:
    await fill(any_redis, ["c:1", "c:2", "c:3"])
    await any_redis.expire("c:2", 10_000)
    result = await expired(any_server, tmp_path, expire=0.001)
    while await any_redis.exists("c:1", "c:2", "c:3"):
        await a_moment()
    await any_redis.set("c:3", "newer")
    back = await undone(any_server, tmp_path, result.undo)
    assert back.tally == RestoreTally(restored=2, skipped=1)
    assert await any_redis.mget("c:1", "c:2", "c:3") == ["v", "v", "newer"]
    assert await any_redis.ttl("c:1") == -1
    assert 9_000 < await any_redis.ttl("c:2") <= 10_000


async def test_what_the_run_left_alone_is_no_part_of_its_undo(
    any_redis: Redis, any_server: EmbeddedServer, tmp_path: Path
) -> None:
    await fill(any_redis, ["c:1", "c:sooner", "c:gone since"])
    await any_redis.expire("c:sooner", 100)
    await any_redis.expire("c:gone since", 100)
    result = await expired(any_server, tmp_path, expire=600)
    assert (result.tally.removed, result.tally.already_gone, result.tally.ending_sooner) == (1, 0, 2)
    await any_redis.delete("c:gone since")
    back = await undone(any_server, tmp_path, result.undo, replace=True)
    assert (back.total, back.tally, back.copied) == (1, RestoreTally(restored=1), 2)
    assert await any_redis.exists("c:gone since") == 0
    assert 0 < await any_redis.ttl("c:sooner") <= 100


@pytest.mark.needs("hpexpire")
async def test_a_hash_that_ended_with_its_fields_counts_as_expired(
    any_redis: Redis, any_server: EmbeddedServer, tmp_path: Path
) -> None:
    redis: Any = any_redis
    await redis.hset("c:hash", "a", 1)
    await redis.execute_command("HPEXPIRE", "c:hash", 300, "FIELDS", 1, "a")
    result = await expired(any_server, tmp_path, expire=600)
    while await redis.exists("c:hash"):
        await a_moment()
    assert (await undone(any_server, tmp_path, result.undo)).tally == RestoreTally(expired=1)


@pytest.mark.needs("pexpiretime")
async def test_replacing_replaces_what_has_another_end_and_keeps_newer_values_with_the_runs(
    any_redis: Redis, any_server: EmbeddedServer, tmp_path: Path
) -> None:
    await any_redis.mset({"c:in place": 1, "c:rewritten": 1})
    await any_redis.expire("c:rewritten", 10_000)
    result = await expired(any_server, tmp_path, expire=600)
    await any_redis.incr("c:in place")
    await any_redis.set("c:rewritten", 5)
    back = await undone(any_server, tmp_path, result.undo, replace=True)
    assert back.tally == RestoreTally(restored=2)
    assert await any_redis.mget("c:in place", "c:rewritten") == ["2", "1"]
    assert await any_redis.ttl("c:in place") == -1
    assert await any_redis.ttl("c:rewritten") > 600


@pytest.mark.needs("pexpiretime")
async def test_a_trash_without_marks_goes_by_the_window_of_the_run(
    redis: Redis, server: EmbeddedServer, tmp_path: Path
) -> None:
    """As runs wrote it before ends were written down."""
    client: Any = Redis(unix_socket_path=server.socket, legacy_responses=False)
    await redis.mset({"in place": 1, "lasting": 1, "later": 1, "earlier": 1})
    records = [(str(key).encode(), 0, await client.dump(key)) for key in await redis.keys()]
    await client.aclose()
    run_id = (await redis.info("server"))["run_id"]
    path = trash_path(tmp_path, RUN)
    with TrashWriter(path, TrashHeader(RUN, run_id, 0, "cache", time.time()), cap=2**30) as writer:
        writer.write(records)
    whole = path.read_bytes().replace(b'"version": 2', b'"version": 1', 1)
    path.write_bytes(whole)
    journal = Journal(tmp_path)
    journal.append("run", "started", run=RUN, mode="expire", options={"expire": 600.0, "jitter": 60.0})
    journal.append("run", "ended", run=RUN, outcome="done", seconds=0.1)
    await redis.expire("in place", 620)
    await redis.incr("in place")
    await redis.expire("later", 3_000)
    await redis.expire("earlier", 300)
    back = await undone(server, tmp_path, path)
    assert back.tally == RestoreTally(restored=1, skipped=2, there=1)
    assert await redis.ttl("in place") == -1
    assert await redis.ttl("later") > 660
    assert 0 < await redis.ttl("earlier") <= 300


async def test_an_undo_needs_no_room_for_keys_that_are_there(
    any_redis: Redis, any_server: EmbeddedServer, tmp_path: Path
) -> None:
    redis: Any = any_redis
    await redis.mset({f"c:{number}": "x" * 20_000 for number in range(300)})
    result = await expired(any_server, tmp_path, expire=600)
    load = load_of(runs(Journal(tmp_path))[:1], replace=False)
    assert (load.keys, load.bytes) == (300, 0)
    assert (await undone(any_server, tmp_path, result.undo)).tally == RestoreTally(restored=300)


async def test_what_an_undo_found_gone_or_changed_stays_so_for_later_ones(
    any_redis: Redis, any_server: EmbeddedServer, tmp_path: Path
) -> None:
    """Also once the end has passed that the run gave: what became of these keys since isn't its doing."""
    redis: Any = any_redis
    names = ("in place", "deleted", "rewritten", "prolonged", "rewritten and gone", "back and gone", "back and ended")
    await redis.mset({f"c:{name}": "old" for name in names})
    await redis.pexpireat("c:back and ended", 4_000_000_000_000)
    path = await trash_by_hand(tmp_path, redis, await dumped(any_server, redis), given=await now_of(redis) + 3_600_000)
    await give_ends(redis, path)
    written = path.stat()
    await redis.delete("c:deleted")
    await redis.mset({"c:rewritten": "new", "c:rewritten and gone": "new"})
    await redis.expire("c:prolonged", 90_000)
    first = await undone(any_server, tmp_path, path)
    assert first.tally == RestoreTally(restored=3, skipped=4)
    assert path.stat().st_mtime_ns == written.st_mtime_ns  # by which ends are known that no mark tells
    assert path.stat().st_size > written.st_size
    await redis.delete("c:rewritten and gone", "c:back and gone", "c:back and ended")
    let_ends_pass(path)
    second = await undone(any_server, tmp_path, path)
    assert second.tally == RestoreTally(there=1, skipped=6)
    assert {key: await redis.get(key) for key in await redis.keys("c:*")} == {
        "c:in place": "old",
        "c:rewritten": "new",
        "c:prolonged": "old",
    }
    assert (await undone(any_server, tmp_path, path)).tally == second.tally
    replaced = await undone(any_server, tmp_path, path, replace=True)
    assert replaced.tally == RestoreTally(restored=6, there=1)
    assert await redis.mget(*(f"c:{name}" for name in names)) == ["old"] * 7
    assert (await undone(any_server, tmp_path, path)).tally == RestoreTally(there=7)


async def test_what_ended_by_the_run_comes_back_though_an_undo_before_was_refused_it(
    any_redis: Redis, any_server: EmbeddedServer, tmp_path: Path
) -> None:
    redis: Any = any_redis
    await redis.mset({"c:1": "old", "c:2": "old"})
    records = await dumped(any_server, redis)
    broken = [(b"c:0", 0, b"not a dump"), *records]
    path = await trash_by_hand(tmp_path, redis, broken, given=1)
    await redis.delete("c:1", "c:2")
    assert (await undone(any_server, tmp_path, path)).tally == RestoreTally(restored=2, failed=1)
    await redis.delete("c:1")
    assert (await undone(any_server, tmp_path, path)).tally == RestoreTally(restored=1, there=1, failed=1)


async def test_what_was_found_on_one_server_holds_for_another_only_where_others_changed_it(
    own_server: StartServer, tmp_path: Path
) -> None:
    server = own_server()
    async with client_of(server) as redis:
        await redis.mset({"c:back": "old", "c:deleted": "old"})
        path = await trash_by_hand(tmp_path, redis, await dumped(server, redis), given=await now_of(redis) + 3_600_000)
        await give_ends(redis, path)
        await redis.delete("c:deleted")
        assert (await undone(server, tmp_path, path)).tally == RestoreTally(restored=1, skipped=1)
    let_ends_pass(path)
    async with client_of(server) as redis:
        await redis.delete("c:back")
        assert (await undone(server, tmp_path, path, elsewhere=True)).tally == RestoreTally(skipped=2)
        assert await redis.keys() == []
    other = own_server()
    async with client_of(other) as redis:
        back = await undone(other, tmp_path, path, elsewhere=True)
        assert back.tally == RestoreTally(restored=1, skipped=1)
        assert await redis.keys() == ["c:back"]


async def test_what_was_found_and_cannot_be_written_down_is_told(
    any_redis: Redis, any_server: EmbeddedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await fill(any_redis, ["c:1", "c:2"])
    result = await expired(any_server, tmp_path, expire=600)
    await any_redis.delete("c:1")
    assert result.undo is not None
    write, size = os.write, result.undo.stat().st_size
    monkeypatch.setattr(os, "write", lambda descriptor, data: write(descriptor, data[:5]) if b"PYMX" in data else 0)
    back = await undone(any_server, tmp_path, result.undo)
    assert back.tally == RestoreTally(restored=1, skipped=1)
    assert back.unrecorded is not None
    assert "No space left" in back.unrecorded
    assert result.undo.stat().st_size == size


async def test_where_marks_are_lost_who_is_gone_before_any_end_is_gone_by_others(
    redis: Redis, server: EmbeddedServer, tmp_path: Path
) -> None:
    """The ends are lost with the marks: between which moments they lie is known."""
    await fill(redis, ["c:1", "c:2", "c:3"])
    result = await expired(server, tmp_path, expire=600, jitter=60)
    assert result.undo is not None
    data = result.undo.read_bytes()
    place = data.index(b"PYMN") + 30
    result.undo.write_bytes(data[:place] + b"?" + data[place + 1 :])
    await redis.delete("c:2")
    back = await undone(server, tmp_path, result.undo)
    assert (back.tally, back.damage, back.is_whole) == (RestoreTally(skipped=3), Damage(endless=3), False)
    (row,) = restore_troubles(back)
    assert row.text.endswith("the ends are lost that the run gave 3 keys: those stay as they are that are there")
    assert (await redis.ttl("c:1") + 5 > 600, await redis.exists("c:2")) == (True, 0)


async def test_an_end_that_others_gave_stays_where_the_ends_are_lost_that_the_run_gave(
    redis: Redis, server: EmbeddedServer, tmp_path: Path
) -> None:
    """It lies between the moments at which the run's can be; to replace them is another wish."""
    await fill(redis, ["c:1", "c:2"])
    result = await expired(server, tmp_path, expire=300, jitter=60)
    assert result.undo is not None
    data = result.undo.read_bytes()
    place = data.index(b"PYMN") + 30
    result.undo.write_bytes(data[:place] + b"?" + data[place + 1 :])
    await redis.set("c:1", "new", ex=330)
    back = await undone(server, tmp_path, result.undo)
    assert (back.tally, back.damage) == (RestoreTally(skipped=2), Damage(endless=2))
    assert (await redis.get("c:1"), 325 < await redis.ttl("c:1") <= 330) == ("new", True)
    replaced = await undone(server, tmp_path, result.undo, replace=True)
    assert (replaced.tally, replaced.is_whole) == (RestoreTally(restored=2), True)
    assert {await redis.ttl(key) for key in ("c:1", "c:2")} == {-1}


@pytest.mark.parametrize("how", ["a bit", "cut off"])
async def test_where_it_is_lost_what_an_undo_found_who_is_gone_stays_gone(
    any_redis: Redis, any_server: EmbeddedServer, tmp_path: Path, how: str
) -> None:
    """Nobody knows any more who was deleted before the end that the run gave."""
    redis: Any = any_redis
    await redis.mset({f"c:{number}": "old" for number in range(4)})
    path = await trash_by_hand(tmp_path, redis, await dumped(any_server, redis), given=await now_of(redis) + 3_600_000)
    await give_ends(redis, path)
    await redis.delete("c:0", "c:1")
    assert (await undone(any_server, tmp_path, path)).tally == RestoreTally(restored=2, skipped=2)
    data = path.read_bytes()
    notes = data.index(b"PYMX")
    path.write_bytes(data[:notes] if how == "cut off" else data[: notes + 25] + b"?" + data[notes + 26 :])
    let_ends_pass(path)
    promised = Promised(noted=4)
    again = await undone(any_server, tmp_path, path, promised=promised)
    assert (again.damage, again.is_whole) == (Damage(unnoted=4), False)
    assert "it is lost what undos before found of 4 keys" in restore_troubles(again)[0].text
    assert again.tally == RestoreTally(skipped=2, there=2)
    assert sorted(await redis.keys("c:*")) == ["c:2", "c:3"]
    replaced = await undone(any_server, tmp_path, path, replace=True, promised=promised)
    assert (replaced.tally.restored, replaced.is_whole) == (2, True)


async def test_the_journal_tells_of_how_many_an_undo_noted_what_it_found(
    redis: Redis, server: EmbeddedServer, tmp_path: Path
) -> None:
    await fill(redis, ["c:1", "c:2", "c:3"])
    result = await expired(server, tmp_path, expire=600)
    await redis.delete("c:2")
    await undone(server, tmp_path, result.undo)
    (run,) = (record for record in runs(Journal(tmp_path)) if record.kind == "run")
    assert promised_by(run) == Promised(3, 3, noted=3, every=True)
