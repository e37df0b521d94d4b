"""What this process causes on a server is counted as the server counts it."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from redis.asyncio import Redis

from pymon_tui.demo.embedded import EmbeddedServer
from pymon_tui.invalidation.asking import AskingPipe
from pymon_tui.invalidation.packing import last_words, pack, pack_all, pack_each, unpacked
from pymon_tui.invalidation.pipe import Pipe, open_pipe
from pymon_tui.model.traffic import SHARES, Traffic
from pymon_tui.server import traffic
from pymon_tui.server.connection import open_session
from pymon_tui.server.endpoint import Endpoint
from pymon_tui.server.traffic import account_of, caused, met, reads, set_back

COUNTED = ("keyspace_hits", "keyspace_misses", "total_error_replies")
READS = (
    (b"TYPE",),
    (b"PTTL",),
    (b"PEXPIRETIME",),
    (b"OBJECT", b"ENCODING"),
    (b"OBJECT", b"IDLETIME"),
    (b"MEMORY", b"USAGE"),
    (b"DUMP",),
    (b"EXISTS",),
    (b"HGETALL",),
    (b"UNLINK",),
    (b"PERSIST",),
)


async def shares(redis: Redis) -> dict[str, int]:
    """The counters of the server of which a share may be ours."""
    told = await redis.info("stats")
    return {field: int(told[field]) for field in SHARES}


@asynccontextmanager
async def grown(redis: Redis, endpoint: Endpoint) -> AsyncIterator[tuple[dict[str, int], dict[str, int]]]:
    """By how much the server's counters grow within, and what we count as caused by us; both are filled at its end."""
    before, ours = await shares(redis), caused(endpoint).counts()
    theirs: dict[str, int] = {}
    counted: dict[str, int] = {}
    yield theirs, counted
    after, now = await shares(redis), caused(endpoint).counts()
    theirs.update({field: after[field] - before[field] for field in SHARES})
    counted.update({field: now[field] - ours[field] for field in SHARES})


@pytest.mark.parametrize("words", READS, ids=lambda words: b" ".join(words).decode())
@pytest.mark.needs("pexpiretime")
async def test_reads_are_hits_and_misses_as_the_server_counts_them(
    redis: Redis, server: EmbeddedServer, words: tuple[bytes, ...]
) -> None:
    await redis.hset("hash", "f", "1")
    await redis.set("text", "1")
    endpoint = Endpoint(socket=server.socket)
    session, _ = await open_session(endpoint)
    pipe = await open_pipe(endpoint)
    keys = (b"hash", b"gone", b"lost") if words in ((b"UNLINK",), (b"HGETALL",)) else (b"hash", b"gone", b"text")
    async with grown(redis, endpoint) as (theirs, ours):
        await session.ask([(*words, key) for key in keys])
        await pipe.ask(pack_each([words], last_words(keys)), len(keys))
        await pipe.ask(pack_all((*words, key) for key in keys), len(keys))
    await session.close()
    await pipe.close()
    assert {field: theirs[field] for field in COUNTED} == {field: ours[field] for field in COUNTED}
    assert theirs["total_commands_processed"] == ours["total_commands_processed"] + 1  # INFO of the test


async def test_errors_and_what_is_of_another_type_are_counted(redis: Redis, server: EmbeddedServer) -> None:
    await redis.set("text", "1")
    endpoint = Endpoint(socket=server.socket)
    session, _ = await open_session(endpoint)
    async with grown(redis, endpoint) as (theirs, ours):
        await session.ask([("HGETALL", "text"), ("HGETALL", "gone"), ("RESTORE", "text", "0", "x")])
    await session.close()
    assert {field: theirs[field] for field in COUNTED} == {field: ours[field] for field in COUNTED}
    assert (ours["keyspace_hits"], ours["keyspace_misses"], ours["total_error_replies"]) == (1, 1, 2)


@pytest.mark.parametrize("kind", [Pipe, AskingPipe])
async def test_a_mixed_question_is_counted_command_by_command(
    redis: Redis, server: EmbeddedServer, kind: type[Pipe]
) -> None:
    await redis.set("a", "1")
    endpoint = Endpoint(socket=server.socket)
    pipe = await open_pipe(endpoint, kind)
    before = caused(endpoint).calls
    asked = pack(b"TIME").then(pack_each([(b"PTTL",), (b"MEMORY", b"USAGE")], last_words([b"a", b"b"])))
    async with grown(redis, endpoint) as (theirs, ours):
        await pipe.ask(asked, 5)
    await pipe.close()
    calls = caused(endpoint).calls - before
    assert {name: calls[name] for name in ("time", "pttl", "memory|usage")} == {"time": 1, "pttl": 2, "memory|usage": 2}
    assert (ours["keyspace_hits"], ours["keyspace_misses"]) == (theirs["keyspace_hits"], theirs["keyspace_misses"])
    assert (ours["keyspace_hits"], ours["keyspace_misses"]) == (1, 1)
    assert theirs["total_net_input_bytes"] - ours["total_net_input_bytes"] < 100  # INFO of the test


def test_what_is_packed_says_what_it_is() -> None:
    asked = pack_all([(b"TIME",), (b"GET", b"a"), (b"GET", b"b"), (b"object", b"freq", b"a")])
    assert asked.runs == (("time", 1), ("get", 2), ("object|freq", 1))
    assert sum(count for _, count in asked.runs) == len(list(unpacked(asked)))
    assert pack_each([(b"DUMP",)], []).runs == ()


def test_another_process_at_an_address_has_seen_nothing_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(traffic, "_ACCOUNTS", {})  # the process ids are those of no other test
    here, there = Endpoint(host="here.test"), Endpoint(host="there.test")
    for endpoint in (here, there):
        account_of(endpoint).were_answered("get", (b"1",))
        met(endpoint, "a" * 40)
    assert caused(here).commands == caused(there).commands == 2  # one server by two names
    met(there, "b" * 40)
    assert (caused(here).commands, caused(there).commands) == (1, 0)
    account_of(here).were_answered("set", (b"OK",))
    set_back(here, Traffic(commands=1, hits=1, calls=Counter(get=1)))
    assert caused(here) == Traffic(commands=1, calls=Counter(set=1))


def test_a_command_reads_if_it_looks_at_a_key() -> None:
    assert reads("pttl")
    assert reads("object|freq")
    assert not reads("memory|usage")
    assert not reads("scan")
    assert not reads("unlink")
