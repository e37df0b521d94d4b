"""Loading what is missing: once per process, once for all processes, and never stored after an invalidation."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable

import pytest
from redis.asyncio import Redis

from pymon_tui.demo.embedded import EmbeddedServer
from pymon_tui.services.cache import Cache
from pymon_tui.services.loading import EARLY, NEGATIVE_LIFE
from tests.conftest import StartServer
from tests.demo.waiting import eventually
from tests.services.application import client_of

KEY = "monitoring:result:42"


class Source:
    """What is loaded from, and how often it was; it answers when it is let.

    Attributes:
        value: What it finds.
        calls: How often it was asked.
    """

    def __init__(self, value: object, *, answers: bool = True) -> None:
        self.value = value
        self.calls = 0
        self.asked = asyncio.Event()
        self.answer = asyncio.Event()
        if answers:
            self.answer.set()

    async def __call__(self) -> object:
        self.calls += 1
        self.asked.set()
        value = self.value
        await self.answer.wait()
        if isinstance(value, Exception):
            raise value
        return value


@pytest.fixture
async def other_client(server: EmbeddedServer, redis: Redis) -> AsyncIterator[Redis]:
    async with client_of(server) as client:
        yield client


@pytest.fixture
def other(other_client: Redis) -> Cache:
    """The cache of another process."""
    return Cache(other_client)


def dice(*throws: float) -> Callable[[], float]:
    """Throws these, the last one again and again."""
    left = list(throws)
    return lambda: left.pop(0) if len(left) > 1 else left[0]


async def test_it_loads_once_and_stores(cache: Cache, redis: Redis) -> None:
    source = Source({"a": 1})
    assert await cache.get_or_load(KEY, source, life=300) == {"a": 1}
    assert await cache.get_or_load(KEY, source, life=300) == {"a": 1}
    assert source.calls == 1
    assert await redis.get(KEY) == '{"a":1}'
    assert 300_000 * (1 - EARLY) - 5_000 < await redis.pttl(KEY) <= 300_000


async def test_each_kind_of_server_will_do(any_server: EmbeddedServer, any_redis: Redis) -> None:
    source = Source({"a": 1})
    async with client_of(any_server) as client:
        cache = Cache(client, dice=dice(1))
        for _ in range(2):
            assert await cache.get_or_load(KEY, source, life=60) == {"a": 1}
        assert source.calls == 1
        await cache.set(KEY, "old", life=5)
        assert await cache.get_or_load(KEY, source, life=60) == "old"

        async def is_new() -> bool:
            return bool(await any_redis.get(KEY) == '{"a":1}')

        await eventually(is_new)
        assert await cache.delete(KEY)
        assert not await cache.exists(KEY)
    assert cache.counts.errors == 0
    assert (await any_redis.info("stats"))["total_error_replies"] == 0


async def test_a_thousand_misses_load_once(cache: Cache) -> None:
    source = Source(1, answers=False)
    waiting = asyncio.gather(*(cache.get_or_load(KEY, source) for _ in range(1000)))

    async def all_have_missed() -> bool:
        return cache.counts.misses == 1000

    await eventually(all_have_missed)
    source.answer.set()
    assert await waiting == [1] * 1000
    assert source.calls == 1


async def test_two_processes_load_once(cache: Cache, other: Cache) -> None:
    source, unused = Source(1, answers=False), Source(2)
    one = asyncio.create_task(cache.get_or_load(KEY, source))
    await source.asked.wait()
    two = asyncio.create_task(other.get_or_load(KEY, unused))

    async def both_wait() -> bool:
        return other.counts.misses == 1

    await eventually(both_wait)
    source.answer.set()
    assert [await one, await two] == [1, 1]
    assert unused.calls == 0


async def test_what_is_being_loaded_is_no_value(cache: Cache, other: Cache) -> None:
    source = Source(1, answers=False)
    one = asyncio.create_task(cache.get_or_load(KEY, source))
    await source.asked.wait()
    assert not await other.exists(KEY)
    assert await other.get(KEY) is None
    assert await other.get_many([KEY]) == {}
    assert await other.read(KEY) is None
    assert other.counts.unreadable == 0
    source.answer.set()
    assert await one == 1


async def test_a_process_that_died_is_waited_for_no_longer_than_its_lease(client: Redis, other: Cache) -> None:
    dying = Cache(client, lease_life=0.05)
    source = Source(1, answers=False)
    one = asyncio.create_task(dying.get_or_load(KEY, source))
    await source.asked.wait()
    for task in asyncio.all_tasks():
        if "_renew" in repr(task):
            task.cancel()
    assert await other.get_or_load(KEY, Source(2)) == 2
    source.answer.set()
    assert await one == 1
    assert await other.get(KEY) == 2


async def test_a_slow_load_keeps_its_lease(client: Redis, redis: Redis) -> None:
    slow = Cache(client, lease_life=1.0)  # a busy machine may let nothing run for half a second
    source = Source(1, answers=False)
    one = asyncio.create_task(slow.get_or_load(KEY, source))
    await source.asked.wait()
    lease = await redis.get(KEY)

    async def renewed_often() -> bool:
        renewed = int((await redis.info("commandstats")).get("cmdstat_eval", {}).get("calls", 0))
        return renewed >= 5  # more than a life of the lease

    await eventually(renewed_often)
    assert await redis.get(KEY) == lease
    source.answer.set()
    assert await one == 1
    assert await redis.get(KEY) == "1"


@pytest.mark.parametrize("how", ["delete", "from outside", "set"])
async def test_what_was_loaded_before_an_invalidation_isn_t_stored(
    cache: Cache, other: Cache, redis: Redis, how: str
) -> None:
    source = Source("old", answers=False)
    one = asyncio.create_task(cache.get_or_load(KEY, source))
    await source.asked.wait()
    if how == "delete":
        await other.delete(KEY)
    elif how == "set":
        await other.set(KEY, "new")
    else:
        await redis.unlink(KEY)
    source.answer.set()
    assert await one == "old"
    assert await redis.get(KEY) == ('"new"' if how == "set" else None)


async def test_who_asks_after_a_delete_gets_no_older_value(cache: Cache) -> None:
    source = Source("old", answers=False)
    one = asyncio.create_task(cache.get_or_load(KEY, source))
    await source.asked.wait()
    source.value = "new"
    await cache.delete(KEY)
    two = asyncio.create_task(cache.get_or_load(KEY, source))

    async def loads_anew() -> bool:
        return source.calls == 2

    await eventually(loads_anew)
    source.answer.set()
    assert [await one, await two] == ["old", "new"]
    assert await cache.get(KEY) == "new"


async def test_an_error_reaches_all_who_wait_and_frees_the_key(cache: Cache, redis: Redis) -> None:
    source = Source(LookupError("no such project"), answers=False)
    waiting = [asyncio.create_task(cache.get_or_load(KEY, source)) for _ in range(3)]
    await source.asked.wait()
    source.answer.set()
    results = await asyncio.gather(*waiting, return_exceptions=True)
    assert [str(result) for result in results] == ["no such project"] * 3
    assert await redis.exists(KEY) == 0
    source.value = 1
    assert await cache.get_or_load(KEY, source) == 1
    assert source.calls == 2


async def test_a_value_that_is_no_json_is_an_error_and_frees_the_key(cache: Cache, redis: Redis) -> None:
    with pytest.raises(ValueError, match="type set"):
        await cache.get_or_load(KEY, Source({1}))
    assert await redis.exists(KEY) == 0


async def test_who_is_cancelled_takes_nobody_along(cache: Cache) -> None:
    source = Source(1, answers=False)
    one, two = (asyncio.create_task(cache.get_or_load(KEY, source)) for _ in range(2))
    await source.asked.wait()
    one.cancel()
    with pytest.raises(asyncio.CancelledError):
        await one
    source.answer.set()
    assert await two == 1
    assert source.calls == 1


async def test_a_failure_that_nobody_waits_for_any_more_is_no_accident(cache: Cache) -> None:
    told: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))
    source = Source(ValueError("broken"), answers=False)
    one = asyncio.create_task(cache.get_or_load(KEY, source))
    await source.asked.wait()
    flight = cache._loading.under_way(KEY)
    assert flight is not None
    one.cancel()
    with pytest.raises(asyncio.CancelledError):
        await one
    source.answer.set()
    await asyncio.wait((flight,))
    await asyncio.sleep(0)  # what is done when a task ends comes after it
    assert isinstance(flight.exception(), ValueError)
    assert told == []


async def test_none_is_remembered_for_a_short_time(cache: Cache, redis: Redis) -> None:
    source = Source(None)
    assert await cache.get_or_load(KEY, source, life=3600) is None
    assert await cache.get_or_load(KEY, source, life=3600) is None
    assert source.calls == 1
    assert 0 < await redis.pttl(KEY) <= 1000 * NEGATIVE_LIFE
    assert await cache.get_or_load("stays", source, life=None) is None
    assert 0 < await redis.pttl("stays") <= 1000 * NEGATIVE_LIFE


async def test_garbage_is_loaded_anew(cache: Cache, redis: Redis) -> None:
    await redis.set(KEY, b"\xff")
    assert await cache.get_or_load(KEY, Source(1), life=None) == 1
    assert await redis.get(KEY) == "1"
    assert await redis.pttl(KEY) == -1


@pytest.mark.parametrize(("remaining", "throw"), [(299, 1.0), (29.9, 0.5), (5, 0.0)])
async def test_a_value_with_life_left_isn_t_loaded_anew(client: Redis, remaining: float, throw: float) -> None:
    cache, source = Cache(client, dice=dice(throw)), Source("new")
    await cache.set(KEY, "old", life=remaining)
    assert await cache.get_or_load(KEY, source, life=300) == "old"
    assert not cache._loading._refreshes


@pytest.mark.parametrize(("remaining", "throw"), [(29.9, 1.0), (14, 0.5)])
async def test_a_value_is_loaded_anew_before_it_expires(
    client: Redis, redis: Redis, remaining: float, throw: float
) -> None:
    cache, source = Cache(client, dice=dice(throw)), Source("new")
    await cache.set(KEY, "old", life=remaining)
    assert await cache.get_or_load(KEY, source, life=300) == "old"

    async def is_new() -> bool:
        return bool(await redis.get(KEY) == '"new"')

    await eventually(is_new)
    assert await redis.pttl(KEY) > 200_000


async def test_one_of_many_refreshes(client: Redis, other_client: Redis, redis: Redis) -> None:
    source = Source("new", answers=False)
    caches = [Cache(each, dice=dice(1)) for each in (client, other_client)]
    await redis.set(KEY, '"old"', ex=5)
    reads = [each.get_or_load(KEY, source, life=300) for each in caches * 20]
    assert await asyncio.gather(*reads) == ["old"] * 40
    await source.asked.wait()

    async def refreshes_are_decided() -> bool:
        return sum(len(each._loading._refreshes) for each in caches) == 1

    await eventually(refreshes_are_decided)
    assert source.calls == 1
    await caches[0].aclose()
    await caches[1].aclose()


@pytest.mark.parametrize("how", ["unlink", "set"])
async def test_a_refresh_doesn_t_bring_back_what_was_invalidated(client: Redis, redis: Redis, how: str) -> None:
    cache, source = Cache(client, dice=dice(1)), Source("stale", answers=False)
    await redis.set(KEY, '"old"', ex=5)
    assert await cache.get_or_load(KEY, source, life=300) == "old"
    await source.asked.wait()
    if how == "unlink":
        await redis.unlink(KEY)
    else:
        await redis.set(KEY, '"newer"')
    source.answer.set()

    async def ended() -> bool:
        return not cache._loading._refreshes

    await eventually(ended)
    assert await redis.get(KEY) == ('"newer"' if how == "set" else None)


async def test_a_refresh_that_fails_is_logged_and_not_tried_at_once(
    client: Redis, redis: Redis, caplog: pytest.LogCaptureFixture
) -> None:
    cache, source = Cache(client, dice=dice(1)), Source(LookupError("database is away"))
    await redis.set(KEY, '"old"', ex=5)
    for _ in range(3):
        assert await cache.get_or_load(KEY, source, life=300) == "old"

        async def ended() -> bool:
            return not cache._loading._refreshes

        await eventually(ended)
    assert source.calls == 1
    (line,) = [record.message for record in caplog.records]
    assert line == "a value of monitoring:result could not be loaded anew before it expires: database is away"


async def test_closing_ends_what_was_forgotten_too(cache: Cache) -> None:
    source = Source(1, answers=False)
    one = asyncio.create_task(cache.get_or_load(KEY, source))
    await source.asked.wait()
    await cache.delete(KEY)
    await cache.aclose()
    with pytest.raises(asyncio.CancelledError):
        await one


async def test_closing_ends_what_loads(cache: Cache, redis: Redis) -> None:
    source = Source(1, answers=False)
    one = asyncio.create_task(cache.get_or_load(KEY, source))
    await source.asked.wait()
    await cache.aclose()
    with pytest.raises(asyncio.CancelledError):
        await one
    assert await redis.exists(KEY) == 0


async def test_a_redis_that_is_away_breaks_nobody(own_server: StartServer, caplog: pytest.LogCaptureFixture) -> None:
    server = own_server()
    async with client_of(server) as client:
        cache, source = Cache(client), Source(1)
        assert await cache.get_or_load("before", source) == 1
        server.stop()
        assert await cache.get("before", 0) == 0
        assert await cache.read("before") is None
        assert await cache.get_many(["before"]) == {}
        assert not await cache.exists("before")
        assert not await cache.set("before", 2)
        assert not await cache.set_many({"before": 2})
        assert not await cache.delete("before")
        assert await asyncio.gather(*(cache.get_or_load(KEY, source) for _ in range(100))) == [1] * 100
        assert source.calls == 2
        assert cache.counts.errors >= 1
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert record.message.startswith("Redis: ")
    assert "what isn't cached is loaded" in record.message


async def test_a_redis_that_goes_away_meanwhile_breaks_nobody(own_server: StartServer) -> None:
    server = own_server()
    async with client_of(server) as client:
        cache, source = Cache(client), Source(1, answers=False)
        one = asyncio.create_task(cache.get_or_load(KEY, source))
        await source.asked.wait()
        server.stop()
        source.answer.set()
        assert await one == 1


async def test_a_loader_that_forgets_its_own_key_at_once_is_not_joined(own_server: StartServer) -> None:
    server = own_server()
    async with client_of(server) as client:
        cache = Cache(client)
        server.stop()
        assert not await cache.set(KEY, 0)  # from now on nobody asks the server, so the loader is called at once
        going_on = asyncio.Event()

        async def stale() -> str:
            cache._loading.forget([KEY])
            await going_on.wait()
            return "stale"

        async def fresh() -> str:
            return "fresh"

        first = asyncio.create_task(cache.get_or_load(KEY, stale))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        second = asyncio.create_task(cache.get_or_load(KEY, fresh))
        await asyncio.sleep(0)
        going_on.set()
        assert (await second, await first) == ("fresh", "stale")
