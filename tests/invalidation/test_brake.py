from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pymon_tui.invalidation.brake import BLOCKED, FIRST, FIRST_AFAR, LAG, LARGEST, LAZYFREE, SMALLEST, Brake, Feeling
from pymon_tui.model import units

CEILING = 0.005
IDLE = Feeling(ping_p99=0.001)
CALM = Feeling(ping_p99=0.001)
SLOW = Feeling(ping_p99=0.02)


def test_it_stays_within_the_ceiling_over_idle() -> None:
    assert Brake(IDLE, CEILING).limit == 0.006
    assert Brake(Feeling(), CEILING).limit == CEILING


def test_pages_are_halved_then_pauses_grow_and_it_says_so() -> None:
    brake = Brake(IDLE, CEILING)
    pages = [brake.pace(SLOW).page for _ in range(2)]
    assert pages == [500, SMALLEST]
    pauses = [brake.pace(SLOW).pause for _ in range(12)]
    assert pauses[:3] == [0.001, 0.002, 0.004]
    assert pauses[-1] == pauses[-2] == 0.25
    assert (
        brake.pace(SLOW).why == f"page 250, pausing {units.milliseconds(0.25)}: PING p99 is {units.milliseconds(0.02)}"
    )


def test_a_page_that_was_a_little_too_much_shrinks_a_little() -> None:
    brake = Brake(IDLE, CEILING)
    assert brake.pace(Feeling(ping_p99=0.008)).page == FIRST // 2  # as long again as it should be
    brake = Brake(IDLE, CEILING)
    assert brake.pace(Feeling(ping_p99=0.0061)).page == int(FIRST * 3.5 / 5.1)


def test_a_server_far_away_is_felt_out_quickly_until_it_was_too_much() -> None:
    afar = Feeling(ping_p99=0.0015, ping_p50=0.001)
    brake = Brake(afar, CEILING)
    first = brake.first.page
    assert brake.pace(replace(afar, ping_p99=0.003)).page == int(1.5 * first)
    nearly = brake.pace(replace(afar, ping_p99=0.0045)).page
    assert nearly == pytest.approx(1.5 * first * 3.5 / 3, abs=1)
    slowed = brake.pace(replace(afar, ping_p99=0.007)).page
    assert slowed < nearly
    assert brake.pace(afar).page == slowed + slowed // 10


def test_it_speeds_up_slowly_and_only_with_room_to_spare() -> None:
    brake = Brake(IDLE, CEILING)
    assert brake.pace(CALM).page == FIRST + FIRST // 10
    assert brake.pace(Feeling(ping_p99=0.005)).page == FIRST + FIRST // 10  # under the ceiling, and near it
    assert brake.pace(Feeling()).page == FIRST + FIRST // 10  # nothing is known
    pace = [brake.pace(CALM) for _ in range(100)][-1]
    assert (pace.page, pace.pause, pace.why) == (LARGEST, 0.0, "")


def test_it_speeds_up_again_where_the_line_alone_takes_longer_than_the_ceiling() -> None:
    far = Feeling(ping_p99=0.2)
    brake = Brake(far, CEILING)
    slowed = brake.pace(Feeling(ping_p99=0.21)).page
    assert slowed < FIRST
    assert brake.pace(far).page > slowed


def test_pauses_end_before_pages_grow() -> None:
    brake = Brake(IDLE, CEILING)
    for _ in range(4):
        brake.pace(SLOW)
    assert [(pace.page, pace.pause) for pace in (brake.pace(CALM) for _ in range(3))] == [
        (SMALLEST, 0.001),
        (SMALLEST, 0.0),
        (SMALLEST + SMALLEST // 10, 0.0),
    ]


def test_clients_that_block_slow_it_down() -> None:
    brake = Brake(replace(IDLE, blocked=5), CEILING)
    assert brake.pace(replace(CALM, blocked=5 + BLOCKED)).page > FIRST
    pace = brake.pace(replace(CALM, blocked=6 + BLOCKED))
    assert pace.page < FIRST
    assert pace.why == f"page {pace.page}: 26 clients block, 5 did before"


def test_it_holds_for_a_replica_until_half_of_the_lag_is_gone() -> None:
    before = 10 * LAG  # a replica that is far behind already is not ours to wait for
    brake = Brake(replace(IDLE, lag=before), CEILING)
    assert not brake.pace(replace(CALM, lag=before + LAG)).hold
    pace = brake.pace(replace(CALM, lag=before + LAG + 1))
    assert pace.hold
    assert "holding: a replica is" in pace.why
    assert brake.pace(replace(CALM, lag=before + LAG // 2 + 1)).hold
    assert not brake.pace(replace(CALM, lag=before + LAG // 2)).hold
    assert not brake.pace(replace(CALM, lag=before + LAG)).hold


def test_it_holds_while_objects_wait_to_be_freed() -> None:
    brake = Brake(IDLE, CEILING)
    assert not brake.pace(replace(CALM, lazyfree=LAZYFREE)).hold
    pace = brake.pace(replace(CALM, lazyfree=LAZYFREE + 1))
    assert pace.hold
    assert pace.why == f"holding: {units.count(LAZYFREE + 1)} objects wait to be freed"
    assert brake.pace(replace(CALM, lazyfree=LAZYFREE // 2 + 1)).hold
    assert not brake.pace(replace(CALM, lazyfree=LAZYFREE // 2)).hold


FEELINGS = st.builds(
    Feeling,
    ping_p99=st.none() | st.floats(0, 10),
    lag=st.none() | st.integers(0, 2**40),
    lazyfree=st.integers(0, 10**9),
    blocked=st.integers(0, 10**5),
)


@given(FEELINGS, st.lists(FEELINGS, max_size=60))
def test_it_stays_in_bounds_and_gets_well_again(idle: Feeling, felt: list[Feeling]) -> None:
    brake = Brake(idle, CEILING)
    for feeling in felt:
        pace = brake.pace(feeling)
        assert SMALLEST <= pace.page <= LARGEST
        assert 0 <= pace.pause <= 0.25
        assert pace.why or not pace.hold
    last = [brake.pace(Feeling(ping_p99=0.0)) for _ in range(200)][-1]
    assert (last.page, last.pause, last.hold) == (LARGEST, 0.0, False)


def test_a_server_far_away_is_asked_for_more_at_once() -> None:
    firsts = [Brake(Feeling(0.003, ping_p50=median), CEILING).first for median in (None, 0.0002, 0.001, 0.1)]
    assert [first.page for first in firsts] == [FIRST, FIRST, 2 * FIRST, FIRST_AFAR]
    assert {(first.pause, first.hold, first.why) for first in firsts} == {(0.0, False, "")}


def test_where_pings_share_the_run_s_line_it_stays_careful_and_says_so() -> None:
    shared = Feeling(shared=True)
    brake = Brake(shared, CEILING)
    assert brake.pace(shared).page == FIRST
    assert brake.pace(replace(shared, blocked=BLOCKED + 1)).page == FIRST // 2
    assert [brake.pace(shared) for _ in range(20)][-1].page == FIRST
    assert brake.pace(shared).why == f"page {FIRST}: PINGs share the run's ssh, and can't be judged"
    assert brake.pace(replace(shared, lag=2 * LAG)).hold


def test_a_line_of_its_own_that_is_lost_makes_it_careful_again() -> None:
    brake = Brake(IDLE, CEILING)
    assert [brake.pace(CALM) for _ in range(100)][-1].page == LARGEST
    assert brake.pace(Feeling(shared=True)).page == FIRST


def test_pings_that_wait_elsewhere_than_at_the_server_slow_nothing_down() -> None:
    brake = Brake(IDLE, CEILING)
    slow_line = replace(SLOW, held=0.4 * CEILING)
    assert [brake.pace(slow_line) for _ in range(3)][-1].page == FIRST
    assert brake.pace(slow_line).why == (
        f"page {FIRST}: PING p99 is {units.milliseconds(0.02)}, a page takes {units.milliseconds(0.002)}"
    )
    assert brake.pace(replace(SLOW, held=0.6 * CEILING)).page == FIRST // 2
    assert [brake.pace(slow_line) for _ in range(20)][-1].page == FIRST
