"""More than fits: clients by the ten thousand, a hundred megabytes of reply, slow commands with all they carried."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from pymon_tui.model.query import Ready
from pymon_tui.readings.clients import CLIENTS
from pymon_tui.readings.slowlog import SLOWLOG
from pymon_tui.server.endpoint import Endpoint
from tests.faults.test_screen import has, monitor_of, shown
from tests.faults.watching import gaps, live, watching
from tests.replies import recorded
from tests.server.fake import Serve, bulk, serving, speaking
from tests.ui.stage import until

INFO: bytes = recorded("info-primary.valkey-9.resp3")
CLIENT = (
    b"id=%d addr=10.1.2.3:%d laddr=10.0.0.1:6379 fd=8 name=worker-%d age=12 idle=0 flags=N db=0 sub=0 psub=0 ssub=0 "
    b"multi=-1 watch=0 qbuf=26 qbuf-free=20448 argv-mem=10 multi-mem=0 rbs=1024 rbp=0 obl=0 oll=0 omem=0 tot-mem=22426 "
    b"events=r cmd=get user=default redir=-1 resp=3 lib-name=redis-py lib-ver=8.1.0 tot-net-in=%d tot-net-out=9 "
    b"tot-cmds=%d\n"
)
WORD = b"$32\r\n%s\r\n" % (b"x" * 32)


def answering(**replies: Callable[[list[bytes]], bytes]) -> Serve:
    """A server that answers these commands so, and to others what is short."""

    def answer(command: list[bytes]) -> bytes:
        name = command[0].decode()
        if name in replies:
            return replies[name](command)
        return {"HELLO": b"%0\r\n", "INFO": bulk(INFO)}.get(name, b"*0\r\n")

    return speaking(answer)


def clients(command: list[bytes]) -> bytes:
    """Ten thousand."""
    if command[1].upper() != b"LIST":
        return b"+OK\r\n"
    return bulk(b"".join(CLIENT % (id_, id_ % 60_000, id_ % 9, id_ * 7, id_) for id_ in range(10_000)))


def slowlog(command: list[bytes]) -> bytes:
    """A thousand, of 128 arguments each."""
    entry = b"*6\r\n:%d\r\n:1700000000\r\n:12345\r\n*128\r\n" + WORD * 128 + b"$10\r\n10.0.0.1:1\r\n$0\r\n\r\n"
    return b"*1000\r\n" + b"".join(entry % number for number in range(1_000, 0, -1))


async def test_ten_thousand_clients_are_counted_and_listed() -> None:
    async with serving(answering(CLIENT=clients)) as port, watching(Endpoint(port=port)) as watch:
        shown = await watch.until(lambda snapshot: isinstance(snapshot.reading(CLIENTS), Ready))
        reading = shown.reading(CLIENTS)
        assert isinstance(reading, Ready)
        assert len(reading.value) == 10_000
        await watch.ticks(3)
        assert watch.said == []


async def test_a_thousand_slow_commands_of_many_arguments() -> None:
    async with serving(answering(SLOWLOG=slowlog)) as port, watching(Endpoint(port=port)) as watch:
        shown = await watch.until(lambda snapshot: isinstance(snapshot.reading(SLOWLOG), Ready))
        await watch.ticks(3)
        assert SLOWLOG.name not in gaps(shown)
        assert watch.said == []


async def test_the_screen_shows_them_and_answers_keys() -> None:
    async with (
        serving(answering(CLIENT=clients, SLOWLOG=slowlog)) as port,
        shown(Endpoint(port=port, command_timeout=5.0)) as pilot,
    ):
        monitor_of(pilot).source.set_interval(1.0)
        for key, words in (("4", ("Clients 10", "worker-8")), ("5", ("Slow log", "x" * 32))):
            await pilot.press(key)
            await until(pilot, has(pilot, *words))
            await pilot.press("G", "g", "1")


async def test_a_hundred_megabytes_are_read_without_holding_up_the_loop() -> None:
    reply = bulk(b"x" * 100_000_000)
    beats = 0

    async def pulse() -> None:
        nonlocal beats
        while True:
            beats += 1
            await asyncio.sleep(0)

    async with (
        serving(answering(SLOWLOG=lambda _: reply)) as port,
        watching(Endpoint(port=port, command_timeout=30.0)) as watch,  # how fast it is read is no matter here
    ):
        beating = asyncio.create_task(pulse())
        await watch.until(lambda snapshot: live(snapshot) and SLOWLOG.name in gaps(snapshot))
        beating.cancel()
        assert watch.said == []
        assert "SLOWLOG GET answered" in gaps(watch.newest)[SLOWLOG.name].detail
    # Keys are taken between any two beats: it is read in pieces, of a megabyte at most.
    assert beats > 100
