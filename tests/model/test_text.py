"""The door that strangers' bytes come through: whatever they are, what comes out can be drawn."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from pymon_tui.model.text import LIMIT, SafeText, join, lines, safe

HOSTILE = (
    "\x1b]2;PWNED\x07",
    "\x1b[2J",
    "\x9b31m",
    "a\u202eb",
    "\u200b\u200d\ufeff",
    "e\u0301\u0301\u0301",
    "\U0001f1f0\U0001f1f7",
    "\U0001f44d\U0001f3fd",
    "\udcff\ud800",
    "\u1112\u1161\u11ab",
    "\u3164\u2800\u00a0",
    "\u2028\u2029\x85\n\r",
    "\U000e0041",
    "\u0430dmin",
    "\u0430\u0435\u043e",
    "\u03bf",
    "ab",
    "\\x4",
    "b" * 31,
)
texts = st.text(st.characters(codec=None), max_size=80) | st.lists(st.sampled_from(HOSTILE)).map("".join)
raws = texts | st.binary(max_size=120) | texts.map(lambda text: text.encode("utf-8", "surrogatepass"))
limits = st.integers(1, 60)


def assert_drawn_as_it_is(text: str) -> None:
    assert isinstance(text, SafeText)
    for character in text:
        assert unicodedata.category(character) not in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Mn", "Me", "Mc"}
        assert cell_len(character) in (1, 2)
    assert cell_len(text) == sum(map(cell_len, text))
    assert len(text.splitlines()) <= 1


@given(raws, limits)
def test_anything_becomes_one_line_that_a_terminal_draws_as_it_is(raw: bytes | str, limit: int) -> None:
    text = safe(raw, limit)
    assert_drawn_as_it_is(text)
    assert len(text) <= limit + 1
    assert len(text) <= limit or text.endswith("…")


@given(raws, limits)
def test_what_is_safe_stays_as_it_is(raw: bytes | str, limit: int) -> None:
    once = safe(raw, limit)
    assert safe(once, limit) == once
    assert safe(str(once), limit) == once


@given(raws, limits)
def test_a_longer_limit_only_shows_more(raw: bytes | str, limit: int) -> None:
    short, whole = safe(raw, limit), safe(raw, 10_000)
    assert whole == short if len(whole) <= limit else whole.startswith(short.removesuffix("…"))


def test_every_character_by_itself() -> None:
    for code in (*range(0x20000), *range(0x2F800, 0x2FA20), *range(0xE0000, 0xE0200), 0x10FFFF):
        text = safe(chr(code))
        assert cell_len(text) >= 1
        assert all(cell_len(character) in (1, 2) for character in text), hex(code)


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        (b"cache:user:1", "cache:user:1"),
        ("캐시:사용자:1", "캐시:사용자:1"),
        (unicodedata.normalize("NFD", "캐시").encode(), "캐시"),
        (b"\xed\x95\x9c\xff", "한\\xff"),
        (b"\x1b[2J", "\\x1b[2J"),
        ("\x9b\u202e\n\t", "\\x9b\\u202e\\n\\t"),
        ("\ud83d", "\\ud83d"),
        ("\U000e0041", "\\U000e0041"),
        ("[red]x[/]", "[red]x[/]"),
        ("😀 ↑ ▁ é", "😀 ↑ ▁ é"),
        ("user:\u0430dmin:1", "user:\\u0430dmin:1"),
        ("s\u0435ssi\u043en", "s\\u0435ssi\\u043en"),
        ("\u039f\u039ak", "\\u039f\\u039ak"),
        ("\u043a\u043b\u044e\u0447:admin", "\u043a\u043b\u044e\u0447:admin"),
        ("\u0440\u0443\u0441\u0441\u043a\u0438\u0439", "\u0440\u0443\u0441\u0441\u043a\u0438\u0439"),
        ("caf\u00e9 \u03b4\u03bf\u03ba\u03b9\u03bc\u03ae", "caf\u00e9 \u03b4\u03bf\u03ba\u03b9\u03bc\u03ae"),
        ("\u200b\u0430", "\\u200b\u0430"),
        ("2\u0430_\u0430\u0410", "2\u0430_\u0430\u0410"),
        ("\u0430" + "\u0436" * 40 + "a", "\u0430" + "\u0436" * 40 + "a"),
        (b"", ""),
        (bytearray(b"a"), "a"),
        (memoryview(b"a\x00"), "a\\x00"),
    ],
)
def test_examples(raw: bytes | str, shown: str) -> None:
    assert safe(raw) == shown


def test_hangul_written_in_jamo_is_counted_in_syllables() -> None:
    syllables = "가각힣" * 10
    jamo = unicodedata.normalize("NFD", syllables)
    assert safe(jamo, 30) == safe(jamo.encode(), 30) == syllables
    assert safe(jamo, 29) == safe(jamo.encode(), 29) == syllables[:29] + "…"


@pytest.mark.parametrize("raw", [b"\xff" * 1_000_000, b"a" * 1_000_000, "한" * 1_000_000, "\u1112\u1161" * 600])
def test_a_payload_that_is_too_long_is_cut_and_says_so(raw: bytes | str) -> None:
    assert len(safe(raw)) == LIMIT + 1
    assert safe(raw).endswith("…")


@given(st.lists(raws, max_size=4))
def test_joined_parts_are_safe(parts: list[bytes | str]) -> None:
    joined = join("  ", [safe(part) for part in parts])
    assert_drawn_as_it_is(joined)
    assert joined == "  ".join(safe(part) for part in parts)


def test_lines_are_each_safe_and_bounded() -> None:
    assert lines(b'{\r\n\t"a": "\x1b"\n}') == ("{", '  "a": "\\x1b"', "}")
    assert lines("x" * 20, 10) == ("x" * 10, "…")


@given(raws)
def test_lines_of_anything(raw: bytes | str) -> None:
    for line in lines(raw):
        assert_drawn_as_it_is(line)
