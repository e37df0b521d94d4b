"""The ends of a graph's scale."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pymon_tui.ui.widgets.graph import byte_ceiling, ceiling


@pytest.mark.parametrize(("value", "end"), [(0, 1), (-5, 1), (0.3, 0.5), (1, 1), (12_400, 20_000), (50_000, 50_000)])
def test_a_scale_ends_at_a_round_number(value: float, end: float) -> None:
    assert ceiling(value) == pytest.approx(end)


@pytest.mark.parametrize(
    ("value", "end"),
    [(0, 1), (300, 500), (600, 1000), (1001, 1024), (1025, 2 * 1024), (3.1 * 1024**2, 5 * 1024**2)],
)
def test_a_scale_of_bytes_ends_at_a_round_number_of_its_unit(value: float, end: float) -> None:
    assert byte_ceiling(value) == pytest.approx(end)


@given(st.floats(0, 1e18))
def test_nothing_is_above_its_scale(value: float) -> None:
    assert ceiling(value) >= value * 0.999999
    assert byte_ceiling(value) >= value * 0.999999
