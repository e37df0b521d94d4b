"""What several Sentinels say together: whom to believe, and where that leads nowhere whom next."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace

import pytest

from pymon_tui.model.deployment import Address
from pymon_tui.server.endpoint import Endpoint, Service
from pymon_tui.server.opinions import Council, namings, primary_of
from pymon_tui.server.reasons import LinkError
from tests.server.fake import Answer, bulk, endpoint_at, serving, speaking

NOBODY = 1
FAR = 10_000


def sentinel(primary: int, epoch: int | None, other: int | None = None) -> Answer:
    """One that names a primary on this machine, in a configuration of this epoch, and tells of another Sentinel."""

    def answer(command: list[bytes]) -> bytes:
        match command:
            case [b"SENTINEL", b"GET-MASTER-ADDR-BY-NAME", *_]:
                return b"*2\r\n" + bulk(b"127.0.0.1") + bulk(b"%d" % primary)
            case [b"SENTINEL", b"MASTER", *_] if epoch is not None:
                return b"*2\r\n" + bulk(b"config-epoch") + bulk(b"%d" % epoch)
            case [b"SENTINEL", b"SENTINELS", *_]:
                told = (b"ip", b"127.0.0.1", b"port", b"%d", b"runid", b"%040d")
                words = b"".join(bulk(word % other if b"%" in word else word) for word in told) if other else b""
                return b"*1\r\n*6\r\n" + words if other else b"*0\r\n"
        return b"-ERR unknown command\r\n" if command[0] in (b"SENTINEL", b"HELLO") else b"+OK\r\n"

    return answer


def server(role: bytes) -> Answer:
    """A server that tells its role."""

    def answer(command: list[bytes]) -> bytes:
        if command[0] == b"HELLO":
            return b"-ERR unknown command\r\n"
        return bulk(b"role:" + role) if command[0] == b"INFO" else b"+OK\r\n"

    return answer


@asynccontextmanager
async def standing(*answers: Answer) -> AsyncIterator[list[int]]:
    async with AsyncExitStack() as running:
        yield [await running.enter_async_context(serving(speaking(one))) for one in answers]


def service_at(*ports: int) -> Service:
    return Service("main", tuple(Address("127.0.0.1", port) for port in ports))


async def found(*ports: int) -> Endpoint:
    return await primary_of(endpoint_at(0), service_at(*ports))


async def test_the_newest_configuration_is_believed_whoever_speaks_first() -> None:
    async with standing(server(b"master"), server(b"master")) as (old, new):
        late, stale, liar = sentinel(old, 3), sentinel(old, 3), sentinel(old, None)
        async with standing(liar, late, stale, sentinel(new, 4)) as places:
            assert [one.primary.port for one in await namings(endpoint_at(0), service_at(*places))] == [new, old]
            assert (await found(*places)).port == new


async def test_of_one_configuration_the_most_are_believed() -> None:
    async with standing(sentinel(NOBODY, 4), sentinel(7, 4), sentinel(7, 4)) as places:
        assert [one.primary.port for one in await namings(endpoint_at(0), service_at(*places))] == [7, NOBODY]


async def test_where_nobody_answers_or_a_replica_the_next_opinion_is_tried() -> None:
    async with standing(server(b"slave"), server(b"master")) as (replica, primary):
        async with standing(sentinel(NOBODY, 9), sentinel(replica, 8), sentinel(primary, 7)) as places:
            assert (await found(*places)).port == primary
        async with standing(sentinel(NOBODY, 9), sentinel(replica, 8)) as places:
            with pytest.raises(LinkError) as caught:
                await found(*places)
            assert caught.value.what == (
                f"127.0.0.1:{NOBODY} refuses connections, "
                f"and Sentinel 127.0.0.1:{places[0]} names it the primary of main"
            )
        async with standing(sentinel(replica, 8), sentinel(replica, 8)) as places:
            with pytest.raises(LinkError) as caught:
                await found(*places)
            assert caught.value.what == f"127.0.0.1:{replica} is a replica, and 2 Sentinels name it the primary of main"


async def test_those_that_one_tells_of_are_asked_as_well() -> None:
    async with standing(sentinel(7, 4)) as (other,), standing(sentinel(NOBODY, 3, other)) as (stale,):
        assert [one.primary.port for one in await namings(endpoint_at(0), service_at(stale))] == [7, NOBODY]


async def test_a_silent_one_holds_nobody_up_twice() -> None:
    visits = 0

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal visits
        visits += 1
        await reader.read()

    async with serving(silent) as first, standing(sentinel(7, 4)) as (second,):
        service = service_at(first, second)
        for _ in range(2):
            (naming,) = await namings(endpoint_at(0), service, 0.01)
            assert naming.by == (service.sentinels[1],)
        assert visits == 1


async def test_one_that_refuses_is_not_asked_at_each_beat() -> None:
    asked = 0

    def locked(command: list[bytes]) -> bytes:
        nonlocal asked
        asked += 1
        return b"-NOAUTH Authentication required.\r\n"

    async with standing(locked, sentinel(7, 4)) as places:
        council = Council(endpoint_at(0), service_at(*places))
        await council.namings()
        at_first = asked
        assert [len(await council.namings()) for _ in range(3)] == [1, 1, 1]
        await council.close()
        assert asked == at_first > 0
    async with standing(locked) as places:
        council = Council(endpoint_at(0), service_at(*places))
        for _ in range(2):
            with pytest.raises(LinkError, match="wants a password"):
                await council.namings()
        await council.close()


async def test_the_lines_stay_open_from_beat_to_beat() -> None:
    greeted = 0
    told = sentinel(7, 4)

    def answer(command: list[bytes]) -> bytes | None:
        nonlocal greeted
        greeted += command[0] == b"HELLO"
        return told(command)

    async with standing(answer) as places:
        council = Council(replace(endpoint_at(0), command_timeout=1.0), service_at(*places))
        await council.namings()
        at_first = greeted
        await council.namings()
        await council.close()
        assert greeted == at_first
