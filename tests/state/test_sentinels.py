"""Sentinels that are asked side by side, of which one is slow or none answers."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from pymon_tui.model.deployment import Address
from pymon_tui.model.link import Lost
from pymon_tui.server.endpoint import Endpoint, Service
from pymon_tui.state.sentinels import Sentinels
from tests.server.fake import Serve, bulk, serving, speaking
from tests.server.listening import until

NOBODY = Address("127.0.0.1", 1)
WHERE = b"*2\r\n" + bulk(b"10.0.0.5") + bulk(b"6379")
SLOW, QUICK = b"a" * 40, b"b" * 40


@asynccontextmanager
async def asked(*named: Address) -> AsyncIterator[Sentinels]:
    sentinels = Sentinels(Endpoint(), Service("main", named), every=0.01, news=lambda: None)
    running = asyncio.create_task(sentinels.run())
    try:
        yield sentinels
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running


def sentinel(own_id: bytes, others: Callable[[], bytes]) -> Serve:
    """One that answers where the primary is, who it is, and which others there are."""

    def answer(command: list[bytes]) -> bytes:
        match command:
            case [b"SENTINEL", b"GET-MASTER-ADDR-BY-NAME", *_]:
                return WHERE
            case [b"SENTINEL", b"SENTINELS", *_]:
                return others()
            case [b"SENTINEL", b"MYID"]:
                return bulk(own_id)
        return b"-ERR unknown command\r\n" if command[0] in (b"SENTINEL", b"HELLO") else b"+OK\r\n"

    return speaking(answer)


async def test_whoever_has_not_said_yet_who_it_is_is_not_asked_twice() -> None:
    may_answer, visits, told = asyncio.Event(), 0, 0
    plain = sentinel(SLOW, lambda: b"*0\r\n")

    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal visits
        visits += 1
        await may_answer.wait()
        await plain(reader, writer)

    async with serving(slow) as port:

        def others() -> bytes:
            nonlocal told
            told += 1
            fields = (b"ip", b"127.0.0.1", b"port", b"%d" % port, b"runid", SLOW, b"flags", b"sentinel")
            return b"*1\r\n*%d\r\n" % len(fields) + b"".join(map(bulk, fields))

        async with (
            serving(sentinel(QUICK, others)) as quick,
            asked(Address("127.0.0.1", quick), Address("localhost", port)) as sentinels,
        ):
            await until(lambda: told >= 5 and visits > 0)
            may_answer.set()
            await until(lambda: sentinels.view("").answering == 2)
            seen = told
            await until(lambda: told >= seen + 5)
            assert visits == 1


async def test_they_are_lost_since_the_first_try() -> None:
    async with asked(NOBODY) as sentinels:
        await until(lambda: sentinels.lost is not None)
        first = sentinels.lost
        sentinels.wake()
        await until(lambda: sentinels.lost is not None and sentinels.lost.tries > 1)
        assert isinstance(first, Lost)
        assert isinstance(sentinels.lost, Lost)
        assert sentinels.lost.since == first.since
