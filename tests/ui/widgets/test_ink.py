"""Lines of spans: what is drawn of them, and what is drawn again."""

from __future__ import annotations

from typing import Self

from textual.app import App, ComposeResult
from textual.geometry import Region

from pymon_tui.ui.theme import THEMES
from pymon_tui.ui.widgets.ink import Facts, Ink, Line, Prose, label, span, text_of, wrapped

WIDTH, HEIGHT = 20, 6


class Stage(App[None]):
    def __init__(self, widget: Ink) -> None:
        super().__init__()
        self.widget = widget
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = "pymon-dark"

    def compose(self) -> ComposeResult:
        yield self.widget

    @property
    def lines(self) -> list[str]:
        """What is on the screen: a line that isn't repainted is old."""
        return [strip.text.rstrip() for strip in self.screen._compositor.render_strips()]


class Counted(Facts):
    """Facts that note what they repaint."""

    repaints: tuple[tuple[Region, ...], ...] = ()

    def refresh(self, *regions: Region, repaint: bool = True, layout: bool = False, recompose: bool = False) -> Self:
        self.repaints += (regions,)
        return super().refresh(*regions, repaint=repaint, layout=layout, recompose=recompose)

    def repainted(self) -> tuple[tuple[Region, ...], ...]:
        """The regions of each call since the last time that this was asked."""
        found, self.repaints = self.repaints, ()
        return found


def lines(*texts: str) -> tuple[Line, ...]:
    return tuple((span(text),) for text in texts)


async def test_only_lines_that_differ_are_repainted() -> None:
    facts = Counted(lines("one", "two", "three"))
    app = Stage(facts)
    async with app.run_test(size=(WIDTH, HEIGHT)) as pilot:
        await pilot.pause()
        facts.repainted()
        facts.show(lines("one", "2", "three"))
        assert facts.repainted() == ((Region(0, 1, WIDTH, 1),),)
        await pilot.pause()
        assert app.lines[:3] == ["one", "2", "three"]


async def test_another_number_of_lines_takes_another_room() -> None:
    facts = Facts(lines("one"))
    app = Stage(facts)
    async with app.run_test(size=(WIDTH, HEIGHT)) as pilot:
        facts.show(lines("one", "two"))
        await pilot.pause()
        assert (app.lines[:2], facts.size.height) == (["one", "two"], 2)


async def test_prose_that_takes_more_rows_takes_more_room() -> None:
    prose = Prose(lines("short"))
    app = Stage(prose)
    async with app.run_test(size=(WIDTH, HEIGHT)) as pilot:
        await pilot.pause()
        prose.show(lines("words that are longer than one row is wide"))
        await pilot.pause()
        assert prose.size.height == 3
        assert app.lines[0] == "words that are"


async def test_a_row_of_cells_is_as_wide_as_it_is_asked_to_be() -> None:
    ink = Facts()
    async with Stage(ink).run_test(size=(WIDTH, HEIGHT)):
        for width in (1, 4, 8, 9, 10, 20):
            strip = ink.row([(span("name"), 4, "left"), (span("12"), 4, "right")], width)
            assert strip.text == "name   12".ljust(width)[:width]
            assert strip.cell_length == width


def test_a_number_is_not_broken_at_its_blank() -> None:
    line = (label("more than "), span("26 600"), label(" keys of 1 210 448 in 5.01 s and 2.32 GiB, at 7 of 26"))
    for width in range(12, 70):
        rows = [text_of(row) for row in wrapped(line, width)]
        assert "".join(rows) == text_of(line)
        assert max(map(len, rows)) <= width
        for whole in ("26 600", "1 210 448", "5.01 s", "2.32 GiB"):
            assert any(whole in row for row in rows), (width, rows)
    assert [text_of(row) for row in wrapped((span("1 210 448 210 448"),), 9)] == ["1 210 448", " 210 448"]
