from __future__ import annotations

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from redis.asyncio import Redis

from pymon_tui.demo.embedded import EmbeddedServer
from pymon_tui.invalidation.account import Options
from pymon_tui.invalidation.naming import Account, Expiring, Unlinking
from pymon_tui.invalidation.pipe import Pipe, open_pipe
from pymon_tui.invalidation.sweep import Refused
from pymon_tui.server.endpoint import Endpoint
from tests.conftest import StartServer, client_of
from tests.invalidation.planned import user_may
from tests.invalidation.removing import fill, populate

EXPIRE = Options(mode="expire", expire=100.0, jitter=1_000.0)


@asynccontextmanager
async def piped(server: EmbeddedServer, user: str | None = None) -> AsyncIterator[Pipe]:
    pipe = await open_pipe(Endpoint(socket=server.socket, username=user))
    try:
        yield pipe
    finally:
        await pipe.close()


async def account_of(naming: Unlinking | Expiring, *keys: bytes) -> Account:
    return await naming.account(naming.send(list(keys)))


async def test_the_servers_own_count_is_the_account(any_redis: Redis, any_server: EmbeddedServer) -> None:
    await fill(any_redis, ["a", "b", "c"])
    async with piped(any_server) as pipe:
        account = await account_of(Unlinking(pipe), b"a", b"gone", b"b")
    assert (account.removed, account.already_gone, account.refused, account.error) == (2, 1, [], None)
    assert await any_redis.keys() == ["c"]


async def test_a_batch_is_split_for_the_key_that_is_not_ours(redis: Redis, server: EmbeddedServer) -> None:
    await fill(redis, ["a:1", "b:1", "a:2"])
    await user_may(redis, "~a:*", "+@all")
    async with piped(server, "pymon") as pipe:
        naming = Unlinking(pipe)
        account = await account_of(naming, b"a:1", b"b:1", b"a:gone", b"a:2")
        assert (account.removed, account.already_gone, account.refused, account.error) == (2, 1, [b"b:1"], None)
        assert (await naming.still_there([b"a:1", b"b:1"])).there == [b"b:1"]
    assert await redis.keys() == ["b:1"]


async def test_a_server_without_unlink_is_asked_to_delete(own_server: StartServer) -> None:
    server = own_server({"rename-command": "UNLINK nothing"})
    async with client_of(server) as redis, piped(server) as pipe:
        await fill(redis, ["a", "b", "c"])
        naming = Unlinking(pipe)
        account = await account_of(naming, b"a", b"b", b"gone")
        assert (account.removed, account.already_gone, naming.command) == (2, 1, "DEL")
        await redis.config_resetstat()
        assert (await account_of(naming, b"c", b"d")).removed == 1
        assert "errorstat_ERR" not in await redis.info("errorstats")


async def test_a_command_that_is_denied_is_no_keys_fault(redis: Redis, server: EmbeddedServer) -> None:
    await fill(redis, ["a", "b"])
    await user_may(redis, "~*", "+@all", "-unlink", "-pexpire", "-exists")
    async with piped(server, "pymon") as pipe:
        for naming in (Unlinking(pipe), Expiring(pipe, EXPIRE, random.Random(1))):
            account = await account_of(naming, b"a", b"b")
            assert (account.removed, account.refused) == (0, [])
            assert account.error is not None
        with pytest.raises(Refused, match="EXISTS was refused"):
            await Unlinking(pipe).still_there([b"a"])


async def test_keys_end_spread_out_and_never_later_than_before(any_redis: Redis, any_server: EmbeddedServer) -> None:
    await populate(any_redis, "k:", 300)
    await any_redis.set("soon", "v", px=50_000)
    await any_redis.set("late", "v", ex=100_000)
    async with piped(any_server) as pipe:
        naming = Expiring(pipe, EXPIRE, random.Random(7))
        keys = [b"k:%d" % number for number in range(1, 301)]
        first = await account_of(naming, *keys[:100], b"soon", b"late", b"gone")
        assert (first.removed, first.already_gone, first.sooner, first.error) == (101, 1, 1, None)
        second = await account_of(naming, *keys[100:])  # as it is done once the server is known
        assert (second.removed, second.already_gone) == (200, 0)
        assert (await naming.still_there([b"soon", b"late", b"gone", *keys])).there == []
    lives = sorted([await any_redis.pttl(key) for key in (*keys, b"late")])
    assert all(0 < life <= 1_100_000 for life in lives)
    assert lives[30] < 300_000
    assert lives[-30] > 900_000
    assert len(set(lives)) > 290
    assert 0 < await any_redis.pttl("soon") <= 50_000


async def test_what_has_no_end_or_a_later_one_is_still_there(redis: Redis, server: EmbeddedServer) -> None:
    await fill(redis, ["a:for ever", "b:1"])
    await redis.set("a:late", "v", ex=1_200)
    await redis.set("a:in time", "v", ex=1_000)
    await user_may(redis, "~a:*", "+@all", "-time")  # nor is the time asked for where no end is known
    async with piped(server, "pymon") as pipe:
        naming = Expiring(pipe, EXPIRE, random.Random(1))
        await redis.config_resetstat()
        there = (await naming.still_there([b"a:for ever", b"a:late", b"a:in time", b"a:gone", b"b:1"])).there
        account = await account_of(naming, b"a:late", b"b:1")
    assert there == [b"a:for ever", b"a:late", b"b:1"]
    assert "cmdstat_time" not in await redis.info("commandstats")
    assert (account.removed, account.refused) == (1, [b"b:1"])


async def test_ends_that_are_known_tell_who_was_given_one(any_redis: Redis, any_server: EmbeddedServer) -> None:
    names = ["a:given", "a:sooner", "a:later", "a:never", "a:gone"]
    await fill(any_redis, names[:4])
    async with piped(any_server) as pipe:
        naming = Expiring(pipe, EXPIRE, random.Random(1))
        await naming.look_at_the_clock()
        end = naming.ends(1)[0]
        for name, beside in (("a:given", 0), ("a:sooner", -5_000), ("a:later", 5_000)):
            await any_redis.pexpireat(name, end + beside)
        standing = await naming.still_there([name.encode() for name in names], [end] * len(names))
    assert (sorted(standing.there), standing.sooner) == ([b"a:later", b"a:never"], [b"a:sooner"])


async def test_a_server_that_does_not_compare_is_looked_at_first(redis: Redis, server: EmbeddedServer) -> None:
    await fill(redis, ["k:1", "k:2"])
    await redis.set("soon", "v", px=50_000)
    await redis.set("late", "v", ex=100_000)
    async with piped(server) as pipe:
        naming = Expiring(pipe, EXPIRE, random.Random(7))
        naming._compares = False  # as it is known of Redis 6
        await redis.config_resetstat()
        account = await account_of(naming, b"k:1", b"soon", b"gone", b"late", b"k:2")
    assert (account.removed, account.already_gone, account.sooner, account.refused) == (3, 1, 1, [])
    assert await redis.pttl("soon") <= 50_000
    assert 0 < await redis.pttl("late") <= 1_100_000
    assert (await redis.info("commandstats"))["cmdstat_pexpire"]["calls"] == 3
