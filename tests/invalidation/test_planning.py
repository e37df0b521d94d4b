from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable

import pytest
from redis.asyncio import Redis

from pymon_tui.demo.embedded import EmbeddedServer
from pymon_tui.invalidation.filters import Filters
from pymon_tui.invalidation.given_up import PlanCancelled
from pymon_tui.invalidation.key_bytes import KeyBytes
from pymon_tui.invalidation.plan_pages import next_page
from pymon_tui.invalidation.planning import Planning
from pymon_tui.invalidation.selection import SelectionError
from pymon_tui.invalidation.sweep import Refused
from pymon_tui.server.endpoint import Endpoint
from pymon_tui.server.reasons import LinkError
from tests.conftest import StartServer, client_of
from tests.invalidation.planned import KEY_CAP, only_client_left, plan_of, selecting, user_may
from tests.server.listening import until


async def _fill(redis: Redis, names: Iterable[bytes | str], value: str = "v") -> None:
    pipeline = redis.pipeline(transaction=False)
    for name in names:
        pipeline.set(name, value)
    await pipeline.execute()


async def _calls(redis: Redis, *commands: str) -> int:
    statistics = await redis.info("commandstats")
    return sum(statistics.get(f"cmdstat_{command}", {"calls": 0})["calls"] for command in commands)


async def test_a_plan_says_what_would_go(redis: Redis, server: EmbeddedServer) -> None:
    await _fill(redis, [f"cache:page:{number}" for number in range(300)], "x" * 500)
    await _fill(redis, [f"cache:feed:{number}" for number in range(100)])
    await _fill(redis, [f"session:{number}" for number in range(50)])
    for number in range(40):
        await redis.hset(f"cache:user:{number}", "name", "n")
        await redis.expire(f"cache:user:{number}", 100)
    endpoint = Endpoint(socket=server.socket, name="prod-cache", environment="production")
    plan = await plan_of(endpoint, selecting("cache:*"))
    assert (plan.node, plan.address, plan.environment, plan.db) == ("prod-cache", server.socket, "production", 0)
    assert plan.run_id == (await redis.info("server"))["run_id"]
    assert (plan.role, plan.acl_user) == ("primary", "default")
    assert (plan.matched, plan.about, plan.capped, plan.protected) == (440, False, False, 0)
    assert (plan.scanned, plan.dbsize) == (490, 490)
    assert plan.namespaces == (("cache:page:*", 300), ("cache:feed:*", 100), ("cache:user:*", 40))
    assert plan.types == (("string", 400), ("hash", 40))
    assert dict(plan.expiry) == {"none": 400, "<1m": 0, "<1h": 40, "<1d": 0, ">1d": 0}
    assert plan.bytes is not None
    assert plan.bytes.is_exact
    keys = await redis.keys("cache:*")
    assert plan.bytes.value == sum([await redis.memory_usage(key) or 0 for key in keys])
    assert plan.idle is not None
    assert 0 <= plan.idle.median <= plan.idle.oldest
    assert sorted(sample.key.decode() for sample in plan.samples) == sorted(keys)
    assert plan.sampled == 440
    assert plan.refusals == ()
    assert plan.removal_problem is None
    assert plan.undo_possible
    assert plan.undo_problem is None
    assert plan.undo_bytes is not None
    assert 0 < plan.undo_bytes < plan.bytes.value
    assert plan.oversized == 0


@pytest.mark.needs("memory|usage")
async def test_a_plan_reads_and_writes_nothing(redis: Redis, server: EmbeddedServer) -> None:
    await _fill(redis, [f"cache:{number}" for number in range(5_000)])
    before = await redis.info("persistence")
    await redis.config_resetstat()
    await plan_of(server, selecting("cache:*"))
    assert (await redis.info("persistence"))["rdb_changes_since_last_save"] == before["rdb_changes_since_last_save"]
    asked = {name.removeprefix("cmdstat_") for name in await redis.info("commandstats")}
    told = {"hello", "client|setname", "client|id", "client|no-touch", "command|info", "info", "acl|whoami", "dbsize"}
    looked = {"scan", "type", "pttl", "memory|usage", "object|idletime", "dump", "acl|dryrun", "config|resetstat"}
    assert asked <= told | looked
    assert await _calls(redis, "dump") <= 100
    # The sample has 2 000 keys: 2 000 * (1 + ln 2.5) = 3 833 are asked about, give or take.
    assert 3_500 < await _calls(redis, "type") < 4_200
    errors = (await redis.info("stats"))["total_error_replies"]
    assert errors == 0


async def test_without_an_undo_nothing_is_dumped(redis: Redis, server: EmbeddedServer) -> None:
    await _fill(redis, ["cache:1"])
    plan = await plan_of(server, selecting("cache:*"), undo=False)
    assert (plan.undo_possible, plan.undo_bytes, plan.undo_problem) == (False, None, None)
    assert await _calls(redis, "dump") == 0


async def test_one_large_key_of_many_is_in_the_sum(any_redis: Redis, any_server: EmbeddedServer) -> None:
    await _fill(any_redis, [f"cache:small:{number}" for number in range(5_000)], "x" * 10)
    await any_redis.set("cache:large", "x" * 5_000_000)
    names = await any_redis.keys("cache:*")
    pipeline = any_redis.pipeline(transaction=False)
    for name in names:
        pipeline.memory_usage(name)
    truth = await pipeline.execute()
    plan = await plan_of(any_server, selecting("cache:*"), key_cap=1_000_000)
    assert (plan.matched, plan.sampled, plan.is_extrapolated) == (5_001, 2_000, True)
    assert plan.bytes == KeyBytes(sum(truth), is_exact=True, largest=max(truth))
    assert plan.oversized == 1
    assert sum(count for _, count in plan.expiry) == 5_001


async def test_a_plan_that_nobody_reads_asks_what_an_undo_would_take(
    any_redis: Redis, any_server: EmbeddedServer
) -> None:
    redis, server = any_redis, any_server
    await _fill(redis, [f"cache:small:{number}" for number in range(5_000)], "x" * 10)
    small = await redis.memory_usage("cache:small:1234") or 0
    await _fill(redis, [f"cache:large:{number}" for number in range(50)], "x" * 100_000)
    large = await redis.memory_usage("cache:large:7") or 0
    await redis.config_resetstat()
    plan = await plan_of(server, selecting("cache:*"), read=False)
    assert (plan.matched, plan.sampled, plan.undo_possible) == (5_050, 500, True)
    assert plan.undo_bytes
    assert (plan.namespaces, plan.expiry, plan.idle) == ((), (), None)
    assert plan.bytes is not None
    assert not plan.bytes.is_exact
    assert 2_000 * small < plan.bytes.value < 5_000 * small + 50 * large
    # 500 * (1 + ln(5050 / 500)) keys are in the sample for a while, about 1 700: asked for their size twice at most.
    assert await _calls(redis, "memory|usage", "memory") < 5_000
    # PTTL is tried on a key that isn't there, where the server has no ACL DRYRUN to tell of it.
    assert await _calls(redis, "pttl") <= 1
    assert await _calls(redis, "object|idletime", "object") == 0


async def test_without_an_undo_it_looks_at_no_key(any_redis: Redis, any_server: EmbeddedServer) -> None:
    await _fill(any_redis, [f"cache:{number}" for number in range(5_000)], "x" * 10)
    await any_redis.config_resetstat()
    plan = await plan_of(any_server, selecting("cache:*"), undo=False, read=False)
    assert (plan.matched, plan.sampled, plan.bytes, plan.types) == (5_000, 10, None, ())
    assert await _calls(any_redis, "memory|usage", "memory", "type", "pttl", "object|idletime", "object", "dump") == 0


async def test_hostile_names_are_counted_and_shown_escaped(redis: Redis, server: EmbeddedServer) -> None:
    names = [
        b"cache:\xff\xfe\x00",
        b"cache:with space",
        b'cache:"quoted"',
        b"cache:\r\nSET x 1",
        "cache:안녕".encode(),
        b"cache:" + b"k" * 10_240,
        b"cache:\x1b[31mred",
    ]
    await _fill(redis, names)
    plan = await plan_of(server, selecting("cache:*"))
    assert plan.matched == len(names)
    assert {sample.key for sample in plan.samples} == set(names)
    written = json.dumps(plan.as_json())
    assert "\\u001b" not in written
    assert all(name.isprintable() for name, _ in plan.namespaces)
    assert (await plan_of(server, selecting(r"cache:\xff*"))).matched == 1


async def test_one_database_alone(redis: Redis, server: EmbeddedServer) -> None:
    await _fill(redis, ["cache:1", "cache:2"])
    async with Redis(unix_socket_path=server.socket, db=3) as other:
        await _fill(other, ["cache:1"])
    for db, matched in ((0, 2), (3, 1), (5, 0)):
        plan = await plan_of(Endpoint(socket=server.socket, db=db), selecting("cache:*"))
        assert (plan.db, plan.matched, plan.dbsize) == (db, matched, matched)


async def test_an_empty_database(redis: Redis, server: EmbeddedServer) -> None:
    plan = await plan_of(server, selecting("cache:*"))
    assert (plan.matched, plan.scanned, plan.samples, plan.namespaces) == (0, 0, (), ())
    assert plan.bytes is not None
    assert (plan.bytes.value, plan.bytes.is_exact, plan.undo_bytes) == (0, True, 0)
    assert plan.removal_problem is None
    json.dumps(plan.as_json())


async def test_protected_keys_are_left_out_and_counted(redis: Redis, server: EmbeddedServer) -> None:
    await _fill(redis, [f"cache:{number}" for number in range(20)])
    plan = await plan_of(server, selecting("cache:*", protected=("cache:1*", "session:*")))
    assert (plan.matched, plan.protected) == (9, 11)
    assert not any(sample.key.startswith(b"cache:1") for sample in plan.samples)


async def test_a_key_that_two_patterns_match_is_counted_once(redis: Redis, server: EmbeddedServer) -> None:
    await _fill(redis, [f"user:{number}:cache" for number in range(10)] + ["user:x", "feed:cache"])
    plan = await plan_of(server, selecting("user:*", "*:cache", "user:1*"))
    assert plan.matched == 12
    assert sum(count for _, count in plan.namespaces) == 12


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (Filters(type="hash"), {"k:hash"}),
        (Filters(expiry="none"), {"k:plain", "k:hash", "k:large"}),
        (Filters(expiry="within", expiry_seconds=60), {"k:soon"}),
        (Filters(expiry="later", expiry_seconds=60), {"k:late"}),
        (Filters(idle_over=600), {"k:late"}),
        (Filters(larger_than=10_000), {"k:large"}),
        (Filters(type="string", expiry="none", larger_than=10_000), {"k:large"}),
        (Filters(type="stream"), set()),
    ],
)
async def test_filters(redis: Redis, server: EmbeddedServer, filters: Filters, expected: set[str]) -> None:
    await redis.set("k:plain", "v")
    await redis.hset("k:hash", "f", "v")
    await redis.set("k:soon", "v", ex=30)
    await redis.set("k:late", "v", ex=3_000)
    await redis.set("k:large", "v" * 20_000)
    payload = await redis.execute_command("DUMP", "k:late", NEVER_DECODE=True)  # type: ignore[no-untyped-call]
    await redis.restore("k:late", 3_000_000, payload, replace=True, idletime=1_000)
    plan = await plan_of(server, selecting("k:*", filters=filters))
    assert {sample.key.decode() for sample in plan.samples} == expected
    assert plan.matched == len(expected)


async def test_the_cap_ends_the_scan(redis: Redis, server: EmbeddedServer) -> None:
    await _fill(redis, [f"cache:{number}" for number in range(20_000)])
    plan = await plan_of(server, selecting("cache:*", max_keys=1_500))
    assert plan.capped
    assert plan.matched == 1_501
    assert await _calls(redis, "scan") <= 8  # two pages are wanted, and a few are on their way
    assert not (await plan_of(server, selecting("cache:*", max_keys=20_000))).capped


@pytest.mark.needs("object|idletime")
async def test_idle_times_are_unknown_under_lfu(redis: Redis, server: EmbeddedServer) -> None:
    await redis.config_set("maxmemory-policy", "allkeys-lfu")
    await _fill(redis, [f"cache:{number}" for number in range(200)])
    plan = await plan_of(server, selecting("cache:*"))
    assert plan.idle is None
    (refusal,) = plan.refusals
    assert refusal.startswith("idle times unknown: ERR An LFU maxmemory policy is selected")
    assert await _calls(redis, "object|idletime") == 1


async def test_a_plan_is_given_up(redis: Redis, server: EmbeddedServer) -> None:
    await _fill(redis, [f"cache:{number}" for number in range(20_000)])
    planning = Planning(Endpoint(socket=server.socket), selecting("cache:*"), mode="unlink", undo=True, key_cap=KEY_CAP)
    running = asyncio.create_task(planning.run())
    await until(lambda: planning.progress.matched > 0)
    planning.cancel()
    with pytest.raises(PlanCancelled):
        await running
    progress = planning.progress
    assert 0 < progress.matched <= progress.scanned < 20_000 == progress.total
    await only_client_left(redis)
    with pytest.raises(PlanCancelled):
        await planning.run()


async def test_who_waits_for_a_plan_may_be_cancelled(redis: Redis, server: EmbeddedServer) -> None:
    await _fill(redis, [f"cache:{number}" for number in range(20_000)])
    planning = Planning(Endpoint(socket=server.socket), selecting("cache:*"), mode="unlink", undo=True, key_cap=KEY_CAP)
    running = asyncio.create_task(planning.run())
    await until(lambda: planning.progress.matched > 0)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    await only_client_left(redis)


async def test_a_selection_that_may_not_run_is_refused() -> None:
    with pytest.raises(SelectionError):
        Planning(Endpoint(), selecting(), mode="unlink", undo=True, key_cap=KEY_CAP)


async def test_a_scan_that_is_refused_says_so(redis: Redis, server: EmbeddedServer) -> None:
    await user_may(redis, "~*", "+@all", "-scan")
    with pytest.raises(Refused, match=r"SCAN was refused: .*; ACL SETUSER pymon \+scan"):
        await plan_of(Endpoint(socket=server.socket, username="pymon"), selecting("cache:*"))


@pytest.mark.needs("memory|usage")
async def test_facts_that_are_refused_are_unknown_and_asked_once(redis: Redis, server: EmbeddedServer) -> None:
    await _fill(redis, [f"cache:{number}" for number in range(500)])
    await user_may(redis, "~*", "+@all", "-type", "-memory|usage", "-dump")
    plan = await plan_of(Endpoint(socket=server.socket, username="pymon"), selecting("cache:*"))
    assert (plan.acl_user, plan.matched) == ("pymon", 500)
    assert (plan.types, plan.bytes, plan.undo_bytes) == ((), None, None)
    assert dict(plan.expiry)["none"] == 500
    assert [refusal.split(": ")[0] for refusal in plan.refusals] == ["types unknown", "memory unknown"]
    assert plan.refusals[0].endswith("; ACL SETUSER pymon +type")
    assert plan.refusals[1].endswith("; ACL SETUSER pymon +memory|usage")
    assert not plan.undo_possible
    assert plan.undo_problem is not None
    assert plan.undo_problem.endswith("; ACL SETUSER pymon +dump")
    logged = await redis.acl_log()
    assert sorted((entry["object"], entry["count"]) for entry in logged) == [("memory|usage", 1), ("type", 1)]


async def test_another_process_at_the_same_address_is_told_apart(own_server: StartServer) -> None:
    server = own_server()
    first = await plan_of(server, selecting("cache:*"))
    server.stop()
    with pytest.raises(LinkError):
        await plan_of(server, selecting("cache:*"))
    server.start()
    second = await plan_of(server, selecting("cache:*"))
    assert first.run_id
    assert first.run_id != second.run_id


async def test_keys_that_come_and_go_meanwhile_do_not_spoil_the_count(own_server: StartServer) -> None:
    server = own_server()
    others = [f"other:{number}" for number in range(60_000)]
    async with client_of(server) as redis:
        await redis.mset({f"cache:{number}": "v" for number in range(5_000)})

        async def come_and_go() -> None:
            # The table grows and shrinks on the way; where it shrinks, SCAN shows keys again.
            async with client_of(server) as other:
                for begin in range(0, len(others), 2_000):
                    await other.mset(dict.fromkeys(others[begin : begin + 2_000], "v"))
                for begin in range(0, len(others), 2_000):
                    await other.unlink(*others[begin : begin + 2_000])

        writing = asyncio.create_task(come_and_go())
        plans = 0
        while not writing.done():
            plan = await plan_of(server, selecting("cache:*"))
            assert (plan.matched, plan.about) == (5_000, False)
            plans += 1
        await writing
        assert plans


@pytest.mark.parametrize(
    ("page", "took", "least", "following"),
    [
        (1_000, 0.0, 1_000, 1_500),
        (1_000, 0.0005, 1_000, 1_500),
        (1_500, 0.0012, 1_000, 1_875),
        (3_000, 0.0001, 1_000, 4_000),
        (2_000, 0.003, 1_000, 1_000),
        (1_000, 0.2, 1_000, 1_000),
        (2_500, 0.2, 2_500, 2_500),
    ],
)
def test_pages_grow_while_they_are_short(page: int, took: float, least: int, following: int) -> None:
    assert next_page(page, took, least=least) == following
