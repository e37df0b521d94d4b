"""The table: only rows that are seen are asked for, and the cursor stays on its row."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Self

from textual import on
from textual.app import App, ComposeResult
from textual.geometry import Region

from pymon_tui.ui.theme import THEMES
from pymon_tui.ui.widgets.ink import span
from pymon_tui.ui.widgets.table import Column, Table

WIDTH, HEIGHT = 40, 8

COLUMNS: tuple[Column[int], ...] = (
    Column("number", "number", 8, lambda row: span(str(row)), align="right"),
    Column("name", "name", 10, lambda row: span(f"row {row}"), grows=True),
    Column("age", "age", 6, lambda row: span(f"{row}s"), align="right", rank=1, smallest_first=True),
    Column("note", "note", 10, lambda row: span("note"), rank=2, sortable=False),
)


class Numbers:
    """Rows that are numbers; it notes which were asked for."""

    def __init__(self, *numbers: int) -> None:
        self.numbers = numbers
        self.asked: set[int] = set()

    def __len__(self) -> int:
        return len(self.numbers)

    def __getitem__(self, index: int) -> int:
        self.asked.add(index)
        return self.numbers[index]

    def key(self, index: int) -> Hashable:
        return self.numbers[index]

    def find(self, key: Hashable) -> int | None:
        return self.numbers.index(key) if key in self.numbers else None


class Stage(App[None]):
    def __init__(self, table: Table[int]) -> None:
        super().__init__()
        self.table = table
        self.sorts: list[tuple[str | None, bool]] = []
        self.groupings = 0
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = "pymon-dark"

    def compose(self) -> ComposeResult:
        yield self.table

    @on(Table.SortChanged)
    def _sorted(self) -> None:
        self.sorts.append((self.table.sort, self.table.descending))

    @on(Table.GroupingWanted)
    def _grouped(self) -> None:
        self.groupings += 1

    @property
    def lines(self) -> list[str]:
        """What is on the screen, and not what would be drawn: a row that isn't repainted is old."""
        strips = self.screen._compositor.render_strips()
        return [strip.text.rstrip() for strip in strips[: self.table.size.height]]

    @property
    def marked(self) -> list[str]:
        """The rows on the cursor's background."""
        cursor = self.table.cursor_ink.bgcolor
        strips = self.screen._compositor.render_strips()
        return [
            strip.text.split()[0]
            for strip in strips
            if any(segment.style and segment.style.bgcolor == cursor for segment in strip)
        ]


async def test_a_hundred_thousand_rows_are_asked_for_as_few_as_are_seen() -> None:
    rows, app = Numbers(*range(100_000)), Stage(Table(COLUMNS))
    async with app.run_test(size=(WIDTH, HEIGHT)) as pilot:
        app.table.show(rows)
        await pilot.pause()
        await pilot.press("end")
        await pilot.pause()
        assert app.lines[-1].split()[0] == "99999"
        assert len(rows.asked) <= 3 * HEIGHT


async def test_the_cursor_stays_on_its_row_and_on_its_line() -> None:
    app = Stage(Table(COLUMNS))
    async with app.run_test(size=(WIDTH, HEIGHT)) as pilot:
        app.table.show(Numbers(*range(50)))
        await pilot.press("j", "j")
        app.table.show(Numbers(100, 101, 102, *range(50)))
        await pilot.pause()
        assert app.table.cursor_row == 2
        assert app.marked == ["2"]
        assert app.lines[3].split()[0] == "2"


async def test_a_cursor_at_the_top_follows_what_comes_in_there() -> None:
    app = Stage(Table(COLUMNS, follows=True))
    async with app.run_test(size=(WIDTH, HEIGHT)) as pilot:
        app.table.show(Numbers(1, 2, 3))
        await pilot.press("j", "k")
        app.table.show(Numbers(9, 1, 2, 3))
        assert app.table.cursor_row == 9


async def test_a_row_that_leaves_leaves_the_cursor_where_it_was() -> None:
    app = Stage(Table(COLUMNS))
    async with app.run_test(size=(WIDTH, HEIGHT)) as pilot:
        app.table.show(Numbers(1, 2, 3))
        await pilot.press("end")
        app.table.show(Numbers(1, 2))
        assert app.table.cursor_row == 2
        app.table.show(Numbers())
        assert app.table.cursor_row is None
        await pilot.press("j", "end", "pagedown")


async def test_moving_paints_both_rows_also_where_it_scrolls() -> None:
    app = Stage(Table(COLUMNS))
    async with app.run_test(size=(WIDTH, HEIGHT)) as pilot:
        app.table.show(Numbers(*range(50)))
        await pilot.pause()
        for key, expected in (("j", "1"), ("j", "2"), ("pagedown", "8"), ("k", "7"), ("home", "0"), ("G", "49")):
            await pilot.press(key)
            await pilot.pause()
            assert app.marked == [expected]


class Counted(Table[int]):
    """A table that counts how often it asks for another layout of the screen, and notes what it repaints."""

    layouts = 0
    repaints: tuple[tuple[Region, ...], ...] = ()

    def refresh(self, *regions: Region, repaint: bool = True, layout: bool = False, recompose: bool = False) -> Self:
        self.layouts += layout
        self.repaints += (regions,)
        return super().refresh(*regions, repaint=repaint, layout=layout, recompose=recompose)

    def repainted(self) -> tuple[tuple[Region, ...], ...]:
        """The regions of each call since the last time that this was asked."""
        found, self.repaints = self.repaints, ()
        return found


async def test_only_rows_that_differ_are_repainted() -> None:
    table = Counted(COLUMNS)
    app = Stage(table)
    async with app.run_test(size=(WIDTH, HEIGHT)) as pilot:
        table.show(Numbers(1, 2, 3))
        await pilot.pause()
        table.repainted()
        table.show(Numbers(1, 2, 3))
        assert table.repainted() == ()
        table.show(Numbers(1, 9, 3, 4))
        assert table.repainted() == ((Region(0, 2, WIDTH, 1), Region(0, 4, WIDTH, 1)),)
        await pilot.pause()
        assert [line.split()[:1] for line in app.lines[1:6]] == [["1"], ["9"], ["3"], ["4"], []]


async def test_only_a_scrollbar_that_comes_or_goes_lays_the_screen_out_anew() -> None:
    table = Counted(COLUMNS)
    app = Stage(table)
    async with app.run_test(size=(WIDTH, HEIGHT)) as pilot:
        table.show(Numbers(*range(50)))
        await pilot.press("end")
        await pilot.pause()
        table.show(Numbers(*range(51)))  # beside the scrollbar, it is narrower
        await pilot.pause()
        before = table.layouts
        table.show(Numbers(*range(60)))
        table.show(Numbers(*range(30)))
        await pilot.pause()
        assert table.layouts == before
        assert table.vertical_scrollbar.window_virtual_size == 31
        assert app.lines[-1].split()[0] == "29"
        table.show(Numbers(1, 2))
        await pilot.pause()
        assert table.layouts > before
        assert not table.show_vertical_scrollbar


async def test_columns_of_low_rank_stay_and_the_rest_is_filled() -> None:
    app = Stage(Table(COLUMNS))
    async with app.run_test(size=(WIDTH, HEIGHT)) as pilot:
        app.table.show(Numbers(1))
        titles = {}
        for width in (40, 30, 20):
            await pilot.resize_terminal(width, HEIGHT)
            await pilot.pause()
            titles[width] = app.lines[0].split()
            assert len(app.lines[1]) <= width
        assert titles == {40: ["number", "name", "age", "note"], 30: ["number", "name", "age"], 20: ["number", "name"]}


async def test_s_goes_through_the_columns_that_are_seen_and_a_click_sorts() -> None:
    app = Stage(Table(COLUMNS, sort="number"))
    async with app.run_test(size=(WIDTH, HEIGHT)) as pilot:
        app.table.show(Numbers(1))
        await pilot.press("s", "s", "s", "S")
        assert app.sorts == [("name", False), ("age", False), ("number", True), ("number", False)]
        await pilot.click(Table, offset=(10, 0))
        assert app.sorts[-1] == ("name", False)


async def test_without_titles_there_is_room_for_one_more_row() -> None:
    app = Stage(Table(COLUMNS))
    async with app.run_test(size=(WIDTH, HEIGHT)) as pilot:
        app.table.show(Numbers(*range(50)))
        app.table.headed = False
        await pilot.pause()
        assert app.lines[0].split()[0] == "0"
        await pilot.click(Table, offset=(2, 3))
        assert app.table.cursor_row == 3
        await pilot.press("G")
        await pilot.pause()
        assert app.lines[-1].split()[0] == "49"


async def test_g_groups_where_there_are_groups_and_else_goes_to_the_first_row() -> None:
    for groups in (True, False):
        app = Stage(Table(COLUMNS, groups=groups))
        async with app.run_test(size=(WIDTH, HEIGHT)) as pilot:
            app.table.show(Numbers(1, 2, 3))
            await pilot.press("j", "g")
            assert (app.groupings, app.table.cursor_row) == ((1, 2) if groups else (0, 1))


async def test_other_columns_begin_at_the_top_and_a_row_can_be_pointed_at() -> None:
    app = Stage(Table(COLUMNS))
    async with app.run_test(size=(WIDTH, HEIGHT)) as pilot:
        app.table.show(Numbers(*range(50)))
        await pilot.press("G")
        app.table.use(COLUMNS[:2], sort="name", descending=False)
        app.table.show(Numbers(*range(50)))
        await pilot.pause()
        assert app.table.cursor == 0
        assert app.lines[0].split() == ["number", "name↑"]
        app.table.point_at(30)
        await pilot.pause()
        assert app.marked == ["30"]
        app.table.point_at("nobody")
        assert app.table.cursor_row == 30


async def test_an_empty_table_says_so() -> None:
    app = Stage(Table(COLUMNS, empty="nobody here"))
    async with app.run_test(size=(WIDTH, HEIGHT)) as pilot:
        assert app.lines[1] == "nobody here"
        app.table.say_when_empty("nobody there")
        await pilot.pause()
        assert app.lines[1] == "nobody there"
