"""A glob is explained as what it is, never as its beginning alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pymon_tui.invalidation.explained import explained, matches_nothing
from pymon_tui.invalidation.pattern import Pattern, PatternError, parse_pattern
from pymon_tui.ui.screens.invalidate.form_text import meaning
from pymon_tui.ui.widgets.ink import text_of


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("user:*", "user:*  keys that begin with user:"),
        ("user:**", "user:**  keys that begin with user:"),
        ("cart:[0-4]*", "cart:[0-4]*  keys with cart: then one of 0-4 then anything"),
        ("cart:[abz]", "cart:[abz]  keys with cart: then one of a b z"),
        ("cart:[^0-9]", "cart:[^0-9]  keys with cart: then a byte other than 0-9"),
        ("user:*:feed", "user:*:feed  keys with user: then anything then :feed"),
        ("*:feed", "*:feed  keys with anything then :feed"),
        ("user:???", "user:???  keys with user: then any 3 bytes"),
        ("user:?*", "user:?*  keys with user: then any byte then anything"),
        ("[a]bc*", "[a]bc*  keys that begin with abc"),
        (r"a\*b*", r"a\*b*  keys that begin with a*b"),
        (r"a\x00[\x01]*", r"a\x00[\x01]*  keys that begin with a\x00\x01"),
        ("a:1", "a:1  is one key"),
        ("a[]*", "a[]*  matches no key: a set has no member"),
        ("*", "*  matches every key"),
        ("?*", "?*  matches every key"),
    ],
)
def test_what_a_pattern_means(typed: str, said: str) -> None:
    (line,) = meaning((parse_pattern(typed),), ())
    assert text_of(line) == said


@given(st.binary(min_size=1, max_size=12))
def test_what_is_said_to_begin_alike_does(glob: bytes) -> None:
    try:
        pattern = Pattern(glob)
    except PatternError:
        return
    places = explained(pattern)
    assert places
    if len(places) == 2 and places[1] == "anything" and pattern.literal_prefix and not matches_nothing(pattern):
        assert all(pattern.matches(pattern.literal_prefix + rest) for rest in (b"", b"x", b"\xff:1", b"\n" * 9))
