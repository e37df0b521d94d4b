"""What an undo says of each key is so: on servers that dump a value in two ways, after kills, and in any order."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from dataclasses import replace as replace_fields
from pathlib import Path
from typing import Any, Literal

import pytest
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from pymon_tui.demo.embedded import EmbeddedServer
from pymon_tui.invalidation.account import Options
from pymon_tui.invalidation.cluster.primaries import Found, find
from pymon_tui.invalidation.cluster.restore import WholeRestore
from pymon_tui.invalidation.cluster.server import Server
from pymon_tui.invalidation.naming import Unlinking
from pymon_tui.invalidation.order import Order
from pymon_tui.invalidation.pipe import open_pipe
from pymon_tui.invalidation.removal import Removal
from pymon_tui.invalidation.restore_account import Mark, RestoreResult, RestoreTally
from pymon_tui.invalidation.restore_part import OtherServer, RestoreError
from pymon_tui.invalidation.restore_report import restore_troubles
from pymon_tui.invalidation.rules import Rules
from pymon_tui.invalidation.trash import TrashReader
from pymon_tui.invalidation.trash_damage import Damage
from pymon_tui.journal.journal import Journal
from pymon_tui.journal.records import Record, runs
from pymon_tui.model import units
from pymon_tui.server.endpoint import Endpoint
from tests.conftest import StartServer, client_of
from tests.invalidation.cutting import cutting
from tests.invalidation.planned import plan_of, selecting, user_may
from tests.invalidation.removing import fill, populate, record_of, removal_of, removed, under_way
from tests.servers.kinds import binary_of
from tests.ui.scripted_desk import RULES

pytestmark = pytest.mark.usefixtures("at_once")

KEPT = Options()


def undo_of(
    server: EmbeddedServer | Endpoint, record: Record, folder: Path, *, replace: bool = False, elsewhere: bool = False
) -> WholeRestore:
    endpoint = server if isinstance(server, Endpoint) else Endpoint(socket=server.socket)

    async def rules(_: Found) -> Rules:
        return replace_fields(RULES, ceiling=1.0)

    return WholeRestore(
        endpoint,
        record,
        Journal(folder),
        ceiling=1.0,
        replace=replace,
        elsewhere=elsewhere,
        rules=rules,
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


async def test_a_key_that_got_another_end_since_it_came_back_is_left_alone(
    any_redis: Redis, any_server: EmbeddedServer, tmp_path: Path
) -> None:
    await fill(any_redis, ["k:endless", "k:ending", "k:shortened", "k:prolonged", "k:persisted", "k:limited"])
    for key in ("k:ending", "k:shortened", "k:prolonged", "k:persisted"):
        await any_redis.expire(key, 5_000)
    await removed(any_server, selecting("k:*"), tmp_path, KEPT)
    assert (await undone(any_server, tmp_path)).tally == RestoreTally(restored=6)
    await any_redis.expire("k:shortened", 4_000)
    await any_redis.expire("k:prolonged", 6_000)
    await any_redis.persist("k:persisted")
    await any_redis.expire("k:limited", 5_000)
    again = await undone(any_server, tmp_path)
    assert (again.outcome, again.tally) == ("done", RestoreTally(there=2, skipped=4))
    assert await any_redis.ttl("k:persisted") == -1
    assert await any_redis.ttl("k:shortened") <= 4_000


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
    """As with a kill between the trash and UNLINK; more keys than a busy machine has marked by then."""
    await populate(any_redis, "k:", 12_000)
    named = Unlinking.send
    stop = asyncio.Event()

    def once(self: Unlinking, keys: list[bytes], words: Sequence[bytes] = ()) -> Any:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()
        return named(self, keys, words)

    removal = await removal_of(any_server, selecting("k:*"), tmp_path, Options(rate=100_000))
    monkeypatch.setattr(Unlinking, "send", once)
    with pytest.raises(KeyboardInterrupt):
        await removal.run()
    monkeypatch.undo()
    gone = 12_000 - await any_redis.dbsize()
    record = run_in(tmp_path)
    assert record.undo_path is not None
    with TrashReader(record.undo_path) as reader:
        # The mark of those that were about to be named is written before.
        assert gone < reader.count() <= reader.marks().records
    await any_redis.flushall()  # the application deletes the others
    outlook = await undo_of(any_server, record, tmp_path).outlook()
    result = await undone(any_server, tmp_path)
    assert (outlook.load.keys, outlook.load.copied) == (result.total, result.copied)
    assert result.tally.restored == result.total < 12_000


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
    outlook = await undo_of(server, run_in(tmp_path), tmp_path).outlook()
    assert (outlook.load.copied, outlook.warnings) == (0, ())  # each that was copied twice is removed by now
    back = await undone(server, tmp_path)
    assert (back.tally, back.total, back.copied) == (RestoreTally(restored=5_000), 5_000, 0)


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
    assert calls == 200  # of the first portion
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


async def test_a_user_who_may_write_none_of_the_keys_is_stopped_at_the_first(
    redis: Redis, server: EmbeddedServer, tmp_path: Path
) -> None:
    await populate(redis, "k:", 1_000)
    await removed(server, selecting("k:*"), tmp_path, KEPT)
    await user_may(redis, "~other:*", "+@all")
    await redis.config_resetstat()
    result = await undone(Endpoint(socket=server.socket, username="pymon"), tmp_path)
    assert (result.outcome, result.tally, result.left) == ("stopped", RestoreTally(), 1_000)
    assert "RESTORE was refused for each of the first 200 keys" in result.why
    assert "~" in result.why.split("; ")[-1]
    assert (await redis.info("commandstats"))["cmdstat_restore"]["rejected_calls"] == 200
    assert not run_in(tmp_path).undone
    assert (await undone(server, tmp_path)).tally == RestoreTally(restored=1_000)
    assert run_in(tmp_path).undone


async def test_an_undo_that_left_all_as_it_is_bars_nothing(
    redis: Redis, server: EmbeddedServer, tmp_path: Path
) -> None:
    await populate(redis, "k:", 20)
    await removed(server, selecting("k:*"), tmp_path, KEPT)
    await fill(redis, [f"k:{number}" for number in range(1, 21)], "newer")
    assert (await undone(server, tmp_path)).tally == RestoreTally(skipped=20)
    assert not run_in(tmp_path).undone
    assert (await undone(server, tmp_path, replace=True)).tally == RestoreTally(restored=20)
    assert run_in(tmp_path).undone


@pytest.mark.needs("hpexpire")
async def test_a_hash_whose_fields_have_all_ended_counts_as_expired(
    any_redis: Redis, any_server: EmbeddedServer, tmp_path: Path
) -> None:
    redis: Any = any_redis
    for name, fields in (("small", 2), ("large", 700)):
        await redis.hset(f"k:{name}:all", mapping={f"field {each}": "x" * 40 for each in range(fields)})
        await redis.hset(f"k:{name}:some", mapping={f"field {each}": "x" * 40 for each in range(fields)})
        every = [f"field {each}" for each in range(fields)]
        assert await redis.execute_command("HPEXPIRE", f"k:{name}:all", 900, "FIELDS", fields, *every)
        await redis.execute_command("HPEXPIRE", f"k:{name}:some", 900, "FIELDS", fields - 1, *every[1:])
        await redis.hset(f"k:{name}:later", mapping={"a": 1})
        await redis.execute_command("HPEXPIRE", f"k:{name}:later", 900_000, "FIELDS", 1, "a")
    ends = time.monotonic() + 0.9
    result = await removed(any_server, selecting("k:*"), tmp_path, KEPT)
    assert result.tally.removed == 6
    while time.monotonic() < ends:
        await redis.ping()
    for tally in (RestoreTally(restored=4, expired=2), RestoreTally(there=4, expired=2)):
        assert (await undone(any_server, tmp_path)).tally == tally
        assert await redis.dbsize() == 4
    assert len(await redis.hgetall("k:large:some")) == len(await redis.hgetall("k:small:some")) == 1


@pytest.mark.parametrize(
    ("policy", "option"),
    [
        ("allkeys-lru", "IDLETIME"),
        # Elsewhere the dumps for the plan count as a use of these keys.
        pytest.param("allkeys-lfu", "FREQ", marks=pytest.mark.needs("client|no-touch")),
    ],
)
async def test_how_a_key_was_used_comes_back(
    any_redis: Redis, any_server: EmbeddedServer, tmp_path: Path, policy: str, option: str
) -> None:
    redis: Any = any_redis
    await redis.config_set("maxmemory", 100_000_000)
    await redis.config_set("maxmemory-policy", policy)
    payload = {}
    async with client_of(any_server) as client:
        raw: Any = Redis(unix_socket_path=any_server.socket, legacy_responses=False)
        await client.set("a", "value")
        payload["a"] = await raw.dump("a")
        await client.delete("a")
        for number in range(30):
            await raw.execute_command("RESTORE", f"k:{number}", 0, payload["a"], option, 100 + number)
        await raw.aclose()
    result = await removed(any_server, selecting("k:*"), tmp_path, KEPT)
    assert result.tally.removed == 30
    assert (await undone(any_server, tmp_path)).tally == RestoreTally(restored=30)
    used = [int(await redis.execute_command("OBJECT", option, f"k:{number}")) for number in range(30)]
    # Idle time rises meanwhile, and the counter of frequency may decay.
    assert all(98 + number <= value <= 105 + number for number, value in enumerate(used))


@pytest.mark.parametrize("policy", ["noeviction", "allkeys-random", "volatile-ttl"])
async def test_nothing_is_asked_of_use_where_eviction_does_not_go_by_it(
    redis: Redis, server: EmbeddedServer, tmp_path: Path, policy: str
) -> None:
    await redis.config_set("maxmemory", 100_000_000)
    await redis.config_set("maxmemory-policy", policy)
    await populate(redis, "k:", 300)
    removal = await removal_of(server, selecting("k:*"), tmp_path, KEPT)
    await redis.config_resetstat()
    assert (await removal.run()).tally.removed == 300
    assert not {"cmdstat_object|idletime", "cmdstat_object|freq"} & set(await redis.info("commandstats"))


async def test_the_state_folder_may_have_moved(redis: Redis, server: EmbeddedServer, tmp_path: Path) -> None:
    await populate(redis, "k:", 50)
    await removed(server, selecting("k:*"), tmp_path / "here", KEPT)
    (tmp_path / "here").rename(tmp_path / "there")
    assert (await undone(server, tmp_path / "there")).tally == RestoreTally(restored=50)


async def test_who_may_not_know_the_process_is_told_so(redis: Redis, server: EmbeddedServer, tmp_path: Path) -> None:
    await populate(redis, "k:", 50)
    await removed(server, selecting("k:*"), tmp_path, KEPT)
    await user_may(redis, "~*", "+@all", "-info")
    us = Endpoint(socket=server.socket, username="pymon")
    with pytest.raises(OtherServer, match="doesn't tell pymon which process it is: INFO is denied") as refused:
        await undone(us, tmp_path)
    assert "restarted" not in str(refused.value)
    assert (await undo_of(us, run_in(tmp_path), tmp_path, elsewhere=True).run()).tally == RestoreTally(restored=50)


async def test_a_server_is_known_by_its_process_and_not_by_a_name(
    own_server: StartServer, tmp_path: Path, redis: Redis, server: EmbeddedServer
) -> None:
    other = own_server(tcp=True)
    async with client_of(other) as client:
        await populate(client, "k:", 50)
    await removed(Endpoint(host="127.0.0.1", port=other.port), selecting("k:*"), tmp_path, KEPT)
    record = run_in(tmp_path)
    for endpoint in (Endpoint(host="localhost", port=other.port), Endpoint(socket=other.socket)):
        assert Server.of(await find(endpoint)).is_of(record)
    assert not Server.of(await find(Endpoint(socket=server.socket))).is_of(record)


async def test_a_killed_run_is_counted_from_its_trash(redis: Redis, server: EmbeddedServer, tmp_path: Path) -> None:
    await populate(redis, "k:", 2_000)
    result = await removed(server, selecting("k:*"), tmp_path, KEPT)
    journal = Journal(tmp_path)
    lines = journal.path.read_bytes().splitlines(keepends=True)
    journal.path.write_bytes(b"".join(line for line in lines if b'"ended"' not in line))
    record = run_in(tmp_path)
    assert (record.removed_at_least, record.removed_at_most) == (0, result.tally.removed)  # no more than was planned
    outlook = await undo_of(server, record, tmp_path).outlook()
    assert (outlook.load.keys, outlook.load.copied, outlook.warnings) == (2_000, 0, ())


@pytest.mark.parametrize("policy", ["allkeys-lru", "allkeys-lfu", "noeviction"])
async def test_what_would_be_evicted_is_known_before(
    any_redis: Redis, any_server: EmbeddedServer, tmp_path: Path, policy: str
) -> None:
    redis: Any = any_redis
    await fill(redis, [f"k:{number}" for number in range(1_000)], "x" * 5_000)
    await removed(any_server, selecting("k:*"), tmp_path, KEPT)
    await fill(redis, [f"live:{number}" for number in range(1_000)], "x" * 5_000)
    used = (await redis.info("memory"))["used_memory"]
    await redis.config_set("maxmemory-policy", policy)
    await redis.config_set("maxmemory", used + 2_000_000)
    outlook = await undo_of(any_server, run_in(tmp_path), tmp_path).outlook()
    (warning,) = outlook.warnings
    if policy == "noeviction":
        assert outlook.evicted == 0
        assert 400 < outlook.unfit < 1_000
        assert f"about {outlook.unfit} keys won't fit; raise maxmemory first" in warning
        return
    assert (400 < outlook.evicted < 1_000, outlook.unfit) == (True, 0)
    assert f"{units.keys(outlook.evicted, about=True)} are evicted for them ({policy})" in warning
    before = (await redis.info("stats"))["evicted_keys"]
    result = await undone(any_server, tmp_path)
    count = (await redis.info("stats"))["evicted_keys"] - before  # a server may go on evicting behind the undo
    assert result.evicted is not None
    assert 0.9 * count < result.evicted <= count
    assert 0.5 < result.evicted / outlook.evicted < 2
    await redis.config_set("maxmemory", 0)
    assert (await undo_of(any_server, run_in(tmp_path), tmp_path).outlook()).warnings == ()


async def test_a_damaged_trash_brings_back_what_it_proves_and_tells_of_the_rest(
    redis: Redis, server: EmbeddedServer, tmp_path: Path
) -> None:
    await populate(redis, "k:", 3_000)
    result = await removed(server, selecting("k:*"), tmp_path, KEPT)
    assert result.undo is not None
    with TrashReader(result.undo) as reader:
        blocks = list(reader.blocks())
    lost = len(blocks[1].records)
    whole = result.undo.read_bytes()
    place = (blocks[1].offset + blocks[1].next_offset) // 2
    result.undo.write_bytes(whole[:place] + bytes([whole[place] ^ 4]) + whole[place + 1 :])
    (warning,) = (await undo_of(server, run_in(tmp_path), tmp_path).outlook()).warnings
    assert warning == (
        f"the trash is damaged: what was kept of {units.keys(lost)} can't be read, and doesn't come back"
    )
    back = await undone(server, tmp_path)
    assert (back.outcome, back.tally, back.left) == ("done", RestoreTally(restored=3_000 - lost), 0)
    assert (back.copied, back.damage, back.is_whole) == (0, Damage(lost), False)
    rest = {"at_least": False, "unproven": 0, "endless": 0, "unnoted": 0}
    assert back.as_json()["damage"] == {"unreadable": lost} | rest
    assert [row.text for row in restore_troubles(back)] == [warning]
    record = run_in(tmp_path)
    assert (record.undone, record.undone_in_part) == (True, True)
    result.undo.write_bytes(whole)  # a copy of it turned up
    assert (await undone(server, tmp_path)).tally == RestoreTally(restored=lost, there=3_000 - lost)


@pytest.mark.parametrize("settled", [40, 1_000])
async def test_an_undo_that_is_gone_on_with_counts_what_it_brought_back_before_the_damage(
    redis: Redis, server: EmbeddedServer, tmp_path: Path, settled: int
) -> None:
    """Of a block that can't be read any more, what came back before is back, and what didn't is lost."""
    await populate(redis, "k:", 3_000)
    result = await removed(server, selecting("k:*"), tmp_path, KEPT)
    assert result.undo is not None
    with TrashReader(result.undo) as reader:
        first, second, *_ = reader.blocks()
    size = len(first.records)
    settled = min(settled, size)
    for key, end, payload in first.records[:settled]:
        await redis.restore(key, end, payload)
    place = Mark(*((second.offset, 0) if settled == size else (first.offset, settled)), RestoreTally(restored=settled))
    run = run_in(tmp_path)
    fields: dict[str, Any] = {"undo": "20261122-120413-1111", "run": run.id, "run_id": run.run_id, "replace": False}
    Journal(tmp_path).append("undo", "started", **fields, mark=Mark().as_json())
    Journal(tmp_path).append("undo", "progress", **fields, mark=place.as_json(), restored=settled)
    whole = result.undo.read_bytes()
    middle = (first.offset + first.next_offset) // 2
    result.undo.write_bytes(whole[:middle] + bytes([whole[middle] ^ 4]) + whole[middle + 1 :])
    back = await undone(server, tmp_path)
    lost = size - settled
    assert (back.outcome, back.tally) == ("done", RestoreTally(restored=3_000 - lost))
    assert (back.total, back.left, back.damage) == (3_000 - lost, 0, Damage(lost))
    assert back.is_whole == (not lost)
    assert await redis.dbsize() == 3_000 - lost


@pytest.mark.parametrize(
    ("cut", "mode"), [*((cut, "unlink") for cut in (1, 30, 60, 100)), *((cut, "expire") for cut in (1, 30, 60))]
)
async def test_a_trash_without_its_end_brings_back_all_that_it_holds(
    redis: Redis, server: EmbeddedServer, tmp_path: Path, cut: int, mode: Literal["unlink", "expire"]
) -> None:
    """The account tells how many keys went: where so many copies are there, it was these."""
    await populate(redis, "k:", 300)
    result = await removed(server, selecting("k:*"), tmp_path, Options(mode=mode, expire=600.0))
    assert result.undo is not None
    os.truncate(result.undo, result.undo.stat().st_size - cut)
    back = await undone(server, tmp_path)
    assert (back.outcome, back.tally, back.copied) == ("done", RestoreTally(restored=300), 0)
    assert (back.torn, back.damage, back.is_whole) == (True, Damage(), True)
    assert (await redis.dbsize(), {await redis.ttl(key) for key in await redis.keys()}) == (300, {-1})
    assert run_in(tmp_path).undone


async def test_what_a_killed_run_may_have_removed_is_told_where_the_mark_is_lost(
    redis: Redis, server: EmbeddedServer, tmp_path: Path
) -> None:
    await populate(redis, "k:", 300)
    result = await removed(server, selecting("k:*"), tmp_path, KEPT)
    assert result.undo is not None
    journal = Journal(tmp_path)
    lines = journal.path.read_bytes().splitlines(keepends=True)
    journal.path.write_bytes(b"".join(line for line in lines if b'"ended"' not in line))
    data = result.undo.read_bytes()
    mark = data.index(b"PYMN")
    result.undo.write_bytes(data[: mark + 30] + b"?" + data[mark + 31 : data.rindex(b"PYME")])
    back = await undone(server, tmp_path)
    assert (back.tally, back.copied) == (RestoreTally(), 0)
    assert back.damage is not None
    assert back.damage.unproven == 300
    (row,) = restore_troubles(back)
    assert row.text.endswith(
        "300 keys in it are left alone unless all are replaced, since the marks are lost that tell if the run "
        "removed them"
    )
    assert not run_in(tmp_path).undone


async def can_be_untouched(server: EmbeddedServer) -> bool:
    pipe = await open_pipe(Endpoint(socket=server.socket))
    try:
        return not isinstance(await pipe.ask_one(b"CLIENT", b"NO-TOUCH", b"ON"), ResponseError)
    finally:
        await pipe.close()


async def test_a_plan_touches_a_hundred_keys_where_a_dump_is_a_use(
    any_redis: Redis, any_server: EmbeddedServer
) -> None:
    """What it tells of them is from before; on servers with CLIENT NO-TOUCH it touches none."""
    redis: Any = any_redis
    await redis.config_set("maxmemory", 100_000_000)
    await redis.config_set("maxmemory-policy", "allkeys-lru")
    raw: Any = Redis(unix_socket_path=any_server.socket, legacy_responses=False)
    await redis.set("a", "value")
    payload = await raw.dump("a")
    for number in range(300):
        await raw.execute_command("RESTORE", f"k:{number}", 0, payload, "IDLETIME", 1_000)
    await raw.aclose()
    knows = await can_be_untouched(any_server)
    plan = await plan_of(any_server, selecting("k:*"))
    assert plan.idle is not None
    assert plan.idle.median >= 1_000
    names = [f"k:{number}" for number in range(300)]
    idle = {name: int(await redis.execute_command("OBJECT", "IDLETIME", name)) for name in names}
    touched = {name.encode() for name, seconds in idle.items() if seconds < 1_000}
    assert len(touched) == (0 if knows else 100)
    assert touched <= plan.touched.keys()
    assert all(seconds >= 1_000 for seconds, _ in plan.touched.values())
    unread = await plan_of(any_server, selecting("k:*"), undo=False)
    assert not unread.touched
