"""A bar chart: heights, holes, names and what is left out where it is narrow."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.style import Style
from textual.app import App, ComposeResult
from textual.geometry import Size

from pymon_tui.model.text import safe
from pymon_tui.ui.theme import DARK
from pymon_tui.ui.widgets.bars import Bar, Bars
from pymon_tui.ui.widgets.graph import EDGES, Glyphs
from pymon_tui.ui.widgets.ink import Role, Span, span

SCALE = (safe("0%"), safe("100%"))
LOW, HALF, HIGH = Bar(0.0, "bar"), Bar(0.5, "bar"), Bar(1.0, "accent")


class Chart(App[None]):
    """One chart."""

    def __init__(self, glyphs: Glyphs = "blocks") -> None:
        super().__init__()
        self.register_theme(DARK)
        self.theme = DARK.name
        self.bars = Bars()
        self.bars.glyphs = glyphs

    def compose(self) -> ComposeResult:
        """The chart."""
        yield self.bars

    @property
    def rows(self) -> list[str]:
        """What is drawn, row by row."""
        return [self.bars.render_line(y).text.rstrip() for y in range(self.bars.size.height)]


@pytest.mark.parametrize(
    ("glyphs", "rows"),
    [
        ("blocks", ["100%     █", "       ▄ █", "  0% ▁ █ █"]),
        ("ascii", ["100%     #", "       - #", "  0% . # #"]),
    ],
)
async def test_a_bar_is_as_high_as_its_share_and_a_hole_is_blank(glyphs: Glyphs, rows: list[str]) -> None:
    app = Chart(glyphs)
    async with app.run_test(size=(14, 4)):
        app.bars.show([LOW, HALF, HIGH, None], {}, SCALE)
        assert app.rows == [*rows, ""]


async def test_bars_take_the_width_there_is_up_to_four_cells() -> None:
    app = Chart()
    async with app.run_test(size=(7, 3)) as pilot:
        app.bars.show([HIGH, HIGH], {}, SCALE)
        assert app.rows[0] == "100% ██"
        for width, drawn in ((9, "█ █"), (11, "██ ██"), (13, "███ ███"), (40, "███ ███")):
            await pilot.resize_terminal(width, 3)
            assert app.rows[0] == f"100% {drawn}"


async def test_without_room_for_all_the_newest_are_drawn() -> None:
    app = Chart()
    async with app.run_test(size=(7, 3)):
        app.bars.show([HIGH, HIGH, LOW, HALF], {0: span("gone")}, SCALE)
        assert app.rows == ["100%", "  0% ▁█", ""]


async def test_names_stand_under_their_bars_and_don_t_touch() -> None:
    app = Chart()
    async with app.run_test(size=(17, 3)):
        names = {11: span("22", "accent"), 9: span("20"), 7: span("18"), 0: span("11")}
        app.bars.show([HIGH] * 12, names, SCALE)
        assert app.rows[-1] == "     11     18 22"
        styles = [segment.style for segment in app.bars.render_line(2) if segment.text == "22"]
        assert styles == [app.bars.ink("accent")]


async def test_the_same_again_is_not_drawn_again() -> None:
    app = Chart()
    async with app.run_test(size=(17, 3)):
        drawn: list[object] = []
        app.bars.refresh = lambda *regions, **_: drawn.append(regions)  # type: ignore[assignment]
        for _ in range(2):
            app.bars.show([HIGH], {0: span("x")}, SCALE)
        assert len(drawn) == 1


class Sized(Bars):
    """Bars of this width in no app."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self._width = width

    @property
    def size(self) -> Size:
        return Size(self._width, 4)

    def ink(self, role: Role) -> Style:
        return Style()


@given(
    st.lists(st.one_of(st.none(), st.builds(Bar, st.floats(0, 1), st.just("bar"))), max_size=40),
    st.dictionaries(st.integers(0, 39), st.text(max_size=12).map(span), max_size=6),
    st.integers(1, 90),
)
def test_every_row_is_as_wide_as_the_widget(bars: list[Bar | None], names: dict[int, Span], width: int) -> None:
    chart = Sized(width)
    chart.show(bars, {place: name for place, name in names.items() if place < len(bars)}, SCALE)
    for y in range(4):
        assert sum(cell_len(segment.text) for segment in chart.render_line(y)) == width


def test_every_glyph_set_has_eight_levels() -> None:
    assert {len(levels) for levels in EDGES.values()} == {8}
