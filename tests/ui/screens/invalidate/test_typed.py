from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pymon_tui.invalidation.filters import FilterError, Filters
from pymon_tui.invalidation.pattern import Pattern, PatternError
from pymon_tui.ui.screens.invalidate.draft import Draft, typed
from pymon_tui.ui.screens.invalidate.typed import expiry_of, idle_of, size_of


@pytest.mark.parametrize(
    ("text", "expiry"),
    [
        ("", (None, None)),
        ("any", (None, None)),
        ("never", ("none", None)),
        (" none ", ("none", None)),
        ("<90", ("within", 90)),
        ("<1h", ("within", 3_600)),
        ("> 1h 30m", ("later", 5_400)),
        (">0.5d", ("later", 43_200)),
    ],
)
def test_an_expiry(text: str, expiry: tuple[str | None, float | None]) -> None:
    assert expiry_of(text) == expiry


@pytest.mark.parametrize(
    ("text", "seconds"), [("", None), ("any", None), ("2d", 172_800), (">90s", 90), ("1h 1m", 3_660)]
)
def test_an_idle_time(text: str, seconds: float | None) -> None:
    assert idle_of(text) == seconds


@pytest.mark.parametrize(
    ("text", "size"),
    [("", None), ("any", None), ("512", 512), ("10k", 10_240), (">1M", 2**20), ("1.5 MiB", 3 * 2**19), ("2GB", 2**31)],
)
def test_a_size(text: str, size: int | None) -> None:
    assert size_of(text) == size


@pytest.mark.parametrize("text", ["1h", "<", "<soon", "-1h", "<1y", "none 1h", "\x1b[2J"])
def test_no_expiry(text: str) -> None:
    with pytest.raises(FilterError, match=r"^expiry: should be"):
        expiry_of(text)


@pytest.mark.parametrize("text", ["-1", "1x", "k", "1 2", "1e3"])
def test_no_size_and_no_time(text: str) -> None:
    with pytest.raises(FilterError, match=r"^size: should be"):
        size_of(text)
    with pytest.raises(FilterError, match=r"^idle: should be"):
        idle_of(text)


@given(st.lists(st.binary(min_size=1, max_size=12), min_size=1, max_size=3))
def test_patterns_are_typed_into_one_field_and_read_from_it_again(globs: list[bytes]) -> None:
    patterns = []
    for glob in globs:
        try:
            patterns.append(Pattern(glob))
        except PatternError:
            continue
    again = Draft(pattern=typed(patterns)).patterns
    for pattern, same in zip(patterns, again, strict=True):
        assert same.literal_prefix == pattern.literal_prefix
        assert same.only_key == pattern.only_key


def test_a_draft_makes_filters() -> None:
    draft = Draft(pattern="user:*", type="hash", expiry="<1h", idle="1d", larger="1K")
    assert draft.filters == Filters("hash", "within", 3_600, 86_400, 1_024)
    assert not draft.is_catch_all
    assert Draft(pattern="user:* **").is_catch_all
    assert Draft().is_empty
