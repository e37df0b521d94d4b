from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager

import pytest
from redis.asyncio import Redis

from pymon_tui.demo.embedded import EmbeddedServer
from pymon_tui.invalidation.keeping import PORTION, Portion, ahead, kept, renewed
from pymon_tui.invalidation.pipe import Pipe, open_pipe
from pymon_tui.invalidation.sweep import Page, Place, Refused
from pymon_tui.server.endpoint import Endpoint
from tests.invalidation.planned import KEY_CAP, user_may
from tests.invalidation.removing import fill
from tests.server.listening import until

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
    is_full: Callable[[], bool] = lambda: False,
) -> list[Portion]:
    page = one_page(*keys, protected=protected)
    return [portion async for portion in kept(page, pipe, key_cap, most, is_full)]


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
        big, small = await portions_of(pipe, b"big", b"small", key_cap=5_000)
        assert (big.keys, big.oversized, big.dumps, big.place) == ([b"big"], [b"big"], [], None)
        assert (small.keys, small.oversized) == ([b"small"], [])
        _, rest = await portions_of(pipe, b"big", key_cap=5_000)
        assert (rest.keys, rest.place) == ([], END)


async def test_a_full_trash_is_dumped_no_more_for(redis: Redis, server: EmbeddedServer) -> None:
    await fill(redis, ["a", "b"])
    async with piped(server) as pipe:
        (portion,) = await portions_of(pipe, b"a", b"b", protected=1, is_full=lambda: True)
    assert (portion.keys, portion.dumps, portion.protected, portion.place) == ([b"a", b"b"], [], 1, END)
    assert not {"cmdstat_dump", "cmdstat_pttl"} & set(await redis.info("commandstats"))


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


class Counted:
    """Numbers without end, and how many were made."""

    def __init__(self) -> None:
        self.made = 0
        self.closed = False

    async def numbers(self) -> AsyncGenerator[int]:
        try:
            while True:
                self.made += 1
                yield self.made
                await asyncio.sleep(0)
        finally:
            self.closed = True


async def test_only_so_many_are_made_before_they_are_wanted() -> None:
    counted = Counted()
    async with aclosing(ahead(counted.numbers(), 2)) as items:
        assert await anext(items) == 1
        await until(lambda: counted.made == 4)
        for _ in range(100):
            await asyncio.sleep(0)
        assert counted.made == 4  # two are kept, and one is in the hands of who makes them
        assert await anext(items) == 2
    assert counted.closed


async def test_it_ends_however_far_it_is_ahead() -> None:
    for turns in range(12):
        counted = Counted()
        async with asyncio.timeout(30):
            async with aclosing(ahead(counted.numbers(), 2)) as items:
                await anext(items)
                for _ in range(turns):
                    await asyncio.sleep(0)
        assert counted.closed


async def test_what_ends_the_items_is_raised_after_the_last_of_them() -> None:
    async def failing() -> AsyncGenerator[int]:
        for number in range(6):
            yield number
        raise ArithmeticError

    got = []
    with pytest.raises(ArithmeticError):
        async for item in ahead(failing(), 2):
            got.append(item)
    assert got == list(range(6))
