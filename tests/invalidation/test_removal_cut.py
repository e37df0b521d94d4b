from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
from redis.asyncio import Redis

from pymon_tui.demo.embedded import EmbeddedServer
from pymon_tui.invalidation.account import Options
from pymon_tui.invalidation.trash import TrashReader
from pymon_tui.server.endpoint import Endpoint
from tests.invalidation import removing
from tests.invalidation.cutting import cutting
from tests.invalidation.planned import plan_of, selecting, user_may
from tests.invalidation.removing import PLAIN, fill, populate, record_of, removal_of, removed, under_way
from tests.server.listening import until

pytestmark = pytest.mark.usefixtures("at_once")

KEPT = Options(undo=True)
SLOW = Options(undo=False, rate=10_000)


@pytest.fixture(params=[True, False], ids=["looks", "knows"], autouse=True)
def keys_are_looked_for(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    """The run looks for its keys, or the plan tells them."""
    monkeypatch.setattr(removing, "plan_of", partial(plan_of, read=request.param))
    return bool(request.param)


@pytest.mark.parametrize("options", [PLAIN, KEPT], ids=["unkept", "kept"])
@pytest.mark.parametrize("uncut", [0, 3])
async def test_an_answer_that_is_lost_is_settled_by_looking(
    redis: Redis, server: EmbeddedServer, tmp_path: Path, options: Options, uncut: int
) -> None:
    await populate(redis, "cache:", 5_000)
    await populate(redis, "other:", 1_000)
    async with cutting(server.socket, b"UNLINK", uncut=uncut, arrives=True) as line:
        result = await removed(Endpoint(socket=line.path), selecting("cache:*"), tmp_path, options)
    assert line.stopped
    assert (result.outcome, result.why, result.left) == ("done", "", 0)
    tally = result.tally
    assert (tally.matched, tally.removed, tally.already_gone, tally.unknown) == (5_000, 5_000, 0, 0)
    assert await redis.dbsize() == 1_000
    named = line.named(b"UNLINK")
    assert len(named) == len(set(named)) == 5_000


@pytest.mark.parametrize("options", [PLAIN, KEPT], ids=["unkept", "kept"])
async def test_a_batch_that_never_arrived_is_named_again(
    redis: Redis, server: EmbeddedServer, tmp_path: Path, options: Options
) -> None:
    await populate(redis, "cache:", 5_000)
    async with cutting(server.socket, b"UNLINK", uncut=2, arrives=False) as line:
        result = await removed(Endpoint(socket=line.path), selecting("cache:*"), tmp_path, options)
    tally = result.tally
    assert (tally.matched, tally.removed, tally.already_gone, tally.unknown) == (5_000, 5_000, 0, 0)
    assert (result.outcome, result.left) == ("done", 0)
    assert await redis.dbsize() == 0
    if result.undo is not None:
        with TrashReader(result.undo) as reader:
            assert reader.count() == 5_000  # each once


@pytest.mark.parametrize("uncut", [0, 1_200, 2_600])
@pytest.mark.parametrize("arrives", [True, False])
async def test_a_key_that_was_given_an_end_is_given_it_once(
    redis: Redis, server: EmbeddedServer, tmp_path: Path, *, arrives: bool, uncut: int
) -> None:
    await populate(redis, "cache:", 3_000)
    await redis.set("cache:soon", "v", px=500_000)
    options = Options(mode="expire", expire=1_000, jitter=1_000, undo=True)
    async with cutting(server.socket, b"PEXPIREAT", uncut=uncut, arrives=arrives) as line:
        result = await removed(Endpoint(socket=line.path), selecting("cache:*"), tmp_path, options)
    assert line.stopped
    tally = result.tally
    assert (tally.matched, tally.removed, tally.ending_sooner, tally.unknown) == (3_001, 3_000, 1, 0)
    assert result.undo is not None
    with TrashReader(result.undo) as reader:
        kept = [
            (key, end)
            for block in reader.blocks()
            for (key, end, _), given in zip(block.records, block.given, strict=True)
            if given >= 0
        ]
    assert len(kept) == 3_000
    assert {end for _, end in kept} == {0}  # as it was before the run, and not what the run gave it


@pytest.mark.parametrize("arrives", [True, False])
async def test_what_was_answered_of_a_page_is_not_named_again(
    redis: Redis, server: EmbeddedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, arrives: bool
) -> None:
    monkeypatch.setattr("pymon_tui.invalidation.fruitless.PORTION", 100_000)  # so that a page is many
    await fill(redis, [f"cache:{number}" for number in range(600)], "v" * 5_000)
    options = Options(mode="expire", expire=1_000, jitter=1_000, undo=True)
    async with cutting(server.socket, b"PEXPIREAT", uncut=100, arrives=arrives) as line:
        result = await removed(Endpoint(socket=line.path), selecting("cache:*"), tmp_path, options)
    assert line.stopped
    assert (result.tally.matched, result.tally.removed, result.tally.already_gone) == (600, 600, 0)
    assert result.undo is not None
    with TrashReader(result.undo) as reader:
        assert reader.count() == 600


async def test_a_refusal_counts_once_however_often_the_line_is_cut(
    redis: Redis, server: EmbeddedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pymon_tui.invalidation.fruitless.PORTION", 100_000)  # so that a page is many
    await fill(redis, [f"cache:{number}" for number in range(600)], "v" * 5_000)
    await fill(redis, [f"cache:other:{number}" for number in range(40)])
    await user_may(redis, "~cache:?", "~cache:??", "~cache:???", "+@all")
    async with cutting(server.socket, b"UNLINK", uncut=7, arrives=False) as line:
        us = Endpoint(socket=line.path, username="pymon")
        result = await removed(us, selecting("cache:*"), tmp_path, KEPT)
    assert line.stopped
    assert (result.tally.matched, result.tally.removed, result.tally.refused) == (640, 600, 40)


@pytest.mark.parametrize("arrives", [True, False])
async def test_a_key_that_was_given_an_end_counts_once_where_nothing_is_kept(
    redis: Redis, server: EmbeddedServer, tmp_path: Path, *, arrives: bool
) -> None:
    await populate(redis, "cache:", 3_000)
    options = Options(mode="expire", expire=1_000, jitter=1_000, undo=False)
    async with cutting(server.socket, b"PEXPIRE", uncut=0, arrives=arrives) as line:
        result = await removed(Endpoint(socket=line.path), selecting("cache:*"), tmp_path, options)
    assert line.stopped
    assert (result.tally.matched, result.tally.removed, result.tally.already_gone) == (3_000, 3_000, 0)


async def test_each_key_is_kept_once_however_often_the_line_is_cut(
    redis: Redis, server: EmbeddedServer, tmp_path: Path
) -> None:
    await populate(redis, "cache:", 5_000)
    async with cutting(server.socket, b"UNLINK", uncut=2, arrives=False) as line:
        removal = await removal_of(Endpoint(socket=line.path), selecting("cache:*"), tmp_path, KEPT)
        async with under_way(removal) as task:
            for _ in range(3):
                await until(lambda: line.stopped or task.done())
                line.cut_at(b"UNLINK", uncut=0, arrives=False)  # the next one as well
            await until(lambda: line.stopped or task.done())
            result = await task
    assert (result.outcome, result.tally.removed, result.left) == ("done", 5_000, 0)
    assert result.undo is not None
    with TrashReader(result.undo) as reader:
        assert reader.count() == 5_000


async def test_a_line_that_is_cut_while_keys_are_read_costs_nothing(
    redis: Redis, server: EmbeddedServer, tmp_path: Path, *, keys_are_looked_for: bool
) -> None:
    await populate(redis, "cache:", 3_000)
    looking = ((b"SCAN", 5),) if keys_are_looked_for else ()
    for command, uncut in (*looking, (b"DUMP", 1_500), (b"ROLE", 1)):
        async with cutting(server.socket, command, uncut=uncut, arrives=True) as line:
            result = await removed(Endpoint(socket=line.path), selecting("cache:*"), tmp_path, KEPT)
        assert line.stopped
        tally = result.tally
        assert (tally.matched, tally.removed, tally.unknown, result.left) == (3_000, 3_000, 0, 0)
        await populate(redis, "cache:", 3_000)


async def test_the_database_stays_the_same_on_a_new_connection(
    redis: Redis, server: EmbeddedServer, tmp_path: Path
) -> None:
    await populate(redis, "cache:", 3_000)
    await populate(redis, "cache:", 3_000, db=3)
    async with cutting(server.socket, b"UNLINK", uncut=1, arrives=False) as line:
        result = await removed(Endpoint(socket=line.path, db=3), selecting("cache:*"), tmp_path)
    assert (result.tally.removed, result.left) == (3_000, 0)
    keyspace = await redis.info("keyspace")
    assert keyspace["db0"]["keys"] == 3_000
    assert "db3" not in keyspace


@pytest.mark.parametrize(("uncut", "arrives"), [(0, False), (1, False), (1, True)])
async def test_what_was_not_kept_is_counted_once_though_it_is_named_twice(
    redis: Redis, server: EmbeddedServer, tmp_path: Path, uncut: int, *, arrives: bool
) -> None:
    await redis.set("cache:big", "x" * 4_000)
    await populate(redis, "cache:", 50)
    options = Options(undo=True, key_cap=2_000)
    async with cutting(server.socket, b"UNLINK", uncut=uncut, arrives=arrives) as line:
        result = await removed(Endpoint(socket=line.path), selecting("cache:*"), tmp_path, options)
    assert line.stopped
    assert (result.tally.removed, result.undo_left_out, result.oversized_keys) == (51, 1, (b"cache:big",))
    # What answers were lost of wasn't weighed for certain.
    assert (result.freed.by, result.freed.at_least) == ("run", arrives)


async def test_what_cannot_be_settled_stays_unknown(redis: Redis, server: EmbeddedServer, tmp_path: Path) -> None:
    await populate(redis, "cache:", 3_000)
    await user_may(redis, "~*", "+@all", "-exists")
    async with cutting(server.socket, b"UNLINK", uncut=1, arrives=True) as line:
        us = Endpoint(socket=line.path, username="pymon")
        result = await removed(us, selecting("cache:*"), tmp_path, PLAIN)
    gone = 3_000 - await redis.dbsize()
    assert result.outcome == "stopped"
    assert result.why.startswith("EXISTS was refused: NOPERM")
    assert result.tally.matched == result.tally.removed + result.tally.unknown == gone
    assert 0 < result.tally.removed < gone
    record = record_of(tmp_path)
    assert (record.removed_at_least, record.removed_at_most) == (result.tally.removed, gone)


async def test_who_cannot_tell_the_server_from_another_does_not_go_on(
    redis: Redis, server: EmbeddedServer, tmp_path: Path
) -> None:
    await populate(redis, "cache:", 3_000)
    await user_may(redis, "~*", "+@all", "-info")
    async with cutting(server.socket, b"UNLINK", uncut=1, arrives=False) as line:
        us = Endpoint(socket=line.path, username="pymon")
        result = await removed(us, selecting("cache:*"), tmp_path, PLAIN)
    assert (result.outcome, result.why) == (
        "stopped",
        "the connection was lost, and INFO doesn't tell who answers now; plan anew",
    )
    assert result.tally.removed == 3_000 - await redis.dbsize()
    assert result.tally.unknown > 0
