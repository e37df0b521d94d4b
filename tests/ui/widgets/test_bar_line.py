"""The thin bar in a line."""

from __future__ import annotations

import pytest

from pymon_tui.ui.widgets.bar_line import bar_line
from pymon_tui.ui.widgets.ink import line_width, text_of


@pytest.mark.parametrize(
    ("share", "expected"),
    [
        (0.0, "────"),
        (0.001, "╸───"),
        (0.5, "━━──"),
        (0.6, "━━╸─"),
        (1.0, "━━━━"),
        (1.7, "━━━━"),
        (-1.0, "────"),
    ],
)
def test_draws_halves_of_cells_in_its_width(share: float, expected: str) -> None:
    assert text_of(bar_line(share, 4, "info")) == expected


@pytest.mark.parametrize("width", [-3, 0, 1, 40])
def test_is_as_wide_as_it_is_told(width: int) -> None:
    assert line_width(bar_line(0.3, width, "info")) == max(0, width)
