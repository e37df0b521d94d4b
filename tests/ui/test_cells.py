from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.color import ColorSystem
from rich.style import Style

from pymon_tui.ui.cells import DEFAULT_PEN, PLAIN, Pen, blank_alike, clusters, pen_of, sgr, stretches

TURNED_OFF = {
    "22": {"1", "2"},
    "23": {"3"},
    "24": {"4", "21"},
    "25": {"5", "6"},
    "27": {"7"},
    "28": {"8"},
    "29": {"9"},
    "54": {"51", "52"},
    "55": {"53"},
}
ATTRIBUTES = tuple(sorted({code for codes in TURNED_OFF.values() for code in codes}, key=int))

colours = st.sampled_from(["", "31", "97", "38;5;9", "38;2;1;2;3", "38;2;250;0;22"])
backgrounds = st.sampled_from(["", "41", "107", "48;5;9", "48;2;0;31;1"])
attributes = st.sets(st.sampled_from(ATTRIBUTES)).map(lambda codes: tuple(sorted(codes, key=int)))
pens = st.builds(Pen, colours, backgrounds, attributes)


def after_writing(sequence: str, before: Pen) -> Pen:
    """What a terminal that holds one pen holds after the sequence."""
    foreground, background, held = before.foreground, before.background, set(before.attributes)
    if not sequence:
        return before
    assert sequence.startswith("\x1b[")
    assert sequence.endswith("m")
    codes = (sequence[2:-1] or "0").split(";")
    while codes:
        code = codes.pop(0)
        if code in {"38", "48"}:
            taken = 2 if codes[0] == "5" else 4
            colour = ";".join([code, *codes[:taken]])
            codes = codes[taken:]
            foreground, background = (colour, background) if code == "38" else (foreground, colour)
        elif code == "0":
            foreground, background, held = "", "", set()
        elif code in TURNED_OFF:
            held -= TURNED_OFF[code]
        elif code in ATTRIBUTES:
            held.add(code)
        elif code in {"39", "31", "97"}:
            foreground = "" if code == "39" else code
        else:
            assert code in {"49", "41", "107"}
            background = "" if code == "49" else code
    return Pen(foreground, background, tuple(sorted(held, key=int)))


@given(before=pens, after=pens)
def test_sgr_turns_one_pen_into_the_other(before: Pen, after: Pen) -> None:
    assert after_writing(sgr(before, after), before) == after


@given(before=pens, after=pens)
def test_sgr_is_never_longer_than_starting_anew(before: Pen, after: Pen) -> None:
    anew = ";".join(filter(None, ("0", *after.attributes, after.foreground, after.background)))
    assert len(sgr(before, after)) <= len(f"\x1b[{anew}m")


def test_sgr_changes_only_what_differs() -> None:
    before = Pen("38;2;10;20;30", "48;2;1;1;1", ("1",))
    assert sgr(before, before) == ""
    assert sgr(before, before._replace(foreground="38;2;9;9;9")) == "\x1b[38;2;9;9;9m"
    assert sgr(before, before._replace(attributes=())) == "\x1b[22m"
    assert sgr(before, DEFAULT_PEN) == "\x1b[m"


def test_what_the_eye_does_not_see_is_no_part_of_a_pen() -> None:
    style = Style(color="#ff0000", bold=True)
    behind = style + Style(link="https://example.org") + Style.from_meta({"@click": "app.quit"})
    assert behind != style
    assert pen_of(behind, ColorSystem.TRUECOLOR) == pen_of(style, ColorSystem.TRUECOLOR)


def test_attributes_and_default_colours() -> None:
    assert pen_of(Style(color="default", bgcolor="default"), ColorSystem.TRUECOLOR) == DEFAULT_PEN
    assert pen_of(Style(bold=False, italic=True), ColorSystem.TRUECOLOR) == Pen("", "", ("3",))
    assert pen_of(Style(underline2=True, overline=True), ColorSystem.TRUECOLOR).attributes == ("21", "53")


@pytest.mark.parametrize(
    ("color_system", "foreground", "background"),
    [
        (ColorSystem.TRUECOLOR, "38;2;255;0;0", "48;2;0;0;255"),
        (ColorSystem.EIGHT_BIT, "38;5;196", "48;5;21"),
        (ColorSystem.STANDARD, "31", "44"),
        (None, "", ""),
    ],
)
def test_colours_are_those_the_terminal_has(color_system: ColorSystem | None, foreground: str, background: str) -> None:
    style = Style(color="#ff0000", bgcolor="#0000ff", bold=True)
    assert pen_of(style, color_system) == Pen(foreground, background, ("1",))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a한", [("a", 1, 1), ("한", 2, 2)]),
        ("e\u0301x", [("e\u0301", 1, 3), ("x", 1, 1)]),
        ("…", [("…", 1, 2)]),
        ("⚠\ufe0f", [("⚠\ufe0f", 2, 4)]),
        ("👩\u200d🚀!", [("👩\u200d🚀", 2, 6), ("!", 1, 1)]),
        ("\x1b[2J\n\x9b", [("[", 1, 1), ("2", 1, 1), ("J", 1, 1)]),
        ("\u0301a", [("a", 1, 1)]),
    ],
)
def test_clusters(text: str, expected: list[tuple[str, int, int]]) -> None:
    assert list(clusters(text)) == expected


@given(st.text())
def test_clusters_hold_no_control_character_and_reach_what_they_fill(text: str) -> None:
    for cluster, width, reach in clusters(text):
        assert not any(ord(character) < 0x20 or 0x7F <= ord(character) < 0xA0 for character in cluster)
        assert 1 <= width <= reach


@given(st.text(st.sampled_from("ab 9─한😀…\u0301\u200d\n"), max_size=12))
def test_stretches_are_clusters_but_for_the_plain_ones_side_by_side(text: str) -> None:
    found = stretches(text)
    split = [
        (character, 1, 1) if PLAIN.issuperset(piece) else (piece, width, reach)
        for piece, width, reach in found
        for character in (piece if PLAIN.issuperset(piece) else [piece])
    ]
    assert split == list(clusters(text))


def test_plain_characters_take_one_cell_and_numbers_and_graphs_are_among_them() -> None:
    assert all(cell_len(character) == 1 for character in PLAIN)
    assert PLAIN.issuperset("0123456789 GiB/s %─│╭╯▁▂▃▄▅▆▇█░⣿ñ")
    assert PLAIN.isdisjoint("한漢😀…·●↑→\u0301\u00ad\u200d\n\x1b")


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        (Pen("31", "41", ()), Pen("32", "41", ("1", "2", "3")), True),
        (Pen("31", "41", ()), Pen("31", "42", ()), False),
        (Pen("31", "41", ()), Pen("32", "41", ("7",)), False),
        (Pen("31", "41", ("4",)), Pen("32", "41", ("4",)), False),
    ],
)
def test_a_blank_shows_its_background_alone(one: Pen, other: Pen, *, alike: bool) -> None:
    assert blank_alike(one, other) is blank_alike(other, one) is alike
