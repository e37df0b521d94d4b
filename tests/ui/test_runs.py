from __future__ import annotations

import re

import pyte
from hypothesis import given, settings
from hypothesis import strategies as st

from pymon_tui.ui.cells import DEFAULT_PEN, Pen, sgr
from pymon_tui.ui.runs import Run, _Draft, sequence

WIDTH, HEIGHT = 20, 4
RED = Pen("38;2;255;0;0", "48;2;0;0;1", ("1",))
GREEN = Pen("38;2;0;255;0", "48;2;0;0;1", ())
SHORT = Pen("31", "", ())

rows = st.lists(st.sampled_from([None, None, DEFAULT_PEN, RED, GREEN, SHORT]), min_size=WIDTH, max_size=WIDTH)


def runs_of(row: list[Pen | None], y: int) -> list[Run]:
    """One run for each stretch of cells with the same pen; None is a cell that stays."""
    runs: list[Run] = []
    for x, pen in enumerate(row):
        if pen is None:
            continue
        if runs and runs[-1].pen == pen and runs[-1].x + len(runs[-1].text) == x:
            text = runs[-1].text + ("█" if x % 2 else "n")
            runs[-1] = runs[-1]._replace(text=text, width=len(text))
        else:
            runs.append(Run(y, x, "x", pen, 1))
    return runs


def nothing_known(y: int, x: int, stop: int) -> None:
    return None


def dots(y: int, x: int, stop: int) -> tuple[str, Pen]:
    return "." * (stop - x), DEFAULT_PEN


def replayed(written: str, kind: type[pyte.Screen] = pyte.Screen) -> list[list[tuple[object, ...]]]:
    screen = kind(WIDTH, HEIGHT)
    stream = pyte.Stream(screen)
    stream.feed("\x1b[?7l" + "\r\n".join("." * WIDTH for _ in range(HEIGHT)) + "\x1b[2;7H")
    stream.feed(written)
    assert screen.cursor.attrs == screen.default_char
    return [[tuple(screen.buffer[y][x]) for x in range(WIDTH)] for y in range(HEIGHT)]


@settings(max_examples=150)
@given(screen=st.lists(rows, min_size=HEIGHT, max_size=HEIGHT))
def test_every_run_is_drawn_where_it_belongs(screen: list[list[Pen | None]]) -> None:
    runs = [run for y, row in enumerate(screen) for run in runs_of(row, y)]
    one_by_one = "".join(f"\x1b[{run.y + 1};{run.x + 1}H{sgr(DEFAULT_PEN, run.pen)}{run.text}\x1b[m" for run in runs)
    drawn = {(run.y, run.x + at): (character, run.pen) for run in runs for at, character in enumerate(run.text)}

    def final(y: int, x: int, stop: int) -> tuple[str, Pen] | None:
        cells = [drawn.get((y, column), (".", DEFAULT_PEN)) for column in range(x, stop)]
        pens = {pen for _, pen in cells}
        return ("".join(text for text, _ in cells), pens.pop()) if len(pens) == 1 else None

    for standing in (nothing_known, final):
        written = sequence(runs, standing, WIDTH)
        assert replayed(written) == replayed(one_by_one)
        assert len(written) <= len(one_by_one)


unsure_rows = st.lists(
    st.one_of(st.none(), st.tuples(st.sampled_from([DEFAULT_PEN, RED, GREEN, SHORT]), st.booleans())),
    min_size=WIDTH,
    max_size=WIDTH,
)


class Wide(pyte.Screen):
    """A terminal that takes two cells for an ellipsis."""

    def draw(self, data: str) -> None:
        for character in data:
            super().draw(character)
            if character == "…" and self.cursor.x < self.columns:
                super().draw(" ")


@settings(max_examples=150)
@given(screen=st.lists(unsure_rows, min_size=HEIGHT, max_size=HEIGHT))
def test_what_a_terminal_makes_wider_covers_nothing_that_is_drawn(
    screen: list[list[tuple[Pen, bool] | None]],
) -> None:
    runs = []
    for y, row in enumerate(screen):
        for x, cell in enumerate(row):
            if cell is not None:
                pen, unsure = cell
                runs.append(Run(y, x, "…", pen, None, 2) if unsure else Run(y, x, chr(97 + x), pen, 1))
    one_by_one = "".join(f"\x1b[{run.y + 1};{run.x + 1}H{sgr(DEFAULT_PEN, run.pen)}{run.text}\x1b[m" for run in runs)
    for kind in (Wide, pyte.Screen):
        assert replayed(sequence(runs, nothing_known, WIDTH), kind) == replayed(one_by_one, kind)


def test_a_pen_is_taken_once_for_all_rows_with_an_unsure_width() -> None:
    runs = [run for y in range(4) for run in (Run(y, 0, "●", RED, None, 2), Run(y, 1, "abc", GREEN, 3))]
    assert len(re.findall(r"\x1b\[[0-9;]+m", sequence(runs, nothing_known, WIDTH))) == 2


def test_no_run_is_no_sequence() -> None:
    assert sequence([], nothing_known, WIDTH) == ""


def test_pens_that_take_turns_from_row_to_row_are_changed_once() -> None:
    runs = [Run(y, x, "x", pen, 1) for y in range(3) for x, pen in ((2, RED), (3, GREEN))]
    written = sequence(runs, nothing_known, WIDTH)
    assert written.count("m") == 3
    moves = re.sub(r"\x1b\[[\d;]*m", "", written).replace("\x1b", "")
    assert moves == "[1;4Hx[B[Dx[B[Dx[1;3Hx[B[Dx[B[Dx"


def test_a_move_is_the_shortest_that_leads_there() -> None:
    places = [(2, 3), (2, 9), (2, 1), (3, 1), (3, 6), (4, 0), (5, 12), (5, 8), (19, 9), (19, 19), (5, 19), (5, 0)]
    draft = _Draft(nothing_known, WIDTH)
    draft.draw_all(Run(y, x, "x", DEFAULT_PEN, 1) for y, x in places)
    assert draft.parts[::2] == [
        "\x1b[3;4H",  # from anywhere
        "\x1b[5C",
        "\x1b[9D",
        "\x1b[B\x1b[D",
        "\x1b[4C",
        "\x1b[B\r",
        "\x1b[6;13H",
        "\x1b[5D",
        "\x1b[14B",
        "\x1b[9C",
        "\x1b[6;20H",  # where the cursor is behind the last column, terminals differ
        "\x1b[6H",
    ]


def test_pens_that_take_turns_are_changed_once() -> None:
    runs = [Run(0, x, "x", RED if x % 2 else GREEN, 1) for x in range(10)]
    written = sequence(runs, nothing_known, WIDTH)
    assert len(re.findall(r"\x1b\[[\d;]*m", written)) == 3


def test_cheap_pens_are_changed_from_left_to_right() -> None:
    runs = [Run(0, 0, "a", SHORT, 1), Run(0, 1, "b", DEFAULT_PEN, 1)]
    runs.append(Run(0, 2, "c", SHORT, 1))
    assert sequence(runs, nothing_known, WIDTH) == "\x1b[1H\x1b[31ma\x1b[mb\x1b[31mc\x1b[m"


def test_what_stands_in_a_short_gap_is_written_again() -> None:
    runs = [Run(0, 0, "a", DEFAULT_PEN, 1), Run(0, 4, "b", DEFAULT_PEN, 1)]
    assert sequence(runs, dots, WIDTH) == "\x1b[1Ha...b"
    assert sequence(runs, nothing_known, WIDTH) == "\x1b[1Ha\x1b[3Cb"


def test_a_row_with_an_unsure_width_keeps_its_order_and_loses_the_cursor() -> None:
    runs = [Run(0, x, "한" if x == 2 else "x", RED if x % 2 else GREEN, 1 if x != 2 else None) for x in (0, 1, 2, 4, 5)]
    drawn = re.sub(r"\x1b\[[\d;]*m", "", sequence(runs, nothing_known, WIDTH))
    assert drawn == "\x1b[1Hxx한\x1b[1;5Hxx"


def test_what_stands_in_another_pen_is_left_alone() -> None:
    runs = [Run(0, 0, "a", DEFAULT_PEN, 1), Run(0, 2, "b", DEFAULT_PEN, 1)]
    assert sequence(runs, lambda y, x, stop: (".", RED), WIDTH) == "\x1b[1Ha\x1b[Cb"


def test_a_blank_takes_the_pen_that_is_at_hand() -> None:
    plain = Pen(GREEN.foreground, GREEN.background, ("1",))
    lined = Pen(GREEN.foreground, GREEN.background, ("4",))
    for pen, said in ((plain, 1), (RED, 1), (lined, 2), (SHORT, 2)):
        written = sequence([Run(0, 0, "ab", GREEN, 2), Run(0, 2, "  ", pen, 2)], nothing_known, WIDTH)
        assert len(re.findall(r"\x1b\[[0-9;]+m", written)) == said
