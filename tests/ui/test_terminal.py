"""Whatever is drawn, the diff leaves the terminal as Textual's own sequences would: replayed through pyte."""

from __future__ import annotations

import inspect
import io
import random
import re
from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from textual._compositor import ChopsUpdate, CompositorUpdate, InlineUpdate, LayoutUpdate
from textual.app import App
from textual.geometry import Region
from textual.strip import Strip

from pymon_tui.ui.terminal import Frame, Shadow
from tests.ui.replay import Terminal

WIDTH, HEIGHT = 14, 4
STYLES: tuple[Mapping[str, object], ...] = (
    {},
    {"color": "#102030"},
    {"color": "#102030", "bgcolor": "#405060"},
    {"color": "#a0b0c0", "bgcolor": "#405060", "bold": True},
    {"color": "red", "bgcolor": "default", "italic": True, "underline": True},
    {"bgcolor": "color(200)", "reverse": True, "strike": True},
    {"bold": True, "blink": True},
)
PIECES = (*"ab 19.─█▂⣿", "  ", "     ", "ñ", "é", "한", "글", "漢", "字", "😀", "…", "●")


def console_with(color_system: str | None) -> Console:
    return Console(
        file=io.StringIO(),
        force_terminal=True,
        color_system=color_system,  # type: ignore[arg-type]  # Rich names the values in a Literal
        legacy_windows=False,
    )


def strip_of(segments: list[tuple[str, int]], width: int) -> Strip:
    # Rich keeps the codes of a style object in it, whatever the colours of the next console: so always a new one.
    styled = [Segment(text, Style(**STYLES[style])) for text, style in segments]  # type: ignore[arg-type]
    return Strip(styled).adjust_cell_length(width, Style(bgcolor="#405060"))


def segments_of(*pieces: str) -> st.SearchStrategy[list[tuple[str, int]]]:
    text = st.lists(st.sampled_from(pieces), max_size=8).map("".join)
    return st.lists(st.tuples(text, st.sampled_from(range(len(STYLES)))), max_size=6)


segments = segments_of(*PIECES)
# Rich may cut between a letter and what combines with it, so such letters are in whole lines only.
whole_segments = segments_of(*PIECES, "e\u0301")


@st.composite
def layouts(draw: st.DrawFn) -> LayoutUpdate:
    """The whole screen, at times a smaller one."""
    smaller = draw(st.integers(0, 5)) == 0
    width = draw(st.integers(1, WIDTH)) if smaller else WIDTH
    height = draw(st.integers(1, HEIGHT)) if smaller else HEIGHT
    return LayoutUpdate([[strip_of(draw(whole_segments), width)] for _ in range(height)], Region(0, 0, width, height))


@st.composite
def chops(draw: st.DrawFn) -> ChopsUpdate:
    """Spans of a screen that widgets cut into pieces, as the compositor makes them."""
    cuts = [sorted({0, WIDTH, *draw(st.sets(st.integers(0, WIDTH), max_size=4))}) for _ in range(HEIGHT)]
    rows: list[dict[int, Strip | None]] = []
    for row in cuts:
        divided = strip_of(draw(segments), WIDTH).divide(row[1:])
        rows.append(dict(zip(row[:-1], divided, strict=True)))
    regions = draw(
        st.lists(st.tuples(st.integers(0, HEIGHT - 1), st.sets(st.integers(0, WIDTH), min_size=2)), min_size=1)
    )
    spans: dict[int, tuple[int, int, int]] = {}
    for y, edges in regions:
        spans[y] = (y, min(edges), max(edges))
    for y, row in enumerate(cuts):
        if y not in spans:
            rows[y] = dict.fromkeys(row[:-1])
    return ChopsUpdate(rows, [spans[y] for y in sorted(spans)], [row[1:] for row in cuts])


def replay(updates: list[LayoutUpdate | ChopsUpdate], console: Console) -> None:
    shadow, plain, diffed = Shadow(), Terminal(WIDTH, HEIGHT), Terminal(WIDTH, HEIGHT)
    for update in updates:
        plain.feed(update.render_segments(console))
        diffed.feed(Frame(update, shadow, erase=False).render_segments(console))
        assert diffed.cells == plain.cells
        diffed.feed("\x1b[3;3H")  # Textual puts the cursor elsewhere after each frame


@settings(max_examples=80)
@given(st.lists(st.one_of(layouts(), chops()), min_size=1, max_size=6))
def test_random_screens(updates: list[LayoutUpdate | ChopsUpdate]) -> None:
    replay(updates, console_with("truecolor"))


@pytest.mark.parametrize("color_system", ["256", "standard"])
@settings(max_examples=50)
@given(updates=st.lists(st.one_of(layouts(), chops()), min_size=1, max_size=4))
def test_random_screens_in_fewer_colours(color_system: str, updates: list[LayoutUpdate | ChopsUpdate]) -> None:
    replay(updates, console_with(color_system))


@settings(max_examples=50)
@given(updates=st.lists(layouts(), min_size=1, max_size=4))
def test_random_screens_without_colours(updates: list[LayoutUpdate | ChopsUpdate]) -> None:
    shadow, console = Shadow(), console_with(None)
    for update in updates:
        codes = ";".join(re.findall(r"\x1b\[([\d;]*)m", shadow.diff(update, console))).split(";")
        assert not {"38", "48", "31", "49"} & set(codes)


def layout(*lines: str, style: Style | None = None) -> LayoutUpdate:
    width = max(Strip([Segment(line)]).cell_length for line in lines)
    strips = [[Strip([Segment(line, style)]).adjust_cell_length(width, style)] for line in lines]
    return LayoutUpdate(strips, Region(0, 0, width, len(lines)))  # type: ignore[arg-type]


def written(before: LayoutUpdate, after: LayoutUpdate) -> str:
    """The sequence of the second update."""
    shadow, console = Shadow(), console_with("truecolor")
    shadow.diff(before, console)
    return shadow.diff(after, console)


def test_nothing_is_written_when_nothing_changed() -> None:
    assert written(layout("used 12.4 MiB"), layout("used 12.4 MiB")) == ""


def test_only_the_changed_cells_are_written() -> None:
    assert written(layout("used 12.4 MiB"), layout("used 12.5 MiB")) == "\x1b[1;9H5"


def test_a_link_or_an_action_behind_a_text_is_no_change() -> None:
    style = Style(color="#102030")
    linked = style + Style(link="https://example.org") + Style.from_meta({"@click": "app.quit"})
    assert written(layout("used", style=style), layout("used", style=linked)) == ""


@pytest.mark.parametrize(
    ("before", "after", "sequence"),
    [
        ("1a1         ", "2a2         ", "\x1b[1H2a2"),
        ("1 mem 1     ", "2 mem 2     ", "\x1b[1H2\x1b[5C2"),
        ("1──1        ", "2──2        ", "\x1b[1H2\x1b[2C2"),
        ("1한1        ", "2한2        ", "\x1b[1H2\x1b[2C2"),
        ("1abc1       ", "2abc2       ", "\x1b[1H2abc2"),
    ],
)
def test_the_cursor_crosses_a_gap_the_cheapest_way(before: str, after: str, sequence: str) -> None:
    assert written(layout(before), layout(after)) == sequence


@pytest.mark.parametrize("uncertain", ["😀", "…", "⚠\ufe0f", "👩\u200d🚀", "e\u0301"])
def test_the_cell_after_an_uncertain_width_is_reached_absolutely(uncertain: str) -> None:
    width = Strip([Segment(uncertain)]).cell_length
    sequence = written(layout("....." + " " * 9), layout(uncertain + "ab" + " " * (12 - width)))
    assert f"{uncertain}\x1b[1;{width + 1}Hab" in sequence


def test_cells_that_a_terminal_may_have_drawn_over_are_written_again() -> None:
    assert written(layout("a|b"), layout("…|b")) == "\x1b[1H…\x1b[1;2H|"


def test_the_cells_after_hangul_need_no_move() -> None:
    assert written(layout("....  "), layout("한글ab")) == "\x1b[1H한글ab"


def test_the_cell_after_hangul_is_left_alone() -> None:
    assert written(layout("가|b"), layout("나|b")) == "\x1b[1H나"


def test_a_narrower_terminal_keeps_nothing_of_what_stood_under_an_emoji() -> None:
    assert written(layout("ab   "), layout("⚠\ufe0f   ")).startswith("\x1b[1H  \x1b[1H⚠\ufe0f")


def test_control_characters_never_reach_the_terminal() -> None:
    sequence = written(layout("        "), layout("a\x1b[2J\x07b"))
    assert "\x1b[2J" not in sequence
    assert "\x07" not in sequence


def test_the_pen_is_put_down_at_the_end() -> None:
    red = Style(color="#ff0000", bold=True)
    assert written(layout("a"), layout("b", style=red)) == "\x1b[1H\x1b[1;38;2;255;0;0mb\x1b[m"


def test_a_new_colour_alone_is_a_colour_alone() -> None:
    before, after = Style(color="#ff0000", bgcolor="#000001"), Style(color="#00ff00", bgcolor="#000001")
    strips = [[Strip([Segment("a", before), Segment("b", after)])]]
    sequence = Shadow().diff(LayoutUpdate(strips, Region(0, 0, 2, 1)), console_with("truecolor"))  # type: ignore[arg-type]
    assert sequence == "\x1b[1H\x1b[38;2;255;0;0;48;2;0;0;1ma\x1b[38;2;0;255;0mb\x1b[m"


def test_after_forgetting_every_cell_is_written() -> None:
    shadow, console = Shadow(), console_with("truecolor")
    shadow.diff(layout("abc"), console)
    shadow.forget()
    assert shadow.diff(layout("abc"), console) == "\x1b[1Habc"


def test_in_another_size_every_cell_is_written() -> None:
    assert written(layout("abc", "def"), layout("ab", "de")) == "\x1b[1Hab\x1b[2Hde"
    assert written(layout("abc", "def"), layout("abc")) == "\x1b[1Habc"


def test_changing_numbers_cost_few_bytes_a_cell() -> None:
    """Three digits of every second column change, on all 50 rows: 1500 cells."""
    numbers = random.Random(7)

    def screen() -> LayoutUpdate:
        return layout(*["".join(f"{'label':>17}{numbers.randrange(100, 1000)}" for _ in range(10)) for _ in range(50)])

    before, after = screen(), screen()
    changed = sum(
        a != b
        for old, new in zip(before.strips, after.strips, strict=True)
        for a, b in zip("".join(strip.text for strip in old), "".join(strip.text for strip in new), strict=True)
    )
    assert len(written(before, after)) <= 4 * changed


def test_styles_that_never_come_back_are_not_kept() -> None:
    shadow, console = Shadow(), console_with("truecolor")
    for number in range(10_000):
        shadow.diff(layout("x", style=Style.from_meta({"number": number})), console)
    assert len(shadow._styles) < 5_000


def test_texts_that_were_cut_are_not_kept() -> None:
    console = console_with("truecolor")
    for number in range(2_000):
        Segment(f"한{number}").split_cells(2)
        Frame(layout("x"), Shadow(), erase=False).render_segments(console)
    assert Segment._split_cells.cache_info().currsize < 1_100


def test_an_inline_update_passes_through() -> None:
    update, console = InlineUpdate([Strip([Segment("one")]), Strip([Segment("two")])]), console_with("truecolor")
    assert Frame(update, Shadow(), erase=False).render_segments(console) == update.render_segments(console)


def test_textual_still_has_what_is_private_and_used() -> None:
    """When this fails, Textual has changed below ``pymon_tui/ui/terminal.py``: read its ``_compositor.py`` anew."""
    assert list(inspect.signature(App._display).parameters) == ["self", "screen", "renderable"]
    assert list(inspect.signature(CompositorUpdate.render_segments).parameters) == ["self", "console"]
    assert list(inspect.signature(LayoutUpdate).parameters) == ["strips", "region"]
    assert list(inspect.signature(ChopsUpdate).parameters) == ["chops", "spans", "chop_ends"]
    assert vars(LayoutUpdate([], Region())).keys() == {"strips", "region"}
    assert vars(ChopsUpdate([], [], [])).keys() == {"chops", "spans", "chop_ends"}
    assert {kind.__name__ for kind in CompositorUpdate.__subclasses__()} == {
        "LayoutUpdate",
        "ChopsUpdate",
        "InlineUpdate",
        "Frame",
    }
