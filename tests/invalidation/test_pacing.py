from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from pymon_tui.invalidation import pacing
from pymon_tui.invalidation.bounds import Rate
from pymon_tui.invalidation.brake import FIRST, Feeling
from pymon_tui.invalidation.pacing import Cancelled, Pacer
from pymon_tui.invalidation.pulse import Pulse
from pymon_tui.model import units
from pymon_tui.server.endpoint import Endpoint


class Clock:
    """Time that passes only while somebody sleeps; ``then`` is called after each sleep."""

    def __init__(self) -> None:
        self.now = 1_000.0
        self.then: Callable[[], None] = lambda: None

    def monotonic(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.then()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(pacing, "time", clock)
    monkeypatch.setattr(pacing, "asyncio", clock)
    return clock


def pacer_of(rate: float | None = None) -> Pacer:
    """A pacer whose pulse doesn't beat."""
    return Pacer(Pulse(Endpoint()), 0.005, Rate(rate, 1) if rate is not None else None)


async def felt(pacer: Pacer, ping: float) -> Pacer:
    """The pacer, begun when PING took this long."""
    pacer.pulse.feeling = Feeling(ping_p99=ping)
    await pacer.feel_idle()
    return pacer


async def test_it_begins_when_it_knows_what_is_felt_without_it(clock: Clock) -> None:
    pacer = pacer_of()
    began = clock.now

    def feel() -> None:
        if clock.now - began > 0.4:
            pacer.pulse.feeling = Feeling(ping_p99=0.002)

    clock.then = feel
    await pacer.feel_idle()
    assert 0.4 < clock.now - began < 0.5
    assert (pacer.idle_p99, pacer.limit, pacer.state) == (0.002, 0.007, "running")


async def test_it_begins_all_the_same_when_nothing_is_felt(clock: Clock) -> None:
    pacer = pacer_of()
    began = clock.now
    await pacer.feel_idle()
    assert 1.5 <= clock.now - began < 1.6
    assert (pacer.idle_p99, pacer.limit) == (None, 0.005)


async def test_a_brief_run_waits_for_no_pulse(clock: Clock) -> None:
    pacer, began = pacer_of(), clock.now
    await pacer.feel_idle(brief=True)
    for _ in range(10):
        await pacer.gate()
        clock.now += 1
    assert clock.now == began + 10
    assert (pacer.idle_p99, pacer.limit, pacer.state, pacer.pace.page) == (None, None, "running", FIRST)


async def test_a_brief_run_is_judged_from_the_first_feeling_on(clock: Clock) -> None:
    pacer = pacer_of()
    await pacer.feel_idle(brief=True)
    await pacer.gate()
    pacer.pulse.least, pacer.pulse.most = 0.001, 0.002
    pacer.pulse.feeling = Feeling(looks=1, blocked=30)
    await pacer.gate()
    assert (pacer.limit, pacer.pace.page, pacer.pace.hold) == (0.007, 2_000, False)
    clock.now += 1
    pacer.pulse.feeling = Feeling(looks=2, blocked=30, ping_p99=0.1)
    await pacer.gate()
    assert pacer.pace.page == 1_000
    assert "PING p99 is" in pacer.why


@pytest.mark.parametrize("felt", [Feeling(looks=2, evicting=500.0), Feeling(looks=2, lazyfree=10**6)])
async def test_a_brief_run_is_held_as_any_other(clock: Clock, felt: Feeling) -> None:
    pacer = pacer_of()
    await pacer.feel_idle(brief=True)
    pacer.pulse.feeling = Feeling(looks=1)
    await pacer.gate()
    clock.now += 1
    pacer.pulse.feeling = felt
    held = []

    def look() -> None:
        held.append(pacer.state)
        if len(held) == 40:
            pacer.cancel()

    clock.then = look
    with pytest.raises(Cancelled):
        await pacer.gate()
    assert set(held) == {"holding"}


@pytest.mark.parametrize("rate", [0.5, 3.0, 1_000.0, 123_456.0])
async def test_no_second_has_more_keys_than_the_rate(clock: Clock, rate: float) -> None:
    pacer = await felt(pacer_of(rate), 0.001)
    began, named = clock.now, 0
    most = pacer.most
    assert most is not None
    for _ in range(60):
        await pacer.gate()
        assert named <= rate * (clock.now - began) + 1e-6
        pacer.named(most)
        named += most
    assert named == pytest.approx(rate * (clock.now - began) + most, rel=0.01)
    assert pacer.speed == pytest.approx(rate, rel=0.3)


async def test_without_a_rate_there_is_nothing_to_wait_for(clock: Clock) -> None:
    pacer = await felt(pacer_of(), 0.001)
    began = clock.now
    for _ in range(100):
        await pacer.gate()
        pacer.named(1_000)
    assert clock.now == began
    assert pacer.most is None


async def test_the_brakes_pause_is_kept_whole(clock: Clock) -> None:
    pacer = await felt(pacer_of(), 0.001)
    pacer.pulse.feeling = Feeling(ping_p99=1.0)
    for _ in range(40):
        clock.now += 1
        await pacer.gate()
    assert pacer.pace.pause == 0.25
    began = clock.now
    await pacer.gate()
    assert clock.now - began == pytest.approx(0.25)
    assert f"pausing {units.milliseconds(0.25)}" in pacer.why


async def test_the_brake_judges_twice_a_second_at_most(clock: Clock) -> None:
    pacer = await felt(pacer_of(), 0.001)
    pacer.pulse.feeling = Feeling(ping_p99=1.0)
    pages = set()
    for _ in range(10):
        await pacer.gate()
        clock.now += 0.04
        pages.add(pacer.pace.page)
    assert pages == {500}


async def test_what_was_felt_before_it_slowed_down_is_forgotten(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    pacer = await felt(pacer_of(), 0.001)
    forgotten: list[float] = []
    monkeypatch.setattr(pacer.pulse, "forget", lambda: forgotten.append(clock.now))
    pacer.pulse.feeling = Feeling(ping_p99=1.0)
    await pacer.gate()
    assert len(forgotten) == 1
    clock.now += 1
    pacer.pulse.feeling = Feeling(ping_p99=0.001)
    await pacer.gate()
    assert len(forgotten) == 1


async def test_it_holds_until_what_it_waits_for_is_done(clock: Clock) -> None:
    pacer = await felt(pacer_of(), 0.001)
    began, held = clock.now, []
    pacer.pulse.feeling = Feeling(ping_p99=0.001, lazyfree=10**6)

    def free() -> None:
        held.append((pacer.state, pacer.why))
        if clock.now - began > 3:
            pacer.pulse.feeling = replace(pacer.pulse.feeling, lazyfree=0)

    clock.then = free
    await pacer.gate()
    assert 3 < clock.now - began < 4
    assert set(held) == {("holding", "holding: 1.00M objects wait to be freed")}
    assert pacer.state == "running"


async def test_a_pause_holds_also_in_the_middle_of_a_wait(clock: Clock) -> None:
    pacer = await felt(pacer_of(1.0), 0.001)
    pacer.named(1)
    began = clock.now

    def press() -> None:
        pacer.paused = 0.5 < clock.now - began < 60

    clock.then = press
    await pacer.gate()
    assert 60 <= clock.now - began < 60.2


async def test_a_wait_ends_at_once_when_it_is_cancelled(clock: Clock) -> None:
    pacer = await felt(pacer_of(0.001), 0.001)
    pacer.named(1)
    began = clock.now
    clock.then = lambda: pacer.cancel() if clock.now - began > 1 else None
    for waiting in (pacer.gate(), pacer.gate(), pacer.ask("go on?", lambda: True), pacer.wait(60), pacer_paused(pacer)):
        with pytest.raises(Cancelled):
            await waiting
        assert clock.now - began < 1.2


async def pacer_paused(pacer: Pacer) -> None:
    pacer.paused = True
    await pacer.gate()


async def test_a_question_is_open_until_it_is_answered(clock: Clock) -> None:
    pacer = await felt(pacer_of(), 0.001)
    pacer.answer()  # to nothing that was asked
    began = clock.now

    def answer() -> None:
        assert (pacer.state, pacer.why) == ("asking", "go on?")
        if clock.now - began > 5:
            pacer.answer()

    clock.then = answer
    await pacer.ask("go on?", lambda: True)
    assert 5 < clock.now - began < 5.2
    assert pacer.state == "running"


async def test_what_it_does_is_said_while_keys_are_counted(clock: Clock) -> None:
    pacer = await felt(pacer_of(), 0.001)
    pacer.doing = "verifying"
    await pacer.gate()
    assert pacer.state == "verifying"
