"""The ends of a graph's scale."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.app import App, ComposeResult

from pymon_tui.model import units
from pymon_tui.ui.theme import DARK
from pymon_tui.ui.widgets.graph import Glyphs, Graph, byte_ceiling, ceiling


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


class Graphs(App[None]):
    """One graph, three rows high."""

    def __init__(self, glyphs: Glyphs) -> None:
        super().__init__()
        self.register_theme(DARK)
        self.theme = DARK.name
        self.graph = Graph("good", units.count)
        self.graph.glyphs = glyphs

    def compose(self) -> ComposeResult:
        """The graph."""
        yield self.graph


@pytest.mark.parametrize(("glyphs", "mark", "line"), [("blocks", "┊", "╌"), ("ascii", "|", "-")])
async def test_a_mark_stands_over_its_column_and_a_line_at_its_value(glyphs: Glyphs, mark: str, line: str) -> None:
    app = Graphs(glyphs)
    async with app.run_test(size=(4, 3)):
        app.graph.show([0.0, 1.0, None, 3.0], 3.0, marks={1, 2, 3}, line=1.5)
        rows = [app.graph.render_line(y).text for y in range(3)]
        assert rows[0][:3] == f" {mark}{mark}"
        assert rows[1][:3] == f"{line}{mark}{mark}"
        assert rows[2][2] == mark
        accent = app.graph.ink("accent")
        last = app.graph.render_line(0)._segments[-1]
        assert (last.text[-1], last.style) == (rows[0][3], accent)


async def test_a_mark_of_a_column_that_is_not_seen_is_not_drawn() -> None:
    app = Graphs("blocks")
    async with app.run_test(size=(4, 3)):
        app.graph.show([None] * 6, 1.0, marks={0, 1})
        assert all("┊" not in app.graph.render_line(y).text for y in range(3))
