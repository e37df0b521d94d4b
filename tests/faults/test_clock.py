"""Clocks that jump: this machine's, asleep or set anew, and the server's. No rate is wrong for it, nothing is lost."""

from __future__ import annotations

import time
from itertools import pairwise

import pytest

from pymon_tui.readings.metrics import COMMANDS, USED_MEMORY
from pymon_tui.server import clock
from pymon_tui.server.endpoint import Endpoint
from tests.faults.watching import heard, live, rates, watching
from tests.server.fake import bulk, serving, speaking
from tests.servers.node import Node

NIGHT = 8 * 3600.0


class Offset:
    """What is added to a clock."""

    def __init__(self) -> None:
        self.seconds = 0.0


@pytest.fixture
def asleep(monkeypatch: pytest.MonkeyPatch) -> Offset:
    """How long this machine has slept."""
    offset, now = Offset(), clock.now
    monkeypatch.setattr(clock, "now", lambda: now() + offset.seconds)
    return offset


@pytest.fixture
def wall(monkeypatch: pytest.MonkeyPatch) -> Offset:
    """How wrong this machine's time of day is."""
    offset, now = Offset(), time.time
    monkeypatch.setattr(time, "time", lambda: now() + offset.seconds)
    return offset


def test_it_goes_on() -> None:
    assert all(before <= after for before, after in pairwise(clock.now() for _ in range(100)))


async def test_a_night_asleep_is_its_mean_and_no_peak(node: Node, asleep: Offset) -> None:
    async with watching(Endpoint(socket=node.server.socket)) as watch:
        await watch.until(heard)
        before = await watch.ticks(5)
        node.ask_all([("PING",)] * 20_000)  # what others do in a night; this loop stands still meanwhile
        asleep.seconds += NIGHT
        after = await watch.ticks(3)
        assert after.history.end - before.history.end < 100  # what is kept isn't pushed out
        assert None not in after.history.columns(COMMANDS.name, 9, NIGHT / 10)[1:]
        assert None in after.history.columns(USED_MEMORY.name, 9, NIGHT / 10)  # nobody knows what it was
        assert max(rates(after, COMMANDS.name)) < 1_000  # 20,000 in one tick would be 400,000 a second
        assert watch.said == []


async def test_growth_in_our_sleep_is_spread_over_it(asleep: Offset) -> None:
    total = 0

    def answer(command: list[bytes]) -> bytes:
        if command[0] == b"HELLO":
            return b"%0\r\n"
        if command[0] != b"INFO":
            return b"*0\r\n"
        nonlocal total
        total += 10
        return bulk(b"run_id:x\r\nuptime_in_seconds:1\r\ntotal_commands_processed:%d\r\n" % total)

    async with serving(speaking(answer)) as port, watching(Endpoint(port=port)) as watch:
        await watch.until(live)
        await watch.ticks(5)
        asleep.seconds += NIGHT
        total += 28_800_000  # a thousand a second
        after = await watch.ticks(4)
        assert 900 < max(rate for rate in rates(after, COMMANDS.name) if rate > 500) < 1_100


@pytest.mark.parametrize("jump", [NIGHT, -NIGHT, -60 * 365 * 86_400.0], ids=["ahead", "back", "before the epoch"])
async def test_a_time_of_day_that_is_set_anew_changes_no_rate(node: Node, wall: Offset, jump: float) -> None:
    async with watching(Endpoint(socket=node.server.socket)) as watch:
        await watch.until(heard)
        before = await watch.ticks(3)
        wall.seconds = jump
        after = await watch.ticks(5)
        assert after.history.end - before.history.end < 100
        assert after.history.events() == ()
        assert watch.said == []
        assert abs(after.wall - before.wall - jump) < NIGHT / 2


async def test_a_server_whose_clock_jumps_has_not_restarted() -> None:
    uptimes = iter([100, 101, 90_000, -5, 0, 102, *range(103, 100_000)])

    def answer(command: list[bytes]) -> bytes:
        if command[0] == b"HELLO":
            return b"%0\r\n"
        if command[0] != b"INFO":
            return b"*0\r\n"
        up = next(uptimes)
        return bulk(
            b"run_id:x\r\nuptime_in_seconds:%d\r\nserver_time_usec:%d\r\ntotal_commands_processed:%d\r\n"
            % (up, up * 1_000_000, 1_000)
        )

    async with serving(speaking(answer)) as port, watching(Endpoint(port=port)) as watch:
        await watch.until(live)
        after = await watch.ticks(8)
        assert after.history.events() == ()
        assert watch.said == []
