from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis.asyncio import Redis

from pymon_tui.demo.embedded import EmbeddedServer
from pymon_tui.invalidation.account import Options
from pymon_tui.invalidation.filters import Filters
from pymon_tui.invalidation.order import Order, OrderError
from pymon_tui.invalidation.pattern import Pattern
from pymon_tui.invalidation.removal import Removal
from pymon_tui.invalidation.selection import Selection
from pymon_tui.journal.journal import Journal
from pymon_tui.server.endpoint import Endpoint
from tests.demo.waiting import a_moment
from tests.invalidation.planned import plan_of, selecting
from tests.invalidation.removing import PLAIN, fill, names, populate, record_of, removal_of, removed, under_way
from tests.server.listening import until

pytestmark = pytest.mark.usefixtures("at_once")

KEPT = Options(undo=True)
SLOW = Options(undo=False, rate=10_000)


async def pings(redis: Redis) -> int:
    calls: int = (await redis.info("commandstats"))["cmdstat_ping"]["calls"]
    return calls


async def test_what_the_plan_found_goes_and_all_else_stays(
    any_redis: Redis, any_server: EmbeddedServer, tmp_path: Path
) -> None:
    await populate(any_redis, "cache:", 5_000)
    await populate(any_redis, "session:", 500)
    plan = await plan_of(any_server, selecting("cache:*"))
    removal = Removal(
        Endpoint(socket=any_server.socket), Order.of(plan, "all"), KEPT, Journal(tmp_path), read_only=False
    )
    result = await removal.run()
    assert (result.run, result.outcome, result.why, result.left) == (removal.id, "done", "", 0)
    assert (result.tally.matched, result.tally.removed) == (5_000, 5_000)
    assert await any_redis.dbsize() == 500
    assert plan.bytes is not None
    assert (result.freed.by, result.freed.bytes, result.freed.at_least) == ("run", round(plan.bytes.value), False)
    assert result.undo is not None
    assert result.undo_bytes == result.undo.stat().st_size
    record = record_of(tmp_path)
    assert (record.state, record.removed_at_least, record.removed_at_most) == ("done", 5_000, 5_000)
    assert record.started["preset"] == "all"
    assert record.run_id == (await any_redis.info("server"))["run_id"]
    assert removal.progress.state == "ended"


@pytest.mark.parametrize(
    "keys",
    [
        [b"c:\x00\xff", b"c:a b", b'c:"q"', b"c:'q'", b"c:\r\nDEL x", b"c:\n", b"c:\xf0\x28\x8c", b"c:*[?]\\"],
        [b"c:" + b"n" * 10_240, b"c:" + b"\xfe" * 10_240],
    ],
    ids=["binary", "long"],
)
async def test_names_are_taken_as_they_are(
    redis: Redis, server: EmbeddedServer, tmp_path: Path, keys: list[bytes]
) -> None:
    await fill(redis, [*keys, b"C:\x00\xff", b"kept"])
    result = await removed(server, selecting("c:*"), tmp_path, KEPT)
    assert (result.tally.removed, result.left) == (len(keys), 0)
    assert await names(redis) == {b"C:\x00\xff", b"kept"}


NAME = st.text("ab:*?[]\\-^", min_size=1, max_size=4).map(str.encode) | st.binary(min_size=1, max_size=3)
GLOB = st.text("ab:*?[]\\-^", min_size=1, max_size=4).map(str.encode)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    keys=st.sets(NAME, max_size=30),
    globs=st.lists(GLOB, min_size=1, max_size=3, unique=True),
    protected=st.lists(GLOB, max_size=2, unique=True),
    options=st.sampled_from([PLAIN, KEPT]),
)
async def test_just_what_matches_and_is_not_protected_goes(
    redis: Redis,
    server: EmbeddedServer,
    tmp_path: Path,
    keys: set[bytes],
    globs: list[bytes],
    protected: list[bytes],
    options: Options,
) -> None:
    await redis.flushall()
    await fill(redis, keys)
    selection = Selection(tuple(map(Pattern, globs)), Filters(), tuple(map(Pattern, protected)), 1_000, every=True)
    matched = {key for key in keys if any(pattern.matches(key) for pattern in selection.patterns)}
    spared = {key for key in matched if selection.is_protected(key)}
    result = await removed(server, selection, tmp_path, options)
    assert await names(redis) == keys - (matched - spared)
    tally = result.tally
    assert (tally.matched, tally.removed, tally.protected) == (len(matched - spared),) * 2 + (len(spared),)
    assert (tally.already_gone, tally.refused, tally.unknown, result.left) == (0, 0, 0, 0)
    assert (result.undo is not None) == (options.undo and bool(tally.removed))


async def test_overlapping_patterns_name_each_key_once(redis: Redis, server: EmbeddedServer, tmp_path: Path) -> None:
    await populate(redis, "cache:", 3_000)
    await redis.config_resetstat()
    result = await removed(server, selecting("cache:*", "cache:1*", "*1"), tmp_path)
    assert (result.tally.matched, result.tally.removed, result.tally.already_gone) == (3_000, 3_000, 0)


async def test_filters_are_looked_at_again(redis: Redis, server: EmbeddedServer, tmp_path: Path) -> None:
    await populate(redis, "cache:", 100)
    removal = await removal_of(server, selecting("cache:*", filters=Filters(expiry="none")), tmp_path)
    for number in range(1, 41):
        await redis.expire(f"cache:{number}", 1_000)
    result = await removal.run()
    assert (result.tally.matched, result.tally.removed, result.left) == (60, 60, 0)
    assert await redis.dbsize() == 40


async def test_keys_that_come_meanwhile_are_left_and_counted(
    redis: Redis, server: EmbeddedServer, tmp_path: Path
) -> None:
    await populate(redis, "cache:", 20_000)
    removal = await removal_of(server, selecting("cache:*"), tmp_path, Options(undo=False, rate=20_000))
    async with under_way(removal) as task:
        await until(lambda: removal.progress.tally.removed > 5_000)
        # Added as the table shrinks and grows: it is rehashed while it is looked through.
        await populate(redis, "cache:new:", 1_000)
        await populate(redis, "other:", 20_000)
        result = await task
    assert result.outcome == "done"
    assert result.tally.matched == result.tally.removed + result.tally.already_gone
    assert 20_000 <= result.tally.removed <= 21_000
    assert result.left == 21_000 - result.tally.removed
    assert await redis.dbsize() == 20_000 + result.left


async def test_a_dry_run_removes_nothing(redis: Redis, server: EmbeddedServer, tmp_path: Path) -> None:
    await populate(redis, "cache:", 3_000)
    await redis.config_resetstat()
    result = await removed(server, selecting("cache:*", protected=("cache:1*",)), tmp_path, Options(dry_run=True))
    assert (result.outcome, result.dry_run, result.undo) == ("done", True, None)
    assert (result.tally.matched, result.tally.removed, result.tally.protected) == (1_889, 0, 1_111)
    assert result.left == 1_889
    assert await redis.dbsize() == 3_000
    assert "cmdstat_unlink" not in await redis.info("commandstats")


async def test_a_pause_holds_until_it_ends(redis: Redis, server: EmbeddedServer, tmp_path: Path) -> None:
    await populate(redis, "cache:", 6_000)
    removal = await removal_of(server, selecting("cache:*"), tmp_path, SLOW)
    async with under_way(removal) as task:
        await until(lambda: removal.progress.tally.removed > 1_000)
        removal.pause()
        await until(lambda: removal.progress.state == "paused")
        assert removal.progress.why == "paused by you"
        keys = await redis.dbsize()
        beats = await pings(redis) + 10
        while await pings(redis) < beats:
            await a_moment()
        assert await redis.dbsize() == keys > 0
        removal.resume()
        result = await task
    assert (result.outcome, result.tally.removed, result.left) == ("done", 6_000, 0)


async def test_more_keys_than_planned_are_asked_about(redis: Redis, server: EmbeddedServer, tmp_path: Path) -> None:
    await populate(redis, "cache:", 5_000)
    removal = await removal_of(server, selecting("cache:*"), tmp_path)
    await populate(redis, "cache:more:", 2_000)
    async with under_way(removal) as task:
        await until(lambda: removal.progress.state == "asking")
        asked = removal.progress
        assert "the plan said 5 000: go on, up to " in asked.why
        assert asked.tally.matched <= 5_500
        assert asked.tally.removed == asked.tally.matched == 7_000 - await redis.dbsize()
        removal.go_on(removal.progress.why)
        result = await task
    assert (result.outcome, result.tally.removed, result.left) == ("done", 7_000, 0)


async def test_who_is_asked_may_say_no(redis: Redis, server: EmbeddedServer, tmp_path: Path) -> None:
    await populate(redis, "cache:", 100)
    removal = await removal_of(server, selecting("cache:*"), tmp_path)
    await populate(redis, "cache:more:", 100)
    async with under_way(removal) as task:
        await until(lambda: removal.progress.state == "asking")
        removal.cancel()
        result = await task
    assert (result.outcome, result.tally.removed, await redis.dbsize()) == ("cancelled", 0, 200)


async def test_the_cap_is_never_passed(redis: Redis, server: EmbeddedServer, tmp_path: Path) -> None:
    await populate(redis, "cache:", 4_900)
    removal = await removal_of(server, selecting("cache:*", max_keys=5_000), tmp_path)
    await populate(redis, "cache:more:", 400)
    result = await removal.run()
    assert result.outcome == "stopped"
    assert result.why == "more than 5 000 keys match by now; plan anew, and allow more (max_keys)"
    assert result.tally.removed == 5_300 - await redis.dbsize() <= 5_000


async def test_a_plan_over_the_cap_is_no_order(redis: Redis, server: EmbeddedServer, tmp_path: Path) -> None:
    await populate(redis, "cache:", 20)
    with pytest.raises(OrderError, match="more than 10 keys match; narrow the pattern"):
        await removal_of(server, selecting("cache:*", max_keys=10), tmp_path)


async def test_a_rate_is_kept(redis: Redis, server: EmbeddedServer, tmp_path: Path) -> None:
    await populate(redis, "cache:", 2_000)
    result = await removed(server, selecting("cache:*"), tmp_path, Options(undo=False, rate=4_000))
    assert result.tally.removed == 2_000
    # The first fifth of a second's keys goes at once, and the last ones are not waited for.
    assert 2_000 / result.seconds < 4_000 * 1.7


async def test_speed_is_told_while_it_goes(redis: Redis, server: EmbeddedServer, tmp_path: Path) -> None:
    await populate(redis, "cache:", 5_000)
    removal = await removal_of(server, selecting("cache:*"), tmp_path, SLOW)
    async with under_way(removal) as task:
        await until(lambda: removal.progress.tally.removed > 3_000)
        progress = removal.progress
        assert (progress.state, progress.planned, progress.total) == ("running", 5_000, 5_000)
        assert 0 < progress.scanned <= progress.total
        assert progress.keys_per_second > 0
        assert progress.seconds_left is not None
        before = progress.tally.removed
        await task
        assert progress.tally.removed == before  # what was shown doesn't change behind one's back
