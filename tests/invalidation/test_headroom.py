from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pymon_tui.demo.embedded import EmbeddedServer
from pymon_tui.invalidation.client_limits import Limiting
from pymon_tui.invalidation.fruitless import PORTION
from pymon_tui.invalidation.headroom import Headroom
from pymon_tui.invalidation.key_bytes import Total
from pymon_tui.invalidation.memory import FEWEST, PLENTY, Memory
from pymon_tui.invalidation.pacing import Pacer
from pymon_tui.invalidation.pipe import open_pipe
from pymon_tui.invalidation.pulse import WINDOW, Pulse
from pymon_tui.invalidation.room_warnings import room_warnings
from pymon_tui.readings.info import parse_info
from pymon_tui.server.endpoint import Endpoint

MEMORY = st.builds(
    Memory,
    limit=st.integers(1, 2**40),
    held=st.just(1),
    counted=st.integers(0, 2**40),
    policy=st.sampled_from(["allkeys-lru", "noeviction"]),
)


def test_what_counts_against_the_limit() -> None:
    text = b"# Memory\r\nused_memory:1000\r\nmaxmemory:1500\r\nmaxmemory_policy:allkeys-lru\r\n"
    memory = Memory.of(parse_info(text + b"mem_not_counted_for_evict:300\r\n"))
    assert (memory.held, memory.counted, memory.room, memory.evicts) == (1_000, 700, 800, True)
    assert Memory.of(parse_info(text)).room == 500
    assert Memory.of(parse_info(b"used_memory:1000\r\nmaxmemory:0\r\n")).room is None
    assert Memory.of(parse_info(b"redis_version:1\r\n")) == Memory()


@given(memory=MEMORY, share=st.floats(1 / 64, 1), most=st.integers(FEWEST, 10_000), name=st.integers(0, 10_000))
def test_what_is_allowed_fits_the_room(memory: Memory, share: float, most: int, name: int) -> None:
    room = memory.room
    assert room is not None
    if room > 0 or memory.evicts:
        assert 0 <= memory.allowed(share) <= max(0, room)
    assert FEWEST <= memory.page(most, share, name) <= most
    assert FEWEST <= memory.named(most, share, name) <= most
    assert memory.is_tight == (room < PLENTY)
    assert memory.spare >= room


@given(most=st.integers(1, 10_000))
def test_without_a_limit_nothing_is_held_back(most: int) -> None:
    memory = Memory(held=10**9)
    assert (memory.page(most, 1.0, 10), memory.named(most, 1.0, 10)) == (max(FEWEST, most), most)
    assert memory.page(most, 1.0, 8_000) <= 32, "a page of long names holds the server up"
    assert (memory.is_tight, memory.evicts, memory.spare, memory.allowed(1.0)) == (False, False, PLENTY, PLENTY)


async def test_who_has_no_limit_is_asked_once(redis: object, server: EmbeddedServer) -> None:
    pipe = await open_pipe(Endpoint(socket=server.socket))
    try:
        headroom = Headroom(pipe, Pacer(Pulse(pipe.endpoint), 0.005, None), PORTION, Limiting())
        await headroom.look()
        memory = headroom.memory
        assert await headroom.portion(1) == PORTION
        assert headroom.memory is memory
        assert not headroom.is_tight
    finally:
        await pipe.close()


@pytest.mark.parametrize(("largest", "waited"), [(100_000, 0.0), (9_000_000, WINDOW)])
async def test_a_dump_that_is_felt_is_felt_once_in_a_while(
    server: EmbeddedServer, monkeypatch: pytest.MonkeyPatch, largest: int, waited: float
) -> None:
    pipe = await open_pipe(Endpoint(socket=server.socket))
    try:
        pacer = Pacer(Pulse(pipe.endpoint), 0.005, None)
        waits: list[float] = []

        async def wait(seconds: float) -> None:
            waits.append(seconds)

        monkeypatch.setattr(pacer, "wait", wait)
        answers: asyncio.Future[list[object]] = asyncio.get_running_loop().create_future()
        answers.set_result([])
        await Headroom(pipe, pacer, PORTION, Limiting()).drained(answers, largest)
        assert sum(waits) == waited
    finally:
        await pipe.close()


def total_of(*sizes: int) -> Total:
    total = Total(16 * 2**20)
    total.add(sizes)
    return total


def test_what_a_plan_says_of_little_room() -> None:
    full = Memory(limit=2**30, held=2**30, counted=2**30 - 50_000, policy="allkeys-lru")
    begin = "48.8 KiB of room are left until maxmemory, and allkeys-lru evicts keys beyond it: "
    (slow,) = room_warnings(full, total_of(20_000), 1, mode="unlink", undo=True, evicted=0)
    assert slow == f"{begin}the undo is kept in tiny portions, which is slower; without an undo it is quicker"
    (large,) = room_warnings(full, total_of(20_000, 9 * 2**20), 2, mode="unlink", undo=True, evicted=0)
    assert large == f"{begin}the largest key's undo takes 9.00 MiB, and the run stops there unless there is room"
    (ends,) = room_warnings(full, total_of(20_000), 10_000, mode="expire", undo=False, evicted=None)
    assert ends == f"{begin}the ends of 10 000 keys take about 625 KiB there, until the keys end"
    assert room_warnings(full, total_of(20_000), 1, mode="unlink", undo=False, evicted=None) == ()
    assert room_warnings(Memory(), total_of(20_000), 1, mode="unlink", undo=True, evicted=0) == ()
    over = Memory(limit=1_000, held=2_000, counted=2_000, policy="noeviction")
    (warning,) = room_warnings(over, total_of(20_000), 1, mode="unlink", undo=True, evicted=0)
    assert warning.startswith("0 B of room are left until maxmemory, and writes are refused beyond it: ")
