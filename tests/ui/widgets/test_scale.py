"""The range that a graph is drawn over."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pymon_tui.model import units
from pymon_tui.ui.widgets.scale import binary_up, levels, rates, round_up, shares, times, usual

MIB, GIB = 1024.0**2, 1024.0**3
known = st.lists(st.none() | st.floats(0, 1e12), max_size=60)


@pytest.mark.parametrize(("value", "end"), [(0, 1), (-5, 1), (0.3, 0.3), (1, 1), (17_100, 18_000), (50_001, 60_000)])
def test_a_scale_ends_at_a_round_number(value: float, end: float) -> None:
    assert round_up(value) == pytest.approx(end)


@pytest.mark.parametrize(("value", "end"), [(0, 1), (300, 300), (1001, 1024), (1025, 1.2 * 1024), (3.1 * MIB, 4 * MIB)])
def test_a_scale_of_bytes_ends_at_a_round_number_of_its_unit(value: float, end: float) -> None:
    assert binary_up(value) == pytest.approx(end)


@given(st.floats(0, 1e18))
def test_nothing_is_above_its_scale_nor_far_below(value: float) -> None:
    for end in (round_up(value), binary_up(value)):
        assert end >= value * 0.999999
        assert end <= max(1.0, value * 1.5)


def test_a_rate_s_scale_is_that_of_the_usual_and_a_single_spike_is_above_it() -> None:
    steady = [12_200.0] * 35
    scale = rates(steady, units.rate, 3)
    assert (scale.low, scale.text) == (0.0, "0–18k/s")
    assert scale.high == pytest.approx(18_000)
    assert rates([*steady, 41_200.0], units.rate, 4)[1] == pytest.approx(18_000)
    assert rates([*steady, 41_200.0], units.rate, 3)[1] == pytest.approx(20_000)  # the upper of three rows is free
    assert rates([*steady, 20_000.0], units.rate, 3)[1] == pytest.approx(20_000)  # not cut for a little
    assert rates([10.0, 10.0, 75_000.0], units.rate, 2)[1] == pytest.approx(14)


def test_where_all_else_is_nothing_a_spike_flattens_nothing() -> None:
    assert rates([0.0] * 35 + [900.0], units.rate, 3)[1] == pytest.approx(1_000)
    assert rates([0.0] * 36, units.rate, 3)[2] == "0–1/s"
    assert rates([None] * 36, units.rate, 3)[2] == "0–1/s"


@given(known)
def test_at_most_a_twentieth_is_cut_and_the_usual_is_not(columns: list[float | None]) -> None:
    scale = rates(columns, units.rate, 3)
    values = [value for value in columns if value is not None]
    cut = [value for value in values if value > scale.high * 1.000001]
    assert len(cut) <= max(1, 0.05 * len(values) + 1)
    assert usual(columns) <= scale.high * 1.000001 or usual(columns) < 1e-9


@pytest.mark.parametrize(
    ("lowest", "text"), [(0.97, "90–100 %"), (0.9, "90–100 %"), (0.78, "70–100 %"), (0.7, "70–100 %"), (0.0, "0–100 %")]
)
def test_hit_rates_are_drawn_from_90_percent_or_from_a_lower_ten(lowest: float, text: str) -> None:
    assert shares([0.99, None, lowest]).text == text
    assert shares([None]).text == "90–100 %"


@pytest.mark.parametrize(
    ("used", "limit", "text"),
    [
        ([2.312, 2.329], 4.0, "2.31–2.33 GiB"),
        ([2.32, 2.32], 4.0, "2.31–2.33 GiB"),
        ([1.0, 2.4], 4.0, "0–4 GiB"),
        ([1.0, 2.4], None, "0–2.4 GiB"),
        ([1.0, 22.64], 4.0, "0–24 GiB"),  # 566 % of the limit
        ([22.6, 22.64], 4.0, "22.6–22.8 GiB"),
    ],
)
def test_memory_is_drawn_over_its_limit_or_over_its_own_range(
    used: list[float], limit: float | None, text: str
) -> None:
    scale = levels([GIB * value for value in used], None if limit is None else limit * GIB)
    assert scale.text == text


def test_memory_that_is_nearly_full_is_no_solid_block() -> None:
    columns = [63.3 * MIB, 63.6 * MIB, 64.0 * MIB]
    scale = levels(columns, 64 * MIB)
    assert scale.text == "63.2–64.0 MiB"
    assert scale.low / MIB == pytest.approx(63.2)


@given(known, st.none() | st.floats(1, 1e12))
def test_all_levels_are_within_their_scale(columns: list[float | None], limit: float | None) -> None:
    scale = levels(columns, limit)
    assert scale.low < scale.high
    for value in columns:
        assert value is None or scale.low - 1e-6 * scale.high <= value <= scale.high * 1.000001


def test_times_are_drawn_to_above_what_they_are_to_stay_under() -> None:
    scale = times([0.0014] * 50 + [0.0061], 0.0054)
    assert (scale.low, scale.text) == (0.0, "0–8 ms")
    assert scale.high == pytest.approx(0.008)
    assert times([0.001] * 50 + [0.2], 0.0054).high == pytest.approx(0.008)
    assert times([0.001] * 50 + [0.012], 0.0054).high == pytest.approx(0.012)
    assert times([None, None], 0.0057).text == "0–8 ms"
    assert times([None], None).text == "0–1 ms"
