"""Listing the keys of a pattern, some at a time."""

from __future__ import annotations

import pytest
from pydantic import SecretStr
from redis.asyncio import Redis

from pymon_tui.demo.embedded import EmbeddedServer
from pymon_tui.invalidation import browsing
from pymon_tui.invalidation.browsing import AT_ONCE, Browsing
from pymon_tui.invalidation.pattern import Pattern, literal, parse_pattern
from pymon_tui.invalidation.sampling import Sample
from pymon_tui.invalidation.sweep import Refused
from pymon_tui.server.endpoint import Endpoint
from pymon_tui.server.reasons import LinkError
from tests.conftest import StartServer, client_of


def of(server: EmbeddedServer, pattern: str, **login: object) -> Browsing:
    user = {"username": "half", "password": SecretStr("pw")} if login else {}
    return Browsing(Endpoint(socket=server.socket, **user), parse_pattern(pattern))  # type: ignore[arg-type]


async def listed(one: Browsing) -> list[Sample]:
    found: list[Sample] = []
    while not one.progress.ended and not one.progress.capped:
        found += await one.more()
    return found


async def fill(redis: Redis, number: int, name: str = "feed") -> None:
    await redis.mset({f"{name}:{index}": "x" for index in range(number)})


async def test_every_key_is_listed_once_some_at_a_time(server: EmbeddedServer, redis: Redis) -> None:
    await fill(redis, 450)
    await fill(redis, 50, "other")
    async with of(server, "feed:*") as one:
        first = await one.more()
        assert len(first) == AT_ONCE
        assert not one.progress.ended
        rest = await listed(one)
        assert one.progress.ended
        assert (one.progress.listed, one.progress.scanned, one.progress.total) == (450, 500, 500)
        assert await one.more() == ()
    assert {sample.key for sample in (*first, *rest)} == {b"feed:%d" % index for index in range(450)}


async def test_each_comes_with_what_is_known_of_it_and_its_value_is_not_asked_for(
    server: EmbeddedServer, redis: Redis
) -> None:
    await redis.hset("feed:1", "a", "b")
    await redis.set("feed:2", "x", px=60_000)
    await redis.config_resetstat()
    async with of(server, "feed:*") as one:
        found = {sample.key: sample for sample in await one.more()}
        told = await one.facts(b"feed:1")
    assert (found[b"feed:1"].type, found[b"feed:1"].pttl_ms, found[b"feed:2"].type) == ("hash", -1, "string")
    assert 0 < (found[b"feed:2"].pttl_ms or 0) <= 60_000
    assert found[b"feed:1"].bytes == await redis.memory_usage("feed:1")
    assert told.sample.key == b"feed:1"
    assert told.encoding in ("listpack", "ziplist")
    asked = {name.removeprefix("cmdstat_") for name in await redis.info("commandstats")}
    assert not asked & {"get", "hgetall", "dump", "keys"}


async def test_a_pattern_of_one_key_needs_no_scan(server: EmbeddedServer, redis: Redis) -> None:
    await fill(redis, 20)
    await redis.config_resetstat()
    for pattern, keys in (("feed:7", [b"feed:7"]), ("gone", [])):
        async with of(server, pattern) as one:
            assert [sample.key for sample in await one.more()] == keys
            assert one.progress.ended
    assert "cmdstat_scan" not in await redis.info("commandstats")


async def test_looking_ends_with_its_time(
    server: EmbeddedServer, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(browsing, "SECONDS", 0.0)
    await fill(redis, 5_000)
    async with of(server, "none:*") as one:
        assert await one.more() == ()
        assert not one.progress.ended
        assert 0 < one.progress.scanned < 5_000
        assert await listed(one) == []


async def test_no_more_are_listed_than_is_said(
    server: EmbeddedServer, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(browsing, "MOST", 250)
    await fill(redis, 400)
    async with of(server, "feed:*") as one:
        assert len(await listed(one)) == 250
        assert (one.progress.capped, one.progress.ended) == (True, False)
        assert await one.more() == ()


async def test_a_key_of_any_bytes_is_listed(server: EmbeddedServer, redis: Redis) -> None:
    key = b"\xff*[\x1b"
    await redis.execute_command("SET", key, "x")  # type: ignore[no-untyped-call]
    async with Browsing(Endpoint(socket=server.socket), Pattern(literal(key[:2]) + b"*")) as one:
        assert [sample.key for sample in await one.more()] == [key]


@pytest.mark.needs("object|encoding")
async def test_what_is_refused_is_asked_once_and_said(server: EmbeddedServer, redis: Redis) -> None:
    await fill(redis, 10)
    commands = ["+@all", "-memory", "-object", "-dbsize"]
    await redis.acl_setuser("half", enabled=True, passwords=["+pw"], keys=["*"], commands=commands)
    async with of(server, "feed:*", user="half") as one:
        found = await one.more()
        await one.facts(b"feed:1")
        await one.facts(b"feed:2")
        assert [line.split(" unknown")[0] for line in one.refusals] == ["memory", "idle times", "encodings"]
        assert one.progress.total is None
    assert {(sample.type, sample.bytes) for sample in found} == {("string", None)}
    stats = await redis.info("commandstats")
    assert stats["cmdstat_object|encoding"]["rejected_calls"] == 1
    assert stats["cmdstat_dbsize"]["rejected_calls"] == 1


async def test_without_scan_there_is_no_list(server: EmbeddedServer, redis: Redis) -> None:
    await redis.acl_setuser("half", enabled=True, passwords=["+pw"], keys=["*"], commands=["+@all", "-scan"])
    async with of(server, "feed:*", user="half") as one:
        with pytest.raises(Refused, match="SCAN was refused"):
            await one.more()


async def test_a_lost_link_is_said(own_server: StartServer) -> None:
    server = own_server()
    async with client_of(server) as redis:
        await fill(redis, 10)
    async with of(server, "feed:*") as one:
        server.stop()
        with pytest.raises(LinkError):
            await listed(one)
