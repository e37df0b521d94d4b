"""What a graph draws: height alone says the value."""

from __future__ import annotations

import pytest
from rich.style import Style
from textual.app import App, ComposeResult

from pymon_tui.model import units
from pymon_tui.model.text import safe
from pymon_tui.ui.theme import DARK, SIXTEEN
from pymon_tui.ui.widgets.graph import Glyphs, Graph
from pymon_tui.ui.widgets.scale import Scale


class Graphs(App[None]):
    """One graph, as wide and as high as the terminal."""

    def __init__(self, glyphs: Glyphs = "blocks") -> None:
        super().__init__()
        self.register_theme(DARK)
        self.register_theme(SIXTEEN)
        self.theme = DARK.name
        self.graph = Graph("good")
        self.graph.glyphs = glyphs

    def compose(self) -> ComposeResult:
        """The graph."""
        yield self.graph

    @property
    def rows(self) -> list[str]:
        """What is drawn, row by row."""
        return [self.graph.render_line(y).text for y in range(self.graph.size.height)]

    def styles_of(self, y: int) -> set[Style | None]:
        """The styles of what isn't blank in a row."""
        return {segment.style for segment in self.graph.render_line(y) if segment.text.strip()}


def to(high: float, low: float = 0.0) -> Scale:
    return Scale(low, high, safe(""), units.short_count)


async def test_all_cells_of_a_row_have_one_ink_and_a_lower_row_has_less() -> None:
    app = Graphs()
    async with app.run_test(size=(6, 3)) as pilot:
        app.graph.show([24.0, 23.0, 9.0, 8.0, 17.0, 1.0], to(24.0))
        assert app.rows == ["█▇  ▁ ", "██▁ █ ", "█████▁"]
        inks = [app.styles_of(y) for y in range(3)]
        assert all(len(ink) == 1 for ink in inks)
        colours = [style.color.triplet.green for (style,) in inks if style and style.color and style.color.triplet]
        assert colours == sorted(colours, reverse=True)
        assert len(set(colours)) == 3
        app.theme = SIXTEEN.name
        await pilot.pause()
        assert len({style for y in range(3) for style in app.styles_of(y)}) == 1  # nothing to be mixed


async def test_all_of_it_takes_the_ink_of_its_figure() -> None:
    app = Graphs()
    async with app.run_test(size=(3, 2)):
        app.graph.show([1.0, 2.0, 3.0], to(4.0))
        before = app.styles_of(1)
        app.graph.tone = "warn"
        assert app.styles_of(1) == {app.graph.shade("warn", 0.85)} != before


@pytest.mark.parametrize(("glyphs", "lowest"), [("blocks", " ▁·█"), ("ascii", " .?:"), ("braille", " ⣀·⣿")])
async def test_unknown_is_a_dot_zero_is_empty_and_something_is_not_nothing(glyphs: Glyphs, lowest: str) -> None:
    app = Graphs(glyphs)
    async with app.run_test(size=(4, 2)):
        columns = [0.0, 0.001, None, 16.0]
        app.graph.show([each for each in columns for _ in range(app.graph.a_cell)], to(16.0))
        assert app.rows[1] == lowest
        assert app.rows[0][:3] == "   "


async def test_braille_has_two_columns_and_four_heights_a_cell() -> None:
    app = Graphs("braille")
    async with app.run_test(size=(3, 2)):
        assert app.graph.columns_wanted == 6
        app.graph.show([1.0, 2.0, 3.0, 4.0, None, 8.0], to(8.0))
        assert app.rows == ["  ⢸", "⣠⣾⢸"]
    app.graph.glyphs = "ascii"
    assert app.graph.a_cell == 1


async def test_what_is_above_the_top_is_cut_with_its_value_beside_it() -> None:
    app = Graphs()
    async with app.run_test(size=(10, 3)):
        app.graph.show([10.0] * 3 + [41_200.0] + [10.0] * 6, to(15.0))
        assert app.rows[0] == "   ▲41.2k "
        assert app.graph.untold is None
        app.graph.show([10.0] * 8 + [41_200.0, 10.0], to(15.0))
        assert app.rows[0] == "   41.2k▲ "
        app.graph.show([14.0] * 8 + [41_200.0, 14.0], to(15.0))
        assert "41.2k" not in app.rows[0]
        assert "▲" in app.rows[0]
        assert app.graph.untold == "41.2k"
        app.graph.show([15.0] * 10, to(15.0))
        assert app.graph.untold is None
        assert "▲" not in app.rows[0]


async def test_the_lowest_of_a_scale_that_does_not_begin_at_zero_is_seen() -> None:
    app = Graphs()
    async with app.run_test(size=(3, 2)):
        app.graph.show([0.9, 0.95, 1.0], to(1.0, 0.9))
        assert app.rows == ["  █", "▁██"]


@pytest.mark.parametrize(("glyphs", "mark", "line"), [("blocks", "╎", "┄"), ("ascii", "|", "-"), ("braille", "╎", "┄")])
async def test_a_mark_stands_over_its_column_and_a_line_at_its_value(glyphs: Glyphs, mark: str, line: str) -> None:
    app = Graphs(glyphs)
    async with app.run_test(size=(4, 3)):
        each = app.graph.a_cell
        columns = [value for value in (0.0, 1.0, None, 3.0) for _ in range(each)]
        app.graph.show(columns, to(3.0), marks={place * each: safe("x" * 20) for place in (1, 2, 3)}, line=1.5)
        rows = app.rows
        assert rows[0][:3] == f" {mark}{mark}"
        assert rows[1][:3] == f"{line}{mark}{mark}"
        assert rows[2][2] == mark
        assert mark not in rows[0][3]  # it is full


async def test_the_newest_mark_has_its_words_where_nothing_is_drawn() -> None:
    app = Graphs()
    async with app.run_test(size=(24, 3)):
        app.graph.show([1.0] * 24, to(3.0), marks={2: safe("restarted"), 5: safe("run started")})
        assert app.rows[0] == "  ╎  ╎ run started      "
        app.graph.show([1.0] * 24, to(3.0), marks={20: safe("run started")})
        assert app.rows[0] == "        run started ╎   "
        app.graph.show([1.0] * 24, to(3.0), marks={11: safe("removing user:cache:*")})
        assert app.rows[0] == "           ╎ removing u…"
        app.graph.show([1.0] * 24, to(3.0), marks={14: safe("removing user:cache:*")})
        assert app.rows[0] == "removing use… ╎         "
        app.graph.show([3.0] * 24, to(3.0), marks={11: safe("restarted")})
        assert app.rows[0] == "█" * 24


async def test_a_high_one_has_the_clock_below_it() -> None:
    app = Graphs()
    async with app.run_test(size=(12, 4)) as pilot:
        assert app.graph.rows == 3
        app.graph.show([3.0] * 12, to(3.0), ticks={2: safe("16:58")})
        assert app.rows == ["█" * 12] * 3 + ["  16:58     "]
        await pilot.resize_terminal(12, 3)
        assert app.graph.rows == 3
        assert app.rows == ["█" * 12] * 3


async def test_a_low_one_has_no_room_for_words() -> None:
    app = Graphs()
    async with app.run_test(size=(24, 3)) as pilot:
        app.graph.show([1.0] * 24, to(3.0), marks={2: safe("restarted")})
        assert "restarted" in app.rows[0]
        await pilot.resize_terminal(24, 2)
        assert app.rows[0].split() == ["╎"]


async def test_columns_of_before_the_first_are_blank() -> None:
    app = Graphs()
    async with app.run_test(size=(4, 2)):
        app.graph.show([2.0], to(2.0))
        assert app.rows == ["   █"] * 2
