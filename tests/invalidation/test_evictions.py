from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pymon_tui.invalidation.brake import Brake, Feeling
from pymon_tui.invalidation.evictions import Evictions


def test_what_was_evicted_before_does_not_hold_it() -> None:
    evictions = Evictions(100.0)
    assert [evictions.judge(each, look) for look, each in enumerate((0, 100, 140, 90, None), start=1)] == [""] * 5
    assert evictions.share == 1.0


def test_evictions_that_end_with_the_pause_were_its_own() -> None:
    evictions = Evictions(0.0)
    assert evictions.judge(50, 1) == "50 keys a second are evicted, more than before the run"
    assert evictions.judge(50, 1)  # nothing new is known
    assert evictions.judge(30, 2)  # between the last two looks it hadn't paused yet
    assert evictions.judge(0, 3) == ""
    assert evictions.share == 0.5
    assert evictions.judge(50, 4)
    for look in (5, 6):
        evictions.judge(0, look)
    assert evictions.share == 0.25


def test_evictions_that_go_on_without_it_are_others() -> None:
    evictions = Evictions(0.0)
    assert evictions.judge(50, 1)
    assert evictions.judge(50, 2)
    assert evictions.judge(50, 3) == ""
    assert evictions.share == 1.0
    assert evictions.judge(60, 4) == ""
    assert evictions.judge(500, 5)


@given(st.lists(st.none() | st.floats(0, 1e6), max_size=200))
def test_it_never_holds_for_longer_than_two_looks(rates: list[float | None]) -> None:
    evictions = Evictions(0.0)
    held = 0
    for look, rate in enumerate(rates, start=1):
        held = held + 1 if evictions.judge(rate, look) else 0
        assert held <= 2
        assert 0 < evictions.share <= 1


def test_looks_that_are_counted_anew_do_not_hold_it_for_ever() -> None:
    evictions = Evictions(0.0)
    assert evictions.judge(50, 30)
    assert evictions.judge(0, 1) == ""


def test_the_brake_holds_and_takes_less() -> None:
    brake = Brake(Feeling(ping_p99=0.001), 0.005)
    calm = Feeling(ping_p99=0.001, looks=1)
    assert not brake.pace(calm).hold
    held = brake.pace(Feeling(ping_p99=0.001, evicting=20.0, looks=2))
    assert (held.hold, held.why) == (True, "holding: 20 keys a second are evicted, more than before the run")
    paces = [brake.pace(Feeling(ping_p99=0.001, evicting=0.0, looks=look)) for look in (3, 4)]
    assert [(pace.hold, pace.share) for pace in paces] == [(True, 1.0), (False, 0.5)]
