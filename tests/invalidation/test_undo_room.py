"""An undo evicts no more keys than was agreed to: it looks again before its first key, and on its way."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any
from unittest.mock import Mock

import pytest
from redis.asyncio import Redis

from pymon_tui.demo.embedded import EmbeddedServer
from pymon_tui.invalidation.outlook import Memory, outlook_of, too_many
from pymon_tui.invalidation.pacing import Pacer
from pymon_tui.invalidation.restore_account import RestoreResult, RestoreTally
from pymon_tui.invalidation.restore_load import Coming, Load
from pymon_tui.invalidation.restore_room import Node, Room
from pymon_tui.model import units
from tests.conftest import StartServer, client_of
from tests.invalidation.planned import selecting
from tests.invalidation.removing import fill, removed
from tests.invalidation.test_undo_is_true import KEPT, run_in, undo_of, undone
from tests.server.listening import until

pytestmark = pytest.mark.usefixtures("at_once")

KEYS, SIZE = 400, 20_000
ROOM = 2_000_000
VALUE = Random(7).randbytes(SIZE // 2).hex()  # which no dump makes small


async def full(redis: Any, server: EmbeddedServer, folder: Path, policy: str = "allkeys-lru") -> None:
    """A run has removed as many keys as are there, and there is no limit yet."""
    await redis.config_set("maxmemory-policy", policy)
    await fill(redis, [f"k:{number}" for number in range(KEYS)], VALUE)
    await removed(server, selecting("k:*"), folder, KEPT)
    await fill(redis, [f"live:{number}" for number in range(KEYS)], VALUE)


async def limit(redis: Any, room: int) -> None:
    await redis.config_set("maxmemory", (await redis.info("memory"))["used_memory"] + room)


async def evicted(redis: Any) -> int:
    return int((await redis.info("stats"))["evicted_keys"])


async def all_is_told(redis: Any, result: RestoreResult) -> None:
    """What came back and was evicted for what came after it is still to come, and the account says so."""
    there = await redis.exists(*(f"k:{number}" for number in range(KEYS)))
    assert result.tally.restored + result.left == KEYS
    assert 0 <= result.tally.restored - there < 5  # a server at its limit goes on evicting, for our questions as well
    assert result.outcome == ("stopped" if result.left else "done")
    assert ("gone again" in result.why) is (result.left > 0)


@pytest.mark.parametrize("policy", ["allkeys-lru", "allkeys-random", "allkeys-lfu"])
async def test_what_has_changed_since_it_was_agreed_to_holds_it_before_the_first_key(
    any_redis: Redis, any_server: EmbeddedServer, tmp_path: Path, policy: str
) -> None:
    await full(any_redis, any_server, tmp_path, policy)
    undo = undo_of(any_server, run_in(tmp_path), tmp_path)
    outlook = await undo.outlook()
    assert outlook.warnings == ()
    await limit(any_redis, ROOM)
    before = await evicted(any_redis)
    undo.agree(outlook, asks=False)
    result = await undo.run()
    assert (result.outcome, result.tally, result.left) == ("stopped", RestoreTally(), KEYS)
    assert "keys would be evicted for what comes back, and none were when this was agreed to" in result.why
    assert "raise maxmemory, or undo again" in result.why
    assert await evicted(any_redis) == before
    await any_redis.config_set("maxmemory", 0)
    again = undo_of(any_server, run_in(tmp_path), tmp_path)
    again.agree(await again.outlook(), asks=False)
    assert (await again.run()).tally == RestoreTally(restored=KEYS)


@pytest.mark.parametrize("yes", [True, False])
async def test_a_person_is_asked_once_and_what_was_said_is_done(
    redis: Redis, server: EmbeddedServer, tmp_path: Path, *, yes: bool
) -> None:
    await full(redis, server, tmp_path)
    undo = undo_of(server, run_in(tmp_path), tmp_path)
    undo.agree(await undo.outlook(), asks=True)
    await limit(redis, ROOM)
    before = await evicted(redis)
    task = asyncio.create_task(undo.run())
    await until(lambda: undo.progress.state == "asking")
    assert await evicted(redis) == before
    if yes:
        undo.go_on("another question")
        undo.go_on(undo.progress.why)
        result = await task
        await all_is_told(redis, result)
        assert 0 < await evicted(redis) - before < KEYS
    else:
        undo.cancel()
        assert (await task).outcome == "cancelled"
        assert await evicted(redis) == before


async def test_what_changes_on_its_way_holds_it_there_and_the_rest_comes_back_later(
    redis: Redis, server: EmbeddedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Others take the room while it goes: what is back stays."""
    await full(redis, server, tmp_path)
    await limit(redis, KEYS * SIZE + ROOM)
    gate, passed = Room.gate, 0

    async def taking(room: Room, line: Any, pacer: Pacer, raw: Mapping[str, int]) -> None:
        nonlocal passed
        passed += 1
        if passed == 20:
            await limit(redis, ROOM)
        await gate(room, line, pacer, raw)

    monkeypatch.setattr(Room, "gate", taking)
    undo = undo_of(server, run_in(tmp_path), tmp_path)
    undo.agree(await undo.outlook(), asks=False)
    before = await evicted(redis)
    result = await undo.run()
    assert (result.outcome, await evicted(redis)) == ("stopped", before)
    back = result.tally.restored
    assert 0 < back < KEYS
    assert await redis.dbsize() == KEYS + back
    await redis.config_set("maxmemory", 0)
    again = undo_of(server, run_in(tmp_path), tmp_path)
    assert (await again.outlook()).load.bytes < SIZE * (KEYS - back) * 1.5
    assert (await again.run()).tally.restored == KEYS
    assert await redis.dbsize() == 2 * KEYS


async def test_what_was_agreed_to_is_evicted_and_asked_about_no_more(
    redis: Redis, server: EmbeddedServer, tmp_path: Path
) -> None:
    await full(redis, server, tmp_path)
    await limit(redis, ROOM)
    undo = undo_of(server, run_in(tmp_path), tmp_path)
    outlook = await undo.outlook()
    undo.agree(outlook, asks=False)
    before = await evicted(redis)
    result = await undo.run()
    await all_is_told(redis, result)
    assert 0 < await evicted(redis) - before < 2 * outlook.evicted


@pytest.mark.parametrize(("room", "most"), [(None, 3), (KEYS * SIZE + 40 * ROOM, 6)])
async def test_it_asks_the_server_no_more_often_than_it_has_to(
    own_server: StartServer, tmp_path: Path, room: int | None, most: int
) -> None:
    """Where there is plenty of room, one look is for many portions."""
    server = own_server()
    async with client_of(server) as redis:
        await full(redis, server, tmp_path)
        if room is not None:
            await limit(redis, room)
        undo = undo_of(server, run_in(tmp_path), tmp_path)
        undo.agree(await undo.outlook(), asks=False)
        await redis.config_resetstat()
        result = await undo.run()
        assert result.tally.restored == KEYS
        asked = (await redis.info("commandstats"))["cmdstat_info"]["calls"]
        assert asked <= 3 * most + 8  # what a look asks, and what each connection does


async def test_one_answer_is_for_all_parts_that_ask_the_same() -> None:
    """The second part counts one key more: it has asked before the first was answered."""
    load = Load(100, 0, 2_000_000, (), False, raw=2_000_000, to={"": Coming(100, bytes=2_000_000.0, raw=2_000_000)})
    rooms = [1_000_000, 980_000]

    async def look(_: Any) -> list[Memory]:
        return [Memory(rooms.pop(0) if len(rooms) > 1 else rooms[0], "allkeys-lru", 0, 1_000, 20_000.0)]

    room = Room(outlook_of(load, [Memory(None, "", 0, 1_000, 20_000.0)]), look, asks=True)
    first, second = (Pacer(Mock(), 1.0, None) for _ in range(2))
    async with asyncio.timeout(10):
        parts = [asyncio.create_task(room.gate(Mock(), pacer, {"": 20_000})) for pacer in (first, second)]
        await until(lambda: first.state == second.state == "asking")
        first.answer()
        await asyncio.gather(*parts)
    assert room.agreed == 50


@pytest.mark.parametrize("policy", ["volatile-ttl", "allkeys-random"])
async def test_what_is_evicted_of_what_comes_back_was_said_before_and_is_left_to_another_undo(
    any_redis: Redis, any_server: EmbeddedServer, tmp_path: Path, policy: str
) -> None:
    """Many small keys with a TTL come back among a few large ones without."""
    redis: Any = any_redis
    await redis.config_set("maxmemory-policy", policy)
    await fill(redis, [f"live:{number}" for number in range(300)], VALUE)
    fill_ending = "for n = 0, ARGV[1] - 1 do redis.call('set', 'k:' .. n, ARGV[2], 'ex', 86400) end"
    await redis.eval(fill_ending, 0, 6_000, VALUE[:300])
    await removed(any_server, selecting("k:*"), tmp_path, KEPT)
    await limit(redis, 1_200_000)
    undo = undo_of(any_server, run_in(tmp_path), tmp_path)
    outlook = await undo.outlook()
    (warning,) = outlook.warnings
    assert ("are evicted for them" in warning, outlook.unfit) == (True, 0)
    undo.agree(outlook, asks=False)
    before = await evicted(redis)
    result = await undo.run()
    assert 0 < await evicted(redis) - before < 2 * outlook.evicted
    there = sum([bool(await redis.exists(f"k:{number}")) for number in range(6_000)])
    assert 0 < there < 6_000
    assert (result.outcome, result.tally.restored + result.left) == ("stopped", 6_000)
    assert 0 <= result.tally.restored - there < 60  # a server at its limit goes on evicting, for our questions as well
    assert f"{units.keys(result.left)} that came back are gone again" in result.why
    assert run_in(tmp_path).undone_in_part
    rest = await undo_of(any_server, run_in(tmp_path), tmp_path).outlook()
    share = (6_000 - there) / 6_000  # what is there takes no more room
    assert rest.load.bytes == pytest.approx(outlook.load.bytes * share, rel=0.1)
    await redis.config_set("maxmemory", 0)
    again = await undone(any_server, tmp_path)
    assert (again.outcome, again.tally.restored + again.tally.there) == ("done", 6_000)
    assert await redis.exists(*(f"k:{number}" for number in range(6_000))) == 6_000


async def test_newer_keys_hide_none_that_is_gone_again(redis: Redis, server: EmbeddedServer, tmp_path: Path) -> None:
    """Whether those that came back were evicted, or newer ones of these names, isn't known: nothing is claimed."""
    await redis.config_set("maxmemory-policy", "allkeys-random")
    await fill(redis, [f"k:{number}" for number in range(KEYS)], VALUE)
    await removed(server, selecting("k:*"), tmp_path, KEPT)
    await fill(redis, [f"k:{number}" for number in range(0, KEYS, 2)], VALUE + "newer")
    await limit(redis, ROOM)
    undo = undo_of(server, run_in(tmp_path), tmp_path)
    undo.agree(await undo.outlook(), asks=False)
    result = await undo.run()
    former = sum([await redis.strlen(f"k:{number}") == len(VALUE) for number in range(KEYS)])
    assert result.outcome == "stopped"
    assert 0 < result.tally.restored <= former
    assert result.tally.settled + result.left == KEYS
    assert result.why.startswith("up to ")


async def test_keys_that_came_back_do_not_make_it_ask_for_more(
    redis: Redis, server: EmbeddedServer, tmp_path: Path
) -> None:
    """The keys take less on average the more small ones are back, and not one is evicted yet."""
    load = Load(20_000, 0, 8_000_000, (), False, raw=8_000_000)
    load.to[""] = Coming(20_000, bytes=8_000_000.0, raw=8_000_000)  # type: ignore[index]  # a dict
    memory = Memory(4_000_000, "allkeys-lru", 0, 1_000, 20_000.0)
    sent = [0]

    async def look(_: Any) -> list[Memory]:
        back = sent[0] // 400
        keys, size = 1_000 + back, 20_000_000 + sent[0]
        return [replace(memory, room=max(0, 4_000_000 - sent[0]), keys=keys, key_bytes=size / keys)]

    room = Room(outlook_of(load, [memory]), look, asks=False)
    share = room.share()
    for _ in range(160):
        await room.gate(Mock(), Pacer(Mock(), 1.0, None), {"": 50_000})
        share.sent[""] += 50_000
        sent[0] += 50_000
    assert sent == [8_000_000]


async def test_keys_that_are_smaller_than_the_others_are_seen_before_many_more_are_evicted(
    redis: Redis, server: EmbeddedServer, tmp_path: Path
) -> None:
    """Of 8 000 keys with a TTL each takes a hundredth of what the keys take on average."""
    await full(redis, server, tmp_path, "volatile-lru")
    await redis.eval("for n = 1, 8000 do redis.call('set', 'session:' .. n, n, 'ex', 3600) end", 0)
    await limit(redis, KEYS * SIZE - 1_000_000)
    undo = undo_of(server, run_in(tmp_path), tmp_path)
    outlook = await undo.outlook()
    (warning,) = outlook.warnings
    assert "are evicted for them (volatile-lru), if they are as large as the others" in warning
    undo.agree(outlook, asks=True)
    before = await evicted(redis)
    task = asyncio.create_task(undo.run())
    await until(lambda: undo.progress.state == "asking")
    assert 0 < await evicted(redis) - before < 5 * outlook.evicted
    assert "of them are already" in undo.progress.why
    assert (said := re.match(r"about ([\d ]+) keys would be evicted", undo.progress.why)) is not None
    assert int(said[1].replace(" ", "")) > 3 * outlook.evicted
    undo.cancel()
    await task


@pytest.mark.parametrize(("with_ttl", "policy"), [(0, "volatile-lru"), (50, "volatile-ttl"), (0, "volatile-random")])
async def test_what_does_not_fit_since_too_few_keys_may_be_evicted_is_said_before(
    any_redis: Redis, any_server: EmbeddedServer, tmp_path: Path, with_ttl: int, policy: str
) -> None:
    await full(any_redis, any_server, tmp_path, policy)
    for number in range(with_ttl):
        await any_redis.expire(f"live:{number}", 3_600)
    await limit(any_redis, ROOM)
    outlook = await undo_of(any_server, run_in(tmp_path), tmp_path).outlook()
    over = KEYS - ROOM / SIZE - with_ttl
    assert outlook.evicted == with_ttl
    assert outlook.unfit == pytest.approx(over, rel=0.25)
    (warning,) = outlook.warnings
    assert f"about {outlook.unfit} keys won't fit" in warning
    assert ("no key may be evicted" in warning) is not bool(with_ttl)
    assert outlook.as_json()["unfit"] == outlook.unfit


async def test_keys_that_were_evicted_since_an_undo_brought_them_back_come_back_when_it_goes_on(
    redis: Redis, server: EmbeddedServer, tmp_path: Path
) -> None:
    await redis.config_set("maxmemory-policy", "noeviction")
    await fill(redis, [f"k:{number}" for number in range(KEYS)], VALUE)
    await removed(server, selecting("k:*"), tmp_path, KEPT)
    await limit(redis, ROOM)
    first = await undo_of(server, run_in(tmp_path), tmp_path).run()
    assert (first.outcome, 0 < first.tally.restored < KEYS) == ("stopped", True)
    await redis.config_set("maxmemory-policy", "allkeys-lru")
    await limit(redis, -ROOM // 2)
    await redis.set("other", "v")  # a server may wait for a command before it evicts
    await redis.config_set("maxmemory", 0)
    there = await redis.dbsize() - await redis.exists("other")
    assert there < first.tally.restored
    undo = undo_of(server, run_in(tmp_path), tmp_path)
    assert (await undo.outlook()).load.bytes > KEYS * SIZE / 2
    result = await undo.run()
    assert (result.outcome, result.tally.restored, result.tally.skipped, result.left) == ("done", KEYS, 0, 0)
    assert await redis.dbsize() - await redis.exists("other") == KEYS


async def test_an_undo_goes_on_where_it_was_if_nothing_was_evicted_since(
    own_server: StartServer, tmp_path: Path
) -> None:
    server = own_server()
    async with client_of(server) as redis:
        await redis.config_set("maxmemory-policy", "noeviction")
        await fill(redis, [f"k:{number}" for number in range(KEYS)], VALUE)
        await removed(server, selecting("k:*"), tmp_path, KEPT)
        await limit(redis, ROOM)
        first = await undo_of(server, run_in(tmp_path), tmp_path).run()
        await redis.config_set("maxmemory", 0)
        await redis.config_resetstat()
        result = await undo_of(server, run_in(tmp_path), tmp_path).run()
        assert (result.outcome, result.tally.restored) == ("done", KEYS)
        calls = (await redis.info("commandstats"))["cmdstat_restore"]["calls"]
        assert calls < KEYS - first.tally.restored + 50


def test_what_comes_back_may_be_evicted_for_what_comes_after_it() -> None:
    coming = Coming(500, bytes=10_000_000.0, raw=10_000_000)
    few = Memory(0, "allkeys-lru", 0, 10, 20_000.0)
    assert too_many(10_000_000, few, coming) == (500, 0)
    assert too_many(10_000_000, replace(few, policy="volatile-lru"), coming) == (10, 490)
    ending = replace(coming, ending=200)
    assert too_many(10_000_000, replace(few, policy="volatile-lru"), ending) == (210, 290)
    assert too_many(10_000_000, replace(few, policy="noeviction"), coming) == (0, 500)


@pytest.mark.parametrize(("over", "seen", "most"), [(0, None, 2**16), (20_000, 5, 2**16), (19_983, 139, 900 * 144)])
def test_no_large_step_is_made_before_it_is_seen_what_is_evicted_for_a_small_one(
    over: int, seen: int | None, most: int
) -> None:
    node = Node()
    node.over, node.evicted = over, seen
    assert 0 < node.step(1_889, 900) <= most


async def test_an_undo_that_is_cancelled_where_keys_are_evicted_leaves_what_it_did_not_send(
    redis: Redis, server: EmbeddedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it sent and is there came back, and no key that wasn't sent is called gone."""
    await full(redis, server, tmp_path)
    await limit(redis, ROOM)
    undo = undo_of(server, run_in(tmp_path), tmp_path)
    undo.agree(await undo.outlook(), asks=False)
    gate = Room.gate

    async def cancelling(room: Room, line: Any, pacer: Pacer, raw: Mapping[str, int]) -> None:
        if await evicted(redis) > 20:
            undo.cancel()
        await gate(room, line, pacer, raw)

    monkeypatch.setattr(Room, "gate", cancelling)
    result = await undo.run()
    there = await redis.exists(*(f"k:{number}" for number in range(KEYS)))
    assert 0 < there < KEYS
    assert result.tally.restored + result.left == KEYS
    assert 0 <= result.tally.restored - there < 5
