from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from math import inf

import pytest
from redis.asyncio import Redis

from pymon_tui.demo.embedded import EmbeddedServer
from pymon_tui.invalidation.client_limits import Limiting
from pymon_tui.invalidation.fruitless import PORTION
from pymon_tui.invalidation.headroom import Headroom
from pymon_tui.invalidation.keeping import Portion, gathered, kept, renewed
from pymon_tui.invalidation.pacing import Pacer
from pymon_tui.invalidation.pipe import Pipe, open_pipe
from pymon_tui.invalidation.pulse import Pulse
from pymon_tui.invalidation.sweep import Page, Place, Refused
from pymon_tui.server.endpoint import Endpoint
from tests.invalidation.planned import KEY_CAP, user_may
from tests.invalidation.removing import fill

END = Place(1, 0)


@asynccontextmanager
async def piped(server: EmbeddedServer, user: str | None = None) -> AsyncIterator[Pipe]:
    pipe = await open_pipe(Endpoint(socket=server.socket, username=user))
    try:
        yield pipe
    finally:
        await pipe.close()


async def one_page(*keys: bytes, protected: int = 0) -> AsyncGenerator[Page]:
    yield Page(list(keys), protected, END)


async def portions_of(
    pipe: Pipe,
    *keys: bytes,
    protected: int = 0,
    key_cap: int = KEY_CAP,
    most: int | None = None,
    least: Callable[[], float] = lambda: inf,
) -> list[Portion]:
    page = one_page(*keys, protected=protected)
    return [portion async for portion in kept(page, pipe, key_cap, most, least, headroom_of(pipe))]


def headroom_of(pipe: Pipe) -> Headroom:
    """Asks on this line; the pulse doesn't beat."""
    return Headroom(pipe, Pacer(Pulse(pipe.endpoint), 0.005, None), PORTION, Limiting())


async def test_what_is_kept_is_the_value_with_its_end(any_redis: Redis, any_server: EmbeddedServer) -> None:
    await any_redis.set("a", "1")
    await any_redis.set("b", "2", ex=1_000)
    async with piped(any_server) as pipe:
        (portion,) = await portions_of(pipe, b"a", b"b", b"gone", protected=3)
    assert (portion.keys, portion.refused, portion.gone) == ([b"a", b"b"], [], 1)
    assert (portion.protected, portion.place) == (3, END)
    (_, never, one), (_, end, two) = portion.dumps
    seconds, _ = await any_redis.time()
    assert never == 0
    assert abs(end - 1_000 * (int(seconds) + 1_000)) < 60_000
    await any_redis.flushall()
    await any_redis.restore("a", 0, one)
    await any_redis.restore("b", 0, two)
    assert [await any_redis.get("a"), await any_redis.get("b")] == ["1", "2"]


async def test_many_bytes_come_in_several_portions(redis: Redis, server: EmbeddedServer) -> None:
    keys = [b"k%d" % number for number in range(12)]
    await fill(redis, keys, "x" * (PORTION // 4))
    async with piped(server) as pipe:
        portions = await portions_of(pipe, *keys, protected=2)
        assert [portion.keys for portion in portions] == [keys[begin : begin + 3] for begin in range(0, 12, 3)]
        assert [portion.place for portion in portions] == [None, None, None, END]
        assert sum(portion.protected for portion in portions) == 2
        several = await portions_of(pipe, *keys, most=2)
        assert [len(portion.keys) for portion in several] == [2] * 6


async def test_what_is_too_big_is_not_dumped(redis: Redis, server: EmbeddedServer) -> None:
    await fill(redis, ["big"], "x" * 10_000)
    await fill(redis, ["small"])
    async with piped(server) as pipe:
        # What can be kept goes first: a person may be asked about the others.
        small, big = await portions_of(pipe, b"big", b"small", key_cap=5_000)
        assert (small.keys, small.oversized, small.place) == ([b"small"], [], None)
        assert (big.keys, big.oversized, big.dumps, big.place) == ([b"big"], [b"big"], [], END)
        first, rest = await portions_of(pipe, b"big", key_cap=5_000)
        assert (first.keys, rest.keys, rest.place) == ([], [b"big"], END)


async def test_a_full_trash_is_dumped_no_more_for(redis: Redis, server: EmbeddedServer) -> None:
    await fill(redis, ["a", "b"])
    async with piped(server) as pipe:
        (portion,) = await portions_of(pipe, b"a", b"b", protected=1, least=lambda: 0)
    assert (portion.keys, portion.dumps, portion.protected, portion.place) == ([b"a", b"b"], [], 1, END)
    assert not {"cmdstat_dump", "cmdstat_pttl"} & set(await redis.info("commandstats"))


async def test_as_large_as_what_did_not_fit_is_dumped_no_more_and_smaller_is(
    redis: Redis, server: EmbeddedServer
) -> None:
    await fill(redis, ["large", "larger"], "x" * 2_000)
    await fill(redis, ["small"])
    async with piped(server) as pipe:
        small, large = await portions_of(pipe, b"large", b"small", b"larger", least=lambda: 1_000)
    assert ([key for key, _, _ in small.dumps], small.place) == ([b"small"], None)
    assert (large.keys, large.dumps, large.oversized, large.place) == ([b"large", b"larger"], [], [], END)
    assert (await redis.info("commandstats"))["cmdstat_dump"]["calls"] == 1


@pytest.mark.needs("memory|usage")
async def test_keys_of_unknown_size_are_dumped_a_few_at_a_time(redis: Redis, server: EmbeddedServer) -> None:
    keys = [b"k%d" % number for number in range(130)]
    await fill(redis, keys)
    await user_may(redis, "~*", "+@all", "-memory|usage")
    async with piped(server, "pymon") as pipe:
        portions = await portions_of(pipe, *keys)
    assert [len(portion.dumps) for portion in portions] == [64, 64, 2]


async def test_a_key_that_may_not_be_read_stays(redis: Redis, server: EmbeddedServer) -> None:
    await fill(redis, ["a:1", "b:1"])
    await user_may(redis, "~a:*", "+@all")
    async with piped(server, "pymon") as pipe:
        (portion,) = await portions_of(pipe, b"a:1", b"b:1")
    assert (portion.keys, portion.refused, portion.gone) == ([b"a:1"], [b"b:1"], 0)


@pytest.mark.parametrize("command", ["DUMP", "PTTL", "TIME"])
async def test_a_command_that_is_denied_ends_it(redis: Redis, server: EmbeddedServer, command: str) -> None:
    await fill(redis, ["a"])
    await user_may(redis, "~*", "+@all", f"-{command.lower()}")
    async with piped(server, "pymon") as pipe:
        with pytest.raises(Refused, match=rf"{command} was refused: NOPERM .*; ACL SETUSER pymon \+{command.lower()}"):
            await portions_of(pipe, b"a")


@pytest.mark.parametrize(
    ("policy", "option", "used"), [("volatile-lru", "IDLETIME", "idle"), ("allkeys-lfu", "FREQ", "freq")]
)
async def test_how_keys_were_used_is_kept_where_eviction_goes_by_it(
    any_redis: Redis, any_server: EmbeddedServer, policy: str, option: str, used: str
) -> None:
    await any_redis.config_set("maxmemory", 100_000_000)
    await any_redis.config_set("maxmemory-policy", policy)
    async with piped(any_server) as pipe:
        await any_redis.set("a", 1)
        payload = await pipe.ask_one(b"DUMP", b"a")
        assert isinstance(payload, bytes)
        for key, value in (("b", 120), ("c", 200)):
            await any_redis.execute_command("RESTORE", key, 0, payload, option, value)  # type: ignore[no-untyped-call]
        (portion,) = await portions_of(pipe, b"b", b"gone", b"c")
        again = await renewed(portion, pipe)
    assert (portion.keys, portion.used) == ([b"b", b"c"], used)
    assert [abs(use - value) <= 2 for use, value in zip(portion.uses, (120, 200), strict=True)] == [True, True]
    assert list(again.uses) == list(portion.uses)  # though we have dumped them meanwhile


async def test_what_waited_is_dumped_anew(redis: Redis, server: EmbeddedServer) -> None:
    await fill(redis, ["a", "b", "c"], "old")
    async with piped(server) as pipe:
        (portion,) = await portions_of(pipe, b"a", b"b", b"c", protected=4)
        await redis.set("a", "new", ex=1_000)
        await redis.delete("b")
        again = await renewed(portion, pipe)
    assert (again.keys, again.gone, again.protected, again.place) == ([b"a", b"c"], 1, 4, END)
    assert again.dumped_at > portion.dumped_at
    (_, end, payload), _ = again.dumps
    assert end > 0
    await redis.restore("a", 0, payload, replace=True)
    assert await redis.get("a") == "new"


async def test_an_end_is_asked_for_only_while_the_server_counts_one(redis: Redis, server: EmbeddedServer) -> None:
    async def pages() -> AsyncGenerator[Page]:
        for number in range(40):
            if number == 30:
                await redis.expire("fading", 1_000)
            yield Page([b"a", b"fading", b"gone"], 0, Place(0, number))

    await fill(redis, ["a", "fading"])
    async with piped(server) as pipe:
        headroom = headroom_of(pipe)
        portions = [portion async for portion in kept(pages(), pipe, KEY_CAP, None, lambda: inf, headroom)]
    assert {(tuple(portion.keys), portion.gone) for portion in portions} == {((b"a", b"fading"), 1)}
    ends = [[end > 0 for _, end, _ in portion.dumps] for portion in portions]
    assert ends[:24] == [[False, False]] * 24  # some were looked at before
    assert ends[30:] == [[False, True]] * 10
    statistics = await redis.info("commandstats")
    asked = sum(statistics.get(f"cmdstat_{name}", {"calls": 0})["calls"] for name in ("pttl", "pexpiretime"))
    assert 3 * 11 <= asked <= 3 * 26


async def test_an_end_is_asked_for_where_the_server_does_not_count(redis: Redis, server: EmbeddedServer) -> None:
    await fill(redis, ["a"])
    await redis.expire("a", 1_000)
    await user_may(redis, "~*", "+@all", "-info")
    async with piped(server, "pymon") as pipe:
        await redis.config_resetstat()
        pages, headroom = repeated(Page([b"a"], 0, END), 20), headroom_of(pipe)
        portions = [portion async for portion in kept(pages, pipe, KEY_CAP, None, lambda: inf, headroom)]
    assert all(end > 0 for portion in portions for _, end, _ in portion.dumps)
    statistics = await redis.info("commandstats")
    asked = sum(statistics.get(f"cmdstat_{name}", {"calls": 0})["calls"] for name in ("pttl", "pexpiretime"))
    assert 20 <= asked <= 26  # the first of them once more, for their exact ends
    assert statistics["cmdstat_info"]["rejected_calls"] < 10  # each is an entry in the ACL LOG


async def repeated(page: Page, times: int) -> AsyncGenerator[Page]:
    for _ in range(times):
        yield page


async def test_pages_that_are_there_are_one() -> None:
    released = asyncio.Event()

    async def pages() -> AsyncGenerator[Page]:
        for number in range(7):
            yield Page([b"%d" % number], 1, Place(0, number))
            if number == 0:
                await released.wait()

    enough = 4
    async with aclosing(gathered(pages(), lambda: enough)) as several:
        first = await anext(several)
        assert first.keys == [b"0"]  # waits for no other
        released.set()
        for _ in range(100):
            await asyncio.sleep(0)
        second = await anext(several)
        assert (second.keys, second.protected, second.place) == ([b"1", b"2", b"3", b"4"], 4, Place(0, 4))
        assert (await anext(several)).keys == [b"5", b"6"]
        with pytest.raises(StopAsyncIteration):
            await anext(several)


async def test_single_pages_where_none_is_to_wait() -> None:
    pages = repeated(Page([b"a"], 0, END), 20)
    assert [len(page.keys) async for page in gathered(pages, lambda: 0)] == [1] * 20
