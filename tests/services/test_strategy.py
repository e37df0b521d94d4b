"""Three tiers on a real server: where a value comes from, and that it is never an old one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from redis.asyncio import Redis

from pymon_tui.demo.embedded import EmbeddedServer
from pymon_tui.invalidation.pattern import Pattern
from pymon_tui.services.cache import Cache
from pymon_tui.services.days import HitRate
from pymon_tui.services.invalidating import Invalidator
from pymon_tui.services.loading import Stored
from pymon_tui.services.local import ABSENT, LocalCache
from pymon_tui.services.stats import Stats
from pymon_tui.services.strategy import LOCAL_LIFE, Tiers
from pymon_tui.services.tracking import Tracking
from tests.conftest import StartServer
from tests.demo.waiting import a_moment
from tests.server.listening import until
from tests.services.application import Clock, client_of

KEY = "project:config:42"
RAW = KEY.encode()
Read = Callable[[Tiers], Awaitable[Any]]


async def nothing() -> str | None:
    """A loader that finds nothing."""
    return None


async def never() -> str:
    raise AssertionError("the loader is not to be asked")


@asynccontextmanager
async def tiers_on(client: Redis, *, clock: Clock | None = None, stats: Stats | None = None) -> AsyncIterator[Tiers]:
    """Tiers whose first is open."""
    local = LocalCache(100, clock=clock or Clock())
    tracking = Tracking(client, local, [b"project:"], ping_every=30.0, pong_timeout=30.0)
    async with Tiers(client, tracking, stats=stats) as tiers:
        await until(lambda: local.is_open)
        yield tiers


async def written(tiers: Tiers, client: Redis, values: dict[str, Any], *, life: float | None = 3600.0) -> None:
    """Another process writes these values, and the first tier has been told of it."""
    await Cache(client).set_many(values, life=life)
    # Changes are told in their order: with this one all those before have been.
    last = b"project:last"
    assert tiers._local.fill(last, tiers._local.begin(last), "", 600.0)
    await client.set(last, "")
    await until(lambda: tiers._local.get(last) is ABSENT)


@pytest.fixture
async def client(server: EmbeddedServer, redis: Redis) -> AsyncIterator[Redis]:
    async with client_of(server) as client:
        yield client


@pytest.fixture
async def tiers(client: Redis) -> AsyncIterator[Tiers]:
    async with tiers_on(client) as tiers:
        yield tiers


@pytest.fixture
async def other(client: Redis) -> Cache:
    """Another process' cache."""
    return Cache(client)


@pytest.mark.parametrize("turns", range(1, 6))
async def test_who_closes_them_can_be_cancelled_at_every_moment(client: Redis, turns: int) -> None:
    async with tiers_on(client) as tiers:
        closing = asyncio.create_task(tiers.aclose())
        for _ in range(turns):
            await asyncio.sleep(0)
        was_closing = closing.cancel()
        await asyncio.wait([closing])
        assert closing.cancelled() == was_closing


READS: list[Read] = [
    lambda tiers: tiers.get(KEY),
    lambda tiers: tiers.get_or_load(KEY, never),
    lambda tiers: tiers.get_many([KEY]),
]


@pytest.mark.parametrize("read", READS)
async def test_the_second_read_asks_nobody(tiers: Tiers, client: Redis, redis: Redis, read: Read) -> None:
    await written(tiers, client, {KEY: {"interval": 30}})
    first = await tiers.get(KEY)
    assert first == {"interval": 30}
    await redis.config_resetstat()
    found = await read(tiers)
    assert (found[KEY] if read is READS[2] else found) is first
    assert tiers.local_hits == 1
    assert not {"cmdstat_get", "cmdstat_mget"} & (await redis.info("commandstats")).keys()


async def test_other_keys_are_left_to_redis(tiers: Tiers, other: Cache) -> None:
    await other.set("user:preferences:1", "dark")
    for _ in range(3):
        assert await tiers.get("user:preferences:1") == "dark"
    assert tiers.local_hits == 0
    assert tiers.counts.hits == 3


async def test_many_are_asked_for_what_is_missing_alone(tiers: Tiers, client: Redis) -> None:
    await written(tiers, client, {"project:config:1": 1, "project:config:2": 2})
    await tiers.get("project:config:1")
    asked = ["project:config:1", "project:config:2", "project:config:3"]
    assert await tiers.get_many(asked) == {"project:config:1": 1, "project:config:2": 2}
    assert (tiers.local_hits, tiers.counts.hits, tiers.counts.misses) == (1, 2, 1)


async def test_a_loader_that_finds_nothing_is_asked_once(tiers: Tiers) -> None:
    assert await tiers.get_or_load(KEY, nothing) is None
    for _ in range(3):
        assert await tiers.get_or_load(KEY, never) is None


async def test_a_change_by_another_is_read_next(tiers: Tiers, other: Cache) -> None:
    for number in range(20):
        await other.set(KEY, number)
        await until(lambda: not len(tiers._local))
        assert await tiers.get(KEY) == number


async def test_a_change_of_ones_own_is_read_at_once(tiers: Tiers, other: Cache) -> None:
    await other.set(KEY, "old")
    for number in range(20):
        await tiers.get(KEY)
        await tiers.set(KEY, number)
        assert await tiers.get(KEY) == number
        await tiers.set_many({KEY: -number})
        assert await tiers.get(KEY) == -number
        await tiers.delete(KEY)
        assert await tiers.get(KEY, "none") == "none"


async def test_what_changes_while_it_is_read_is_not_held(
    tiers: Tiers, other: Cache, client: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    await written(tiers, client, {KEY: "old"})
    read = Cache.read

    async def overtaken(self: Cache, key: str) -> Stored | None:
        stored = await read(self, key)
        await other.set(KEY, "new")
        await until(lambda: not tiers._local._tickets)
        return stored

    monkeypatch.setattr(Cache, "read", overtaken)
    assert await tiers.get(KEY) == "old"  # it was so when it was asked for
    monkeypatch.undo()
    assert await tiers.get(KEY) == "new"


@pytest.mark.parametrize("invalidate", ["literal", "pattern", "project"])
async def test_an_invalidation_is_seen_at_once_by_the_process_that_asks_for_it(
    tiers: Tiers, other: Cache, client: Redis, invalidate: str
) -> None:
    await other.set(KEY, "old")
    await tiers.get(KEY)
    invalidator = Invalidator(client, tiers._local)
    if invalidate == "project":
        await invalidator.invalidate_project(42)
    else:
        await invalidator.invalidate([Pattern(RAW if invalidate == "literal" else b"project:*")])
    assert await tiers.get(KEY, "none") == "none"


async def test_a_value_is_never_held_to_its_end(client: Redis) -> None:
    clock = Clock()
    async with tiers_on(client, clock=clock) as tiers:
        await written(tiers, client, {KEY: "ends"}, life=20.0)
        await written(tiers, client, {"project:config:1": "stays"}, life=None)
        for key in (KEY, "project:config:1"):
            await tiers.get(key)
        clock.now += 5.0
        assert (await tiers.get(KEY), tiers.local_hits) == ("ends", 1)
        clock.now += 5.1
        assert (await tiers.get(KEY), tiers.local_hits) == ("ends", 1)
        clock.now += LOCAL_LIFE - 5.0 - 5.1 - 0.1
        assert (await tiers.get("project:config:1"), tiers.local_hits) == ("stays", 2)
        clock.now += 0.2
        assert (await tiers.get("project:config:1"), tiers.local_hits) == ("stays", 2)


async def test_hits_of_the_first_tier_are_hits(client: Redis, other: Cache) -> None:
    stats = Stats(client)
    async with tiers_on(client, stats=stats) as tiers:
        await tiers.get(KEY)
        await other.set(KEY, 1)
        for _ in range(3):
            await tiers.get(KEY)
    assert await stats.flush()
    assert dict((await stats.day(stats.today)).namespaces) == {"project:config": HitRate(hits=3, misses=1)}


async def test_a_server_that_goes_takes_the_first_tier_along(own_server: StartServer) -> None:
    server = own_server()

    async def load() -> str:
        return "loaded"

    async with client_of(server) as client, tiers_on(client) as tiers:
        await tiers.set(KEY, "cached")
        assert await tiers.get_or_load(KEY, load) == "cached"
        server.stop()
        await until(lambda: not tiers._local.is_open)
        assert await tiers.get_or_load(KEY, load) == "loaded"
        assert tiers.local_hits == 0
        server.start()
        await until(lambda: tiers._local.is_open)


async def test_at_its_end_it_holds_nothing_and_hears_of_nothing(client: Redis, other: Cache, redis: Redis) -> None:
    async with tiers_on(client) as tiers:
        await other.set(KEY, 1)
        await tiers.get(KEY)
    assert (len(tiers._local), tiers._local.is_open) == (0, False)
    assert await tiers.get(KEY) == 1
    while await redis.client_list(_type="pubsub"):
        await a_moment()


@pytest.mark.needs("client|tracking")
async def test_without_tracking_processes_tell_each_other(redis: Redis, server: EmbeddedServer) -> None:
    rules = ("on", "nopass", "~*", "&*", "+@all", "-client|tracking")
    await redis.execute_command("ACL", "SETUSER", "app", *rules)  # type: ignore[no-untyped-call]
    async with (
        Redis(unix_socket_path=server.socket, username="app", password="any") as client,
        tiers_on(client) as tiers,
        tiers_on(client) as other,
    ):
        changes: list[Callable[[], Awaitable[object]]] = [
            lambda: other.set(KEY, "new"),
            lambda: other.set_many({KEY: "new"}),
            lambda: other.delete(KEY),
            lambda: Invalidator(client, None).invalidate_project(42),
        ]
        for change in changes:
            await redis.set(KEY, '"old"')  # of which nobody tells
            assert (await tiers.get(KEY), len(tiers._local)) == ("old", 1)
            await change()
            await until(lambda: not len(tiers._local))
